import type { Key, Transaction } from "../../../kernel/store/store.ts";
import { itemCollectionTooLarge, validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { collectionKey, expiriesPrefix } from "../model.ts";
import {
  checkIndexKeys,
  entryKeyOf,
  keyOf,
  projectedOf,
  type Index,
  type ItemAddress,
  type Table,
} from "../tables/table.ts";
import { attributeOf, type Item } from "../values/attribute-value.ts";
import { digestOf } from "../values/key-encoding.ts";
import { noteBefore } from "./recovery-log.ts";
import { encodeStored, toStored, type StoredItem } from "./stored-item.ts";
import type { StreamAppender } from "./stream-append.ts";

/** One item's change: what becomes of what was there. */
export interface ItemWrite {
  readonly table: Table;
  readonly address: ItemAddress;
  /**
   * The item as it shall be; undefined removes it; the very same object leaves it. Runs again when the transaction does.
   *
   * @throws {AwsError} to refuse, conditions included
   */
  readonly change: (before: StoredItem | undefined) => StoredItem | undefined;
  /** UpdateItem's refusals read differently. */
  readonly isUpdate?: boolean;
  readonly expired?: boolean;
}

/** What a write has done, and what it costs. */
export interface Written {
  readonly before: StoredItem | undefined;
  readonly after: StoredItem | undefined;
  readonly units: WriteUnits;
  /** Of tables with local indexes: bytes of all items with this partition key. */
  readonly collectionBytes?: number;
}

export interface WriteUnits {
  readonly table: number;
  /** By index; those that were not written are absent. */
  readonly indexes: ReadonlyMap<Index, number>;
}

const kibibyte = 1024;

/** Write units for so many bytes: one for each 1 KB begun, at least one. */
export function toWriteUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / kibibyte));
}

const noIndexes: ReadonlyMap<Index, number> = new Map();

/**
 * Writes an item with everything that follows from it: index entries, its end, its stream's record, its recovery log. Nothing is
 * written when it throws.
 */
export async function applyWrite(
  tx: Transaction,
  table: Table,
  write: ItemWrite,
  before: StoredItem | undefined,
  streams: StreamAppender,
): Promise<Written> {
  const after = write.change(before);
  if (after && after !== before) checkAfter(table, write, after);
  const bytes = Math.max(before?.bytes ?? 0, after?.bytes ?? 0);
  if (after === before) return { before, after, units: { table: toWriteUnits(bytes), indexes: noIndexes } };

  const entries = table.indexes.map((index) => toEntryChange(index, write.address, before, after));
  const collection = table.hasLocalIndexes ? await grow(tx, table, write.address, entries, before, after) : undefined;
  await noteBefore(tx, table, write.address, before, streams.now);
  await streams.append(table, before, after, { expired: write.expired ?? false });

  // From here on nothing fails.
  if (after) tx.set(write.address.key, encodeStored(after));
  else tx.delete(write.address.key);
  let units: Map<Index, number> | undefined;
  for (const entry of entries) {
    if (entry.units === 0) continue;
    units ??= new Map();
    units.set(entry.index, entry.units);
    if (entry.removed) tx.delete(entry.removed);
    if (entry.set && entry.stored) tx.set(entry.set, encodeStored(entry.stored));
  }
  if (collection) tx.set(collection.key, collection.bytes);
  moveExpiry(tx, table, write.address, before, after);
  return {
    before,
    after,
    units: { table: toWriteUnits(bytes), indexes: units ?? noIndexes },
    ...(collection && { collectionBytes: collection.bytes }),
  };
}

function checkAfter(table: Table, write: ItemWrite, after: StoredItem): void {
  if (after.bytes > dynamoLimits.itemBytesMax) {
    throw validation(
      write.isUpdate
        ? "Item size to update has exceeded the maximum allowed size"
        : "Item size has exceeded the maximum allowed size",
    );
  }
  if (table.indexes.length > 0) checkIndexKeys(table, after.item);
}

interface EntryChange {
  readonly index: Index;
  readonly removed?: Key;
  readonly set?: Key;
  readonly stored?: StoredItem;
  /** What its entries had and have, in bytes. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly units: number;
}

/** Source: developer guide, GSI.html, "Write capacity units". */
function toEntryChange(
  index: Index,
  address: ItemAddress,
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): EntryChange {
  const from = before && entryKeyOf(index, before.item, address);
  const to = after && entryKeyOf(index, after.item, address);
  const had = from && before ? project(index, before) : undefined;
  const has = to && after ? project(index, after) : undefined;
  const bytesBefore = had?.bytes ?? 0;
  const bytesAfter = has?.bytes ?? 0;
  const size = { index, bytesBefore, bytesAfter };
  if (from && to && isSame(from, to)) {
    if (had?.text === has?.text) return { ...size, units: 0 };
    return { ...size, set: to, ...(has && { stored: has }), units: toWriteUnits(Math.max(bytesBefore, bytesAfter)) };
  }
  return {
    ...size,
    ...(from && { removed: from }),
    ...(to && has && { set: to, stored: has }),
    units: (from ? toWriteUnits(bytesBefore) : 0) + (to ? toWriteUnits(bytesAfter) : 0),
  };
}

function project(index: Index, stored: StoredItem): StoredItem {
  return index.projected ? toStored(projectedOf(index, stored.item)) : stored;
}

function isSame(a: Key, b: Key): boolean {
  return (
    a.length === b.length &&
    a.every((part, at) => {
      const other = b[at];
      if (part instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(part, other) === 0;
      return part === other;
    })
  );
}

async function grow(
  tx: Transaction,
  table: Table,
  address: ItemAddress,
  entries: readonly EntryChange[],
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): Promise<{ readonly key: Key; readonly bytes: number }> {
  const key = collectionKey(table.record.storeId, address.partition);
  let bytes = ((await tx.get<number>(key)) ?? 0) + (after?.bytes ?? 0) - (before?.bytes ?? 0);
  const was = bytes - (after?.bytes ?? 0) + (before?.bytes ?? 0);
  for (const entry of entries) {
    if (entry.index.record.kind === "local") bytes += entry.bytesAfter - entry.bytesBefore;
  }
  if (bytes > dynamoLimits.itemCollectionBytesMax && bytes > was) throw itemCollectionTooLarge();
  return { key, bytes };
}

/** When an item ends, by the attribute that says so; seconds. Undefined when it does not. */
export function expiryOf(attribute: string, item: Item): number | undefined {
  const value = attributeOf(item, attribute);
  if (!value || !("N" in value)) return undefined;
  const seconds = Number(value.N);
  return Number.isFinite(seconds) ? Math.floor(seconds) : undefined;
}

/** The item's place in the order of ends. */
export function expiryKey(ttlStoreId: string, seconds: number, address: Pick<ItemAddress, "id">): Key {
  return [...expiriesPrefix(ttlStoreId), seconds, digestOf(address.id)];
}

function moveExpiry(
  tx: Transaction,
  table: Table,
  address: ItemAddress,
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): void {
  const { ttl } = table.record;
  if (!ttl) return;
  const from = before && expiryOf(ttl.attribute, before.item);
  const to = after && expiryOf(ttl.attribute, after.item);
  if (from === to) return;
  if (from !== undefined) tx.delete(expiryKey(ttl.storeId, from, address));
  if (to !== undefined && after) tx.set(expiryKey(ttl.storeId, to, address), keyOf(table, after.item));
}
