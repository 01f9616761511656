import type { AwsError } from "../../../aws/error.ts";
import type { Token } from "./lexer.ts";
import { malformed } from "./malformed.ts";

/** Reads a statement's tokens one by one; how deep its expressions are is counted here. */
export interface TokenReader {
  peek(ahead?: number): Token;
  next(): Token;
  isSymbol(text: string): boolean;
  isWord(word: string): boolean;
  /** The token is passed over where it is this one. */
  take(text: string): boolean;
  takeWord(word: string): boolean;
  /** @throws {ValidationException} when another stands there */
  expect(text: string): void;
  /** Runs the rule one level deeper. @throws {ValidationException} when that is too deep */
  deeper<T>(rule: () => T): T;
  /** The position of the next `?`. */
  nextParameter(): number;
  readonly parameters: number;
}

/** Ours: parentheses, signs and literals within each other. Literals of items go 32 levels deep. */
const depthMax = 200;

export function createTokenReader(tokens: readonly Token[]): TokenReader {
  let at = 0;
  let depth = 0;
  let parameters = 0;
  const peek = (ahead = 0): Token => {
    const found = tokens[at + ahead] ?? tokens.at(-1);
    if (!found) throw new TypeError("There is always an end");
    return found;
  };
  const next = (): Token => {
    const found = peek();
    at += 1;
    return found;
  };
  const isSymbol = (text: string) => peek().kind === "symbol" && peek().text === text;
  // Words of the grammar are reserved, but for those that only RETURNING has.
  const isWord = (word: string) => {
    const { kind, text } = peek();
    return (kind === "keyword" || kind === "word") && text.toLowerCase() === word;
  };
  const takeIf = (found: boolean): boolean => {
    if (found) at += 1;
    return found;
  };
  return {
    peek,
    next,
    isSymbol,
    isWord,
    take: (text) => takeIf(isSymbol(text)),
    takeWord: (word) => takeIf(isWord(word)),
    expect: (text) => {
      if (!takeIf(isSymbol(text))) throw unexpected(peek());
    },
    deeper: (rule) => {
      depth += 1;
      if (depth > depthMax) throw malformed("The statement is nested too deeply");
      const result = rule();
      depth -= 1;
      return result;
    },
    nextParameter: () => {
      parameters += 1;
      return parameters - 1;
    },
    get parameters() {
      return parameters;
    },
  };
}

const operatorWords: ReadonlySet<string> = new Set([
  "and",
  "or",
  "is",
  "in",
  "like",
  "between",
  "union",
  "except",
  "intersect",
]);
const operators: ReadonlySet<string> = new Set(["=", "<>", "!=", "<", "<=", ">", ">=", "/", "%", "||"]);

/** What AWS says of a token that begins no term. */
export function unexpected({ kind, text }: Token): AwsError {
  if (kind === "symbol" && operators.has(text)) return malformed("Unexpected operator");
  if (kind === "keyword") return malformed(operatorWords.has(text) ? "Unexpected operator" : "Unexpected keyword");
  return malformed("Unexpected term");
}
