import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryStore } from "../../kernel/store/memory-store.ts";
import { beforeAll, comparePositions, readBackward, readForward, writeChunks, type StoredEvent } from "./chunks.ts";

const timestamp = fc.integer({ min: 0, max: 60_000 });
const writes = fc.array(fc.array(timestamp, { minLength: 1, maxLength: 6 }), { maxLength: 12 });

async function collect(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test("a stream is read in order of time both ways, whatever the order it was written in", async () => {
  await fc.assert(
    fc.asyncProperty(writes, timestamp, async (batches, at) => {
      const store = createMemoryStore();
      let sequence = 0;
      for (const [index, batch] of batches.entries()) {
        await store.transact((tx) => {
          const events = batch.map((time) => ({ timestamp: time, message: `${index}` }));
          writeChunks(tx, "g", "s", events, 1000 + index, { writer: 1, nextSequence: () => (sequence += 1) });
          return Promise.resolve();
        });
      }
      await store.read(async (reader) => {
        const end = Number.MAX_SAFE_INTEGER;
        const all = await collect(readForward(reader, "g", "s", beforeAll, end));
        expect(all.map((event) => event.timestamp)).toEqual(batches.flat().toSorted((a, b) => a - b));
        expect(all).toEqual(all.toSorted((a, b) => comparePositions(a.position, b.position)));

        const back = await collect(readBackward(reader, "g", "s", [end, 0, 0, 0, 0], 0));
        expect(back).toEqual(all.toReversed());

        const from = await collect(readForward(reader, "g", "s", [at, -1, -1, -1, -1], end));
        expect(from).toEqual(all.filter((event) => event.timestamp >= at));
        const until = await collect(readBackward(reader, "g", "s", [at, -1, -1, -1, -1], 0));
        expect(until).toEqual(all.filter((event) => event.timestamp < at).toReversed());
        const some = all[Math.floor(all.length / 2)];
        if (!some) return;
        const after = await collect(readForward(reader, "g", "s", some.position, end));
        expect(after).toEqual(all.slice(all.indexOf(some) + 1));
      });
    }),
    { numRuns: 150 },
  );
});
