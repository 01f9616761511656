import type { UserImportJobType } from "@aws-sdk/client-cognito-identity-provider";
import type { Key, Reader, Store, Transaction } from "../../../kernel/store/store.ts";
import { inPool, type Pool } from "../model.ts";
import { cognitoLimits as limits } from "../limits.ts";

/** A job that makes users from a file. Its lines are kept apart, in batches, until it has ended. */
export interface ImportJob {
  readonly v: 1;
  readonly id: string;
  readonly name: string;
  readonly roleArn: string;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly status: "Created" | "Pending" | "InProgress" | "Stopping" | "Stopped" | "Failed" | "Succeeded";
  readonly message?: string;
  readonly imported: number;
  readonly skipped: number;
  readonly failed: number;
  /** The file that counts: the last one that was uploaded whole. */
  readonly file?: UploadedFile;
  /** The batch that is next. */
  readonly next: number;
  /** What is known of the batch before, and not logged yet: at the worst it is logged twice. */
  readonly unlogged: readonly string[];
}

export interface UploadedFile {
  readonly id: string;
  readonly header: string;
  readonly batches: number;
}

/** Lines of a file. Their numbers are those in the file, whose first line is the header. */
export interface Batch {
  readonly firstLine: number;
  readonly lines: readonly string[];
}

export function importKey(pool: Pool, jobId: string): Key {
  return inPool("import", pool.id, "job", jobId);
}

export function batchKey(pool: Pool, jobId: string, fileId: string, index: number): Key {
  return [...filePrefix(pool, jobId, fileId), index];
}

export function filePrefix(pool: Pool, jobId: string, fileId: string): Key {
  return inPool("import", pool.id, "lines", jobId, fileId);
}

export function linesPrefix(pool: Pool, jobId: string): Key {
  return inPool("import", pool.id, "lines", jobId);
}

/** Delete lines below a prefix, as many at once as one transaction should hold. */
export async function deleteLines(
  store: Pick<Store, "read">,
  commit: (body: (tx: Transaction) => Promise<void>) => Promise<void>,
  prefix: Key,
): Promise<void> {
  for (;;) {
    const entries = await store.read((reader) => reader.range({ prefix }, { limit: limits.sweepMax }));
    if (entries.length === 0) return;
    await commit(async (tx) => {
      for (const { key } of entries) tx.delete(key);
    });
  }
}

export function readImport(reader: Reader, pool: Pool, jobId: string): Promise<ImportJob | undefined> {
  return reader.get<ImportJob>(importKey(pool, jobId));
}

export function writeImport(tx: Transaction, pool: Pool, job: ImportJob): void {
  tx.set(importKey(pool, job.id), job);
}

export function isUnderWay({ status }: ImportJob): boolean {
  return status === "Pending" || status === "InProgress" || status === "Stopping";
}

/** AWS: a job that is not started within a day has expired. */
export function statusOf(job: ImportJob, now: number): NonNullable<UserImportJobType["Status"]> {
  return job.status === "Created" && now >= job.createdAt + limits.importStartMs ? "Expired" : job.status;
}
