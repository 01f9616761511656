import { compare, next, parseBoolean, takeSymbol, tokenize, toOperand, type Cursor, type Token } from "./expression.ts";
import { invalidFilterPattern } from "./refusals.ts";
import type { Matches } from "./unstructured.ts";

/** `[ip, user, ..., status = 4*, bytes > 1000]` */
export function parseSpaceDelimited(pattern: string): Matches {
  const fields = splitFields(tokenize(pattern.slice(1, -1)));
  const ellipsis = fields.findIndex((field) => field.ellipsis);
  if (fields.filter((field) => field.ellipsis).length > 1) throw invalidFilterPattern();
  const before = ellipsis < 0 ? fields : fields.slice(0, ellipsis);
  const after = ellipsis < 0 ? [] : fields.slice(ellipsis + 1);
  return (message) => {
    const words = splitWords(message);
    if (ellipsis < 0 ? words.length !== fields.length : words.length < before.length + after.length) return false;
    return (
      before.every((field, index) => field.test(words[index] ?? "")) &&
      after.every((field, index) => field.test(words[words.length - after.length + index] ?? ""))
    );
  };
}

/** Reads the words of a line by the names that a pattern gives them; those of an ellipsis by their places, from 1. */
export function readFields(pattern: string): (message: string) => Readonly<Record<string, string>> {
  const fields = splitFields(tokenize(pattern.slice(1, -1)));
  const ellipsis = fields.findIndex((field) => field.ellipsis);
  return (message) => {
    const words = splitWords(message);
    const skipped = words.length - fields.length;
    const found: Record<string, string> = {};
    words.forEach((word, index) => {
      const after = ellipsis >= 0 && index > ellipsis + skipped;
      const inside = ellipsis >= 0 && index >= ellipsis && !after;
      const field = inside ? undefined : fields[after ? index - skipped : index];
      found[`$${field?.name ?? index + 1}`] = word;
    });
    return found;
  };
}

interface Field {
  readonly ellipsis: boolean;
  readonly name?: string;
  readonly test: (word: string) => boolean;
}

function splitFields(tokens: readonly Token[]): Field[] {
  const fields: Field[] = [];
  let from = 0;
  for (let at = 0; at <= tokens.length; at += 1) {
    const token = tokens[at];
    if (token && !(token.kind === "symbol" && token.text === ",")) continue;
    fields.push(parseField(tokens.slice(from, at)));
    from = at + 1;
  }
  return fields;
}

function parseField(tokens: readonly Token[]): Field {
  const [first] = tokens;
  if (!first) throw invalidFilterPattern();
  if (first.kind === "symbol" && first.text === "..." && tokens.length === 1) {
    return { ellipsis: true, test: () => true };
  }
  if (first.kind === "word" && tokens.length === 1) return { ellipsis: false, name: first.text, test: () => true };
  const name = tokens.find((token) => token.kind === "word")?.text;
  return { ellipsis: false, ...(name !== undefined && { name }), test: parseBoolean<string>(tokens, parseCondition) };
}

function parseCondition(cursor: Cursor): (word: string) => boolean {
  if (next(cursor)?.kind !== "word") throw invalidFilterPattern();
  for (const how of ["=", "!=", "<", ">", "<=", ">="] as const) {
    if (!takeSymbol(cursor, how)) continue;
    const operand = toOperand(next(cursor));
    return (word) => compare(word, how, operand);
  }
  throw invalidFilterPattern();
}

/** Words of a line; what stands in double quotes or square brackets is one word. */
function splitWords(message: string): string[] {
  const words: string[] = [];
  for (const [, quoted, bracketed, plain] of message.matchAll(/"([^"]*)"|\[([^\]]*)\]|(\S+)/g)) {
    words.push(quoted ?? bracketed ?? plain ?? "");
  }
  return words;
}
