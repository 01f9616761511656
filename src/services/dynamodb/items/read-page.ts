import type { Key, Reader } from "../../../kernel/store/store.ts";
import { dynamoLimits } from "../limits.ts";
import { addressOf, type Index, type Table } from "../tables/table.ts";
import type { Item } from "../values/attribute-value.ts";
import { afterPart } from "../values/key-encoding.ts";
import { decodeStored, type StoredItem } from "./stored-item.ts";

/** One page of a Query or Scan. */
export interface PageRequest {
  readonly table: Table;
  readonly index?: Index | undefined;
  /** From the first, up to and without the second. */
  readonly start: Key;
  readonly end: Key;
  readonly reverse: boolean;
  readonly limit: number | undefined;
  /** Read the whole items behind entries of a local index. */
  readonly whole: boolean;
  readonly filter: ((item: Item) => boolean) | undefined;
}

export interface Page extends PageTotals {
  readonly items: readonly StoredItem[];
}

export interface PageTotals {
  /** How many are answered, and how many were read. */
  readonly count: number;
  readonly scanned: number;
  /** Of the entries read; and of the items behind them, each read by itself. */
  readonly bytes: number;
  readonly fetchedBytes: readonly number[];
  /** The last one that was read, where the page ended before its range. */
  readonly last: Pick<StoredItem, "item"> | undefined;
}

const firstChunk = 64;

/** Reads until the range, the limit or 1 MB ends. Source: developer guide, Query.Pagination. */
export async function readPage(reader: Reader, request: PageRequest): Promise<Page> {
  const { table, limit, reverse, filter } = request;
  const items: StoredItem[] = [];
  const fetchedBytes: number[] = [];
  let { start, end } = request;
  let [scanned, bytes] = [0, 0];
  let last: StoredItem | undefined;
  for (;;) {
    const wanted = nextChunk(limit, scanned, bytes);
    const entries = await reader.range<Uint8Array>({ start, end }, { limit: wanted, reverse });
    for (const { value } of entries) {
      const stored = decodeStored(value);
      if (scanned > 0 && bytes + stored.bytes > dynamoLimits.pageBytesMax) {
        return { items, count: items.length, scanned, bytes, fetchedBytes, last };
      }
      bytes += stored.bytes;
      scanned += 1;
      last = stored;
      const whole = request.whole ? await fetchWhole(reader, table, stored) : stored;
      if (request.whole) fetchedBytes.push(whole.bytes);
      if (!filter || filter(whole.item)) items.push(whole);
      if (scanned === limit) return { items, count: items.length, scanned, bytes, fetchedBytes, last };
    }
    const lastKey = entries.at(-1)?.key;
    if (entries.length < wanted || !lastKey)
      return { items, count: items.length, scanned, bytes, fetchedBytes, last: undefined };
    if (reverse) end = lastKey;
    else start = afterKey(lastKey);
  }
}

/** As many as are likely to fill what is left. */
function nextChunk(limit: number | undefined, scanned: number, bytes: number): number {
  const left = limit === undefined ? dynamoLimits.readTogetherMax : limit - scanned;
  const fitting =
    scanned === 0 ? firstChunk : Math.ceil(((dynamoLimits.pageBytesMax - bytes) / Math.max(1, bytes)) * scanned) + 1;
  return Math.max(1, Math.min(left, fitting, dynamoLimits.readTogetherMax));
}

async function fetchWhole(reader: Reader, table: Table, entry: StoredItem): Promise<StoredItem> {
  const found = await reader.get<Uint8Array>(addressOf(table, entry.item).key);
  return found ? decodeStored(found) : entry;
}

/** The least key after one: what lies below it, too, comes after. */
export function afterKey(key: Key): Key {
  const last = key.at(-1);
  if (typeof last === "string" || last instanceof Uint8Array) return [...key.slice(0, -1), afterPart(last)];
  return [...key, new Uint8Array(0)];
}

/** The end of all keys below a prefix. */
export function endOf(prefix: Key): Key {
  return [...prefix, true, true];
}
