import { decodeKey, encodeKey } from "../store/keys.ts";
import type { Key, Reader, Transaction } from "../store/store.ts";
import { decodeValue, encodeValue } from "../store/values.ts";
import type { Frame, ArchiveEntry } from "./archive.ts";

/** About how much is read, and put into one frame or transaction, at a time. */
const pageBytes = 1024 * 1024;
const pageEntriesMax = 128;

/** Who serves the store at this moment is no state of it. */
const passing: ReadonlySet<unknown> = new Set(["nodes"]);

/** Whether an entry belongs into a copy of a store. */
export function isLasting(key: Key): boolean {
  return !passing.has(key[0]);
}

/** Everything a snapshot of the store holds, in key order, a page at a time. */
export async function* readEntries(reader: Reader): AsyncIterable<Extract<Frame, { kind: "entries" }>> {
  let after: Key | undefined;
  // Entries may be large: how many are asked for follows from how large those before were.
  let limit = 16;
  for (;;) {
    const page = await reader.range({ prefix: [], ...(after && { after }) }, { limit });
    const entries = page
      .filter(({ key }) => isLasting(key))
      .map(({ key, value }) => ({ key: Buffer.from(encodeKey(key), "latin1"), value: encodeValue(value) }));
    for (const frame of divide(entries)) yield frame;
    if (page.length < limit) return;
    after = page.at(-1)?.key;
    const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    const fitting = Math.floor((pageBytes * page.length) / Math.max(bytes, 1));
    limit = Math.max(1, Math.min(pageEntriesMax, fitting, limit * 4));
  }
}

/** Frames of about a page: one entry is never larger than a frame may be. */
function* divide(entries: readonly ArchiveEntry[]): Iterable<Extract<Frame, { kind: "entries" }>> {
  let part: ArchiveEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    part.push(entry);
    bytes += entry.key.length + entry.value.length;
    if (bytes < pageBytes) continue;
    yield { kind: "entries", entries: part };
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield { kind: "entries", entries: part };
}

export function writeEntries(tx: Transaction, entries: readonly ArchiveEntry[]): void {
  for (const { key, value } of entries) tx.set(decodeKey(key.toString("latin1")), decodeValue(value));
}
