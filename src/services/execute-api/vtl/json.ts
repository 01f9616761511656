import { PayloadError } from "./errors.ts";
import { templateLimits as limits } from "./limits.ts";
import { double, type Value, type VtlMap } from "./values.ts";

/**
 * Read JSON into values of templates: objects keep their order, numbers are whole or not as they are written.
 *
 * @throws {PayloadError} for what is not JSON, or nested too deep
 */
export function parseJson(text: string): Value {
  const reader = { text, at: 0 };
  skipSpace(reader);
  const value = readValue(reader, 0);
  skipSpace(reader);
  if (reader.at < text.length) throw unexpected(reader);
  return value;
}

interface Reader {
  readonly text: string;
  at: number;
}

function readValue(reader: Reader, depth: number): Value {
  if (depth > limits.nestingMax) throw new PayloadError("The document is nested too deep");
  switch (reader.text[reader.at]) {
    case "{":
      return readObject(reader, depth);
    case "[":
      return readList(reader, depth);
    case '"':
      return readString(reader);
    case "t":
      return readWord(reader, "true", true);
    case "f":
      return readWord(reader, "false", false);
    case "n":
      return readWord(reader, "null", null);
    default:
      return readNumber(reader);
  }
}

function readObject(reader: Reader, depth: number): VtlMap {
  const map: VtlMap = new Map();
  reader.at++;
  skipSpace(reader);
  if (take(reader, "}")) return map;
  for (;;) {
    if (reader.text[reader.at] !== '"') throw unexpected(reader);
    const key = readString(reader);
    skipSpace(reader);
    if (!take(reader, ":")) throw unexpected(reader);
    skipSpace(reader);
    map.set(key, readValue(reader, depth + 1));
    skipSpace(reader);
    if (take(reader, "}")) return map;
    if (!take(reader, ",")) throw unexpected(reader);
    skipSpace(reader);
  }
}

function readList(reader: Reader, depth: number): Value {
  const items: Value[] = [];
  reader.at++;
  skipSpace(reader);
  if (take(reader, "]")) return { kind: "list", items, json: true };
  for (;;) {
    items.push(readValue(reader, depth + 1));
    skipSpace(reader);
    if (take(reader, "]")) return { kind: "list", items, json: true };
    if (!take(reader, ",")) throw unexpected(reader);
    skipSpace(reader);
  }
}

function readString(reader: Reader): string {
  const plainEnd = reader.text.indexOf('"', reader.at + 1);
  if (plainEnd === -1) throw unexpected(reader, reader.text.length);
  const plain = reader.text.slice(reader.at, plainEnd + 1);
  const written = plain.includes("\\") ? quotedAt(reader) : plain;
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    throw unexpected(reader);
  }
  reader.at += written.length;
  return String(value);
}

function quotedAt(reader: Reader): string {
  const { text } = reader;
  for (let index = reader.at + 1; index < text.length; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === '"') return text.slice(reader.at, index + 1);
  }
  throw unexpected(reader, text.length);
}

const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

function readNumber(reader: Reader): Value {
  numberPattern.lastIndex = reader.at;
  const [written, fraction, exponent] = numberPattern.exec(reader.text) ?? [];
  if (written === undefined) throw unexpected(reader);
  reader.at += written.length;
  if (fraction !== undefined || exponent !== undefined) return double(Number(written));
  const value = Number(written);
  return Number.isSafeInteger(value) ? value : BigInt(written);
}

function readWord<T extends Value>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) throw unexpected(reader);
  reader.at += word.length;
  return value;
}

function skipSpace(reader: Reader): void {
  for (;;) {
    const code = reader.text.charCodeAt(reader.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    reader.at++;
  }
}

function take(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false;
  reader.at++;
  return true;
}

function unexpected(reader: Reader, at = reader.at): PayloadError {
  if (at >= reader.text.length) return new PayloadError("Unexpected end-of-input");
  const before = reader.text.slice(0, at);
  const line = before.split("\n").length;
  const character = String.fromCodePoint(reader.text.codePointAt(at) ?? 0);
  return new PayloadError(
    `Unexpected character '${character}' at line: ${line}, column: ${at - before.lastIndexOf("\n")}`,
  );
}
