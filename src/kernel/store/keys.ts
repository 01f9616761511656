import type { Key, KeyPart, Range } from "./store.ts";
import { storeLimits } from "../limits.ts";

/**
 * An encoded key: a string of bytes (one character a byte) whose plain order is the order of the tuples. Every part is
 * a tag and its bytes; texts and bytes end with 00, and a 00 inside them is written 00 FF, so that a shorter text comes
 * before a longer one that begins with it, whatever part follows.
 */
export type EncodedKey = string;

/** A half-open interval of encoded keys. */
export interface Interval {
  readonly start: EncodedKey;
  readonly end: EncodedKey;
}

const bytesTag = "\x01";
const stringTag = "\x02";
const numberTag = "\x03";
const falseTag = "\x04";
const trueTag = "\x05";
const firstTag = "\x01";
const beyondTags = "\x06";

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const needsNoEscape = /^[\x01-\x7f]*$/;

/** @throws {RangeError} when the key is empty or too long; {TypeError} when a part has no order (NaN, half a surrogate pair). */
export function encodeKey(key: Key): EncodedKey {
  if (key.length === 0) throw new RangeError("A key has at least one part");
  const encoded = encodePrefix(key);
  if (encoded.length > storeLimits.keyBytesMax) {
    throw new RangeError(`A key encodes to at most ${storeLimits.keyBytesMax} bytes; this one needs ${encoded.length}`);
  }
  return encoded;
}

/** As `encodeKey`, but may be empty. */
export function encodePrefix(key: Key): EncodedKey {
  let encoded = "";
  for (const part of key) encoded += encodePart(part);
  return encoded;
}

/** The interval of the encoded keys that a range means. */
export function toInterval(range: Range, reverse: boolean): Interval {
  if ("start" in range) return { start: encodePrefix(range.start), end: encodePrefix(range.end) };
  const prefix = encodePrefix(range.prefix);
  const whole = { start: prefix + firstTag, end: prefix + beyondTags };
  if (range.after === undefined) return whole;
  const after = encodePrefix(range.after);
  if (reverse) return { start: whole.start, end: after < whole.end ? after : whole.end };
  // The least string of bytes above `after`: what lies below `after` as a prefix comes after it too.
  const next = after + "\x00";
  return { start: next > whole.start ? next : whole.start, end: whole.end };
}

export function decodeKey(encoded: EncodedKey): Key {
  const key: KeyPart[] = [];
  let at = 0;
  while (at < encoded.length) {
    const tag = encoded.charAt(at);
    at += 1;
    if (tag === stringTag || tag === bytesTag) {
      const end = endOfText(encoded, at);
      const content = encoded.slice(at, end).replaceAll("\x00\xff", "\x00");
      key.push(tag === stringTag ? toText(content) : new Uint8Array(Buffer.from(content, "latin1")));
      at = end + 1;
    } else if (tag === numberTag) {
      key.push(decodeNumber(encoded.slice(at, at + 8)));
      at += 8;
    } else if (tag === trueTag || tag === falseTag) {
      key.push(tag === trueTag);
    } else {
      throw new Error(`Not an encoded key: ${JSON.stringify(encoded)}`);
    }
  }
  return key;
}

/** The first part of an encoded key or prefix, encoded, where that is a text; undefined where it is another, or none. */
export function firstPart(encoded: EncodedKey): EncodedKey | undefined {
  return encoded.startsWith(stringTag) ? encoded.slice(0, endOfText(encoded, 1) + 1) : undefined;
}

function encodePart(part: KeyPart): string {
  switch (typeof part) {
    case "string":
      if (needsNoEscape.test(part)) return `${stringTag}${part}\x00`;
      if (!part.isWellFormed()) throw new TypeError("A text in a key must be well-formed Unicode");
      return `${stringTag}${escape(Buffer.from(part, "utf8").toString("latin1"))}\x00`;
    case "number":
      return numberTag + encodeNumber(part);
    case "boolean":
      return part ? trueTag : falseTag;
    default: {
      const bytes = Buffer.isBuffer(part) ? part : Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      return `${bytesTag}${escape(bytes.toString("latin1"))}\x00`;
    }
  }
}

function escape(bytes: string): string {
  return bytes.includes("\x00") ? bytes.replaceAll("\x00", "\x00\xff") : bytes;
}

function endOfText(encoded: EncodedKey, from: number): number {
  let end = encoded.indexOf("\x00", from);
  while (end !== -1 && encoded.charAt(end + 1) === "\xff") end = encoded.indexOf("\x00", end + 2);
  if (end === -1) throw new Error(`Not an encoded key: ${JSON.stringify(encoded)}`);
  return end;
}

function toText(bytes: string): string {
  return needsNoEscape.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

/** IEEE 754, big-endian; the sign is flipped, and for negative numbers every bit, so that bytes order as values do. */
function encodeNumber(value: number): string {
  if (Number.isNaN(value)) throw new TypeError("NaN has no place in an order");
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  flip(bytes, value < 0);
  return bytes.toString("latin1");
}

function decodeNumber(text: string): number {
  const bytes = Buffer.from(text, "latin1");
  flip(bytes, bytes.readUInt8(0) < 0x80);
  return bytes.readDoubleBE();
}

function flip(bytes: Buffer, everyBit: boolean): void {
  bytes.writeUInt32BE((bytes.readUInt32BE(0) ^ (everyBit ? 0xffffffff : 0x80000000)) >>> 0, 0);
  if (everyBit) bytes.writeUInt32BE(~bytes.readUInt32BE(4) >>> 0, 4);
}
