import type { Clock } from "../../kernel/clock.ts";
import type { Job, Jobs } from "../../kernel/jobs/jobs.ts";
import type { Entry, Key, Range, Store } from "../../kernel/store/store.ts";
import { dynamoLimits } from "./limits.ts";
import {
  earliestRestorable,
  expiriesPrefix,
  readTable,
  streamRecordsPrefix,
  streamKey,
  type StreamRecord,
} from "./model.ts";
import { expiryKey, expiryOf } from "./items/apply-write.ts";
import type { Observer } from "./items/observer.ts";
import { earliestHeld, trimLog } from "./items/recovery-log.ts";
import { afterKey, endOf } from "./items/read-page.ts";
import { decodeStored, encodeStored, toStored } from "./items/stored-item.ts";
import type { StreamChange } from "./items/stream-append.ts";
import type { ItemWriter } from "./items/writer.ts";
import type { TableCatalog } from "./tables/catalog.ts";
import {
  backfillKind,
  changeTable,
  expireKind,
  measureKind,
  purge,
  purgeKind,
  trimKind,
  trimRecoveryKind,
  withIndex,
  type PurgeJob,
  type TableJob,
} from "./tables/lifecycle.ts";
import { addressOf, entryKeyOf, keyOf, projectedOf, toTable, type Table } from "./tables/table.ts";
import type { Item } from "./values/attribute-value.ts";

interface WorkerNeeds {
  readonly store: Store;
  /** Where changes of tables are written. */
  readonly settledStore: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly catalog: TableCatalog;
  readonly writer: ItemWriter;
  readonly observer: Observer;
}

/** What tables need done beside requests. */
export function handleTableJobs(needs: WorkerNeeds): void {
  const { jobs } = needs;
  jobs.handle(purgeKind, { concurrency: 2, run: (job) => runPurge(needs, job) });
  jobs.handle(backfillKind, { concurrency: 2, run: (job) => runBackfill(needs, job) });
  jobs.handle(expireKind, { concurrency: 2, run: (job) => runExpire(needs, job) });
  jobs.handle(trimKind, { concurrency: 2, run: (job) => runTrim(needs, job) });
  jobs.handle(trimRecoveryKind, { concurrency: 1, run: (job) => runTrimRecovery(needs, job) });
  jobs.handle(measureKind, { concurrency: 1, run: (job) => runMeasure(needs, job) });
}

async function runPurge({ store, settledStore, clock }: WorkerNeeds, job: Job): Promise<void> {
  const { prefixes, storeId, ending } = job.payload as PurgeJob;
  if (storeId !== undefined && (await store.read((reader) => earliestHeld(reader, storeId))) !== undefined) {
    // A table is still being restored from what is to go.
    await job.repeat(clock.now() + dynamoLimits.purgeAgainMs, job.payload, () => Promise.resolve());
    return;
  }
  if (ending) {
    await changeTable(settledStore, ending, (_tx, { endingLogs = [], ...table }) => {
      const left = endingLogs.filter((logId) => logId !== ending.logId);
      if (left.length === endingLogs.length) return undefined;
      return { ...table, ...(left.length > 0 && { endingLogs: left }), generation: table.generation + 1 };
    });
  }
  for (const prefix of prefixes) await purgeBelow(store, prefix, job.signal);
}

async function purgeBelow(store: Store, prefix: Key, signal: AbortSignal): Promise<void> {
  for (let more = true; more;) {
    signal.throwIfAborted();
    more = await store.transact(async (tx) => {
      const page = await tx.range({ prefix }, { limit: dynamoLimits.jobPage });
      for (const { key } of page) tx.delete(key);
      return page.length === dynamoLimits.jobPage;
    });
  }
}

/**
 * Fills a new index, or a new order of ends, from the items that were there before it; or removes one that is being deleted.
 * Writes maintain it meanwhile: each page is one transaction with the items it read.
 */
async function runBackfill(needs: WorkerNeeds, job: Job): Promise<void> {
  const { store, settledStore, jobs, clock } = needs;
  const payload = job.payload as TableJob & { readonly indexStoreId: string };
  const { indexStoreId } = payload;
  const record = await store.read((reader) => readTable(reader, payload, payload.name));
  if (!record || record.storeId !== payload.storeId) return;
  const index = record.indexes.find((each) => each.storeId === indexStoreId);
  if (index?.status === "DELETING") {
    await changeTable(settledStore, payload, (tx, table) => {
      purge(tx, jobs, indexStoreId, [["dynamodb", "entry", indexStoreId]], clock.now());
      return { ...withIndex(table, indexStoreId, () => undefined), generation: table.generation + 1 };
    });
    return;
  }
  const table = toTable(payload, record);
  let start: Key | undefined = table.prefix;
  while (start) {
    job.signal.throwIfAborted();
    start = await backfillPage(store, table, indexStoreId, start);
  }
  await changeTable(settledStore, payload, (_tx, current) => {
    const filled = withIndex(current, indexStoreId, (each) => ({ ...each, status: "ACTIVE" }));
    const ttl = current.ttl?.storeId === indexStoreId ? { ttl: { ...current.ttl, status: "ENABLED" as const } } : {};
    return { ...filled, ...ttl, generation: current.generation + 1 };
  });
}

async function backfillPage(store: Store, table: Table, storeId: string, start: Key): Promise<Key | undefined> {
  const index = table.indexes.find(({ record }) => record.storeId === storeId);
  const { ttl } = table.record;
  return await store.transact(async (tx) => {
    const range = { start, end: endOf(table.prefix) };
    const page = await tx.range<Uint8Array>(range, { limit: dynamoLimits.jobPage / 4 });
    for (const { value } of page) {
      const { item } = decodeStored(value);
      const address = addressOf(table, item);
      if (index) {
        const key = entryKeyOf(index, item, address);
        if (key) tx.set(key, encodeStored(toStored(projectedOf(index, item))));
      } else if (ttl?.storeId === storeId) {
        const seconds = expiryOf(ttl.attribute, item);
        if (seconds !== undefined) tx.set(expiryKey(ttl.storeId, seconds, address), keyOf(table, item));
      }
    }
    const last = page.at(-1);
    return last && page.length === dynamoLimits.jobPage / 4 ? afterKey(last.key) : undefined;
  });
}

/** Deletes what is past its time, as the writes that they are. */
async function runExpire(needs: WorkerNeeds, job: Job): Promise<void> {
  const { store, catalog, writer, clock, observer } = needs;
  const payload = job.payload as TableJob;
  for (;;) {
    job.signal.throwIfAborted();
    const table = await catalog.find({ place: payload, name: payload.name });
    if (!table || table.record.storeId !== payload.storeId || !table.record.ttl) return;
    const { attribute, storeId } = table.record.ttl;
    const now = clock.now();
    const prefix = expiriesPrefix(storeId);
    const oldest = Math.floor((now - dynamoLimits.ttlAgeMsMax) / 1000);
    const range = { start: [...prefix, oldest], end: [...prefix, Math.floor(now / 1000)] };
    const due = await store.read((reader) => reader.range<Item>(range, { limit: dynamoLimits.jobPage }));
    await Promise.all(
      due.map(({ value }) =>
        writer.write({
          table,
          address: addressOf(table, value),
          expired: true,
          change: (before) => {
            const seconds = before && expiryOf(attribute, before.item);
            return seconds !== undefined && seconds * 1000 < now ? undefined : before;
          },
        }),
      ),
    );
    if (due.length > 0) observer.expired(payload, payload.name, due.length);
    if (due.length < dynamoLimits.jobPage) break;
  }
  await job.repeat(clock.now() + dynamoLimits.ttlEveryMs, payload, () => Promise.resolve());
}

/** Removes a stream's records after a day, and a closed stream when nothing is left of it. */
async function runTrim({ store, clock }: WorkerNeeds, job: Job): Promise<void> {
  const { account, region, tableName, label } = job.payload as {
    account: string;
    region: string;
    tableName: string;
    label: string;
  };
  const key = streamKey({ account, region }, tableName, label);
  const stream = await store.read((reader) => reader.get<StreamRecord>(key));
  if (!stream) return;
  const before = clock.now() - dynamoLimits.streamRetentionMs;
  for (let more = true; more;) {
    job.signal.throwIfAborted();
    const prefix = streamRecordsPrefix(stream.storeId);
    const page = await store.read((reader) => reader.range<StreamChange>({ prefix }, { limit: dynamoLimits.jobPage }));
    const old = page.filter(({ value }) => value.at < before);
    if (old.length > 0) {
      await store.transact(async (tx) => {
        for (const { key: record } of old) tx.delete(record);
      });
    }
    more = old.length === dynamoLimits.jobPage;
  }
  if (stream.closedAt !== undefined && stream.closedAt < before) {
    await job.finish(async (tx) => {
      tx.delete(key);
      tx.delete(["dynamodb", "streamHead", stream.storeId]);
    });
    return;
  }
  await job.repeat(clock.now() + dynamoLimits.trimEveryMs, job.payload, () => Promise.resolve());
}

/** Point-in-time recovery goes back so many days and no further. */
async function runTrimRecovery({ store, clock }: WorkerNeeds, job: Job): Promise<void> {
  const payload = job.payload as TableJob;
  const record = await store.read((reader) => readTable(reader, payload, payload.name));
  if (record?.storeId !== payload.storeId || !record.recovery || record.recovery.logId !== job.key[0]) return;
  const { logId } = record.recovery;
  await trimLog(
    store,
    { storeId: record.storeId, logId },
    earliestRestorable(record.recovery, clock.now()),
    job.signal,
  );
  await job.repeat(clock.now() + dynamoLimits.recoveryTrimEveryMs, payload, () => Promise.resolve());
}

/** ItemCount and TableSizeBytes, as AWS tells them: of some hours ago. */
async function runMeasure({ store, settledStore, clock }: WorkerNeeds, job: Job): Promise<void> {
  const payload = job.payload as TableJob;
  const record = await store.read((reader) => readTable(reader, payload, payload.name));
  if (!record || record.storeId !== payload.storeId) return;
  const table = toTable(payload, record);
  const whole = await measure(store, table.prefix, job.signal);
  const indexes = new Map<string, { count: number; bytes: number }>();
  for (const index of table.indexes) indexes.set(index.record.storeId, await measure(store, index.prefix, job.signal));
  await changeTable(settledStore, payload, (_tx, current) => ({
    ...current,
    itemCount: whole.count,
    bytes: whole.bytes,
    indexes: current.indexes.map((each) => {
      const measured = indexes.get(each.storeId);
      return measured ? { ...each, itemCount: measured.count, bytes: measured.bytes } : each;
    }),
  }));
  await job.repeat(clock.now() + dynamoLimits.measureEveryMs, payload, () => Promise.resolve());
}

async function measure(store: Store, prefix: Key, signal: AbortSignal) {
  let [count, bytes] = [0, 0];
  let start: Key | undefined = prefix;
  while (start) {
    signal.throwIfAborted();
    const range: Range = { start, end: endOf(prefix) };
    const page: Entry<Uint8Array>[] = await store.read((reader) =>
      reader.range(range, { limit: dynamoLimits.jobPage }),
    );
    for (const { value } of page) bytes += decodeStored(value).bytes;
    count += page.length;
    const last: Key | undefined = page.at(-1)?.key;
    start = last && page.length === dynamoLimits.jobPage ? afterKey(last) : undefined;
  }
  return { count, bytes };
}
