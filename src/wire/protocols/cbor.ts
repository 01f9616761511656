import { bodyDepthMax, malformed, setOwn } from "./protocol.ts";

/** CBOR (RFC 8949), as far as Smithy's RPC v2 uses it. Tag 1 is a `Date`; other tags are passed over. */

/** A number that must be written as a float even where it is whole. */
export interface CborFloat {
  readonly float: number;
  readonly bits: 32 | 64;
}

export function encodeCbor(value: unknown): Uint8Array {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: unknown, parts: Buffer[]): void {
  if (value === null || value === undefined) parts.push(Buffer.from([0xf6]));
  else if (typeof value === "boolean") parts.push(Buffer.from([value ? 0xf5 : 0xf4]));
  else if (typeof value === "number") writeNumber(value, parts);
  else if (typeof value === "bigint") writeHead(value < 0n ? 1 : 0, value < 0n ? -1n - value : value, parts);
  else if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    writeHead(3, bytes.length, parts);
    parts.push(bytes);
  } else if (value instanceof Uint8Array) {
    writeHead(2, value.length, parts);
    parts.push(Buffer.from(value.buffer, value.byteOffset, value.length));
  } else if (value instanceof Date) {
    parts.push(Buffer.from([0xc1]));
    writeFloat(value.getTime() / 1000, 64, parts);
  } else if (Array.isArray(value)) {
    writeHead(4, value.length, parts);
    for (const item of value) write(item, parts);
  } else if (isCborFloat(value)) {
    writeFloat(value.float, value.bits, parts);
  } else {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    writeHead(5, entries.length, parts);
    for (const [key, item] of entries) {
      write(key, parts);
      write(item, parts);
    }
  }
}

const floats = new WeakSet<object>();

/** Mark a number as a float of this width. */
export function toCborFloat(float: number, bits: 32 | 64): CborFloat {
  const marked = { float, bits };
  floats.add(marked);
  return marked;
}

function isCborFloat(value: object): value is CborFloat {
  return floats.has(value);
}

function writeNumber(value: number, parts: Buffer[]): void {
  if (Number.isSafeInteger(value)) writeHead(value < 0 ? 1 : 0, value < 0 ? -1 - value : value, parts);
  else writeFloat(value, 64, parts);
}

function writeFloat(value: number, bits: 32 | 64, parts: Buffer[]): void {
  const buffer = Buffer.alloc(bits / 8 + 1);
  buffer.writeUInt8(bits === 32 ? 0xfa : 0xfb, 0);
  if (bits === 32) buffer.writeFloatBE(value, 1);
  else buffer.writeDoubleBE(value, 1);
  parts.push(buffer);
}

function writeHead(major: number, count: number | bigint, parts: Buffer[]): void {
  const first = major << 5;
  if (count < 24) parts.push(Buffer.from([first | Number(count)]));
  else if (count < 0x100) parts.push(Buffer.from([first | 24, Number(count)]));
  else if (count < 0x10000) {
    const head = Buffer.alloc(3);
    head.writeUInt8(first | 25, 0);
    head.writeUInt16BE(Number(count), 1);
    parts.push(head);
  } else if (count < 0x1_0000_0000) {
    const head = Buffer.alloc(5);
    head.writeUInt8(first | 26, 0);
    head.writeUInt32BE(Number(count), 1);
    parts.push(head);
  } else {
    const head = Buffer.alloc(9);
    head.writeUInt8(first | 27, 0);
    head.writeBigUInt64BE(BigInt(count), 1);
    parts.push(head);
  }
}

/** One data item that fills the bytes exactly. Throws the SerializationException otherwise. */
export function decodeCbor(bytes: Uint8Array): unknown {
  const reader = { buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), at: 0 };
  const value = read(reader, 0);
  if (value === stop || reader.at !== bytes.length) throw malformed("The CBOR document is not well-formed");
  return value;
}

interface Reader {
  readonly buffer: Buffer;
  at: number;
}

const stop = Symbol("break");

function read(reader: Reader, depth: number): unknown {
  if (depth > bodyDepthMax) throw malformed("The request is nested too deeply");
  const first = take(reader, 1).readUInt8(0);
  const major = first >> 5;
  const info = first & 31;
  if (major === 7) return readSimple(reader, info);
  if (info === 31) return readIndefinite(reader, major, depth);
  const count = readCount(reader, info);
  switch (major) {
    case 0:
      return toNumber(count);
    case 1:
      return toNumber(-1n - BigInt(count));
    case 2:
      return new Uint8Array(take(reader, toLength(reader, count)));
    case 3:
      return take(reader, toLength(reader, count)).toString("utf8");
    case 4: {
      const list: unknown[] = [];
      const length = toLength(reader, count);
      for (let index = 0; index < length; index += 1) list.push(readItem(reader, depth));
      return list;
    }
    case 5: {
      const map: Record<string, unknown> = {};
      const length = toLength(reader, count);
      for (let index = 0; index < length; index += 1) readEntry(reader, map, readItem(reader, depth), depth);
      return map;
    }
    default:
      return readTagged(reader, count, depth);
  }
}

function readItem(reader: Reader, depth: number): unknown {
  const value = read(reader, depth + 1);
  if (value === stop) throw malformed("The CBOR document is not well-formed");
  return value;
}

function readEntry(reader: Reader, map: Record<string, unknown>, key: unknown, depth: number): void {
  if (typeof key !== "string") throw malformed("A key of a CBOR map is not a text");
  setOwn(map, key, readItem(reader, depth));
}

function readIndefinite(reader: Reader, major: number, depth: number): unknown {
  if (major === 4) {
    const list: unknown[] = [];
    for (let item = read(reader, depth + 1); item !== stop; item = read(reader, depth + 1)) list.push(item);
    return list;
  }
  if (major === 5) {
    const map: Record<string, unknown> = {};
    for (let key = read(reader, depth + 1); key !== stop; key = read(reader, depth + 1))
      readEntry(reader, map, key, depth);
    return map;
  }
  if (major !== 2 && major !== 3) throw malformed("The CBOR document is not well-formed");
  const chunks: Uint8Array[] = [];
  for (let chunk = read(reader, depth + 1); chunk !== stop; chunk = read(reader, depth + 1)) {
    if (major === 2 && chunk instanceof Uint8Array) chunks.push(chunk);
    else if (major === 3 && typeof chunk === "string") chunks.push(Buffer.from(chunk, "utf8"));
    else throw malformed("The CBOR document is not well-formed");
  }
  const whole = Buffer.concat(chunks);
  return major === 2 ? new Uint8Array(whole) : whole.toString("utf8");
}

function readSimple(reader: Reader, info: number): unknown {
  switch (info) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
    case 23:
      return null;
    case 25:
      return halfToNumber(take(reader, 2).readUInt16BE(0));
    case 26:
      return take(reader, 4).readFloatBE(0);
    case 27:
      return take(reader, 8).readDoubleBE(0);
    case 31:
      return stop;
    default:
      throw malformed("The CBOR document has an unknown simple value");
  }
}

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readTagged(reader: Reader, tag: number | bigint, depth: number): unknown {
  const value = readItem(reader, depth);
  if (tag !== 1) return value;
  const date = new Date(typeof value === "number" ? Math.round(value * 1000) : Number.NaN);
  if (Number.isNaN(date.getTime())) throw malformed("A timestamp of the CBOR document is not a number");
  return date;
}

function readCount(reader: Reader, info: number): number | bigint {
  if (info < 24) return info;
  if (info === 24) return take(reader, 1).readUInt8(0);
  if (info === 25) return take(reader, 2).readUInt16BE(0);
  if (info === 26) return take(reader, 4).readUInt32BE(0);
  if (info === 27) return take(reader, 8).readBigUInt64BE(0);
  throw malformed("The CBOR document is not well-formed");
}

/** No item is shorter than a byte: a longer count than what is left cannot be true, and nothing is set aside for it. */
function toLength(reader: Reader, count: number | bigint): number {
  if (count > reader.buffer.length - reader.at) throw malformed("The CBOR document ends early");
  return Number(count);
}

function toNumber(count: number | bigint): number {
  return Number(count);
}

function take(reader: Reader, count: number): Buffer {
  if (reader.at + count > reader.buffer.length) throw malformed("The CBOR document ends early");
  reader.at += count;
  return reader.buffer.subarray(reader.at - count, reader.at);
}
