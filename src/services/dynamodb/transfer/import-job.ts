import type * as S3Sdk from "@aws-sdk/client-s3";
import { AwsError } from "../../../aws/error.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { CallAs, ClientOf, StreamOut } from "../../../wire/service.ts";
import type { LogsPort } from "../../logs/port.ts";
import { validation } from "../errors.ts";
import { applyWrite } from "../items/apply-write.ts";
import { decodeStored, toStored, type StoredItem } from "../items/stored-item.ts";
import { dynamoLimits } from "../limits.ts";
import { readTable, writeTable, type Place } from "../model.ts";
import { measureKind, removeTable, toTableJob } from "../tables/lifecycle.ts";
import { addressOf, checkIndexKeys, checkItemKey, toTable, type Table } from "../tables/table.ts";
import { asCaller, toFailure } from "./caller-bucket.ts";
import {
  importArn,
  importLogGroup,
  importsOf,
  importTokenKey,
  readImport,
  writeImport,
  type ImportRecord,
} from "./import-record.ts";
import {
  parseCsvRecord,
  parseFields,
  parseJsonRecord,
  readRecords,
  readText,
  UnreadableSourceError,
  type SourceRecord,
} from "./records.ts";

export const importKind = "dynamodb.import";
const forgetImportKind = "dynamodb.forgetImport";

/** Ours: records of one transaction. */
const recordsTogether = 100;
/** API reference, ListImports: imports of the last 90 days. */
const keptMs = 90 * 24 * 3_600_000;

export interface ImportJob extends Place {
  readonly id: string;
}

interface ImportNeeds {
  readonly store: Store;
  readonly settledStore: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly logs: LogsPort;
  readonly s3: (as: CallAs) => ClientOf<typeof S3Sdk>;
}

/**
 * Fills new tables from objects. How far it is, and how many records were wrong, is written in the transaction that writes items:
 * after a crash it goes on from there, and counts nothing twice.
 */
export function handleImports(needs: ImportNeeds): void {
  const { store, jobs } = needs;
  jobs.handle(importKind, { concurrency: 2, run: (job) => runImport(needs, job) });
  jobs.handle(forgetImportKind, {
    concurrency: 1,
    run: async (job) => {
      const { account, region, id } = job.payload as ImportJob;
      await store.transact(async (tx) => {
        const record = await readImport(tx, { account, region }, id);
        tx.delete([...importsOf({ account, region }), id]);
        if (record?.token !== undefined) tx.delete(importTokenKey({ account, region }, record.token));
      });
    },
  });
}

async function runImport(needs: ImportNeeds, job: Job): Promise<void> {
  const { account, region, id } = job.payload as ImportJob;
  const place: Place = { account, region };
  const record = await needs.store.read((reader) => readImport(reader, place, id));
  if (record?.status !== "IN_PROGRESS") return;
  const found = await needs.store.read((reader) => readTable(reader, place, record.table.name));
  const table = found && toTable(place, found);
  if (table?.record.storeId !== record.table.storeId) {
    await end(needs, job, place, id, { code: "TableNotFound", message: "The table is gone" });
    return;
  }
  try {
    await importObjects(needs, job, place, table, record);
    await end(needs, job, place, id, undefined);
  } catch (error) {
    const failure = toFailure(error);
    if (!failure) throw error;
    await end(needs, job, place, id, failure);
  }
}

async function importObjects(needs: ImportNeeds, job: Job, place: Place, table: Table, record: ImportRecord) {
  const s3 = asCaller(needs.s3, place, record.caller, job.signal);
  const { bucket: Bucket, bucketOwner, prefix } = record;
  const owner = bucketOwner === undefined ? {} : { ExpectedBucketOwner: bucketOwner };
  let after = record.doneKey;
  let done = record.doneRecords;
  for (let isMore = true; isMore;) {
    const page = await s3.ListObjectsV2({
      Bucket,
      ...owner,
      ...(prefix !== undefined && { Prefix: prefix }),
      ...(after !== undefined && { StartAfter: after }),
    });
    for (const { Key } of page.Contents ?? []) {
      if (Key === undefined) continue;
      job.signal.throwIfAborted();
      const { Body } = await s3.GetObject({ Bucket, Key, ...owner });
      await importObject(needs, job, { place, table, record, key: Key, done }, toStream(Body));
      after = Key;
      done = 0;
    }
    isMore = page.IsTruncated === true;
  }
}

async function* toStream(body: StreamOut | undefined): AsyncIterable<Uint8Array> {
  if (body === undefined) return;
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}

interface ObjectImport {
  readonly place: Place;
  readonly table: Table;
  readonly record: ImportRecord;
  readonly key: string;
  /** Records of it that an earlier run has done. */
  readonly done: number;
}

interface Batch {
  items: StoredItem[];
  errors: { readonly index: number; readonly message: string }[];
  records: number;
  bytes: number;
}

async function importObject(needs: ImportNeeds, job: Job, of: ObjectImport, body: AsyncIterable<Uint8Array>) {
  const { table, record } = of;
  const isCsv = record.format === "CSV";
  const csv = record.options?.Csv;
  const delimiter = csv?.Delimiter ?? ",";
  const keys = table.record.attributes;
  let header = csv?.HeaderList;
  let at = 0;
  let batch: Batch = { items: [], errors: [], records: 0, bytes: 0 };
  const flush = async (isLast: boolean) => {
    job.signal.throwIfAborted();
    await commit(needs, job, of, batch, isLast);
    batch = { items: [], errors: [], records: 0, bytes: 0 };
  };
  const add = ({ text, bytes }: SourceRecord) => {
    batch.records += 1;
    batch.bytes += bytes;
    try {
      const item = isCsv ? parseCsvRecord(text, { delimiter, header: header ?? [], keys }) : parseJsonRecord(text);
      batch.items.push(check(table, item));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      batch.errors.push({ index: at, message: error.message });
    }
  };
  try {
    for await (const each of readRecords(readText(body, record.compression), isCsv)) {
      if (isCsv && header === undefined) {
        header = [...parseFields(each.text, delimiter)];
        continue;
      }
      if (at >= of.done) add(each);
      at += 1;
      if (batch.records >= recordsTogether) await flush(false);
    }
  } catch (error) {
    const isUnreadable = error instanceof UnreadableSourceError;
    if (!isUnreadable && !(error instanceof AwsError && header === undefined)) throw error;
    // AWS: the rest of an object that is malformed may be skipped.
    batch.errors.push({ index: at, message: error.message });
    batch.records += 1;
  }
  await flush(true);
}

/** @throws {ValidationException} for what can be no item of the table */
function check(table: Table, item: Parameters<typeof toStored>[0]): StoredItem {
  checkItemKey(table, item);
  checkIndexKeys(table, item);
  const stored = toStored(item);
  if (stored.bytes > dynamoLimits.itemBytesMax) throw validation("Item size has exceeded the maximum allowed size");
  return stored;
}

const noStreams = { now: 0, append: () => Promise.resolve() };

async function commit({ clock, logs }: ImportNeeds, job: Job, of: ObjectImport, batch: Batch, isLast: boolean) {
  const { place, table, record, key } = of;
  await job.commit(async (tx) => {
    const now = await readImport(tx, place, record.id);
    if (now?.status !== "IN_PROGRESS") throw new Error("The import has ended");
    for (const stored of batch.items) {
      const address = addressOf(table, stored.item);
      const found = await tx.get<Uint8Array>(address.key);
      const write = { table, address, change: () => stored };
      await applyWrite(tx, table, write, found && decodeStored(found), noStreams);
    }
    const changed: ImportRecord = {
      ...now,
      doneRecords: isLast ? 0 : now.doneRecords + batch.records,
      errorCount: now.errorCount + batch.errors.length,
      processedCount: now.processedCount + batch.records,
      importedCount: now.importedCount + batch.items.length,
      processedBytes: now.processedBytes + batch.bytes,
    };
    writeImport(tx, place, isLast ? { ...changed, doneKey: key } : changed);
  });
  if (batch.errors.length === 0) return;
  logs.append({
    account: place.account,
    region: place.region,
    logGroup: importLogGroup,
    logStream: `${record.id}/error`,
    events: batch.errors.map(({ index, message }) => ({
      timestamp: clock.now(),
      message: JSON.stringify({
        itemS3Pointer: { bucket: record.bucket, key, itemIndex: index },
        importArn: importArn(place, record),
        errorMessages: [message],
      }),
    })),
  });
}

async function end(
  { settledStore, jobs, clock }: ImportNeeds,
  job: Job,
  place: Place,
  id: string,
  failure: ImportRecord["failure"],
): Promise<void> {
  const now = clock.now();
  await settledStore.transact(async (tx) => {
    const record = await readImport(tx, place, id);
    if (record?.status !== "IN_PROGRESS") return;
    const table = await readTable(tx, place, record.table.name);
    if (table?.storeId === record.table.storeId) {
      if (failure) {
        // It has never been ready.
        await removeTable(tx, { jobs, now }, place, table, false);
      } else {
        writeTable(tx, place, { ...table, status: "ACTIVE", generation: table.generation + 1 });
        jobs.schedule(tx, { kind: measureKind, key: [table.storeId], at: now, payload: toTableJob(place, table) });
      }
    }
    writeImport(tx, place, {
      ...record,
      status: failure ? "FAILED" : "COMPLETED",
      endedAt: now,
      ...(failure && { failure }),
    });
    jobs.schedule(tx, { kind: forgetImportKind, key: [id], at: now + keptMs, payload: { ...place, id } });
  });
  await job.finish(() => Promise.resolve());
}
