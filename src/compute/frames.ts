/**
 * What the platform and our bootstraps say to each other over an environment's own socket: `u32` length of the body (big
 * endian), `u8` kind, body. Payloads travel as the bytes they are.
 */
export const frameKind = {
  /** To the environment: become this function; body is JSON. */
  begin: 1,
  /** To the environment: `u32` length of the JSON header, header, payload. */
  invoke: 2,
  /** To the environment: run the hooks that follow the restoring of a snapshot; it answers as to `begin`. */
  restore: 3,
  /** From it: waiting for `begin`. */
  ready: 0x81,
  initialized: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  /** An error after which the runtime ends. */
  fatal: 0x86,
  /** The answer is streamed: content type as text. Then its pieces; its end; and `initialized` when it waits for work again. */
  streamStart: 0x87,
  streamChunk: 0x88,
  streamEnd: 0x89,
  /** Only where `begin` asked for it: a file of what was compiled. `u32` length of its name, name, content. */
  compiled: 0x8b,
} as const;

const headBytes = 5;

export interface FrameSink {
  /** `body` is valid only during the call. */
  frame(kind: number, body: Buffer): void;
  /** A frame of more than the sink takes has passed by; its body was dropped. */
  oversized(kind: number, bodyBytes: number): void;
}

/** A parser to feed with chunks as they come. A frame inside one chunk is handed on without a copy. */
export function createFrameReader(sink: FrameSink, bodyBytesMax: number): (chunk: Buffer) => void {
  let head = Buffer.alloc(0);
  let body: Buffer | undefined;
  let kind = 0;
  let filled = 0;
  let bodyBytes = 0;
  let skipping = 0;

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (skipping > 0) {
        const step = Math.min(skipping, chunk.length - at);
        skipping -= step;
        at += step;
        if (skipping === 0) sink.oversized(kind, bodyBytes);
        continue;
      }
      if (body !== undefined) {
        const step = Math.min(bodyBytes - filled, chunk.length - at);
        chunk.copy(body, filled, at, at + step);
        filled += step;
        at += step;
        if (filled < bodyBytes) return;
        const whole = body;
        body = undefined;
        sink.frame(kind, whole);
        continue;
      }
      if (head.length > 0 || chunk.length - at < headBytes) {
        const step = Math.min(headBytes - head.length, chunk.length - at);
        head = Buffer.concat([head, chunk.subarray(at, at + step)]);
        at += step;
        if (head.length < headBytes) return;
        bodyBytes = head.readUInt32BE(0);
        kind = head.readUInt8(4);
        head = Buffer.alloc(0);
      } else {
        bodyBytes = chunk.readUInt32BE(at);
        kind = chunk.readUInt8(at + 4);
        at += headBytes;
      }
      if (bodyBytes > bodyBytesMax) {
        skipping = bodyBytes;
      } else if (chunk.length - at >= bodyBytes) {
        sink.frame(kind, chunk.subarray(at, at + bodyBytes));
        at += bodyBytes;
      } else {
        body = Buffer.allocUnsafe(bodyBytes);
        filled = 0;
      }
    }
  };
}

export function encodeFrame(kind: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + body.length);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt8(kind, 4);
  frame.set(body, headBytes);
  return frame;
}

/** Up to here an invocation is copied into one buffer, and one write; larger payloads are written as they are. */
const copiedBytesMax = 65_536;

/** The buffers of an `invoke` frame, to be written in order. */
export function encodeInvoke(header: string, payload: Uint8Array): readonly Uint8Array[] {
  const headerBytes = Buffer.byteLength(header);
  const payloadAt = headBytes + 4 + headerBytes;
  const copied = payload.length <= copiedBytesMax;
  const head = Buffer.allocUnsafe(payloadAt + (copied ? payload.length : 0));
  head.writeUInt32BE(4 + headerBytes + payload.length, 0);
  head.writeUInt8(frameKind.invoke, 4);
  head.writeUInt32BE(headerBytes, headBytes);
  head.write(header, headBytes + 4);
  if (!copied) return [head, payload];
  head.set(payload, payloadAt);
  return [head];
}
