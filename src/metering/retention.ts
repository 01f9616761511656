import type { Clock } from "../kernel/clock.ts";
import type { Jobs } from "../kernel/jobs/jobs.ts";
import type { Key, Store } from "../kernel/store/store.ts";
import { meteringLimits } from "./limits.ts";
import { chunkPrefix, totalsPrefix } from "./model.ts";

const kind = "usage.expire";

/** Forgets records and sums that are older than they are kept. */
export function handleUsageRetention(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
}): void {
  const { store, jobs, clock } = needs;
  jobs.handle(kind, {
    concurrency: 1,
    async run(job) {
      const now = clock.now();
      await expire(store, chunkPrefix, now - meteringLimits.recordsMs, job.signal);
      await expire(store, totalsPrefix("hour"), now - meteringLimits.hoursMs, job.signal);
      await expire(store, totalsPrefix("day"), now - meteringLimits.daysMs, job.signal);
      await job.repeat(now + meteringLimits.expireEveryMs, undefined, () => Promise.resolve());
    },
  });
}

/** Once for a store; reads one key where it has been done. */
export async function scheduleUsageRetention(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
}): Promise<void> {
  const marker: Key = ["usage", "retentionScheduled"];
  await needs.store.transact(async (tx) => {
    if ((await tx.get(marker)) !== undefined) return;
    tx.set(marker, true);
    needs.jobs.schedule(tx, { kind, key: ["all"], at: needs.clock.now() + meteringLimits.expireEveryMs });
  });
}

async function expire(store: Store, prefix: Key, before: number, signal: AbortSignal): Promise<void> {
  const limit = meteringLimits.expireKeysMax;
  for (let more = true; more;) {
    signal.throwIfAborted();
    more = await store.transact(async (tx) => {
      const entries = await tx.range({ start: prefix, end: [...prefix, before] }, { limit });
      for (const { key } of entries) tx.delete(key);
      return entries.length === limit;
    });
  }
}
