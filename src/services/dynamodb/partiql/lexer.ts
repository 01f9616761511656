import { malformed, type Place } from "./malformed.ts";
import { isKeyword } from "./keywords.ts";

/** One token of a statement. */
export interface Token extends Place {
  /** `word` is a bare identifier, `keyword` one that is reserved; `name` stands in double quotation marks. */
  readonly kind: "word" | "keyword" | "name" | "string" | "number" | "parameter" | "symbol" | "ion" | "end";
  /** Keywords in lower case; names and strings without their quotation marks; else as written. */
  readonly text: string;
  /** As it stands in the statement. */
  readonly written: string;
}

const blank = /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y;
const token =
  /([A-Za-z_$@][A-Za-z0-9_$]*)|"((?:[^"]|"")*)"|'((?:[^']|'')*)'|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(\?)|(<<|>>|<>|!=|<=|>=|\|\||[=<>()[\]{},.:;*+\-/%])|`([^`]*)`/y;
const kinds = ["word", "name", "string", "number", "parameter", "symbol", "ion"] as const;

/**
 * The tokens of a statement, the last of them its end. Comments are blanks.
 *
 * @throws {ValidationException} for what is no token
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const pass = (to: number) => {
    for (let next = text.indexOf("\n", at); next >= 0 && next < to; next = text.indexOf("\n", next + 1)) {
      line += 1;
      lineStart = next + 1;
    }
    at = to;
  };
  for (;;) {
    for (blank.lastIndex = at; blank.test(text); blank.lastIndex = at) pass(blank.lastIndex);
    if (at >= text.length) break;
    if (text.startsWith("/*", at)) throw malformed();
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) throw malformed();
    const group = match.slice(1).findIndex((each) => each !== undefined);
    tokens.push(toToken(kinds[group] ?? "symbol", match[group + 1] ?? "", match[0], line, at - lineStart + 1));
    pass(token.lastIndex);
  }
  tokens.push({ kind: "end", text: "", written: "", line, column: at - lineStart + 1, length: 0 });
  return tokens;
}

function toToken(kind: (typeof kinds)[number], text: string, written: string, line: number, column: number): Token {
  const place = { line, column, length: written.length, written };
  switch (kind) {
    case "word":
      return isKeyword(text) ? { kind: "keyword", text: text.toLowerCase(), ...place } : { kind, text, ...place };
    case "name":
      return { kind, text: text.replaceAll('""', '"'), ...place };
    case "string":
      return { kind, text: text.replaceAll("''", "'"), ...place };
    case "number":
      assertScale(text);
      return { kind, text, ...place };
    default:
      return { kind, text, ...place };
  }
}

const int32Max = 2 ** 31 - 1;

/** AWS: exponent and scale are 32-bit integers, or nothing can be said of the literal. */
function assertScale(text: string): void {
  const [, fraction = "", power = "0"] = /^\d*(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const exponent = Number(power);
  if (Math.abs(exponent) > int32Max || Math.abs(fraction.length - exponent) > int32Max) throw malformed();
}
