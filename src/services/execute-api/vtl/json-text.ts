import { TemplateError } from "./errors.ts";
import { templateLimits as limits } from "./limits.ts";
import { type Run, spend, spendText } from "./run.ts";
import { doubleText, type Value } from "./values.ts";

/**
 * A value as JSON.
 *
 * AWS: `$input.json` and printed lists come from the same library (json-smart), which escapes characters that are plain in JSON
 * (`\u2028`, `€`), and slashes in printed lists alone (`web`).
 */
export function jsonText(value: Value, run: Run, style: "plain" | "web"): string {
  return spendText(run, write(value, run, style, 0));
}

function write(value: Value, run: Run, style: "plain" | "web", depth: number): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return spendText(run, quoted(value, style));
  if (typeof value !== "object") return String(value);
  if (depth > limits.nestingMax) throw new TemplateError("A value is nested too deep to be printed");
  spend(run);
  if (value instanceof Map) {
    const members: string[] = [];
    for (const [key, member] of value) {
      members.push(
        `${quoted(typeof key === "string" ? key : write(key, run, "plain", depth + 1), style)}:${write(member, run, style, depth + 1)}`,
      );
    }
    return `{${members.join(",")}}`;
  }
  switch (value.kind) {
    case "double":
      return doubleText(value.value);
    case "list":
      return spendText(run, `[${value.items.map((item) => write(item, run, style, depth + 1)).join(",")}]`);
    case "entry":
      return quoted(`${write(value.key, run, style, depth + 1)}=${write(value.value, run, style, depth + 1)}`, style);
    case "block":
      return quoted(value.render(run), style);
    case "host":
      return quoted(value.text(run), style);
  }
}

// eslint-disable-next-line no-control-regex -- these are what is escaped
const special = /["\\\u0000-\u001f\u007f-\u009f\u2000-\u20ff]/g;
// eslint-disable-next-line no-control-regex -- these are what is escaped
const specialOrSlash = /["\\/\u0000-\u001f\u007f-\u009f\u2000-\u20ff]/g;
const short = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["/", "\\/"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function quoted(text: string, style: "plain" | "web"): string {
  const escaped = text.replaceAll(
    style === "web" ? specialOrSlash : special,
    (character) => short.get(character) ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}
