import { tokenize } from "./expression.ts";
import { readSelector } from "./json.ts";
import { parseFilterPattern } from "./parse.ts";
import { readFields } from "./space-delimited.ts";
import type { Matches } from "./unstructured.ts";

/** A filter pattern that also reads what it names: `$.a.b` of JSON, `$name` of words. */
export interface FilterPattern {
  readonly matches: Matches;
  /** `text` has no values. */
  readonly kind: "json" | "words" | "text";
  /** The value of a selector in a message that matches; undefined where it is not there, or is no scalar. */
  read(message: string, selector: string): string | undefined;
  /** Every value that the pattern names: selectors of JSON, and words by their names (`$name`, `$3` where an ellipsis stands). */
  extract(message: string): Readonly<Record<string, string>>;
}

/** Throws as `parseFilterPattern` does. */
export function compileFilterPattern(pattern: string): FilterPattern {
  const matches = parseFilterPattern(pattern);
  const text = pattern.trim();
  if (text.startsWith("{")) {
    const selectors = tokenize(text.slice(1, -1)).flatMap((token) =>
      token.kind === "word" && !token.quoted && token.text.startsWith("$") ? [token.text] : [],
    );
    const extract = (message: string) => pick(selectors, (selector) => readSelector(message, selector));
    return { kind: "json", matches, read: readSelector, extract };
  }
  if (text.startsWith("[")) {
    const fields = readFields(text);
    return {
      kind: "words",
      matches,
      read: (message, selector) => fields(message)[selector],
      extract: fields,
    };
  }
  return { kind: "text", matches, read: () => undefined, extract: () => ({}) };
}

function pick(names: readonly string[], read: (name: string) => string | undefined): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = read(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
