/** A part of a text: from `start` to just before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface StatementSpan extends Span {
  /** The strings of `Principal` and `NotPrincipal` under `AWS`, with their quotation marks. */
  readonly principals: readonly (Span & { readonly value: string })[];
}

interface JsonSpan extends Span {
  readonly text?: string;
  readonly items?: readonly JsonSpan[];
  readonly members?: readonly (readonly [name: string, value: JsonSpan])[];
}

/** Where a policy's statements stand in its text, in their order. The text must be a policy that has been read before. */
export function statementSpans(policy: string): readonly StatementSpan[] {
  const statement = memberOf(readValue(policy, 0), "Statement");
  return (statement?.items ?? (statement ? [statement] : [])).map((span) => ({
    start: span.start,
    end: span.end,
    principals: ["Principal", "NotPrincipal"].flatMap((name) => {
      const aws = memberOf(memberOf(span, name), "AWS");
      return (aws?.items ?? (aws ? [aws] : [])).flatMap(({ start, end, text }) =>
        text === undefined ? [] : [{ start, end, value: text }],
      );
    }),
  }));
}

function memberOf(span: JsonSpan | undefined, name: string): JsonSpan | undefined {
  return span?.members?.findLast(([known]) => known === name)?.[1];
}

const scalar = /[^\s,\]}]+/y;
const string = /"(?:[^"\\]|\\.)*"/y;

function readValue(text: string, from: number): JsonSpan {
  const start = skipBlanks(text, from);
  const first = text[start];
  if (first === '"') return readString(text, start);
  if (first === "[") {
    const items: JsonSpan[] = [];
    let at = skipBlanks(text, start + 1);
    while (text[at] !== "]") {
      const item = readValue(text, at);
      items.push(item);
      at = skipSeparator(text, item.end, ",");
    }
    return { start, end: at + 1, items };
  }
  if (first === "{") {
    const members: [string, JsonSpan][] = [];
    let at = skipBlanks(text, start + 1);
    while (text[at] !== "}") {
      const name = readString(text, at);
      const value = readValue(text, skipSeparator(text, name.end, ":"));
      members.push([name.text, value]);
      at = skipSeparator(text, value.end, ",");
    }
    return { start, end: at + 1, members };
  }
  scalar.lastIndex = start;
  if (!scalar.test(text)) throw new Error("A policy that was read is no JSON");
  return { start, end: scalar.lastIndex };
}

function readString(text: string, start: number): JsonSpan & { readonly text: string } {
  string.lastIndex = start;
  if (!string.test(text)) throw new Error("A policy that was read is no JSON");
  return { start, end: string.lastIndex, text: String(JSON.parse(text.slice(start, string.lastIndex))) };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text.charAt(at))) at++;
  return at;
}

function skipSeparator(text: string, from: number, separator: string): number {
  const at = skipBlanks(text, from);
  return text[at] === separator ? skipBlanks(text, at + 1) : at;
}
