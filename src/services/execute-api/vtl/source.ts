import { TemplateError } from "./errors.ts";
import { templateLimits as limits } from "./limits.ts";

/** A template's text, being read. */
export interface Source {
  readonly text: string;
  at: number;
  depth: number;
}

/** Skip spaces and line ends. */
export function skipSpace(source: Source): void {
  for (;;) {
    const code = source.text.charCodeAt(source.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    source.at++;
  }
}

export function take(source: Source, text: string): boolean {
  if (!source.text.startsWith(text, source.at)) return false;
  source.at += text.length;
  return true;
}

export function expect(source: Source, text: string): void {
  skipSpace(source);
  if (!take(source, text)) throw malformed(source, `${text} is expected`);
}

/** An identifier at the current place, or nothing. */
export function takeIdentifier(source: Source): string | undefined {
  const { text, at } = source;
  if (!isLetter(text.charCodeAt(at))) return undefined;
  let end = at + 1;
  while (isIdentifierPart(text.charCodeAt(end))) end++;
  source.at = end;
  return text.slice(at, end);
}

export function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}

// AWS: as in Velocity 1.7, a hyphen is part of a name: `$a-b` is one reference.
function isIdentifierPart(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39) || code === 0x2d;
}

/** Run a part of the parser one level deeper. */
export function deeper<T>(source: Source, parse: () => T): T {
  if (source.depth >= limits.nestingMax) throw malformed(source, "nested too deep");
  source.depth++;
  try {
    return parse();
  } finally {
    source.depth--;
  }
}

export function malformed(source: Source, reason: string): TemplateError {
  const before = source.text.slice(0, source.at);
  const line = before.split("\n").length;
  return new TemplateError(
    `The template is malformed at line ${line}, column ${source.at - before.lastIndexOf("\n")}: ${reason}`,
  );
}
