import { parseJsonPattern } from "./json.ts";
import { parseSpaceDelimited } from "./space-delimited.ts";
import { parseTerms, type Matches } from "./unstructured.ts";

/**
 * A filter pattern as a test of messages. Throws InvalidParameterException for what is not a pattern, and the 501 for
 * regular expressions. Source: CloudWatch Logs user guide, "Filter pattern syntax".
 */
export function parseFilterPattern(pattern: string): Matches {
  const text = pattern.trim();
  if (text.startsWith("{") && text.endsWith("}")) return parseJsonPattern(text);
  if (text.startsWith("[") && text.endsWith("]")) return parseSpaceDelimited(text);
  return parseTerms(text);
}
