/** One token of an expression, with where it stands in the text. */
export interface Token {
  readonly kind: "word" | "name" | "value" | "index" | "symbol" | "unknown" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const token = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(#[A-Za-z0-9_]+)|(:[A-Za-z0-9_]+)|(\d+)|(<>|<=|>=|[()[\],.=<>+-])|(\S))/y;

/** Never fails: what is no token is an `unknown` one, which no rule takes. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const found = match.slice(1).findIndex((group) => group !== undefined);
    const content = match[found + 1] ?? "";
    const kind = kinds[found] ?? "unknown";
    tokens.push({ kind, text: content, start: token.lastIndex - content.length, end: token.lastIndex });
  }
  tokens.push({ kind: "end", text: "<EOF>", start: text.length, end: text.length });
  return tokens;
}

const kinds = ["word", "name", "value", "index", "symbol", "unknown"] as const;
