import type { Key, KeyPart, Reader, Store, Transaction } from "../../../kernel/store/store.ts";
import { dynamoLimits } from "../limits.ts";
import type { ItemAddress, Table } from "../tables/table.ts";
import { digestOf } from "../values/key-encoding.ts";
import { encodeStored, type StoredItem } from "./stored-item.ts";

/** What items were before each change, for point-in-time recovery; below it: the item's place, and the moment. */
export function recoveryPrefix(logId: string): Key {
  return ["dynamodb", "undo", logId];
}

/** What items of a table were when a backup of it began, for those that have changed since. */
export function copyLogPrefix(logId: string): Key {
  return ["dynamodb", "copyLog", logId];
}

/** The same changes by their moments; their values are the items' places. */
function momentsPrefix(logId: string): Key {
  return ["dynamodb", "undoAt", logId];
}

/** All that a log has. */
export function recoveryPrefixes(logId: string): readonly Key[] {
  return [recoveryPrefix(logId), momentsPrefix(logId)];
}

/** Notes what an item was until now. */
export async function noteBefore(
  tx: Transaction,
  table: Table,
  address: ItemAddress,
  before: StoredItem | undefined,
  now: number,
): Promise<void> {
  const { recovery, copies, endingLogs } = table.record;
  if (!recovery && !copies && !endingLogs) return;
  const place = address.key.slice(table.prefix.length);
  for (const logId of copies ?? []) {
    const copyKey = [...copyLogPrefix(logId), ...place];
    if ((await tx.get(copyKey)) === undefined) tx.set(copyKey, before ? encodeStored(before) : new Uint8Array(0));
  }
  for (const logId of [...(recovery ? [recovery.logId] : []), ...(endingLogs ?? [])]) {
    const key = [...recoveryPrefix(logId), ...place, now];
    // Of several changes in one moment, the first knows what was before it.
    if ((await tx.get(key)) !== undefined) continue;
    tx.set(key, before ? encodeStored(before) : new Uint8Array(0));
    tx.set([...momentsPrefix(logId), now, digestOf(address.id)], place);
  }
}

function restoringPrefix(sourceStoreId: string): Key {
  return ["dynamodb", "restoring", sourceStoreId];
}

/** While a table is restored from another, what it is restored from stays: the other's items, and its log since the moment. */
export function holdSource(tx: Transaction, sourceStoreId: string, restoredStoreId: string, at: number): void {
  tx.set([...restoringPrefix(sourceStoreId), restoredStoreId], at);
}

export function releaseSource(tx: Transaction, sourceStoreId: string, restoredStoreId: string): void {
  tx.delete([...restoringPrefix(sourceStoreId), restoredStoreId]);
}

/** The earliest moment that a table is being restored to from this one. */
export async function earliestHeld(reader: Reader, sourceStoreId: string): Promise<number | undefined> {
  const held = await reader.range<number>({ prefix: restoringPrefix(sourceStoreId) }, { limit: 1_000 });
  return held.length === 0 ? undefined : Math.min(...held.map(({ value }) => value));
}

/** Forgets changes up to a moment: who restores that moment, or a later one, needs those after it alone. */
export async function trimLog(
  store: Store,
  source: { readonly storeId: string; readonly logId: string },
  until: number,
  signal: AbortSignal,
): Promise<void> {
  const moments = momentsPrefix(source.logId);
  for (let more = true; more;) {
    signal.throwIfAborted();
    more = await store.transact(async (tx) => {
      const end = Math.min(until, (await earliestHeld(tx, source.storeId)) ?? until) + 1;
      const page = await tx.range<KeyPart[]>(
        { start: moments, end: [...moments, end] },
        { limit: dynamoLimits.jobPage },
      );
      for (const { key, value } of page) {
        const moment = key[moments.length];
        if (moment !== undefined) tx.delete([...recoveryPrefix(source.logId), ...value, moment]);
        tx.delete(key);
      }
      return page.length === dynamoLimits.jobPage;
    });
  }
}
