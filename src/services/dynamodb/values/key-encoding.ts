import { hash } from "node:crypto";
import type { Key, KeyPart } from "../../../kernel/store/store.ts";
import type { AttributeValue } from "./attribute-value.ts";
import { compareTexts } from "./compare.ts";
import { encodeNumberKey } from "./decimal.ts";
import { textBytes, binaryBytes } from "./size.ts";

/**
 * A value as a part of a store key, in DynamoDB's order. A part followed by NUL is the least that comes after it and after
 * all keys that go on from it (`afterPart`). Bytes are packed seven by seven, so that none needs an escape, whatever is in
 * them: 1,024 bytes take 1,171.
 */
export function toKeyPart(value: AttributeValue): string | Uint8Array {
  if ("S" in value) return value.S;
  if ("N" in value) return encodeNumberKey(value.N);
  if ("B" in value) return packBytes(Buffer.from(value.B, "base64"));
  throw new TypeError("A key is a string, a number or bytes");
}

/** The least part above all keys that begin with this one. */
export function afterPart(part: KeyPart): KeyPart {
  if (typeof part === "string") return `${part}\x00`;
  if (part instanceof Uint8Array) {
    const after = new Uint8Array(part.length + 1);
    after.set(part);
    return after;
  }
  throw new TypeError("Only texts and bytes have a next");
}

/** Parts of values that begin with this value: from the first, up to and without the second; undefined: to the end. */
export function prefixInterval(value: AttributeValue): readonly [KeyPart, KeyPart | undefined] {
  if ("B" in value) {
    const bytes = Buffer.from(value.B, "base64");
    const next = nextBytes(bytes);
    return [packBytes(bytes), next && packBytes(next)];
  }
  if ("S" in value) return [value.S, nextText(value.S)];
  throw new TypeError("Only strings and bytes have prefixes");
}

function nextBytes(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 255) return new Uint8Array([...bytes.subarray(0, at), byte + 1]);
  }
  return undefined;
}

function nextText(text: string): string | undefined {
  const points = [...text];
  for (let point = points.pop(); point !== undefined; point = points.pop()) {
    const code = point.codePointAt(0) ?? 0;
    if (code === 0x10ffff) continue;
    return points.join("") + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}

function packBytes(bytes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil((bytes.length * 8) / 7));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 7) {
      bits -= 7;
      packed[at] = ((held >> bits) & 127) + 1;
      at += 1;
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) packed[at] = ((held << (7 - bits)) & 127) + 1;
  return packed;
}

/** Where the items of a partition key are: 16 bytes by SHA-256, which is also the order of a Scan. */
export function partitionOf(values: readonly AttributeValue[]): Uint8Array {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return digestOf(keyText(only));
  return digestOf(JSON.stringify(values.map(keyText)));
}

/** Tells items apart among those with equal keys of an index. */
export function digestOf(text: string): Uint8Array {
  // As text: bytes would be memory of their own for each.
  return Buffer.from(hash("sha256", text, "binary").slice(0, 16), "latin1");
}

/** A key's value as a text of its own, type and all. */
export function keyText(value: AttributeValue): string {
  if ("S" in value) return `S${value.S}`;
  if ("N" in value) return `N${value.N}`;
  return "B" in value ? `B${value.B}` : "";
}

/** Bytes that count against the limits of keys. */
export function keyBytes(value: AttributeValue): number {
  if ("S" in value) return textBytes(value.S);
  return "B" in value ? binaryBytes(value.B) : 0;
}

/** The order of the store's keys, for those of texts and bytes. */
export function compareKeys(a: Key, b: Key): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const order = compareParts(a[at] ?? 0, b[at] ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: KeyPart, b: KeyPart): number {
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return rank(a) - rank(b);
}

function rank(part: KeyPart): number {
  return part instanceof Uint8Array ? 0 : typeof part === "string" ? 1 : typeof part === "number" ? 2 : 3;
}
