import type { Clock } from "../../../kernel/clock.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Store, Transaction } from "../../../kernel/store/store.ts";
import { copyLogPrefix } from "../items/recovery-log.ts";
import { decodeStored } from "../items/stored-item.ts";
import { dynamoLimits } from "../limits.ts";
import { itemsPrefix, readTable, writeTable, type Place, type TableRecord } from "../model.ts";
import { changeTable, measureKind, purge, type TableJob } from "../tables/lifecycle.ts";
import { toTable } from "../tables/table.ts";
import { forgetBackup, readBackup, toBackupId, writeBackup, type BackupRecord } from "./backup-record.ts";
import { eachPage, putStored } from "./fill.ts";

export const copyKind = "dynamodb.copy";
export const restoreBackupKind = "dynamodb.restoreBackup";
const expireBackupKind = "dynamodb.expireBackup";

/** What a job about a backup is told. */
export interface BackupJob extends Place {
  /** The source's name, and the backup's id. */
  readonly table: string;
  readonly id: string;
}

interface BackupNeeds {
  readonly store: Store;
  readonly settledStore: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
}

export function handleBackups(needs: BackupNeeds): void {
  const { jobs } = needs;
  jobs.handle(copyKind, { concurrency: 1, run: (job) => runCopy(needs, job) });
  jobs.handle(restoreBackupKind, { concurrency: 1, run: (job) => runRestore(needs, job) });
  jobs.handle(expireBackupKind, { concurrency: 1, run: (job) => runExpire(needs, job) });
}

function nameOf({ account, region, table, id }: BackupJob) {
  return { place: { account, region }, table, id };
}

/**
 * Copies a table as it was when its backup was asked for. Since then each first change of an item notes what was before it, in the
 * transaction that makes it: items that were copied too late are put right from these notes.
 */
async function runCopy({ store, settledStore, jobs, clock }: BackupNeeds, job: Job): Promise<void> {
  const payload = job.payload as BackupJob;
  const name = nameOf(payload);
  const backup = await store.read((reader) => readBackup(reader, name));
  if (backup?.status !== "CREATING") return;
  const from = itemsPrefix(backup.table.storeId);
  const to = itemsPrefix(backup.storeId);
  await eachPage(store, from, job.signal, (page) =>
    job.commit(async (tx) => {
      for (const { key, value } of page) tx.set([...to, ...key.slice(from.length)], value);
    }),
  );
  const log = copyLogPrefix(backup.storeId);
  await eachPage(store, log, job.signal, (page) =>
    job.commit(async (tx) => {
      for (const { key, value } of page) {
        const place = [...to, ...key.slice(log.length)];
        if (value.length > 0) tx.set(place, value);
        else tx.delete(place);
      }
    }),
  );
  const { itemCount, bytes } = await countItems(store, backup, job.signal);
  await settledStore.transact(async (tx) => {
    const table = await readTable(tx, payload, payload.table);
    if (table?.storeId === backup.table.storeId) writeTable(tx, payload, withoutCopy(table, backup.storeId));
    writeBackup(tx, name.place, { ...backup, status: "AVAILABLE", itemCount, bytes });
    purge(tx, jobs, backup.storeId, [log], clock.now());
  });
}

function withoutCopy({ copies = [], ...table }: TableRecord, logId: string): TableRecord {
  const left = copies.filter((each) => each !== logId);
  return { ...table, ...(left.length > 0 && { copies: left }), generation: table.generation + 1 };
}

async function countItems(store: Store, { storeId }: BackupRecord, signal: AbortSignal) {
  let [itemCount, bytes] = [0, 0];
  await eachPage(store, itemsPrefix(storeId), signal, async (page) => {
    itemCount += page.length;
    for (const { value } of page) bytes += decodeStored(value).bytes;
  });
  return { itemCount, bytes };
}

interface RestoreBackupJob extends BackupJob {
  readonly target: TableJob;
}

async function runRestore({ store, settledStore, jobs, clock }: BackupNeeds, job: Job): Promise<void> {
  const payload = job.payload as RestoreBackupJob;
  const { target } = payload;
  const name = nameOf(payload);
  const backup = await store.read((reader) => readBackup(reader, name));
  const record = await store.read((reader) => readTable(reader, target, target.name));
  if (backup && record?.storeId === target.storeId && record.status === "CREATING") {
    const table = toTable(target, record);
    await eachPage(store, itemsPrefix(backup.storeId), job.signal, (page) =>
      putStored(
        job,
        table,
        page.map(({ value }) => decodeStored(value)),
      ),
    );
  }
  await changeTable(settledStore, target, (tx, current) => {
    jobs.schedule(tx, {
      kind: measureKind,
      key: [target.storeId],
      at: clock.now() + dynamoLimits.measureEveryMs,
      payload: target,
    });
    return { ...current, status: "ACTIVE", generation: current.generation + 1 };
  });
  await job.finish(async (tx) => {
    const left = await readBackup(tx, name);
    if (left) {
      writeBackup(tx, name.place, { ...left, restoring: left.restoring.filter((each) => each !== target.storeId) });
    }
  });
}

async function runExpire({ store, jobs, clock }: BackupNeeds, job: Job): Promise<void> {
  const name = nameOf(job.payload as BackupJob);
  await store.transact(async (tx) => {
    const backup = await readBackup(tx, name);
    if (backup) removeBackup(tx, { jobs, now: clock.now() }, name.place, backup);
  });
}

/** Forgets a backup at once; a job removes what it held. */
export function removeBackup(
  tx: Transaction,
  { jobs, now }: { readonly jobs: Jobs; readonly now: number },
  place: Place,
  backup: BackupRecord,
): void {
  forgetBackup(tx, place, backup);
  jobs.cancel(tx, expireBackupKind, [backup.id]);
  purge(tx, jobs, backup.id, [itemsPrefix(backup.storeId)], now, backup.storeId);
}

/**
 * What is left of a table with point-in-time recovery that is deleted: its items become those of a backup that the system keeps for
 * 35 days. Source: developer guide, "Deleting a table with point-in-time recovery enabled".
 */
export function keepDeleted(
  tx: Transaction,
  { jobs, now, random }: { readonly jobs: Jobs; readonly now: number; readonly random: string },
  { account, region }: Place,
  table: TableRecord,
): void {
  const expiresAt = now + dynamoLimits.recoveryDaysMax * 24 * 3_600_000;
  const backup: BackupRecord = {
    v: 1,
    id: toBackupId(now, random),
    name: `${table.name}$DeletedTableBackup`,
    type: "SYSTEM",
    status: "AVAILABLE",
    createdAt: now,
    expiresAt,
    table,
    storeId: table.storeId,
    itemCount: table.itemCount,
    bytes: table.bytes,
    restoring: [],
  };
  writeBackup(tx, { account, region }, backup);
  const payload: BackupJob = { account, region, table: table.name, id: backup.id };
  jobs.schedule(tx, { kind: expireBackupKind, key: [backup.id], at: expiresAt, payload });
}
