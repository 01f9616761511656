import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBlobs } from "../../src/kernel/blobs/stored-blobs.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { randomIds } from "../../src/kernel/ids.ts";
import { createJobs } from "../../src/kernel/jobs/stored-jobs.ts";
import { createLog } from "../../src/kernel/log.ts";
import { openLmdbStore } from "../../src/kernel/store/lmdb-store.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-restart-"));
});
afterEach(() => rm(folder, { recursive: true }));

const clock = createFakeClock(1_000_000);
const log = createLog("silent", () => {}, clock.now);

/** The kernel over the same folder, as after a restart. */
async function open() {
  const store = await openLmdbStore({ folder: join(folder, "store"), clock: systemClock });
  const blobs = await createBlobs({ store, folder: join(folder, "blobs"), clock, ids: randomIds });
  return { store, blobs, jobs: createJobs({ store, clock, ids: randomIds, log }) };
}

test("a job that was scheduled before a restart runs after it", async () => {
  const first = await open();
  await first.store.transact(async (tx) =>
    first.jobs.schedule(tx, { kind: "test.run", key: ["a"], at: 0, payload: 7 }),
  );
  await first.store.close();

  const second = await open();
  const seen: unknown[] = [];
  second.jobs.handle("test.run", {
    concurrency: 1,
    run: async (job) => {
      seen.push(job.payload);
    },
  });
  await second.jobs.drain();
  expect(seen).toEqual([7]);
  await second.store.close();
});

test("content that was retained before a restart is there after it, small and large", async () => {
  const first = await open();
  const written = [
    await first.blobs.write(Buffer.from("small")),
    await first.blobs.write(Buffer.alloc(300_000, "large")),
  ];
  await first.store.transact(async (tx) => {
    for (const { id } of written) first.blobs.retain(tx, id);
  });
  await first.store.close();

  const second = await open();
  const contents = await Promise.all(written.map(({ id }) => second.blobs.readAll(id)));
  expect(contents.map((content) => content.length)).toEqual([5, 300_000]);
  await second.store.close();
});
