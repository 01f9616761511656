import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { watchFrames } from "./frame-watch.ts";

const bytesMax = 100;

/** A client's frames, masked, with the shortest form of each length. */
function framesOf(lengths: readonly number[]): Buffer {
  const parts = lengths.map((length) => {
    const header = length < 126 ? [0x82, 0x80 | length] : [0x82, 0x80 | 126, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.from(header), Buffer.from("mask"), Buffer.alloc(length, 0xff)]);
  });
  return Buffer.concat(parts);
}

describe("The watch over frames", () => {
  test("finds a frame that is too large among others, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 * bytesMax }), { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (lengths, cuts) => {
          const watch = watchFrames(bytesMax);
          const bytes = framesOf(lengths);
          let fits = true;
          for (let at = 0; at < bytes.length;) {
            const step = cuts.next().value;
            fits = watch.take(bytes.subarray(at, at + step));
            at += step;
          }
          expect(fits).toBe(lengths.every((length) => length <= bytesMax));
        },
      ),
    );
  });

  test("finds a length of 64 bits", () => {
    const header = Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    expect(watchFrames(bytesMax).take(header)).toBe(false);
  });

  test("takes any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(typeof watchFrames(bytesMax).take(bytes)).toBe("boolean");
      }),
    );
  });
});
