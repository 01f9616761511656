import { crc32 } from "node:zlib";
import { AwsError } from "../../aws/error.ts";
import type { Member, StructureShape } from "../model.ts";
import { asRecord, malformed } from "./protocol.ts";
import { formatScalar } from "./scalars.ts";

/**
 * `application/vnd.amazon.eventstream`: framed messages with typed headers and two CRC-32s.
 * Layout: total length, headers length, prelude CRC, headers, payload, message CRC; all numbers big-endian.
 */
export interface EventMessage {
  readonly headers: Readonly<Record<string, HeaderValue>>;
  readonly payload: Uint8Array;
}

export type HeaderValue = string | boolean | number | bigint | Uint8Array | Date;

const messageBytesMax = 16 * 1024 * 1024;
const preludeBytes = 12;
const trailerBytes = 4;

/** One message as bytes. Text headers only need type 7; the others are for event headers that are not text. */
export function encodeMessage(message: EventMessage): Uint8Array {
  const headers = Buffer.concat(Object.entries(message.headers).map(([name, value]) => encodeHeader(name, value)));
  const total = preludeBytes + headers.length + message.payload.length + trailerBytes;
  const buffer = Buffer.alloc(total);
  buffer.writeUInt32BE(total, 0);
  buffer.writeUInt32BE(headers.length, 4);
  buffer.writeUInt32BE(crc32(buffer.subarray(0, 8)), 8);
  headers.copy(buffer, preludeBytes);
  buffer.set(message.payload, preludeBytes + headers.length);
  buffer.writeUInt32BE(crc32(buffer.subarray(0, total - trailerBytes)), total - trailerBytes);
  return buffer;
}

/** Messages out of a stream of bytes. Throws the SerializationException on a wrong CRC, length or end. */
export async function* decodeMessages(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterable<EventMessage> {
  let buffer: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    buffer = buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffer, chunk]);
    while (buffer.length >= preludeBytes) {
      const total = buffer.readUInt32BE(0);
      checkPrelude(buffer, total);
      if (buffer.length < total) break;
      yield decodeMessage(buffer.subarray(0, total));
      buffer = buffer.subarray(total);
    }
  }
  if (buffer.length > 0) throw malformed("The event stream ends within a message");
}

function checkPrelude(buffer: Buffer, total: number): void {
  if (buffer.readUInt32BE(8) !== crc32(buffer.subarray(0, 8)))
    throw malformed("The prelude of an event has a wrong checksum");
  const headers = buffer.readUInt32BE(4);
  if (total > messageBytesMax || total < preludeBytes + headers + trailerBytes) {
    throw malformed("An event has an impossible length");
  }
}

function decodeMessage(message: Buffer): EventMessage {
  const end = message.length - trailerBytes;
  if (message.readUInt32BE(end) !== crc32(message.subarray(0, end))) throw malformed("An event has a wrong checksum");
  const headersEnd = preludeBytes + message.readUInt32BE(4);
  return {
    headers: decodeHeaders(message.subarray(preludeBytes, headersEnd)),
    payload: new Uint8Array(message.subarray(headersEnd, end)),
  };
}

function encodeHeader(name: string, value: HeaderValue): Buffer {
  const nameBytes = Buffer.from(name, "utf8");
  const head = Buffer.from([nameBytes.length, ...nameBytes]);
  if (typeof value === "boolean") return Buffer.concat([head, Buffer.from([value ? 0 : 1])]);
  if (typeof value === "number") {
    const number = Buffer.alloc(5);
    number.writeUInt8(4, 0);
    number.writeInt32BE(value, 1);
    return Buffer.concat([head, number]);
  }
  if (typeof value === "bigint" || value instanceof Date) {
    const number = Buffer.alloc(9);
    number.writeUInt8(typeof value === "bigint" ? 5 : 8, 0);
    number.writeBigInt64BE(typeof value === "bigint" ? value : BigInt(value.getTime()), 1);
    return Buffer.concat([head, number]);
  }
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value);
  const size = Buffer.alloc(3);
  size.writeUInt8(typeof value === "string" ? 7 : 6, 0);
  size.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, size, bytes]);
}

function decodeHeaders(bytes: Buffer): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = Object.create(null);
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw malformed("A header of an event ends early");
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const name = take(take(1).readUInt8(0)).toString("utf8");
    const type = take(1).readUInt8(0);
    switch (type) {
      case 0:
      case 1:
        headers[name] = type === 0;
        break;
      case 2:
        headers[name] = take(1).readInt8(0);
        break;
      case 3:
        headers[name] = take(2).readInt16BE(0);
        break;
      case 4:
        headers[name] = take(4).readInt32BE(0);
        break;
      case 5:
        headers[name] = take(8).readBigInt64BE(0);
        break;
      case 6:
        headers[name] = new Uint8Array(take(take(2).readUInt16BE(0)));
        break;
      case 7:
        headers[name] = take(take(2).readUInt16BE(0)).toString("utf8");
        break;
      case 8:
        headers[name] = new Date(Number(take(8).readBigInt64BE(0)));
        break;
      case 9:
        headers[name] = take(16).toString("hex");
        break;
      default:
        throw malformed("A header of an event has an unknown type");
    }
  }
  return headers;
}

/** An event stream member's union of events, as `{ EventName: event }`, from the body of a request. */
export async function* parseEvents(
  union: StructureShape,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  readDocument: (event: Member, payload: Uint8Array) => unknown,
): AsyncIterable<Record<string, unknown>> {
  for await (const message of decodeMessages(source)) {
    const name = message.headers[":event-type"];
    const member = typeof name === "string" ? union.memberByName.get(name) : undefined;
    if (!member || member.shape.type !== "structure") continue;
    const event: Record<string, unknown> = {};
    const payload = member.shape.members.find((part) => part.eventPayload);
    if (payload) event[payload.name] = readEventPayload(payload, message.payload, readDocument);
    else if (message.payload.length > 0) Object.assign(event, readDocument(member, message.payload));
    for (const part of member.shape.members) {
      const header = message.headers[part.name];
      if (part.eventHeader && header !== undefined) event[part.name] = header;
    }
    yield { [member.name]: event };
  }
}

function readEventPayload(
  member: Member,
  payload: Uint8Array,
  readDocument: (event: Member, payload: Uint8Array) => unknown,
): unknown {
  if (member.shape.type === "blob") return payload;
  if (member.shape.type === "string") return Buffer.from(payload).toString("utf8");
  return readDocument(member, payload);
}

/** A service's `AsyncIterable<{ EventName: event }>` as framed bytes. An `AwsError` thrown midway becomes an exception event. */
export async function* encodeEvents(
  union: StructureShape,
  events: unknown,
  contentType: string,
  writeDocument: (event: Member, value: unknown) => string | Uint8Array,
  first?: Uint8Array,
): AsyncIterable<Uint8Array> {
  if (first) yield first;
  if (!isAsyncIterable(events)) throw new TypeError("An event stream is an async iterable of events");
  try {
    for await (const item of events) {
      const [name, value] = Object.entries(asRecord(item)).find(([, event]) => event !== undefined) ?? [];
      const member = name === undefined ? undefined : union.memberByName.get(name);
      if (!member || member.shape.type !== "structure")
        throw new TypeError(`${name ?? "An empty object"} is no event of ${union.name}`);
      yield encodeEvent(member, member.shape, value, contentType, writeDocument);
    }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    yield encodeMessage({
      headers: { ":message-type": "exception", ":exception-type": error.code, ":content-type": contentType },
      payload: Buffer.from(JSON.stringify({ message: error.message })),
    });
  }
}

/** One event: `contentType` and `writeDocument` are the protocol's, for events that are documents. */
export function encodeEvent(
  member: Member,
  shape: StructureShape,
  value: unknown,
  contentType: string,
  writeDocument: (event: Member, value: unknown) => string | Uint8Array,
): Uint8Array {
  const event = asRecord(value);
  const headers: Record<string, HeaderValue> = shape.error
    ? { ":message-type": "exception", ":exception-type": member.name }
    : { ":message-type": "event", ":event-type": member.name };
  for (const part of shape.members) {
    const item = event[part.name];
    if (part.eventHeader && item !== undefined && item !== null) headers[part.name] = toHeaderValue(part, item);
  }
  const payloadMember = shape.members.find((part) => part.eventPayload);
  const content = payloadMember ? event[payloadMember.name] : undefined;
  if (payloadMember?.shape.type === "blob") {
    headers[":content-type"] = "application/octet-stream";
    return encodeMessage({
      headers,
      payload: content instanceof Uint8Array ? content : Buffer.from(String(content ?? "")),
    });
  }
  if (payloadMember?.shape.type === "string") {
    headers[":content-type"] = "text/plain";
    return encodeMessage({ headers, payload: Buffer.from(String(content ?? "")) });
  }
  if (!payloadMember && !shape.members.some((part) => !part.eventHeader)) {
    return encodeMessage({ headers, payload: new Uint8Array() });
  }
  headers[":content-type"] = contentType;
  const document = payloadMember ? writeDocument(payloadMember, content ?? {}) : writeDocument(member, event);
  return encodeMessage({ headers, payload: typeof document === "string" ? Buffer.from(document, "utf8") : document });
}

function toHeaderValue(member: Member, value: unknown): HeaderValue {
  if (typeof value === "string" || typeof value === "boolean" || value instanceof Uint8Array || value instanceof Date)
    return value;
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return member.shape.type === "long" ? BigInt(value) : value;
  return formatScalar(member, value, "iso8601");
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
