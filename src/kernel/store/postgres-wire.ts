import type { EncodedKey } from "./keys.ts";

/**
 * Arrays as PostgreSQL takes them in binary, so that any number of keys and values go as one parameter. Header: dimensions,
 * whether nulls occur, the type of the elements, then the length and lower bound of the one dimension.
 */
const headerBytes = 20;
const byteaType = 17;
const integerType = 23;
const bigintType = 20;

export function byteaArray(items: readonly (Buffer | EncodedKey)[]): Buffer {
  let length = headerBytes;
  for (const item of items) length += 4 + item.length;
  const array = startArray(byteaType, items.length, length);
  let at = headerBytes;
  for (const item of items) {
    at = array.writeInt32BE(item.length, at);
    // A key is a text of bytes, one character each.
    if (typeof item === "string") array.write(item, at, "latin1");
    else array.set(item, at);
    at += item.length;
  }
  return array;
}

export function integerArray(items: readonly number[]): Buffer {
  const array = startArray(integerType, items.length, headerBytes + items.length * 8);
  let at = headerBytes;
  for (const item of items) {
    at = array.writeInt32BE(4, at);
    at = array.writeInt32BE(item, at);
  }
  return array;
}

export function bigintArray(items: readonly number[]): Buffer {
  const array = startArray(bigintType, items.length, headerBytes + items.length * 12);
  let at = headerBytes;
  for (const item of items) {
    at = array.writeInt32BE(8, at);
    at = array.writeBigInt64BE(BigInt(item), at);
  }
  return array;
}

function startArray(type: number, count: number, length: number): Buffer {
  const array = Buffer.allocUnsafe(length);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(0, 4);
  array.writeInt32BE(type, 8);
  array.writeInt32BE(count, 12);
  array.writeInt32BE(1, 16);
  return array;
}

/** `bytea` in a result: `\x` and hex digits. */
export function fromBytea(text: string): Buffer {
  return Buffer.from(text.slice(2), "hex");
}

export function keyFromBytea(text: string): EncodedKey {
  return fromBytea(text).toString("latin1");
}

/** Several keys as one value, each after its length in two bytes. */
export function packKeys(keys: readonly EncodedKey[]): Buffer {
  let length = 0;
  for (const key of keys) length += 2 + key.length;
  const packed = Buffer.allocUnsafe(length);
  let at = 0;
  for (const key of keys) {
    at = packed.writeUInt16BE(key.length, at);
    at += packed.write(key, at, "latin1");
  }
  return packed;
}

export function unpackKeys(packed: Buffer): EncodedKey[] {
  const keys: EncodedKey[] = [];
  for (let at = 0; at < packed.length;) {
    const end = at + 2 + packed.readUInt16BE(at);
    keys.push(packed.toString("latin1", at + 2, end));
    at = end;
  }
  return keys;
}
