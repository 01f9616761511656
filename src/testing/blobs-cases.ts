import { setImmediate } from "node:timers/promises";
import { expect, test, describe, beforeEach, afterEach } from "vitest";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { randomIds } from "../kernel/ids.ts";
import { blobLimits } from "../kernel/limits.ts";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import type { Store } from "../kernel/store/store.ts";
import { BlobNotFoundError, type Blobs, BlobTooLargeError } from "../kernel/blobs/blobs.ts";
import { type BlobNeeds, createBlobs } from "../kernel/blobs/stored-blobs.ts";

/** A place for content, for the cases that every place must pass. */
export interface PlaceUnderTest {
  readonly needs: (store: Store) => Promise<Pick<BlobNeeds, "folder" | "place" | "s3">>;
  /** Names of what is in the place now. */
  readonly leftovers: (store: Store) => Promise<readonly string[]>;
  /** The store that knows what is where. Default: in memory. */
  readonly store?: Store;
  readonly end?: () => Promise<void>;
  /** What is written at once at the most: content longer than it comes in parts. */
  readonly pieceBytes: number;
}

/** Every place for large content passes these. */
export function describeBlobs(name: string, open: () => Promise<PlaceUnderTest>): void {
  describe(`blobs in ${name}`, () => {
    let place: PlaceUnderTest;
    let store: Store;
    let clock: FakeClock;
    let blobs: Blobs;
    const newProcess = async () => createBlobs({ store, clock, ids: randomIds, ...(await place.needs(store)) });

    beforeEach(async () => {
      place = await open();
      store = place.store ?? createMemoryStore();
      clock = createFakeClock(Date.now());
      blobs = await newProcess();
    });
    afterEach(() => place.end?.());

    const small = Buffer.from("small content");
    const large = Buffer.alloc(blobLimits.smallBytesMax * 3 + 17, "large content ");
    const retain = (id: string) => store.transact(async (tx) => blobs.retain(tx, id));
    const release = (id: string) => store.transact(async (tx) => blobs.release(tx, id));

    async function readRange(id: string, range?: { start: number; end: number }): Promise<string> {
      const chunks: Uint8Array[] = [];
      for await (const chunk of blobs.read(id, range)) chunks.push(chunk);
      return Buffer.concat(chunks).toString("latin1");
    }

    describe.each([
      ["small", small],
      ["large", large],
      ["empty", Buffer.alloc(0)],
    ])("%s content", (_name, content) => {
      test("comes back whole and in parts, before and after it is retained", async () => {
        const { id, bytes } = await blobs.write(inChunks(content, 10_000));
        expect(bytes).toBe(content.length);
        expect(Buffer.from(await blobs.readAll(id)).equals(content)).toBe(true);
        await retain(id);
        expect(Buffer.from(await blobs.readAll(id)).equals(content)).toBe(true);
        expect(await readRange(id)).toBe(content.toString());
        expect(await readRange(id, { start: 3, end: 8 })).toBe(content.subarray(3, 8).toString());
      });

      test("is there for another process once it is retained", async () => {
        const { id } = await blobs.write(content);
        await retain(id);
        const other = await newProcess();
        expect(Buffer.from(await other.readAll(id)).equals(content)).toBe(true);
      });

      test("is kept when it is retained, and collected some time after it is released", async () => {
        const { id } = await blobs.write(content);
        await retain(id);
        clock.advance(blobLimits.unusedMsMax * 2);
        expect(await blobs.collect()).toBe(0);
        await release(id);
        expect(await blobs.collect()).toBe(0);
        expect(Buffer.from(await blobs.readAll(id)).equals(content)).toBe(true);
        clock.advance(blobLimits.releasedMs);
        expect(await blobs.collect()).toBe(1);
        await expect(blobs.readAll(id)).rejects.toThrow(BlobNotFoundError);
        expect(await place.leftovers(store)).toEqual([]);
      });

      test("is refused as soon as it is longer than allowed, and what was written is collected", async () => {
        let closed = false;
        async function* endless(): AsyncIterable<Uint8Array> {
          try {
            for (;;) yield new Uint8Array(1000);
          } finally {
            closed = true;
          }
        }
        await expect(blobs.write(endless(), { maxBytes: content.length + 1 })).rejects.toThrow(BlobTooLargeError);
        expect(closed).toBe(true);
        clock.advance(blobLimits.unusedMsMax);
        await blobs.collect();
        expect(await place.leftovers(store)).toEqual([]);
      });
    });

    test("content that is exactly as long as allowed is taken", async () => {
      expect((await blobs.write(large, { maxBytes: large.length })).bytes).toBe(large.length);
    });

    test("content that was never retained is collected as an orphan", async () => {
      const { id } = await blobs.write(large);
      expect(await place.leftovers(store)).not.toEqual([]);
      clock.advance(blobLimits.unusedMsMax - 1);
      expect(await blobs.collect()).toBe(0);
      clock.advance(1);
      expect(await (await newProcess()).collect()).toBe(1);
      expect(await place.leftovers(store)).toEqual([]);
      await expect(blobs.readAll(id)).rejects.toThrow(BlobNotFoundError);
    });

    test("a transaction that fails retains nothing", async () => {
      const { id } = await blobs.write(large);
      const failing = store.transact(async (tx) => {
        blobs.retain(tx, id);
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      clock.advance(blobLimits.unusedMsMax);
      expect(await blobs.collect()).toBe(1);
    });

    test.each([
      "",
      "../../etc/passwd",
      "f../../../../../../../../../../../../etc/passwd",
      "f" + "a".repeat(40),
      "f/" + "a".repeat(39),
    ])("an id that was not given out is not found: %s", async (id) => {
      await expect(blobs.readAll(id)).rejects.toThrow(BlobNotFoundError);
      await expect(readRange(id)).rejects.toThrow(BlobNotFoundError);
    });

    describe("content of several pieces", () => {
      test.each([
        ["ends within a piece", 2.5],
        ["ends with a piece", 2],
        ["is one piece", 1],
      ])("%s", async (_name, pieces) => {
        const content = bytesOf(Math.floor(place.pieceBytes * pieces));
        const { id, bytes } = await blobs.write(inChunks(content, 100_003));
        await retain(id);
        expect(bytes).toBe(content.length);
        const other = await newProcess();
        expect(Buffer.from(await other.readAll(id)).equals(content)).toBe(true);
        const { pieceBytes } = place;
        for (const [start, end] of [
          [0, 1],
          [pieceBytes - 3, pieceBytes + 4],
          [pieceBytes, content.length],
          [content.length - 5, content.length + 100],
          [content.length, content.length + 1],
        ] as const) {
          expect(await readRange(id, { start, end })).toBe(content.subarray(start, end).toString("latin1"));
        }
        await release(id);
        clock.advance(blobLimits.releasedMs);
        expect(await blobs.collect()).toBe(1);
        expect(await place.leftovers(store)).toEqual([]);
      });

      test("whose writer dies in the middle is never seen, and is collected", async () => {
        const end = Promise.withResolvers<never>();
        end.promise.catch(() => {});
        async function* stuck(): AsyncIterable<Uint8Array> {
          yield bytesOf(Math.floor(place.pieceBytes * 2.5));
          await end.promise;
        }
        const writing = blobs.write(stuck()).catch(() => {});
        for (let turn = 0; turn < 1_000 && (await place.leftovers(store)).length === 0; turn += 1) await setImmediate();
        const [entry] = await store.read((reader) => reader.range({ prefix: ["blobs", "unused"] }, { limit: 1 }));
        await expect((await newProcess()).readAll(String(entry?.key[2]))).rejects.toThrow(BlobNotFoundError);
        clock.advance(blobLimits.unusedMsMax);
        expect(await (await newProcess()).collect()).toBe(1);
        expect(await place.leftovers(store)).toEqual([]);
        // For this test's own tidiness.
        end.reject(new Error("ended"));
        await writing;
      });

      test("whose source fails ends with its error, and what it began is collected", async () => {
        async function* failing(): AsyncIterable<Uint8Array> {
          yield bytesOf(Math.floor(place.pieceBytes * 1.5));
          throw new Error("the client has gone");
        }
        await expect(blobs.write(failing())).rejects.toThrow("the client has gone");
        clock.advance(blobLimits.unusedMsMax);
        expect(await blobs.collect()).toBe(1);
        expect(await place.leftovers(store)).toEqual([]);
      });
    });

    test("large content that is not there is not found", async () => {
      const { id } = await blobs.write(large);
      const missing = id.slice(0, 1) + "a".repeat(40);
      await expect(blobs.readAll(missing)).rejects.toThrow(BlobNotFoundError);
      await expect(readRange(missing, { start: 100, end: 200 })).rejects.toThrow(BlobNotFoundError);
    });
  });
}

async function* inChunks(content: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

/** Of a pattern whose length no piece is a multiple of. */
function bytesOf(length: number): Buffer {
  return Buffer.alloc(
    length,
    Buffer.from(Uint8Array.from({ length: 65_521 }, (_, at) => (at * 31 + (at >> 8)) & 0xff)),
  );
}
