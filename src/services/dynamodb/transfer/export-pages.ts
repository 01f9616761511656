import type { Entry, Key, Reader, Store } from "../../../kernel/store/store.ts";
import { afterKey, endOf } from "../items/read-page.ts";
import { recoveryPrefix } from "../items/recovery-log.ts";
import { decodeStored, type StoredItem } from "../items/stored-item.ts";
import type { KeySchema } from "../model.ts";
import { itemsPrefix } from "../model.ts";
import { attributesOf } from "../tables/table.ts";
import type { ExportRecord } from "./export-record.ts";

/** Lines of an export, and where the next page begins; undefined after the last. */
export interface ExportPage {
  readonly lines: readonly string[];
  readonly bytes: number;
  readonly next: Key | undefined;
}

/** Ours: entries that are read at once. */
const pageMax = 200;

interface Change {
  readonly place: Key;
  /** What it was before each change, oldest first; bytes of none where it was not there. */
  readonly before: readonly { readonly at: number; readonly value: Uint8Array }[];
}

/**
 * Reads a page of what is exported. Items go on being written: an item as it is now, or what its first change after the moment
 * found, is what it was then; both are read in one snapshot.
 *
 * @param from the rest of a key below the table's items (full) or its log (incremental)
 */
export async function readExportPage(
  store: Store,
  record: ExportRecord,
  key: KeySchema,
  from: Key | undefined,
): Promise<ExportPage> {
  return await store.read((reader) =>
    record.window.kind === "full"
      ? readItems(reader, record, record.window.at, from)
      : readChanges(reader, record, record.window, key, from),
  );
}

async function readItems(reader: Reader, record: ExportRecord, at: number, from: Key | undefined): Promise<ExportPage> {
  const items = itemsPrefix(record.table.storeId);
  const log = recoveryPrefix(record.table.logId);
  const start = from ? [...items, ...from] : items;
  const page = await reader.range<Uint8Array>({ start, end: endOf(items) }, { limit: pageMax });
  const last = page.length === pageMax ? page.at(-1) : undefined;
  const next = last && afterKey(last.key.slice(items.length));
  // All changes of what lies between, of items that are gone too.
  const values = new Map(page.map(({ key, value }) => [idOf(key.slice(items.length)), value]));
  let logFrom: Key = from ? [...log, ...from] : log;
  const end = next ? [...log, ...next] : endOf(log);
  const settled = new Set<string>();
  for (;;) {
    const entries = await reader.range<Uint8Array>({ start: logFrom, end }, { limit: 1_000 });
    for (const { key, value } of entries) {
      const id = idOf(key.slice(log.length, -1));
      if (Number(key.at(-1)) <= at || settled.has(id)) continue;
      settled.add(id);
      values.set(id, value);
    }
    const lastKey = entries.at(-1)?.key;
    if (entries.length < 1_000 || !lastKey) break;
    logFrom = afterKey(lastKey);
  }
  const found = [...values.values()].filter((value) => value.length > 0).map(decodeStored);
  return {
    lines: found.map(({ text }) => `{"Item":${text}}`),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    next,
  };
}

async function readChanges(
  reader: Reader,
  record: ExportRecord,
  window: Extract<ExportRecord["window"], { kind: "incremental" }>,
  key: KeySchema,
  from: Key | undefined,
): Promise<ExportPage> {
  const log = recoveryPrefix(record.table.logId);
  const { changes, next } = await readLog(reader, log, from);
  const lines: string[] = [];
  let bytes = 0;
  const names = [...key.hash, ...key.range].map(({ name }) => name);
  for (const { place, before } of changes) {
    const within = before.filter(({ at }) => at > window.from && at <= window.to);
    const [first, last] = [within[0], within.at(-1)];
    if (!first || !last) continue;
    const after = before.find(({ at }) => at > window.to);
    const now = after?.value ?? (await reader.get<Uint8Array>([...itemsPrefix(record.table.storeId), ...place]));
    const [old, fresh] = [toItem(first.value), toItem(now)];
    const some = fresh ?? old;
    // AWS: what was made and deleted within the period is not told of.
    if (!some) continue;
    const line: Record<string, unknown> = {
      Metadata: { WriteTimestampMicros: { N: String(last.at * 1_000) } },
      Keys: attributesOf(some.item, names),
    };
    if (fresh) line["NewImage"] = fresh.item;
    if (old && window.view === "NEW_AND_OLD_IMAGES") line["OldImage"] = old.item;
    lines.push(JSON.stringify(line));
    bytes += (fresh?.bytes ?? 0) + (old?.bytes ?? 0);
  }
  return { lines, bytes, next };
}

/** Whole items' changes: at least one item's, however many it has. */
async function readLog(reader: Reader, log: Key, from: Key | undefined) {
  const entries: Entry<Uint8Array>[] = [];
  let start: Key = from ? [...log, ...from] : log;
  let isEnd = false;
  const changes: (Change & { readonly id: string })[] = [];
  for (;;) {
    const page = await reader.range<Uint8Array>({ start, end: endOf(log) }, { limit: pageMax });
    entries.push(...page);
    isEnd = page.length < pageMax;
    const [first, last] = [entries[0], entries.at(-1)];
    if (!first || !last) return { changes, next: undefined };
    if (isEnd || idOf(placeIn(first)) !== idOf(placeIn(last))) break;
    start = afterKey(last.key);
  }
  function placeIn({ key }: Entry<Uint8Array>): Key {
    return key.slice(log.length, -1);
  }
  for (const entry of entries) {
    const place = placeIn(entry);
    const id = idOf(place);
    const change = { at: Number(entry.key.at(-1)), value: entry.value };
    const known = changes.at(-1);
    if (known?.id === id) changes[changes.length - 1] = { ...known, before: [...known.before, change] };
    else changes.push({ id, place, before: [change] });
  }
  if (isEnd) return { changes, next: undefined };
  // The last item may have more changes than were read.
  const open = changes.pop();
  return { changes, next: open?.place };
}

function toItem(value: Uint8Array | undefined): StoredItem | undefined {
  return value && value.length > 0 ? decodeStored(value) : undefined;
}

function idOf(place: Key): string {
  return JSON.stringify(place.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString("hex") : [part])));
}
