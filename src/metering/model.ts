import { createHash } from "node:crypto";
import type { Key } from "../kernel/store/store.ts";
import type { UsageRecord, UsageSubject, UsageTotals } from "./usage.ts";

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Records of one writer that were committed together. Version 1. */
export interface RecordChunk {
  readonly v: 1;
  /** Keys of subjects. */
  readonly subjects: readonly string[];
  readonly records: readonly StoredRecord[];
}

/** Its subject's place in the chunk, and the members of a record. */
export type StoredRecord = readonly [
  subject: number,
  requestId: string,
  startedAt: number,
  durationMs: number,
  billedMs: number,
  initMs: number,
  maxMemoryMb: number,
  cpuMs: number,
  status: UsageRecord["status"],
];

/** A stored sum. Version 1. */
export interface StoredTotals extends UsageTotals {
  readonly v: 1;
}

export type Span = "hour" | "day";

export const chunkPrefix: Key = ["usage", "record"];

/** By the hour in which the chunk was committed. */
export function chunkKey(hour: number, writer: string, sequence: number): Key {
  return [...chunkPrefix, hour, writer, sequence];
}

export function totalsPrefix(span: Span): Key {
  return ["usage", span];
}

/** A writer has sums of its own, so that processes never wait for one another; a reader adds them up. */
export function totalsKey(span: Span, start: number, account: string, subject: string, writer: string): Key {
  return [...totalsPrefix(span), start, account, subject, writer];
}

export function subjectKey(subject: string): Key {
  return ["usage", "subject", subject];
}

/** The sequence number of a writer's last record that is committed: what makes each count once. */
export function writerKey(writer: string): Key {
  return ["usage", "writer", writer];
}

/** Which process commits what a dead writer has left in its journals. */
export function claimKey(writer: string): Key {
  return ["usage", "claim", writer];
}

/** The same for the same subject, in every process. */
export function subjectId(subject: UsageSubject): string {
  const { account, region, functionName, version, qualifier, memoryMb, architecture, trigger, tenantId, tags } =
    subject;
  const sorted = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([
    account,
    region,
    functionName,
    version,
    qualifier ?? null,
    memoryMb,
    architecture,
    trigger,
    tenantId ?? null,
    sorted,
  ]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

export function toStored(record: UsageRecord, subject: number): StoredRecord {
  const { requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status } = record;
  return [subject, requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status];
}

export function fromStored(stored: StoredRecord): UsageRecord {
  const [, requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status] = stored;
  return { requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status };
}

/** A span before now, so that what is kept for so long is found in whole spans. */
export function spanStart(span: Span, at: number): number {
  const length = span === "hour" ? hourMs : dayMs;
  return at - (at % length);
}
