import { toArn } from "../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";

export interface Place {
  readonly account: string;
  readonly region: string;
}

export type ScalarType = "S" | "N" | "B";

export interface KeyAttribute {
  readonly name: string;
  readonly type: ScalarType;
}

/** Up to four attributes each in a global index; one each in a table or local index. */
export interface KeySchema {
  readonly hash: readonly KeyAttribute[];
  readonly range: readonly KeyAttribute[];
}

export type ProjectionRecord =
  | { readonly type: "ALL" }
  | { readonly type: "KEYS_ONLY" }
  | { readonly type: "INCLUDE"; readonly attributes: readonly string[] };

export interface Units {
  readonly read: number;
  readonly write: number;
}

/** Maxima of on-demand tables and indexes. */
export interface OnDemandMaxima {
  readonly read?: number;
  readonly write?: number;
}

export interface IndexRecord {
  readonly name: string;
  /** Where its entries are; never used again for another. */
  readonly storeId: string;
  readonly kind: "global" | "local";
  readonly key: KeySchema;
  readonly projection: ProjectionRecord;
  readonly status: "CREATING" | "ACTIVE" | "DELETING";
  /** Provisioned tables only. */
  readonly throughput?: Units;
  readonly onDemand?: OnDemandMaxima;
  readonly itemCount: number;
  readonly bytes: number;
}

export interface StreamRecordOfTable {
  readonly storeId: string;
  readonly label: string;
  readonly viewType: "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES" | "KEYS_ONLY";
}

export interface TtlRecord {
  readonly attribute: string;
  readonly storeId: string;
  readonly status: "ENABLING" | "ENABLED";
}

/** A table. Version 1. */
export interface TableRecord {
  readonly v: 1;
  readonly name: string;
  readonly tableId: string;
  readonly storeId: string;
  /** Raised with every change of what a write depends on: its indexes, stream and time to live. */
  readonly generation: number;
  readonly status: "CREATING" | "ACTIVE" | "UPDATING" | "DELETING";
  readonly createdAt: number;
  readonly attributes: readonly KeyAttribute[];
  readonly key: KeySchema;
  readonly indexes: readonly IndexRecord[];
  readonly billingMode: "PROVISIONED" | "PAY_PER_REQUEST";
  readonly onDemandSince?: number;
  readonly throughput: Units;
  readonly lastIncreaseAt?: number;
  readonly lastDecreaseAt?: number;
  readonly onDemand?: OnDemandMaxima;
  readonly stream?: StreamRecordOfTable;
  readonly latestStreamLabel?: string;
  readonly ttl?: TtlRecord;
  readonly ttlChangedAt?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly tableClass?: "STANDARD" | "STANDARD_INFREQUENT_ACCESS";
  readonly tableClassAt?: number;
  readonly policy?: { readonly text: string; readonly revision: string };
  readonly recovery?: { readonly since: number; readonly days: number; readonly logId: string };
  /** Backups that are being copied from it: writes note for them what was before. */
  readonly copies?: readonly string[];
  /** Logs of recovery that was disabled while another table is restored from this one: they go on until it is. */
  readonly endingLogs?: readonly string[];
  readonly restore?: { readonly from: string; readonly backup?: string; readonly at: number };
  /** As last counted: every six hours. */
  readonly itemCount: number;
  readonly bytes: number;
}

const dayMs = 24 * 3_600_000;

/** How far back a table can be restored, epoch milliseconds. */
export function earliestRestorable(recovery: NonNullable<TableRecord["recovery"]>, now: number): number {
  return Math.max(recovery.since, now - recovery.days * dayMs);
}

export const tablesPrefix: Key = ["dynamodb", "table"];

export function tablesOf(place: Place): Key {
  return [...tablesPrefix, place.account, place.region];
}

export function tableKey(place: Place, name: string): Key {
  return [...tablesOf(place), name];
}

/** What every write reads, so that it conflicts with a change of its table. */
export function generationKey(storeId: string): Key {
  return ["dynamodb", "generation", storeId];
}

export function itemsPrefix(storeId: string): Key {
  return ["dynamodb", "item", storeId];
}

export function entriesPrefix(indexStoreId: string): Key {
  return ["dynamodb", "entry", indexStoreId];
}

/** Bytes of the items of one partition key with its index entries, for tables with local indexes. */
export function collectionKey(storeId: string, partition: Uint8Array): Key {
  return ["dynamodb", "collection", storeId, partition];
}

/** When items end: below it seconds, and the item's digest. */
export function expiriesPrefix(ttlStoreId: string): Key {
  return ["dynamodb", "expiry", ttlStoreId];
}

export function streamRecordsPrefix(streamStoreId: string): Key {
  return ["dynamodb", "record", streamStoreId];
}

export function streamHeadKey(streamStoreId: string): Key {
  return ["dynamodb", "streamHead", streamStoreId];
}

/** Streams outlive their tables for a day. */
export const streamsPrefix: Key = ["dynamodb", "stream"];

export function streamKey(place: Place, tableName: string, label: string): Key {
  return [...streamsPrefix, place.account, place.region, tableName, label];
}

/** A stream as it is described. Version 1. */
export interface StreamRecord {
  readonly v: 1;
  readonly tableName: string;
  readonly label: string;
  readonly storeId: string;
  readonly viewType: StreamRecordOfTable["viewType"];
  readonly key: KeySchema;
  readonly createdAt: number;
  /** When it was disabled: nothing is added any more. */
  readonly closedAt?: number;
}

export function tokenKey(place: Place, token: string): Key {
  return ["dynamodb", "token", place.account, place.region, token];
}

export function tableArn(place: Place, name: string): string {
  return toArn("dynamodb", place.region, place.account, `table/${name}`);
}

export function readTable(reader: Reader, place: Place, name: string): Promise<TableRecord | undefined> {
  return reader.get<TableRecord>(tableKey(place, name));
}

/** The record and, where writes depend on what has changed, its generation. */
export function writeTable(tx: Transaction, place: Place, table: TableRecord): void {
  tx.set(tableKey(place, table.name), table);
  tx.set(generationKey(table.storeId), {
    account: place.account,
    region: place.region,
    name: table.name,
    generation: table.generation,
  });
}

export function forgetTable(tx: Transaction, place: Place, table: TableRecord): void {
  tx.delete(tableKey(place, table.name));
  tx.delete(generationKey(table.storeId));
}
