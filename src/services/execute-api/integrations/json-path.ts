import { PayloadError, TemplateError } from "../vtl/errors.ts";
import { parseJson } from "../vtl/json.ts";
import { jsonText } from "../vtl/json-text.ts";
import { createJsonPaths, evaluateJsonPath } from "../vtl/json-path.ts";
import { type JsonPath, parseJsonPath } from "../vtl/json-path-parser.ts";
import { createPatterns } from "../vtl/patterns.ts";
import type { Run } from "../vtl/run.ts";

/** Reads something of a JSON body: text as it is, anything else as JSON; undefined where there is nothing. */
export type BodyText = (body: Buffer) => string | undefined;

/**
 * Make a JSONPath of a parameter mapping ready: as templates have it, `user.roles[0]` or `$..price`. A malformed one finds
 * nothing, and so does one that would take too long.
 *
 * @param kind AWS: mappings of HTTP APIs know neither recursive descent (`..`) nor filters (`?()`)
 */
export function compileBodyText(path: string, kind: "rest" | "http" = "rest"): BodyText {
  const parsed = parse(path);
  if (parsed === undefined || (kind === "http" && !parsed.tokens.every(isOfHttp))) return () => undefined;
  const patterns = createPatterns();
  const paths = createJsonPaths();
  return (body) => {
    const run: Run = {
      variables: new Map(),
      macroDepth: 0,
      depth: 0,
      patterns,
      paths,
      slowPatterns: 0,
      signal: undefined,
      steps: 0,
    };
    try {
      const value = evaluateJsonPath(parsed, parseJson(body.toString("utf8")), run);
      if (value === undefined || value === null) return undefined;
      return typeof value === "string" ? value : jsonText(value, run, "plain");
    } catch (error) {
      if (error instanceof PayloadError || error instanceof TemplateError || error instanceof RangeError)
        return undefined;
      throw error;
    }
  };
}

function isOfHttp({ kind }: JsonPath["tokens"][number]): boolean {
  return kind !== "scan" && kind !== "filter";
}

/** The same, where a path is read once. */
export function textAt(body: Buffer, path: string): string | undefined {
  return compileBodyText(path)(body);
}

function parse(path: string): JsonPath | undefined {
  try {
    return parseJsonPath(path);
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}
