import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from "yaml";
import { cloudFormationLimits } from "../limits.ts";
import { formatError, templateError } from "./template-error.ts";

/** What a template is made of. Short-form tags are in their long form: `!Sub x` is `{ "Fn::Sub": "x" }`. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/**
 * Read a template's text, JSON when it begins with a brace and YAML otherwise.
 *
 * Scalars follow YAML 1.1 as far as CloudFormation does; a number that would not be written the same way again (`0123`,
 * `1.10`) keeps its text. Objects have no prototype to confuse: `__proto__` is a key like any other.
 *
 * @throws {TemplateError} `Template format error: YAML not well-formed. (line 3, column 5)` and its like
 */
export function parseTemplate(text: string): JsonObject {
  const value = /^\s*\{/.test(text) ? parseJson(text) : parseYaml(text);
  if (!isObject(value)) throw formatError("unsupported structure.");
  return value;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** An object with these entries, safe for any key. */
export function toObject(entries: Iterable<readonly [string, JsonValue]>): JsonObject {
  return Object.fromEntries(entries);
}

function parseJson(text: string): JsonValue {
  refuseDeepBrackets(text, "JSON");
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [line, column] = jsonErrorPosition(error, text);
    throw formatError(`JSON not well-formed. (line ${line}, column ${column})`);
  }
}

function jsonErrorPosition(error: SyntaxError, text: string): [line: number, column: number] {
  const at = Number(/at position (\d+)/.exec(error.message)?.[1] ?? text.length);
  const before = text.slice(0, at).split("\n");
  return [before.length, (before.at(-1)?.length ?? 0) + 1];
}

function parseYaml(text: string): JsonValue {
  refuseDeepBrackets(text, "YAML");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "silent", version: "1.2" });
  const error = document.errors[0];
  if (error) {
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    throw formatError(`YAML not well-formed. (line ${line}, column ${col})`);
  }
  return document.contents ? toValue(document.contents, 1, lines) : null;
}

/** The parser descends once a bracket or an indent: deep nesting is refused before it can exhaust the stack. */
function refuseDeepBrackets(text: string, format: "JSON" | "YAML"): void {
  let depth = 0;
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "\n") {
      line++;
      lineStart = at + 1;
      // Indentation, and the dashes of compact lists, nest as brackets do.
      const indent = /^[ \-?:]*/.exec(text.slice(at + 1, at + 1 + yamlIndentMax))?.[0].length ?? 0;
      if (format === "YAML" && indent >= yamlIndentMax) throw tooDeep(format, line, indent);
    } else if (char === "[" || char === "{") {
      if (++depth > bracketDepthMax) throw tooDeep(format, line, at - lineStart + 1);
    } else if ((char === "]" || char === "}") && depth > 0) depth--;
  }
}

const bracketDepthMax = 1000;
const yamlIndentMax = 2000;

const tooDeep = (format: string, line: number, column: number) =>
  formatError(`${format} not well-formed. (line ${line}, column ${column})`);

function toValue(node: Node, depth: number, lines: LineCounter): JsonValue {
  if (depth > cloudFormationLimits.templateDepthMax) throw broken(node, lines);
  if (isAlias(node) || ("anchor" in node && node.anchor)) {
    throw templateError("YAML aliases are not allowed in CloudFormation templates");
  }
  return tagged(node, untagged(node, depth, lines), lines);
}

function untagged(node: Node, depth: number, lines: LineCounter): JsonValue {
  if (isMap<Node, Node | null>(node)) {
    const entries = new Map<string, JsonValue>();
    for (const { key, value } of node.items) {
      if (!isScalar(key) || (key.value === "<<" && key.type === "PLAIN")) throw broken(key, lines);
      const name = String(key.source ?? key.value);
      if (entries.has(name)) throw broken(key, lines);
      entries.set(name, value ? toValue(value, depth + 1, lines) : null);
    }
    return toObject(entries);
  }
  if (isSeq<Node | null>(node)) return node.items.map((item) => (item ? toValue(item, depth + 1, lines) : null));
  if (isScalar(node)) return scalar(node.value, node.type === "PLAIN", node.source ?? "", node.tag);
  throw broken(node, lines);
}

/** YAML 1.1's words for booleans, which CloudFormation's reader takes as such. */
const trueWords = /^(?:true|True|TRUE|yes|Yes|YES|on|On|ON)$/;
const falseWords = /^(?:false|False|FALSE|no|No|NO|off|Off|OFF)$/;

function scalar(value: unknown, plain: boolean, source: string, tag: string | undefined): JsonValue {
  if (!plain || (tag !== undefined && tag.startsWith("!"))) return typeof value === "string" ? value : source;
  if (value === null) return null;
  if (trueWords.test(source)) return true;
  if (falseWords.test(source)) return false;
  if (typeof value === "number") return String(value) === source ? value : source;
  return source;
}

/** Tags that are CloudFormation's; `!GetAtt A.B` becomes a list, the rest wrap their value. */
const functionTags = new Set([
  "Base64",
  "Cidr",
  "FindInMap",
  "GetAZs",
  "GetAtt",
  "If",
  "ImportValue",
  "Join",
  "Length",
  "Not",
  "And",
  "Or",
  "Equals",
  "Select",
  "Split",
  "Sub",
  "ToJsonString",
  "Transform",
  "Contains",
  "EachMemberEquals",
  "EachMemberIn",
  "RefAll",
  "ValueOf",
  "ValueOfAll",
]);

function tagged(node: Node, value: JsonValue, lines: LineCounter): JsonValue {
  const tag = "tag" in node ? node.tag : undefined;
  if (tag === undefined || tag.startsWith("tag:yaml.org,2002:") || tag === "!") return value;
  const name = tag.slice(1);
  if (name === "Ref" || name === "Condition") return { [name]: value };
  if (!tag.startsWith("!") || !functionTags.has(name)) throw broken(node, lines);
  if (name !== "GetAtt" || typeof value !== "string") return { [`Fn::${name}`]: value };
  const dot = value.indexOf(".");
  return { "Fn::GetAtt": dot < 0 ? [value] : [value.slice(0, dot), value.slice(dot + 1)] };
}

function broken(node: unknown, lines: LineCounter) {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  const { line, col } = lines.linePos(typeof start === "number" ? start : 0);
  return formatError(`YAML not well-formed. (line ${line}, column ${col})`);
}
