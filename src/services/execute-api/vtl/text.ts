import { TemplateError } from "./errors.ts";
import { jsonText } from "./json-text.ts";
import { templateLimits as limits } from "./limits.ts";
import { type Run, spend, spendText } from "./run.ts";
import { doubleText, type Value } from "./values.ts";

/** A value as text, as Java's `toString` makes it; nothing for what does not exist. */
export function textOf(value: Value, run: Run): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    case "undefined":
      return "";
    default:
      return value === null ? "" : spendText(run, nestedText(value, run, 0));
  }
}

function nestedText(value: Value, run: Run, depth: number): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return String(value);
  if (depth > limits.nestingMax) throw new TemplateError("A value is nested too deep to be printed");
  spend(run);
  if (value instanceof Map) {
    const members: string[] = [];
    for (const [key, member] of value) {
      members.push(`${nestedText(key, run, depth + 1)}=${nestedText(member, run, depth + 1)}`);
    }
    return spendText(run, `{${members.join(", ")}}`);
  }
  switch (value.kind) {
    case "double":
      return doubleText(value.value);
    case "list":
      // AWS: a list of a JSON document prints as JSON even within a map that prints as `{name=value}`.
      if (value.json) return spendText(run, jsonText(value, run, "web"));
      return spendText(run, `[${value.items.map((item) => nestedText(item, run, depth + 1)).join(", ")}]`);
    case "entry":
      return `${nestedText(value.key, run, depth + 1)}=${nestedText(value.value, run, depth + 1)}`;
    case "block":
      return value.render(run);
    case "host":
      return value.text(run);
  }
}
