import type { Clock } from "../../kernel/clock.ts";
import type { Job, Jobs } from "../../kernel/jobs/jobs.ts";
import type { Key, Store } from "../../kernel/store/store.ts";
import { eachPage, putStored, removeStored } from "./backups/fill.ts";
import { recoveryPrefix, releaseSource } from "./items/recovery-log.ts";
import { decodeStored, type StoredItem } from "./items/stored-item.ts";
import { dynamoLimits } from "./limits.ts";
import { itemsPrefix, readTable } from "./model.ts";
import { changeTable, measureKind, restoreKind, type TableJob } from "./tables/lifecycle.ts";
import { toTable } from "./tables/table.ts";

interface RestoreJob extends TableJob {
  readonly sourceStoreId: string;
  readonly logId: string;
  /** The moment that is restored. */
  readonly at: number;
}

/**
 * Fills a restored table. The source goes on being written meanwhile: every change notes what was before it in the transaction that
 * makes it, so an item as it is now, or what the first change after the moment found, is what the item was then.
 */
export function handleRestores(needs: {
  readonly store: Store;
  readonly settledStore: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
}): void {
  const { store, settledStore, jobs, clock } = needs;
  jobs.handle(restoreKind, { concurrency: 1, run: (job) => run(job) });

  async function run(job: Job): Promise<void> {
    const payload = job.payload as RestoreJob;
    const record = await store.read((reader) => readTable(reader, payload, payload.name));
    // A run that ended right after the table became active has left nothing to do, and items that are the table's own now.
    if (!record || record.storeId !== payload.storeId || record.status !== "CREATING") {
      await job.finish(async (tx) => releaseSource(tx, payload.sourceStoreId, payload.storeId));
      return;
    }
    const table = toTable(payload, record);
    await eachPage(store, itemsPrefix(payload.sourceStoreId), job.signal, async (page) => {
      await putStored(
        job,
        table,
        page.map(({ value }) => decodeStored(value)),
      );
    });
    // What has changed since is put right: the last word on each item is what its first change after the moment found.
    const seen: { place?: string } = {};
    await eachPage(store, recoveryPrefix(payload.logId), job.signal, async (page) => {
      const before: StoredItem[] = [];
      const gone: Key[] = [];
      for (const { key, value } of page) {
        const at = Number(key.at(-1));
        const item = key.slice(3, -1);
        const place = JSON.stringify(item.map((part) => (part instanceof Uint8Array ? [...part] : part)));
        if (at <= payload.at || seen.place === place) continue;
        seen.place = place;
        if (value.length > 0) before.push(decodeStored(value));
        else gone.push([...table.prefix, ...item]);
      }
      await putStored(job, table, before);
      await removeStored(job, table, gone);
    });
    await changeTable(settledStore, payload, (tx, current) => {
      releaseSource(tx, payload.sourceStoreId, payload.storeId);
      jobs.schedule(tx, {
        kind: measureKind,
        key: [payload.storeId],
        at: clock.now() + dynamoLimits.measureEveryMs,
        payload: { account: payload.account, region: payload.region, name: payload.name, storeId: payload.storeId },
      });
      return { ...current, status: "ACTIVE", generation: current.generation + 1 };
    });
  }
}
