import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type * as S3Sdk from "@aws-sdk/client-s3";
import type { Clock } from "../../../kernel/clock.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { CallAs, ClientOf } from "../../../wire/service.ts";
import { releaseSource } from "../items/recovery-log.ts";
import { tableArn, type KeySchema, type Place } from "../model.ts";
import { purge } from "../tables/lifecycle.ts";
import { asCaller, toFailure } from "./caller-bucket.ts";
import { readExportPage } from "./export-pages.ts";
import {
  dataPathOf,
  exportArn,
  exportFilesPrefix,
  exportsOf,
  exportTokenKey,
  pathOf,
  readExport,
  writeExport,
  type ExportFile,
  type ExportRecord,
} from "./export-record.ts";

export const exportKind = "dynamodb.export";
const forgetExportKind = "dynamodb.forgetExport";

/** Ours: text in one file of an export. */
const fileBytesMax = 16 * 1024 * 1024;
/** API reference, ListExports: exports of the last 90 days. */
const keptMs = 90 * 24 * 3_600_000;
const compress = promisify(gzip);

export interface ExportJob extends Place {
  readonly id: string;
  readonly key: KeySchema;
}

interface ExportNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly s3: (as: CallAs) => ClientOf<typeof S3Sdk>;
}

type Put = (key: string, body: Uint8Array, contentType: string) => Promise<string>;

/** Writes exports file by file; what is written is noted, so that a run after a crash goes on with the next file. */
export function handleExports(needs: ExportNeeds): void {
  const { store, jobs, clock } = needs;
  jobs.handle(exportKind, { concurrency: 2, run: (job) => runExport(needs, job) });
  jobs.handle(forgetExportKind, {
    concurrency: 1,
    run: async (job) => {
      const { account, region, id } = job.payload as ExportJob;
      await store.transact(async (tx) => {
        const record = await readExport(tx, { account, region }, id);
        if (!record) return;
        tx.delete([...exportsOf({ account, region }), id]);
        if (record.token !== undefined) tx.delete(exportTokenKey({ account, region }, record.token));
        purge(tx, jobs, id, [exportFilesPrefix(id)], clock.now());
      });
    },
  });
}

async function runExport(needs: ExportNeeds, job: Job): Promise<void> {
  const { store, clock } = needs;
  const payload = job.payload as ExportJob;
  const place: Place = { account: payload.account, region: payload.region };
  let record = await store.read((reader) => readExport(reader, place, payload.id));
  if (record?.status !== "IN_PROGRESS") return;
  const s3 = asCaller(needs.s3, place, record.caller, job.signal);
  const { bucket, bucketOwner, encryption } = record;
  const put: Put = async (Key, body, ContentType) => {
    const { ETag = "" } = await s3.PutObject({
      Bucket: bucket,
      Key,
      Body: once(body),
      ContentLength: body.length,
      ContentType,
      ...(bucketOwner !== undefined && { ExpectedBucketOwner: bucketOwner }),
      ...(encryption !== undefined && { ServerSideEncryption: encryption }),
    });
    return ETag.replaceAll('"', "");
  };
  try {
    if (record.files === 0) await put(pathOf(record, "_started"), new Uint8Array(0), "application/octet-stream");
    // A run that ended after the last file has only the manifests left to write.
    while (record.files === 0 || record.next !== undefined) {
      job.signal.throwIfAborted();
      const written: ExportRecord = await writeFile(store, job, place, record, payload.key, put);
      record = written;
    }
    await writeManifests(store, place, record, clock.now(), put);
    await end(needs, job, place, { ...record, status: "COMPLETED", endedAt: clock.now() });
  } catch (error) {
    const failure = toFailure(error);
    if (!failure) throw error;
    await end(needs, job, place, { ...record, status: "FAILED", endedAt: clock.now(), failure });
  }
}

/** The same file again where the process ended before it was noted. */
async function writeFile(
  store: Store,
  job: Job,
  place: Place,
  record: ExportRecord,
  key: KeySchema,
  put: Put,
): Promise<ExportRecord> {
  const lines: string[] = [];
  let length = 0;
  let bytes = 0;
  let next = record.next;
  do {
    job.signal.throwIfAborted();
    const page = await readExportPage(store, record, key, next);
    lines.push(...page.lines);
    for (const line of page.lines) length += line.length + 1;
    bytes += page.bytes;
    next = page.next;
  } while (next && length < fileBytesMax);
  const body = await compress(lines.map((line) => `${line}\n`).join(""));
  const dataFileS3Key = dataPathOf(record, `${nameOf(record)}.json.gz`);
  const etag = await put(dataFileS3Key, body, "application/octet-stream");
  const file: ExportFile = { itemCount: lines.length, md5Checksum: md5Of(body), etag, dataFileS3Key };
  const changed: ExportRecord = {
    ...record,
    files: record.files + 1,
    next,
    itemCount: record.itemCount + lines.length,
    bytes: record.bytes + bytes,
  };
  await job.commit((tx) => {
    tx.set([...exportFilesPrefix(record.id), record.files], file);
    writeExport(tx, place, changed);
    return Promise.resolve();
  });
  return changed;
}

/** Nobody can tell it beforehand, and it is the same each time. */
function nameOf({ id, files, table }: ExportRecord): string {
  const digest = createHash("sha256").update(`${id} ${files} ${table.storeId}`).digest();
  return [...digest.subarray(0, 26)].map((byte) => (byte % 36).toString(36)).join("");
}

/** Source: developer guide, "DynamoDB table export output format". */
async function writeManifests(store: Store, place: Place, record: ExportRecord, now: number, put: Put): Promise<void> {
  const files = await store.read((reader) =>
    reader.range<ExportFile>({ prefix: exportFilesPrefix(record.id) }, { limit: 10_000 }),
  );
  const manifestFilesS3Key = pathOf(record, "manifest-files.json");
  const write = async (name: string, text: string) => {
    const body = Buffer.from(text);
    await put(pathOf(record, `${name}.json`), body, "application/json");
    await put(pathOf(record, `${name}.md5`), Buffer.from(md5Of(body)), "text/plain");
  };
  await write("manifest-files", files.map(({ value }) => `${JSON.stringify(value)}\n`).join(""));
  const { window } = record;
  const summary = {
    version: window.kind === "full" ? "2020-06-30" : "2023-08-01",
    exportArn: exportArn(place, record),
    startTime: timeOf(record.startedAt),
    endTime: timeOf(now),
    tableArn: tableArn(place, record.table.name),
    tableId: record.table.tableId,
    ...(window.kind === "full"
      ? { exportTime: timeOf(window.at) }
      : { exportFromTime: timeOf(window.from), exportToTime: timeOf(window.to) }),
    s3Bucket: record.bucket,
    s3Prefix: record.prefix ?? null,
    s3SseAlgorithm: record.encryption ?? "AES256",
    s3SseKmsKeyId: null,
    manifestFilesS3Key,
    billedSizeBytes: record.bytes,
    itemCount: record.itemCount,
    outputFormat: "DYNAMODB_JSON",
    ...(window.kind === "incremental" && { outputView: window.view }),
    exportType: window.kind === "full" ? "FULL_EXPORT" : "INCREMENTAL_EXPORT",
  };
  await write("manifest-summary", JSON.stringify(summary));
}

async function end({ jobs, clock }: ExportNeeds, job: Job, place: Place, record: ExportRecord): Promise<void> {
  await job.finish(async (tx) => {
    writeExport(tx, place, record);
    releaseSource(tx, record.table.storeId, record.id);
    jobs.schedule(tx, {
      kind: forgetExportKind,
      key: [record.id],
      at: clock.now() + keptMs,
      payload: { ...place, id: record.id },
    });
  });
}

async function* once(body: Uint8Array): AsyncIterable<Uint8Array> {
  if (body.length > 0) yield body;
}

function md5Of(body: Uint8Array): string {
  return createHash("md5").update(body).digest("base64");
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
