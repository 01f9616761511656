import type { Clock } from "../../kernel/clock.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Key, Store } from "../../kernel/store/store.ts";
import { denialsPrefix } from "./journal.ts";
import { denialLimits as limits } from "./limits.ts";

const kind = "access.forgetDenials";
const hourMs = 3_600_000;

export interface RetentionNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
}

/** Forgets denials that are older than they are kept. */
export function handleDenialRetention({ store, jobs, clock }: RetentionNeeds): void {
  jobs.handle(kind, {
    concurrency: 1,
    async run(job) {
      const before = Math.floor(clock.now() / hourMs) - limits.hoursKept;
      for (let more = true; more;) {
        job.signal.throwIfAborted();
        more = await store.transact(async (tx) => {
          const old = { start: denialsPrefix, end: [...denialsPrefix, before] };
          const entries = await tx.range(old, { limit: limits.expireKeysMax });
          for (const { key } of entries) tx.delete(key);
          return entries.length === limits.expireKeysMax;
        });
      }
      await job.repeat(clock.now() + limits.expireEveryMs, undefined, () => Promise.resolve());
    },
  });
}

/** Once for a store. */
export async function scheduleDenialRetention({ store, jobs, clock }: RetentionNeeds): Promise<void> {
  const marker: Key = ["access", "denialRetentionScheduled"];
  await store.transact(async (tx) => {
    if ((await tx.get(marker)) !== undefined) return;
    tx.set(marker, true);
    jobs.schedule(tx, { kind, key: ["all"], at: clock.now() + limits.expireEveryMs });
  });
}
