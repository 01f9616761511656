import type { Key, Reader, Transaction } from "../store/store.ts";
import type { FailedJob } from "./jobs.ts";

/**
 * A stored job: `["jobs", "job", kind, ...key]`.
 *
 * While it waits, an entry `["jobs", "due", kind, when, ...key]` says when it runs next. A record that is replaced leaves
 * its old entry behind; whoever meets one that does not agree with the record removes it. While it runs, `["jobs",
 * "leased", kind, ...key]` is the sign of life of the run. It is no fence: that is the record's `lease`.
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
      /** This one included. */
      readonly attempts: number;
      readonly payload?: unknown;
      /** Drawn anew for each run: the fence. */
      readonly lease: string;
    };

export type RunningJob = Extract<JobRecord, { state: "running" }>;

/** What others see of a run: it lives as long as this changes. */
export interface LeaseRecord {
  readonly lease: string;
  /** The process that runs it. */
  readonly owner: string;
  /** Another one with each renewal. */
  readonly beat: number;
}

export interface JobName {
  readonly kind: string;
  readonly key: Key;
}

const recordKey = ({ kind, key }: JobName): Key => ["jobs", "job", kind, ...key];
const failedKey = ({ kind, key }: JobName): Key => ["jobs", "failed", kind, ...key];
const leaseKey = ({ kind, key }: JobName): Key => ["jobs", "leased", kind, ...key];
const dueKey = ({ kind, key }: JobName, when: number): Key => ["jobs", "due", kind, when, ...key];

/** What changes when a job of a kind may have become due. */
export function dueJobs(kind: string): Key {
  return ["jobs", "due", kind];
}

export function readJob(reader: Reader, job: JobName): Promise<JobRecord | undefined> {
  return reader.get<JobRecord>(recordKey(job));
}

export function readJobs(reader: Reader, jobs: readonly JobName[]): Promise<(JobRecord | undefined)[]> {
  return reader.getMany<JobRecord>(jobs.map(recordKey));
}

export function writeWaiting(
  tx: Transaction,
  job: JobName,
  record: Omit<JobRecord & { state: "waiting" }, "state">,
): void {
  tx.set(recordKey(job), { state: "waiting", ...record });
  tx.set(dueKey(job, record.when), null);
}

export function writeRunning(tx: Transaction, job: JobName, record: RunningJob, owner: string): void {
  tx.set(recordKey(job), record);
  writeLease(tx, job, { lease: record.lease, owner, beat: 0 });
}

export function deleteJob(tx: Transaction, job: JobName): void {
  tx.delete(recordKey(job));
  tx.delete(failedKey(job));
}

export function readLease(reader: Reader, job: JobName): Promise<LeaseRecord | undefined> {
  return reader.get<LeaseRecord>(leaseKey(job));
}

export function writeLease(tx: Transaction, job: JobName, lease: LeaseRecord): void {
  tx.set(leaseKey(job), lease);
}

export function deleteLease(tx: Transaction, job: JobName): void {
  tx.delete(leaseKey(job));
}

export interface FoundLease extends LeaseRecord {
  readonly name: JobName;
}

/** Leases of all kinds in the order of their keys, after one that was found before. */
export async function findLeases(reader: Reader, after: JobName | undefined, limit: number): Promise<FoundLease[]> {
  const range = { prefix: ["jobs", "leased"], ...(after && { after: leaseKey(after) }) };
  const entries = await reader.range<LeaseRecord>(range, { limit });
  return entries.map(({ key, value: { lease, owner, beat } }) => ({
    lease,
    owner,
    beat,
    name: { kind: String(key[2]), key: key.slice(3) },
  }));
}

export function deleteDue(tx: Transaction, job: JobName, when: number): void {
  tx.delete(dueKey(job, when));
}

export interface DueJob extends JobName {
  readonly when: number;
}

/** Waiting jobs of a kind in the order of when they run. */
export async function findDue(reader: Reader, kind: string, limit: number): Promise<readonly DueJob[]> {
  const entries = await reader.range({ prefix: dueJobs(kind) }, { limit });
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
