import { invalidFilterPattern, unsupportedRegex } from "./refusals.ts";

export type Matches = (message: string) => boolean;

/** Terms and quoted phrases: all must be there, `-term` must not; a pattern of only `?term`s wants one of them. */
export function parseTerms(pattern: string): Matches {
  const required: string[] = [];
  const excluded: string[] = [];
  const optional: string[] = [];
  for (let at = 0; at < pattern.length;) {
    if (/\s/.test(pattern.charAt(at))) {
      at += 1;
      continue;
    }
    const sign = pattern.charAt(at);
    if (sign === "-" || sign === "?") at += 1;
    const [term, end] = readTerm(pattern, at);
    at = end;
    (sign === "-" ? excluded : sign === "?" ? optional : required).push(term);
  }
  if (required.length === 0 && excluded.length === 0) {
    return optional.length === 0 ? () => true : (message) => optional.some((term) => message.includes(term));
  }
  // AWS: beside other terms, those with a question mark are ignored. (User guide, filter pattern syntax.)
  return (message) =>
    required.every((term) => message.includes(term)) && !excluded.some((term) => message.includes(term));
}

function readTerm(pattern: string, at: number): readonly [string, number] {
  if (pattern.charAt(at) === "%") throw unsupportedRegex();
  if (pattern.charAt(at) === '"') {
    const [text, end] = readQuoted(pattern, at);
    return [text, end];
  }
  let end = at;
  while (end < pattern.length && !/\s/.test(pattern.charAt(end))) end += 1;
  const term = pattern.slice(at, end);
  // AWS: terms with anything but letters, digits and underscores must be quoted.
  if (!/^[\p{L}\p{N}_.*-]+$/u.test(term)) throw invalidFilterPattern();
  return [term, end];
}

/** A phrase in double quotes, `\"` and `\\` unescaped; and where it ends. */
export function readQuoted(text: string, at: number): readonly [string, number] {
  let value = "";
  for (let index = at + 1; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '"') return [value, index + 1];
    if (char === "\\" && /["\\]/.test(text.charAt(index + 1))) {
      index += 1;
      value += text.charAt(index);
    } else value += char;
  }
  throw invalidFilterPattern();
}
