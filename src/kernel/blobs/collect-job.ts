import type { Clock } from "../clock.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { blobLimits } from "../limits.ts";
import type { Store } from "../store/store.ts";
import type { Blobs } from "./blobs.ts";

const kind = "blobs.collect";

/** Have unused content removed every few minutes, by one of the processes that share the store. Before `jobs.start`. */
export async function scheduleBlobCollection(needs: {
  readonly blobs: Blobs;
  readonly jobs: Jobs;
  readonly store: Store;
  readonly clock: Clock;
}): Promise<void> {
  const { blobs, jobs, store, clock } = needs;
  jobs.handle(kind, {
    concurrency: 1,
    // Without end: it is the same job each time, and content must go some day.
    attemptsMax: Number.MAX_SAFE_INTEGER,
    run: async (job) => {
      await blobs.collect();
      await job.repeat(clock.now() + blobLimits.collectEveryMs, undefined, async () => {});
    },
  });
  await store.transact(async (tx) => {
    const key = ["blobs", "collection"];
    if (await tx.get(key)) return;
    tx.set(key, true);
    jobs.schedule(tx, { kind, key: ["all"], at: clock.now() + blobLimits.collectEveryMs });
  });
}
