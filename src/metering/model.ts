import { createHash } from "node:crypto";
import type { Key } from "../kernel/store/store.ts";
import type { UsageSubject, UsageTotals } from "./usage.ts";

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** A stored sum. Version 1. */
export interface StoredTotals extends UsageTotals {
  readonly v: 1;
}

export type Span = "hour" | "day";

export const chunkPrefix: Key = ["usage", "record"];

/** Records of one writer that were committed together, as lines (see `lines.ts`), by the hour in which they were committed. */
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

/** A span before now, so that what is kept for so long is found in whole spans. */
export function spanStart(span: Span, at: number): number {
  const length = span === "hour" ? hourMs : dayMs;
  return at - (at % length);
}
