import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { UsageAddress } from "../port.ts";

/** A quota's state in one period. */
export interface QuotaRecord {
  readonly v: 1;
  /** Requests let through, as far as nodes have told. */
  readonly used: number;
  /** What nodes have taken and not settled: counted as used until they do. */
  readonly taken: number;
  /** Added to the limit by UpdateUsage. */
  readonly extra: number;
}

/** A part of a quota that a node has taken. */
export interface QuotaLease extends UsageAddress {
  readonly v: 1;
  readonly period: string;
  /** When the period ends, epoch milliseconds. */
  readonly end: number;
  readonly amount: number;
}

/** Requests of one key on one day, and what was left of its quota after the last that was told. */
export interface DayUsage {
  readonly used: number;
  readonly remaining: number;
}

const quotaPrefix: Key = ["execute-api", "quota"];
const leasePrefix: Key = ["execute-api", "quota-lease"];
const dayPrefix: Key = ["execute-api", "usage-day"];

const nothing: QuotaRecord = { v: 1, used: 0, taken: 0, extra: 0 };

export async function readQuota(reader: Reader, address: UsageAddress, period: string): Promise<QuotaRecord> {
  return (await reader.get<QuotaRecord>([...quotaPrefix, ...partsOf(address), period])) ?? nothing;
}

export function writeQuota(tx: Transaction, address: UsageAddress, period: string, record: QuotaRecord): void {
  tx.set([...quotaPrefix, ...partsOf(address), period], record);
}

export function readLease(reader: Reader, id: string): Promise<QuotaLease | undefined> {
  return reader.get<QuotaLease>([...leasePrefix, id]);
}

export function writeLease(tx: Transaction, id: string, lease: QuotaLease): void {
  tx.set([...leasePrefix, id], lease);
}

/**
 * A lease has ended with so many requests let through: the rest is there for others again. Without effect where it has been
 * settled before.
 *
 * @param limit of the period, for what usage tells of the day
 */
export async function settleLease(
  tx: Transaction,
  id: string,
  used: number,
  day: string,
  limit: number | undefined,
): Promise<void> {
  const lease = await readLease(tx, id);
  if (lease === undefined) return;
  tx.delete([...leasePrefix, id]);
  const before = await readQuota(tx, lease, lease.period);
  const next = { ...before, used: before.used + used, taken: Math.max(0, before.taken - lease.amount) };
  writeQuota(tx, lease, lease.period, next);
  if (used > 0) await noteDay(tx, lease, day, used, limit === undefined ? undefined : limit + next.extra - next.used);
}

/** What is left has been set by hand. */
export async function writeDay(tx: Transaction, address: UsageAddress, day: string, remaining: number): Promise<void> {
  const key = [...dayPrefix, ...partsOf(address), day];
  const before = await tx.get<DayUsage>(key);
  tx.set(key, { used: before?.used ?? 0, remaining } satisfies DayUsage);
}

/** So many more requests on a day. @param remaining of the quota; undefined: so many less than before */
export async function noteDay(
  tx: Transaction,
  address: UsageAddress,
  day: string,
  used: number,
  remaining: number | undefined,
): Promise<void> {
  const key = [...dayPrefix, ...partsOf(address), day];
  const before = await tx.get<DayUsage>(key);
  const left = remaining ?? Math.max(0, (before?.remaining ?? 0) - used);
  tx.set(key, { used: (before?.used ?? 0) + used, remaining: Math.max(0, left) } satisfies DayUsage);
}

/** By day. */
export async function readDays(
  reader: Reader,
  address: UsageAddress,
  days: readonly string[],
): Promise<(DayUsage | undefined)[]> {
  return reader.getMany<DayUsage>(days.map((day) => [...dayPrefix, ...partsOf(address), day]));
}

function partsOf({ account, region, planId, keyId }: UsageAddress): Key {
  return [account, region, planId, keyId];
}
