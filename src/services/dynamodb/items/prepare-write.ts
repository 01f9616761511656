import { conditionalCheckFailed, invalidValues, validation } from "../errors.ts";
import type { Expressions } from "../expressions/expressions.ts";
import { applyLegacyUpdates, parseAttributeUpdates } from "../expressions/legacy.ts";
import type { BoundPath } from "../expressions/placeholders.ts";
import { applyUpdate } from "../expressions/update.ts";
import { addressOf, checkIndexKeys, checkItemKey, checkKey, keyOf, type Table } from "../tables/table.ts";
import { parseItem, type Item } from "../values/attribute-value.ts";
import type { ItemWrite } from "./apply-write.ts";
import { asMap, parseWriteCondition, placeholdersOf, type Holds } from "./condition-parameters.ts";
import { toStored, type StoredItem } from "./stored-item.ts";

/** A write as a request asks for it, before its table is known: what can be wrong with it alone has been refused. */
export type PreparedWrite = (table: Table) => ItemWrite;

interface ConditionInput {
  readonly ConditionExpression?: string | undefined;
  readonly ConditionalOperator?: string | undefined;
  readonly Expected?: unknown;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: unknown;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

const nothing: Item = {};

function assertHolds(holds: Holds | undefined, before: StoredItem | undefined, input: ConditionInput): void {
  if (!holds || holds(before?.item ?? nothing)) return;
  throw conditionalCheckFailed(input.ReturnValuesOnConditionCheckFailure === "ALL_OLD" ? before?.item : undefined);
}

export function preparePut(
  input: ConditionInput & { readonly Item?: unknown },
  expressions: Expressions,
): PreparedWrite {
  const item = parseItem(asMap(input.Item) ?? {});
  const placeholders = placeholdersOf(input);
  const holds = parseWriteCondition(input, expressions, placeholders);
  placeholders.assertUsed();
  const stored = toStored(item);
  return (table) => {
    checkItemKey(table, item);
    if (table.indexes.length > 0) checkIndexKeys(table, item);
    return {
      table,
      address: addressOf(table, item),
      change: (before) => {
        assertHolds(holds, before, input);
        return stored;
      },
    };
  };
}

export function prepareDelete(
  input: ConditionInput & { readonly Key?: unknown },
  expressions: Expressions,
): PreparedWrite {
  const key = parseItem(asMap(input.Key) ?? {});
  const placeholders = placeholdersOf(input);
  const holds = parseWriteCondition(input, expressions, placeholders);
  placeholders.assertUsed();
  return (table) => {
    checkKey(table.key, key);
    return {
      table,
      address: addressOf(table, key),
      change: (before) => {
        assertHolds(holds, before, input);
        return undefined;
      },
    };
  };
}

/** A condition alone: nothing is written. */
export function prepareCheck(
  input: ConditionInput & { readonly Key?: unknown },
  expressions: Expressions,
): PreparedWrite {
  const whole = prepareDelete(input, expressions);
  return (table) => {
    const { change, ...write } = whole(table);
    return {
      ...write,
      change: (before) => {
        change(before);
        return before;
      },
    };
  };
}

export function prepareUpdate(
  input: ConditionInput & {
    readonly Key?: unknown;
    readonly UpdateExpression?: string | undefined;
    readonly AttributeUpdates?: unknown;
  },
  expressions: Expressions,
): PreparedWrite & { readonly paths: readonly BoundPath[] } {
  const key = parseItem(asMap(input.Key) ?? {});
  const legacy = parseAttributeUpdates(asMap(input.AttributeUpdates) ?? {});
  const placeholders = placeholdersOf(input);
  const actions = input.UpdateExpression === undefined ? [] : expressions.update(input.UpdateExpression, placeholders);
  const holds = parseWriteCondition(input, expressions, placeholders);
  placeholders.assertUsed();
  const paths = [...actions.map(({ path }) => path), ...legacy.map(({ attribute }) => [attribute])];
  const touched = new Set(paths.map(([name]) => name));
  const prepare: PreparedWrite = (table) => {
    checkKey(table.key, key);
    for (const name of table.keyNames) {
      if (touched.has(name)) {
        throw invalidValues(`Cannot update attribute ${name}. This attribute is part of the key`);
      }
    }
    for (const { path } of actions) {
      if (path.length > 1) assertScalarKeys(table, String(path[0]));
    }
    return {
      table,
      address: addressOf(table, key),
      isUpdate: true,
      change: (before) => {
        assertHolds(holds, before, input);
        const from = before?.item ?? keyOf(table, key);
        const changed =
          input.UpdateExpression === undefined ? applyLegacyUpdates(legacy, from) : applyUpdate(actions, from);
        const isNothing =
          !before && actions.length === 0 && legacy.length > 0 && legacy.every(({ action }) => action === "DELETE");
        // AWS: deleting attributes of an item that is not there makes none.
        return isNothing ? undefined : toStored(changed);
      },
    };
  };
  return Object.assign(prepare, { paths });
}

function assertScalarKeys(table: Table, name: string): void {
  const isIndexKey = table.indexes.some(({ record }) =>
    [...record.key.hash, ...record.key.range].some((each) => each.name === name),
  );
  if (!isIndexKey) return;
  throw validation(
    `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: ${name}`,
  );
}
