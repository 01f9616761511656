import type { Key, Reader, Transaction } from "../store/store.ts";
import type { FailedJob } from "./jobs.ts";

/**
 * A stored job. Beside it, under `["jobs", "due", kind, when, ...key]`, stands when someone must look at it: when it is
 * due, or when its lease ends. A record that is replaced leaves its old due entry behind; whoever meets one that does
 * not agree with the record removes it.
 */
export type JobRecord =
  | {
      readonly state: "waiting";
      /** When the work is due; retries do not change it. */
      readonly at: number;
      /** When it runs next. */
      readonly when: number;
      /** Runs so far. */
      readonly attempts: number;
      readonly payload?: unknown;
    }
  | {
      readonly state: "running";
      readonly at: number;
      /** When the lease ends. */
      readonly when: number;
      /** This one included. */
      readonly attempts: number;
      readonly payload?: unknown;
      /** Drawn anew for each run: the fence. */
      readonly lease: string;
    };

export interface JobName {
  readonly kind: string;
  readonly key: Key;
}

const recordKey = ({ kind, key }: JobName): Key => ["jobs", "job", kind, ...key];
const failedKey = ({ kind, key }: JobName): Key => ["jobs", "failed", kind, ...key];
const dueKey = ({ kind, key }: JobName, when: number): Key => ["jobs", "due", kind, when, ...key];

/** What changes when a job may have become due. */
export const dueJobs: Key = ["jobs", "due"];

export function readJob(reader: Reader, job: JobName): Promise<JobRecord | undefined> {
  return reader.get<JobRecord>(recordKey(job));
}

export function writeJob(tx: Transaction, job: JobName, record: JobRecord): void {
  tx.set(recordKey(job), record);
  tx.set(dueKey(job, record.when), null);
}

export function deleteJob(tx: Transaction, job: JobName): void {
  tx.delete(recordKey(job));
  tx.delete(failedKey(job));
}

export function deleteDue(tx: Transaction, job: JobName, when: number): void {
  tx.delete(dueKey(job, when));
}

export interface DueJob extends JobName {
  readonly when: number;
}

/** Jobs of a kind in the order of when they must be looked at. */
export async function findDue(reader: Reader, kind: string, limit: number): Promise<readonly DueJob[]> {
  const entries = await reader.range({ prefix: [...dueJobs, kind] }, { limit });
  return entries.map(({ key }) => ({ kind, when: Number(key[3]), key: key.slice(4) }));
}

/** Keep a job that was given up, out of the way of those that run. */
export function writeFailed(tx: Transaction, job: JobName, failed: Omit<FailedJob, "kind" | "key">): void {
  deleteJob(tx, job);
  tx.set(failedKey(job), failed);
}

export async function findFailed(reader: Reader, kind: string, limit: number): Promise<readonly FailedJob[]> {
  const entries = await reader.range<Omit<FailedJob, "kind" | "key">>({ prefix: ["jobs", "failed", kind] }, { limit });
  return entries.map(({ key, value }) => ({
    kind,
    key: key.slice(3),
    payload: value.payload,
    attempts: value.attempts,
    error: value.error,
  }));
}
