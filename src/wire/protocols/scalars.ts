import type { Member, ScalarShape } from "../model.ts";
import { asRecord, malformed } from "./protocol.ts";
import { formatTimestamp, parseTimestamp, toTimestampFormat, type TimestampFormat } from "./timestamps.ts";

/** A scalar written as text: in paths, queries, headers, forms and XML. */
export function parseScalar(shape: ScalarShape, text: string): unknown {
  switch (shape.type) {
    case "string":
    case "character":
      return text;
    case "integer":
    case "long":
    case "short":
    case "byte":
    case "biginteger":
      return parseInteger(shape.type, text);
    case "float":
    case "double":
    case "bigdecimal":
      return parseFloatText(text);
    case "boolean":
      if (text === "true" || text === "True" || text === "TRUE") return true;
      if (text === "false" || text === "False" || text === "FALSE") return false;
      throw malformed(`STRING_VALUE can not be converted to a Boolean`);
    case "blob":
      return parseBase64(text);
    case "timestamp":
      return parseTimestamp(text);
  }
}

/** The text of a scalar. Numbers that JSON cannot say are `NaN`, `Infinity` and `-Infinity`, as `String` writes them. */
export function formatScalar(member: Member, value: unknown, timestamps: TimestampFormat): string {
  if (value instanceof Date) {
    return formatTimestamp(value, toTimestampFormat(member.timestampFormat, timestamps));
  }
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (member.shape.type === "blob" && typeof value === "string") return Buffer.from(value, "utf8").toString("base64");
  if (typeof value === "object")
    throw new TypeError(`The member ${member.name} is a ${member.shape.type}, not an object`);
  return String(value);
}

export function parseBase64(text: string): Uint8Array {
  if (text.length % 4 === 1 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw malformed("Invalid base64 in a blob");
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}

export function isFloatWord(text: string): boolean {
  return text === "NaN" || text === "Infinity" || text === "-Infinity";
}

/** Ranges of the integer types; `long` as far as a number is exact is not checked, as AWS takes 64 bits. */
const integerBits: Partial<Record<ScalarShape["type"], number>> = { byte: 8, short: 16, integer: 32, long: 64 };

export function checkInteger(type: ScalarShape["type"], value: number): number {
  const bits = integerBits[type] ?? 64;
  if (!Number.isFinite(value) || value < -(2 ** (bits - 1)) || value >= 2 ** (bits - 1)) {
    throw malformed(`The value ${value} does not fit ${bits} bits`);
  }
  return Math.trunc(value);
}

function parseInteger(type: ScalarShape["type"], text: string): number {
  if (!/^[+-]?\d{1,30}$/.test(text)) throw malformed(`STRING_VALUE can not be converted to ${nameOfInteger(type)}`);
  return checkInteger(type, Number(text));
}

export function nameOfInteger(type: ScalarShape["type"]): string {
  return type === "long" ? "a Long" : type === "short" ? "a Short" : type === "byte" ? "a Byte" : "an Integer";
}

function parseFloatText(text: string): number {
  if (isFloatWord(text)) return Number(text);
  if (text.length > 400 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/.test(text)) {
    throw malformed("STRING_VALUE can not be converted to a Double");
  }
  return Number(text);
}

/** Is this a member to write? Neither undefined nor null is told in any protocol. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The entries of a map, for writers. */
export function entriesOf(value: unknown): [string, unknown][] {
  return Object.entries(asRecord(value)).filter(([, item]) => item !== undefined);
}

/** Is this member of an output told in the body? A place in the path or query means nothing in a response. */
export function isInBody(member: Member): boolean {
  return member.location === undefined || member.location === "uri" || member.location === "querystring";
}
