import type { Job } from "../../../kernel/jobs/jobs.ts";
import type { Entry, Key, Range, Store } from "../../../kernel/store/store.ts";
import { applyWrite } from "../items/apply-write.ts";
import { afterKey, endOf } from "../items/read-page.ts";
import { decodeStored, type StoredItem } from "../items/stored-item.ts";
import { addressOf, type Table } from "../tables/table.ts";

const noStreams = { now: 0, append: () => Promise.resolve() };

/**
 * Puts items into a table that is not yet in use, with what follows from them. Doing it again changes nothing; a run that another
 * has taken over cannot: the table may be in use by then.
 */
export async function putStored(job: Job, table: Table, items: readonly StoredItem[]): Promise<void> {
  if (items.length === 0) return;
  await job.commit(async (tx) => {
    for (const stored of items) {
      const address = addressOf(table, stored.item);
      const found = await tx.get<Uint8Array>(address.key);
      const write = { table, address, change: () => stored };
      await applyWrite(tx, table, write, found && decodeStored(found), noStreams);
    }
  });
}

/** Takes items out of a table that is not yet in use, by their keys in the store. */
export async function removeStored(job: Job, table: Table, keys: readonly Key[]): Promise<void> {
  if (keys.length === 0) return;
  await job.commit(async (tx) => {
    for (const key of keys) {
      const found = await tx.get<Uint8Array>(key);
      if (!found) continue;
      const stored = decodeStored(found);
      const write = { table, address: addressOf(table, stored.item), change: () => undefined };
      await applyWrite(tx, table, write, stored, noStreams);
    }
  });
}

/** Ours: items that are read, and written, at once. */
const pageMax = 100;

/** Everything below a prefix, page by page, each as it is when it is read. */
export async function eachPage(
  store: Store,
  prefix: Key,
  signal: AbortSignal,
  visit: (page: readonly Entry<Uint8Array>[]) => Promise<void>,
): Promise<void> {
  let start: Key | undefined = prefix;
  while (start) {
    signal.throwIfAborted();
    const range: Range = { start, end: endOf(prefix) };
    const page: Entry<Uint8Array>[] = await store.read((reader) => reader.range(range, { limit: pageMax }));
    await visit(page);
    const last: Key | undefined = page.at(-1)?.key;
    start = last && page.length === pageMax ? afterKey(last) : undefined;
  }
}
