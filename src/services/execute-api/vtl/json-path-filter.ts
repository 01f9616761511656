import { TemplateError } from "./errors.ts";
import type { JsonPath } from "./json-path-parser.ts";
import { deeper, skipSpace, type Source, take } from "./source.ts";
import { double, type Value } from "./values.ts";

/** What stands in `[?( … )]`. */
export type Filter =
  | { readonly kind: "and" | "or"; readonly left: Filter; readonly right: Filter }
  | { readonly kind: "not"; readonly operand: Filter }
  | { readonly kind: "exists"; readonly path: JsonPath }
  | {
      readonly kind: "compare";
      readonly operator: FilterOperator;
      readonly left: FilterOperand;
      readonly right: FilterOperand;
    };

export type FilterOperand =
  | { readonly kind: "path"; readonly path: JsonPath }
  | { readonly kind: "value"; readonly value: Value }
  /** `/pattern/i`, as a regular expression of Java. */
  | { readonly kind: "pattern"; readonly source: string };

const operators = [
  "===",
  "!==",
  "==",
  "!=",
  "<=",
  ">=",
  "=~",
  "<",
  ">",
  "nin",
  "in",
  "subsetof",
  "anyof",
  "noneof",
  "contains",
  "size",
  "empty",
] as const;

export type FilterOperator = (typeof operators)[number];

type ParsePath = (source: Source) => JsonPath;

export function parseFilter(source: Source, parsePath: ParsePath): Filter {
  return deeper(source, () => parseOr(source, parsePath));
}

function parseOr(source: Source, parsePath: ParsePath): Filter {
  let left = parseAnd(source, parsePath);
  for (;;) {
    skipSpace(source);
    if (!take(source, "||")) return left;
    left = { kind: "or", left, right: parseAnd(source, parsePath) };
  }
}

function parseAnd(source: Source, parsePath: ParsePath): Filter {
  let left = parseNot(source, parsePath);
  for (;;) {
    skipSpace(source);
    if (!take(source, "&&")) return left;
    left = { kind: "and", left, right: parseNot(source, parsePath) };
  }
}

function parseNot(source: Source, parsePath: ParsePath): Filter {
  skipSpace(source);
  if (take(source, "!")) return { kind: "not", operand: deeper(source, () => parseNot(source, parsePath)) };
  if (take(source, "(")) {
    const inner = parseFilter(source, parsePath);
    skipSpace(source);
    if (!take(source, ")")) throw malformedFilter(source);
    return inner;
  }
  const left = parseOperand(source, parsePath);
  skipSpace(source);
  const operator = operators.find((candidate) => takeOperator(source, candidate));
  if (operator !== undefined) return { kind: "compare", operator, left, right: parseOperand(source, parsePath) };
  if (left.kind !== "path") throw malformedFilter(source);
  return { kind: "exists", path: left.path };
}

function takeOperator(source: Source, operator: string): boolean {
  const { text, at } = source;
  if (text.slice(at, at + operator.length).toLowerCase() !== operator) return false;
  if (/^[a-z]/.test(operator) && /\w/.test(text[at + operator.length] ?? "")) return false;
  source.at = at + operator.length;
  return true;
}

function parseOperand(source: Source, parsePath: ParsePath): FilterOperand {
  skipSpace(source);
  const { text, at } = source;
  const next = text[at];
  if (next === "@" || next === "$") return { kind: "path", path: parsePath(source) };
  if (next === "/") return parsePattern(source);
  return { kind: "value", value: parseValue(source) };
}

function parseValue(source: Source): Value {
  skipSpace(source);
  const { text, at } = source;
  const next = text[at];
  if (next === "'" || next === '"') return parseText(source, next);
  if (next === "[") {
    source.at++;
    return deeper(source, () => parseValues(source));
  }
  const [written, fraction] =
    /^(?:-?\d+(\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/.exec(text.slice(at, at + 400)) ?? [];
  if (written === undefined) throw malformedFilter(source);
  source.at = at + written.length;
  if (written === "null") return null;
  if (written === "true" || written === "false") return written === "true";
  return fraction === undefined && !/[eE]/.test(written) ? Number(written) : double(Number(written));
}

function parseValues(source: Source): Value {
  const items: Value[] = [];
  skipSpace(source);
  if (take(source, "]")) return { kind: "list", items, json: true };
  for (;;) {
    items.push(parseValue(source));
    skipSpace(source);
    if (take(source, "]")) return { kind: "list", items, json: true };
    if (!take(source, ",")) throw malformedFilter(source);
  }
}

function parseText(source: Source, mark: string): string {
  let text = "";
  for (let index = source.at + 1; index < source.text.length; index++) {
    if (source.text[index] === mark) {
      source.at = index + 1;
      return text;
    }
    if (source.text[index] === "\\") index++;
    text += source.text[index] ?? "";
  }
  throw malformedFilter(source);
}

function parsePattern(source: Source): FilterOperand {
  const { text } = source;
  let end = source.at + 1;
  while (end < text.length && text[end] !== "/") end += text[end] === "\\" ? 2 : 1;
  if (end >= text.length) throw malformedFilter(source);
  const body = text.slice(source.at + 1, end);
  const flags = /^[a-zA-Z]*/.exec(text.slice(end + 1, end + 10))?.[0] ?? "";
  source.at = end + 1 + flags.length;
  const known = [...flags].filter((flag) => "ims".includes(flag)).join("");
  return { kind: "pattern", source: known === "" ? body : `(?${known})${body}` };
}

function malformedFilter(source: Source): TemplateError {
  return new TemplateError(
    `The filter of the JSONPath ${source.text.slice(0, 100)} is malformed at character ${source.at}`,
  );
}
