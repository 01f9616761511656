import type { Transaction } from "../../../kernel/store/store.ts";
import { streamHeadKey, streamRecordsPrefix } from "../model.ts";
import type { Table } from "../tables/table.ts";
import { keyOf } from "../tables/table.ts";
import type { Item } from "../values/attribute-value.ts";
import { itemBytes } from "../values/size.ts";
import type { StoredItem } from "./stored-item.ts";

/** A stream's record, as stored. Version 1. */
export interface StreamChange {
  readonly v: 1;
  readonly id: string;
  readonly name: "INSERT" | "MODIFY" | "REMOVE";
  /** Epoch milliseconds. */
  readonly at: number;
  readonly keys: Item;
  readonly before?: Item;
  readonly after?: Item;
  readonly bytes: number;
  /** Deleted because its time was over. */
  readonly expired?: true;
}

/** Adds a transaction's changes to the streams of its tables, in their order. */
export interface StreamAppender {
  /** The transaction's moment, epoch milliseconds. */
  readonly now: number;
  append(
    table: Table,
    before: StoredItem | undefined,
    after: StoredItem | undefined,
    more: { readonly expired?: boolean },
  ): Promise<void>;
}

export function createStreamAppender(
  tx: Transaction,
  needs: { readonly now: number; readonly eventId: () => string },
): StreamAppender {
  const heads = new Map<string, number>();
  return {
    now: needs.now,
    append: async (table, before, after, { expired }) => {
      const { stream } = table.record;
      // AWS: a write that changes nothing is no change.
      if (!stream || before?.text === after?.text) return;
      const { storeId, viewType } = stream;
      // Everybody who writes to the stream reads its head, so that its records have one order.
      const head = heads.get(storeId) ?? (await tx.get<number>(streamHeadKey(storeId))) ?? 0;
      const some = after ?? before;
      if (!some) return;
      const keys = keyOf(table, some.item);
      const old = viewType === "OLD_IMAGE" || viewType === "NEW_AND_OLD_IMAGES" ? before : undefined;
      const fresh = viewType === "NEW_IMAGE" || viewType === "NEW_AND_OLD_IMAGES" ? after : undefined;
      const change: StreamChange = {
        v: 1,
        id: needs.eventId(),
        name: before ? (after ? "MODIFY" : "REMOVE") : "INSERT",
        at: needs.now,
        keys,
        ...(old && { before: old.item }),
        ...(fresh && { after: fresh.item }),
        bytes: itemBytes(keys) + (old?.bytes ?? 0) + (fresh?.bytes ?? 0),
        ...(expired && { expired }),
      };
      tx.set([...streamRecordsPrefix(storeId), head + 1], change);
      tx.set(streamHeadKey(storeId), head + 1);
      heads.set(storeId, head + 1);
    },
  };
}
