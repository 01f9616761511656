import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Key, Store, Transaction } from "../../../kernel/store/store.ts";
import { dynamoLimits } from "../limits.ts";
import {
  entriesPrefix,
  expiriesPrefix,
  forgetTable,
  itemsPrefix,
  readTable,
  streamHeadKey,
  streamKey,
  writeTable,
  type IndexRecord,
  type Place,
  type StreamRecord,
  type TableRecord,
} from "../model.ts";
import { recoveryPrefixes } from "../items/recovery-log.ts";

export const purgeKind = "dynamodb.purge";
export const backfillKind = "dynamodb.backfill";
export const expireKind = "dynamodb.expire";
export const trimKind = "dynamodb.trim";
export const restoreKind = "dynamodb.restore";
export const trimRecoveryKind = "dynamodb.trimRecovery";
export const measureKind = "dynamodb.measure";

/** What a job about a table is told. */
export interface TableJob {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly storeId: string;
}

/** What a job is told that removes what is below prefixes. */
export interface PurgeJob {
  readonly prefixes: readonly Key[];
  /** The table's: nothing is removed while another is restored from it. */
  readonly storeId?: string;
  /** A log that the table may still write. */
  readonly ending?: TableJob & { readonly logId: string };
}

export function toTableJob(place: Place, table: TableRecord): TableJob {
  return { account: place.account, region: place.region, name: table.name, storeId: table.storeId };
}

/** Writes a new table with what it needs to go on by itself. */
export function createTable(
  tx: Transaction,
  needs: { readonly jobs: Jobs; readonly now: number },
  place: Place,
  table: TableRecord,
): void {
  writeTable(tx, place, table);
  needs.jobs.schedule(tx, {
    kind: measureKind,
    key: [table.storeId],
    at: needs.now + dynamoLimits.measureEveryMs,
    payload: toTableJob(place, table),
  });
  if (table.stream) openStream(tx, needs, place, table);
}

/** Records a table's new stream, and that it is trimmed from now on. */
export function openStream(
  tx: Transaction,
  { jobs, now }: { readonly jobs: Jobs; readonly now: number },
  place: Place,
  table: TableRecord,
): void {
  const { stream } = table;
  if (!stream) return;
  const record: StreamRecord = {
    v: 1,
    tableName: table.name,
    label: stream.label,
    storeId: stream.storeId,
    viewType: stream.viewType,
    key: table.key,
    createdAt: now,
  };
  tx.set(streamKey(place, table.name, stream.label), record);
  tx.set(streamHeadKey(stream.storeId), 0);
  jobs.schedule(tx, {
    kind: trimKind,
    key: [stream.storeId],
    at: now + dynamoLimits.trimEveryMs,
    payload: { account: place.account, region: place.region, tableName: table.name, label: stream.label },
  });
}

/** What was written to it stays readable for a day. */
export async function closeStream(tx: Transaction, place: Place, table: TableRecord, now: number): Promise<void> {
  if (!table.stream) return;
  const key = streamKey(place, table.name, table.stream.label);
  const record = await tx.get<StreamRecord>(key);
  if (record) tx.set(key, { ...record, closedAt: now });
}

/** Forgets a table at once; a job removes what it held. Its items stay where a backup has taken them over. */
export async function removeTable(
  tx: Transaction,
  { jobs, now }: { readonly jobs: Jobs; readonly now: number },
  place: Place,
  table: TableRecord,
  keepsItems: boolean,
): Promise<void> {
  await closeStream(tx, place, table, now);
  forgetTable(tx, place, table);
  jobs.cancel(tx, measureKind, [table.storeId]);
  if (table.ttl) jobs.cancel(tx, expireKind, [table.storeId]);
  if (table.recovery) jobs.cancel(tx, trimRecoveryKind, [table.recovery.logId]);
  for (const index of table.indexes) jobs.cancel(tx, backfillKind, [index.storeId]);
  const prefixes: Key[] = [
    ...(keepsItems ? [] : [itemsPrefix(table.storeId)]),
    ["dynamodb", "collection", table.storeId],
    ...table.indexes.map((index) => entriesPrefix(index.storeId)),
    ...(table.ttl ? [expiriesPrefix(table.ttl.storeId)] : []),
    ...(table.recovery ? recoveryPrefixes(table.recovery.logId) : []),
  ];
  jobs.schedule(tx, { kind: purgeKind, key: [table.storeId], at: now, payload: { prefixes, storeId: table.storeId } });
}

/**
 * The entries of an index that is gone.
 *
 * @param storeId the table's, where they are kept for as long as another is restored from it
 */
export function purge(
  tx: Transaction,
  jobs: Jobs,
  id: string,
  prefixes: readonly Key[],
  now: number,
  storeId?: string,
): void {
  jobs.schedule(tx, { kind: purgeKind, key: [id], at: now, payload: { prefixes, storeId } });
}

/** The log of recovery that is disabled; it is written for as long as another table is restored from it. */
export function endRecovery(
  tx: Transaction,
  { jobs, now }: { readonly jobs: Jobs; readonly now: number },
  place: Place,
  table: TableRecord,
  logId: string,
): void {
  jobs.cancel(tx, trimRecoveryKind, [logId]);
  const payload: PurgeJob = {
    prefixes: recoveryPrefixes(logId),
    storeId: table.storeId,
    ending: { ...toTableJob(place, table), logId },
  };
  jobs.schedule(tx, { kind: purgeKind, key: [logId], at: now, payload });
}

/** From now on the log of point-in-time recovery is held to its period. */
export function keepRecoveryTrimmed(
  tx: Transaction,
  { jobs, now }: { readonly jobs: Jobs; readonly now: number },
  place: Place,
  table: TableRecord,
): void {
  if (!table.recovery) return;
  jobs.schedule(tx, {
    kind: trimRecoveryKind,
    key: [table.recovery.logId],
    at: now + dynamoLimits.recoveryTrimEveryMs,
    payload: toTableJob(place, table),
  });
}

/** Changes the table in a transaction of its own; undefined where it is gone or no longer the same. */
export async function changeTable(
  store: Store,
  job: TableJob,
  change: (tx: Transaction, table: TableRecord) => Promise<TableRecord | undefined> | TableRecord | undefined,
): Promise<TableRecord | undefined> {
  return await store.transact(async (tx) => {
    const table = await readTable(tx, job, job.name);
    if (!table || table.storeId !== job.storeId) return undefined;
    const changed = await change(tx, table);
    if (changed) writeTable(tx, job, changed);
    return changed;
  });
}

/** With one of its indexes changed, or without it. */
export function withIndex(
  table: TableRecord,
  storeId: string,
  change: (index: IndexRecord) => IndexRecord | undefined,
): TableRecord {
  return {
    ...table,
    indexes: table.indexes.flatMap((each) => (each.storeId === storeId ? (change(each) ?? []) : each)),
  };
}
