import { storeLimits } from "../limits.ts";
import type { Value } from "./store.ts";

/**
 * Values as bytes: a format byte, then JSON for what JSON can say (nothing is faster in Node.js, and it keeps every key,
 * `__proto__` too), the bytes themselves for a `Uint8Array`, and JSON with marks for values that hold bytes or bigints.
 */
const jsonFormat = 1;
const bytesFormat = 2;
const markedFormat = 3;

/** @throws {TypeError} for what is not plain data; {RangeError} when it is too large or nests too deep. */
export function encodeValue(value: Value): Buffer {
  const encoded = encode(value);
  if (encoded.length > storeLimits.valueBytesMax) {
    throw new RangeError(`A value has at most ${storeLimits.valueBytesMax} bytes; this one has ${encoded.length}`);
  }
  return encoded;
}

/** @param isFresh the bytes are nobody else's: the value may be a part of them */
export function decodeValue(bytes: Buffer, isFresh = false): Value {
  switch (bytes[0]) {
    case jsonFormat:
      return JSON.parse(bytes.toString("utf8", 1));
    case bytesFormat:
      return isFresh
        ? new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1)
        : new Uint8Array(bytes.subarray(1));
    case markedFormat:
      return unmark(JSON.parse(bytes.toString("utf8", 1)));
    default:
      throw new Error(`A stored value has the unknown format ${String(bytes[0])}`);
  }
}

/** Where the bytes begin of an encoded `Uint8Array` that lies at a place. */
export function bytesAt(source: Buffer, from: number): number {
  if (source[from] !== bytesFormat) throw new TypeError("The value is not bytes");
  return from + 1;
}

function encode(value: Value): Buffer {
  if (value instanceof Uint8Array) {
    const encoded = Buffer.allocUnsafe(value.length + 1);
    encoded[0] = bytesFormat;
    encoded.set(value, 1);
    return encoded;
  }
  const marks = needsMarks(value, 0);
  const text = JSON.stringify(marks ? mark(value) : value);
  const encoded = Buffer.allocUnsafe(Buffer.byteLength(text) + 1);
  encoded[0] = marks ? markedFormat : jsonFormat;
  encoded.write(text, 1, "utf8");
  return encoded;
}

/** Check that a value is plain data; true when there is something in it that JSON cannot say. */
function needsMarks(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return false;
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be stored`);
      return false;
    case "bigint":
      return true;
    case "object":
      return value !== null && objectNeedsMarks(value, depth);
    default:
      throw new TypeError(`A value of type ${typeof value} cannot be stored`);
  }
}

function objectNeedsMarks(value: object, depth: number): boolean {
  if (value instanceof Uint8Array) return true;
  if (depth >= storeLimits.valueDepthMax) {
    throw new RangeError(`A value nests at most ${storeLimits.valueDepthMax} deep`);
  }
  let marks = false;
  if (Array.isArray(value)) {
    for (const item of value) marks = needsMarks(item, depth + 1) || marks;
    return marks;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`An instance of ${value.constructor.name} cannot be stored`);
  }
  for (const member of Object.values(value)) {
    if (member !== undefined) marks = needsMarks(member, depth + 1) || marks;
  }
  return marks;
}

/** Bytes become `{ "$b": base64 }`, bigints `{ "$i": decimal }`; a name that begins with `$` gets one more. */
function mark(value: unknown): unknown {
  if (typeof value === "bigint") return { $i: value.toString() };
  if (value instanceof Uint8Array) {
    return { $b: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
  if (Array.isArray(value)) return value.map(mark);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.startsWith("$") ? `$${name}` : name, mark(member)]),
  );
}

function unmark(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmark);
  if (typeof value !== "object" || value === null) return value;
  if ("$i" in value) return BigInt(String(value.$i));
  if ("$b" in value) return new Uint8Array(Buffer.from(String(value.$b), "base64"));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.startsWith("$") ? name.slice(1) : name, unmark(member)]),
  );
}
