import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameReader, encodeFrame, encodeInvoke, frameKind } from "./frames.ts";

function readAll(chunks: readonly Buffer[], bodyBytesMax = 1_000_000) {
  const seen: (readonly [number, string])[] = [];
  const read = createFrameReader(
    {
      frame: (kind, body) => seen.push([kind, body.toString("latin1")]),
      oversized: (kind, bytes) => seen.push([kind, `oversized ${bytes}`]),
    },
    bodyBytesMax,
  );
  for (const chunk of chunks) read(chunk);
  return seen;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

describe("frames", () => {
  it("are the same however the stream is cut", () => {
    const frame = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(9), { maxLength: 60 }), (frames, sizes) => {
        const bytes = Buffer.concat(frames.map(([kind, body]) => encodeFrame(kind, body)));
        expect(readAll(cut(bytes, sizes))).toEqual(
          frames.map(([kind, body]) => [kind, Buffer.from(body).toString("latin1")]),
        );
      }),
    );
  });

  it("that are too large pass by without being kept, and the next one is read", () => {
    const bytes = Buffer.concat([encodeFrame(7, Buffer.alloc(11)), encodeFrame(8, Buffer.from("ok"))]);
    expect(readAll(cut(bytes, [3, 4, 5]), 10)).toEqual([
      [7, "oversized 11"],
      [8, "ok"],
    ]);
  });

  it("of an invocation carry header and payload, copied or not", () => {
    for (const size of [0, 10, 100_000]) {
      const payload = Buffer.alloc(size, "p");
      const [[kind, body] = [0, ""]] = readAll([Buffer.concat(encodeInvoke('{"é":1}', payload))]);
      const bytes = Buffer.from(body, "latin1");
      const headerBytes = bytes.readUInt32BE(0);
      expect([kind, bytes.toString("utf8", 4, 4 + headerBytes), bytes.length - 4 - headerBytes]).toEqual([
        frameKind.invoke,
        '{"é":1}',
        size,
      ]);
    }
  });
});
