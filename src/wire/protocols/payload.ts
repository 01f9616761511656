import type { Member } from "../model.ts";
import type { WireRequest, WireResponse } from "./protocol.ts";
import { isPresent } from "./scalars.ts";

/** Members whose value is the body itself: bytes, text, or a stream of bytes. */

export function readPayload(member: Member, request: WireRequest): unknown {
  if (member.shape.type === "string") {
    return request.body.length > 0 ? Buffer.from(request.body).toString("utf8") : undefined;
  }
  if (member.streaming) return request.stream ?? once(request.body);
  return request.body.length > 0 ? request.body : undefined;
}

export function writePayload(member: Member, value: unknown): { contentType: string; body: WireResponse["body"] } {
  if (member.shape.type === "string") {
    return { contentType: "text/plain", body: isPresent(value) ? String(value) : "" };
  }
  return { contentType: "application/octet-stream", body: isPresent(value) ? toBody(value) : "" };
}

function toBody(value: unknown): WireResponse["body"] {
  if (value instanceof Uint8Array || typeof value === "string") return value;
  if (isBytesIterable(value)) return value;
  throw new TypeError("A body is bytes, text or an async iterable of bytes");
}

export function isBytesIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
