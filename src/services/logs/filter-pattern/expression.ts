import { readQuoted } from "./unstructured.ts";
import { invalidFilterPattern, unsupportedRegex } from "./refusals.ts";

/** What stands on the right of a comparison. */
export type Operand =
  | { readonly kind: "number"; readonly value: number; readonly text: string }
  /** A string; `*` matches anything when it was in the pattern. */
  | { readonly kind: "text"; readonly text: string };

export type Comparison = "=" | "!=" | "<" | ">" | "<=" | ">=";

export type Token =
  | { readonly kind: "symbol"; readonly text: "(" | ")" | "&&" | "||" | "," | "..." | Comparison }
  | { readonly kind: "word"; readonly text: string; readonly quoted: boolean };

const symbols = ["...", "&&", "||", "!=", "<=", ">=", "=", "<", ">", "(", ")", ","] as const;

/** Words, quoted words and symbols of a `{ … }` or `[ … ]` pattern's inside. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const char = text.charAt(at);
    const symbol = symbols.find((each) => text.startsWith(each, at));
    if (/\s/.test(char)) at += 1;
    else if (char === "%") throw unsupportedRegex();
    else if (char === '"') {
      const [value, end] = readQuoted(text, at);
      tokens.push({ kind: "word", text: value, quoted: true });
      at = end;
    } else if (symbol) {
      tokens.push({ kind: "symbol", text: symbol });
      at += symbol.length;
    } else {
      const end = wordEnd(text, at);
      tokens.push({ kind: "word", text: text.slice(at, end), quoted: false });
      at = end;
    }
  }
  return tokens;
}

function wordEnd(text: string, at: number): number {
  let end = at;
  let brackets = 0;
  while (end < text.length) {
    const char = text.charAt(end);
    if (char === "[") brackets += 1;
    if (char === "]") brackets -= 1;
    // Inside brackets of a selector (`$.a["b c"]`) nothing ends a word.
    if (brackets <= 0 && (/[\s"%]/.test(char) || symbols.some((each) => text.startsWith(each, end)))) break;
    end += 1;
  }
  if (end === at) throw invalidFilterPattern();
  return end;
}

export function toOperand(token: Token | undefined): Operand {
  if (token?.kind !== "word") throw invalidFilterPattern();
  const value = Number(token.text);
  if (!token.quoted && token.text.trim() !== "" && Number.isFinite(value)) {
    return { kind: "number", value, text: token.text };
  }
  return { kind: "text", text: token.text };
}

/** Does a value satisfy a comparison? Order is for numbers; equality for numbers, and for text with `*`. */
export function compare(actual: unknown, how: Comparison, operand: Operand): boolean {
  if (how === "=" || how === "!=") return (how === "=") === equals(actual, operand);
  if (operand.kind !== "number") return false;
  const value = typeof actual === "string" ? Number(actual.trim() === "" ? Number.NaN : actual) : actual;
  if (typeof value !== "number" || Number.isNaN(value)) return false;
  if (how === "<") return value < operand.value;
  if (how === ">") return value > operand.value;
  return how === "<=" ? value <= operand.value : value >= operand.value;
}

function equals(actual: unknown, operand: Operand): boolean {
  if (typeof actual === "number") return operand.kind === "number" && actual === operand.value;
  if (typeof actual !== "string") return false;
  if (operand.kind === "number" && actual.trim() !== "" && Number(actual) === operand.value) return true;
  return matchesWildcard(actual, operand.text);
}

/** `*` stands for any characters. Linear for one star and bounded by text times stars for more. */
export function matchesWildcard(text: string, pattern: string): boolean {
  const parts = pattern.split("*");
  const [head, tail] = [parts[0] ?? "", parts.at(-1) ?? ""];
  if (parts.length === 1) return text === pattern;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - tail.length;
}

/** Parses `a && (b || c)`, where `leaf` reads one condition; `&&` binds tighter. */
export function parseBoolean<T>(tokens: readonly Token[], leaf: (cursor: Cursor) => (subject: T) => boolean) {
  const cursor: Cursor = { tokens, at: 0 };
  const test = parseOr(cursor, leaf);
  if (cursor.at !== tokens.length) throw invalidFilterPattern();
  return test;
}

export interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
}

export function next(cursor: Cursor): Token | undefined {
  const token = cursor.tokens[cursor.at];
  cursor.at += 1;
  return token;
}

export function takeSymbol(cursor: Cursor, text: string): boolean {
  const token = cursor.tokens[cursor.at];
  if (token?.kind !== "symbol" || token.text !== text) return false;
  cursor.at += 1;
  return true;
}

type Leaf<T> = (cursor: Cursor) => (subject: T) => boolean;

function parseOr<T>(cursor: Cursor, leaf: Leaf<T>): (subject: T) => boolean {
  const tests = [parseAnd(cursor, leaf)];
  while (takeSymbol(cursor, "||")) tests.push(parseAnd(cursor, leaf));
  return tests.length === 1 && tests[0] ? tests[0] : (subject) => tests.some((test) => test(subject));
}

function parseAnd<T>(cursor: Cursor, leaf: Leaf<T>): (subject: T) => boolean {
  const tests = [parsePrimary(cursor, leaf)];
  while (takeSymbol(cursor, "&&")) tests.push(parsePrimary(cursor, leaf));
  return tests.length === 1 && tests[0] ? tests[0] : (subject) => tests.every((test) => test(subject));
}

function parsePrimary<T>(cursor: Cursor, leaf: Leaf<T>): (subject: T) => boolean {
  if (!takeSymbol(cursor, "(")) return leaf(cursor);
  const test = parseOr(cursor, leaf);
  if (!takeSymbol(cursor, ")")) throw invalidFilterPattern();
  return test;
}
