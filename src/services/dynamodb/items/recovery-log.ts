import type { Key, Transaction } from "../../../kernel/store/store.ts";
import type { ItemAddress, Table } from "../tables/table.ts";
import { encodeStored, type StoredItem } from "./stored-item.ts";

/** What items were before each change, for point-in-time recovery; below it: the item's place, and the moment. */
export function recoveryPrefix(logId: string): Key {
  return ["dynamodb", "undo", logId];
}

/** Notes what an item was until now. */
export async function noteBefore(
  tx: Transaction,
  table: Table,
  address: ItemAddress,
  before: StoredItem | undefined,
  now: number,
): Promise<void> {
  const { recovery } = table.record;
  if (!recovery) return;
  const key = [...recoveryPrefix(recovery.logId), ...address.key.slice(table.prefix.length), now];
  // Of several changes in one moment, the first knows what was before it.
  if ((await tx.get(key)) === undefined) tx.set(key, before ? encodeStored(before) : new Uint8Array(0));
}
