import type { BinaryOperator, Expression, Node, Reference, Step } from "./ast.ts";
import { deeper, expect, isLetter, malformed, skipSpace, type Source, take, takeIdentifier } from "./source.ts";

/** How texts with references in them are read: by the parser of whole templates. */
export type ParseText = (text: string, depth: number) => readonly Node[];

/** Read an expression, as in `#if( … )`. Throws a TemplateError. */
export function parseExpression(source: Source, parseText: ParseText): Expression {
  return deeper(source, () => parseBinary(source, parseText, 0));
}

/** From the weakest to the strongest: with the words that stand for operators. */
const levels: readonly (readonly (readonly [string, BinaryOperator])[])[] = [
  [
    ["||", "||"],
    ["or", "||"],
  ],
  [
    ["&&", "&&"],
    ["and", "&&"],
  ],
  [
    ["==", "=="],
    ["!=", "!="],
    ["eq", "=="],
    ["ne", "!="],
  ],
  [
    ["<=", "<="],
    [">=", ">="],
    ["<", "<"],
    [">", ">"],
    ["le", "<="],
    ["ge", ">="],
    ["lt", "<"],
    ["gt", ">"],
  ],
  [
    ["+", "+"],
    ["-", "-"],
  ],
  [
    ["*", "*"],
    ["/", "/"],
    ["%", "%"],
  ],
];

function parseBinary(source: Source, parseText: ParseText, level: number): Expression {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(source, parseText);
  let left = parseBinary(source, parseText, level + 1);
  for (;;) {
    skipSpace(source);
    const found = operators.find(([written]) => takeOperator(source, written));
    if (found === undefined) return left;
    left = { kind: "binary", operator: found[1], left, right: parseBinary(source, parseText, level + 1) };
  }
}

function takeOperator(source: Source, written: string): boolean {
  const isWord = isLetter(written.charCodeAt(0));
  if (isWord && isLetter(source.text.charCodeAt(source.at + written.length))) return false;
  return take(source, written);
}

function parseUnary(source: Source, parseText: ParseText): Expression {
  skipSpace(source);
  const isNot = source.text[source.at] === "!" ? take(source, "!") : takeOperator(source, "not");
  if (isNot) return { kind: "not", operand: deeper(source, () => parseUnary(source, parseText)) };
  return parsePrimary(source, parseText);
}

function parsePrimary(source: Source, parseText: ParseText): Expression {
  skipSpace(source);
  const { text, at } = source;
  switch (text[at]) {
    case "$": {
      const reference = parseReference(source, parseText);
      if (reference === undefined) throw malformed(source, "a reference is expected");
      return { kind: "reference", reference };
    }
    case '"':
    case "'":
      return parseQuoted(source, parseText);
    case "[":
      return parseList(source, parseText);
    case "{":
      return parseMap(source, parseText);
    case "(": {
      source.at++;
      const inner = parseExpression(source, parseText);
      expect(source, ")");
      return inner;
    }
    default:
      return parseLiteral(source);
  }
}

function parseLiteral(source: Source): Expression {
  const { text, at } = source;
  if (isLetter(text.charCodeAt(at))) {
    const word = takeIdentifier(source);
    if (word === "true" || word === "false") return { kind: "boolean", value: word === "true" };
    source.at = at;
    throw malformed(source, `${word} is no expression`);
  }
  const [written, fraction, exponent] = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at, at + 400)) ?? [];
  if (written === undefined) throw malformed(source, "an expression is expected");
  source.at = at + written.length;
  if (fraction !== undefined || exponent !== undefined) return { kind: "double", value: Number(written) };
  const value = Number(written);
  return { kind: "whole", value: Number.isSafeInteger(value) ? value : BigInt(written) };
}

/** `'as it is'`, or `"with $references"`; the quotation mark itself is doubled. */
function parseQuoted(source: Source, parseText: ParseText): Expression {
  const { text } = source;
  const mark = text[source.at] ?? "";
  let end = source.at + 1;
  for (; ; end++) {
    end = text.indexOf(mark, end);
    if (end === -1) throw malformed(source, "a text is not ended");
    if (text[end + 1] !== mark) break;
    end++;
  }
  const inner = text.slice(source.at + 1, end).replaceAll(mark + mark, mark);
  source.at = end + 1;
  if (mark === "'" || !/[$#]/.test(inner)) return { kind: "text", text: inner };
  return { kind: "interpolated", body: parseText(inner, source.depth + 1) };
}

/** `[1, 2]`, or `[1..5]`. */
function parseList(source: Source, parseText: ParseText): Expression {
  source.at++;
  skipSpace(source);
  if (take(source, "]")) return { kind: "list", items: [] };
  const first = parseExpression(source, parseText);
  skipSpace(source);
  if (take(source, "..")) {
    const to = parseExpression(source, parseText);
    expect(source, "]");
    return { kind: "range", from: first, to };
  }
  const items = [first];
  for (;;) {
    skipSpace(source);
    if (take(source, "]")) return { kind: "list", items };
    expect(source, ",");
    items.push(parseExpression(source, parseText));
  }
}

function parseMap(source: Source, parseText: ParseText): Expression {
  source.at++;
  const members: (readonly [Expression, Expression])[] = [];
  skipSpace(source);
  if (take(source, "}")) return { kind: "map", members };
  for (;;) {
    const key = parseExpression(source, parseText);
    expect(source, ":");
    members.push([key, parseExpression(source, parseText)]);
    skipSpace(source);
    if (take(source, "}")) return { kind: "map", members };
    expect(source, ",");
  }
}

/**
 * Read a reference at a `$`: `$x`, `$!x`, `${x}`, `$x.y`, `$x.call(1)`, `$x["y"]`. Undefined, and nothing read, for a `$` that
 * begins none.
 */
export function parseReference(source: Source, parseText: ParseText): Reference | undefined {
  const start = source.at;
  source.at++;
  take(source, "!");
  const isFormal = take(source, "{");
  const name = takeIdentifier(source);
  if (name === undefined) {
    source.at = start;
    return undefined;
  }
  const steps = deeper(source, () => parseSteps(source, parseText));
  if (isFormal && !take(source, "}")) throw malformed(source, "} is expected");
  return { name, steps };
}

function parseSteps(source: Source, parseText: ParseText): Step[] {
  const steps: Step[] = [];
  const { text } = source;
  for (;;) {
    const next = text[source.at];
    if (next === "." && isLetter(text.charCodeAt(source.at + 1))) {
      source.at++;
      const name = takeIdentifier(source) ?? "";
      if (take(source, "(")) steps.push({ kind: "call", name, args: parseArguments(source, parseText) });
      else steps.push({ kind: "property", name });
    } else if (next === "[") {
      source.at++;
      const index = parseExpression(source, parseText);
      expect(source, "]");
      steps.push({ kind: "index", index });
    } else {
      return steps;
    }
  }
}

/** After the opening parenthesis. */
export function parseArguments(source: Source, parseText: ParseText): Expression[] {
  const args: Expression[] = [];
  skipSpace(source);
  if (take(source, ")")) return args;
  for (;;) {
    args.push(parseExpression(source, parseText));
    skipSpace(source);
    if (take(source, ")")) return args;
    expect(source, ",");
  }
}
