import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Key } from "../../kernel/store/store.ts";
import type { Service } from "../../wire/service.ts";
import { cloudtrailLimits as limits } from "./limits.ts";
import { lookupOperations } from "./lookup.ts";
import { eventsPrefix, placesPrefix } from "./model.ts";
import { createTrail, type Trail, type TrailNeeds } from "./trail.ts";

export interface CloudTrail {
  readonly service: Service;
  readonly trail: Trail;
  /** Once for a store: see to it that old events go. */
  start(): Promise<void>;
}

const kind = "cloudtrail.expire";

/** CloudTrail's event history: calls of the control plane, for 90 days. */
export function createCloudTrail(needs: TrailNeeds & { readonly jobs: Jobs }): CloudTrail {
  const { store, jobs, clock } = needs;
  const trail = createTrail(needs);
  jobs.handle(kind, {
    concurrency: 1,
    async run(job) {
      const now = clock.now();
      const places = await store.read((reader) =>
        reader.range<[string, string]>({ prefix: placesPrefix }, { limit: 1_000 }),
      );
      for (const { value } of places) await expire(eventsPrefix(...value), now - limits.keptMs, job.signal);
      await job.repeat(now + limits.expireEveryMs, undefined, () => Promise.resolve());
    },
  });

  const expire = async (prefix: Key, before: number, signal: AbortSignal) => {
    const limit = limits.expireKeysMax;
    for (let more = true; more;) {
      signal.throwIfAborted();
      more = await store.transact(async (tx) => {
        const entries = await tx.range({ start: prefix, end: [...prefix, before] }, { limit });
        for (const { key } of entries) tx.delete(key);
        return entries.length === limit;
      });
    }
  };

  return {
    service: { name: "cloudtrail", operations: lookupOperations({ store, trail }) },
    trail,
    start: async () => {
      const marker: Key = ["cloudtrail", "retentionScheduled"];
      await store.transact(async (tx) => {
        if ((await tx.get(marker)) !== undefined) return;
        tx.set(marker, true);
        jobs.schedule(tx, { kind, key: ["all"], at: clock.now() + limits.expireEveryMs });
      });
    },
  };
}
