import { conditionalCheckFailed, duplicateItem, invalidValues, validation } from "../errors.ts";
import { meets, type BoundCondition } from "../expressions/condition.ts";
import { applyUpdate } from "../expressions/update.ts";
import type { ItemWrite, Written } from "../items/apply-write.ts";
import { toStored, type StoredItem } from "../items/stored-item.ts";
import { updatedOf } from "../operations/write-items.ts";
import { addressOf, checkIndexKeys, checkItemKey, checkKey, type Table } from "../tables/table.ts";
import type { Item } from "../values/attribute-value.ts";
import type { Delete, Exists, Insert, Update } from "./compile.ts";
import { checkedKey, writtenKey } from "./item-key.ts";

/** A statement that writes as the write that it is. @param onFailure ReturnValuesOnConditionCheckFailure */
export function toWrite(table: Table, statement: Insert | Update | Delete, onFailure: string | undefined): ItemWrite {
  switch (statement.kind) {
    case "insert":
      return toInsert(table, statement.item);
    case "update":
      return toUpdateWrite(table, statement, onFailure);
    case "delete": {
      const key = keyOf(table, statement.where);
      return {
        table,
        address: addressOf(table, key),
        change: (before) => {
          // AWS: what is not there is deleted already, whatever else is asked of it.
          if (before) assertHolds(statement.where, before, onFailure);
          return undefined;
        },
      };
    }
  }
}

function toInsert(table: Table, item: Item): ItemWrite {
  checkItemKey(table, item);
  if (table.indexes.length > 0) checkIndexKeys(table, item);
  const stored = toStored(item);
  return {
    table,
    address: addressOf(table, item),
    change: (before) => {
      if (before) throw duplicateItem();
      return stored;
    },
  };
}

function toUpdateWrite(table: Table, { actions, where }: Update, onFailure: string | undefined): ItemWrite {
  const key = keyOf(table, where);
  for (const { path } of actions) {
    const name = String(path[0]);
    if (table.keyNames.has(name)) {
      throw invalidValues(`Cannot update attribute ${name}. This attribute is part of the key`);
    }
    if (path.length > 1) assertScalar(table, name);
  }
  return {
    table,
    address: addressOf(table, key),
    isUpdate: true,
    change: (before) => {
      // AWS: UPDATE makes no items.
      if (!before) throw conditionalCheckFailed();
      assertHolds(where, before, onFailure);
      return toStored(applyUpdate(actions, before.item));
    },
  };
}

function assertScalar(table: Table, name: string): void {
  const isIndexKey = table.indexes.some(({ record }) =>
    [...record.key.hash, ...record.key.range].some((each) => each.name === name),
  );
  if (!isIndexKey) return;
  throw validation(
    `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: ${name}`,
  );
}

/** EXISTS: a condition alone. Undefined where the clause does not name one item, and something more of it. */
export function toCheck(table: Table, { where }: Exists, onFailure: string | undefined): ItemWrite | undefined {
  const key = checkedKey(table, where);
  if (!key) return undefined;
  checkKey(table.key, key);
  return {
    table,
    address: addressOf(table, key),
    change: (before) => {
      if (!before) throw conditionalCheckFailed();
      assertHolds(where, before, onFailure);
      return before;
    },
  };
}

function keyOf(table: Table, where: BoundCondition | undefined): Item {
  const key = writtenKey(table, where);
  if (!key) throw validation("Where clause does not contain a mandatory equality on all key attributes");
  checkKey(table.key, key);
  return key;
}

function assertHolds(where: BoundCondition | undefined, before: StoredItem, onFailure: string | undefined): void {
  if (!where || meets(where, before.item)) return;
  throw conditionalCheckFailed(onFailure === "ALL_OLD" ? before.item : undefined);
}

/** What RETURNING asks for; undefined when that is nothing. */
export function returned(statement: Insert | Update | Delete, { before, after }: Written): string | undefined {
  if (statement.kind === "insert") return undefined;
  switch (statement.returning) {
    case undefined:
      return undefined;
    case "ALL OLD":
      return before?.text;
    case "ALL NEW":
      return after?.text;
    case "MODIFIED OLD":
    case "MODIFIED NEW": {
      const paths = statement.actions.map(({ path }) => path);
      return updatedOf(statement.returning === "MODIFIED OLD" ? before : after, paths);
    }
  }
}
