import type { Call, OperationsOf } from "../../../wire/service.ts";
import { itemContext, toAuthorization, type Asked } from "../access.ts";
import { invalidValues, validation } from "../errors.ts";
import { project, toProjection } from "../expressions/projection.ts";
import type { BoundPath } from "../expressions/placeholders.ts";
import { toWriteUnits, type ItemWrite, type Written } from "../items/apply-write.ts";
import { jsonOf, toAnswer } from "../items/answer.ts";
import { addWritten, createUsed, toConsumedCapacity, type Used } from "../items/capacity.ts";
import { checkParameters } from "../items/condition-parameters.ts";
import { prepareDelete, preparePut, prepareUpdate, type PreparedWrite } from "../items/prepare-write.ts";
import type { StoredItem } from "../items/stored-item.ts";
import type { Sdk } from "../needs.ts";
import { parseTableName } from "../tables/catalog.ts";
import { attributesOf, type Table } from "../tables/table.ts";
import type { Item } from "../values/attribute-value.ts";
import type { DataNeeds } from "./data-needs.ts";

interface WriteInput {
  readonly TableName: string | undefined;
  readonly ReturnValues?: string | undefined;
  readonly ReturnConsumedCapacity?: "INDEXES" | "TOTAL" | "NONE" | undefined;
  readonly ReturnItemCollectionMetrics?: "SIZE" | "NONE" | undefined;
}

/** PutItem, UpdateItem, DeleteItem. */
export function writeOperations(needs: DataNeeds) {
  const { catalog, expressions } = needs;
  return {
    PutItem: {
      authorize: (input, call) => toAuthorization(catalog, call, [asked("PutItem", input, call, input.Item)]),
      run: (input, call) => {
        checkParameters(input, ["ConditionExpression"], ["Expected", "ConditionalOperator"]);
        checkReturnValues(input.ReturnValues, ["NONE", "ALL_OLD"], "ReturnValues can only be ALL_OLD or NONE");
        const prepared = preparePut(input, expressions);
        return runWrite(needs, call, input, prepared, ({ before }) =>
          input.ReturnValues === "ALL_OLD" ? before?.text : undefined,
        );
      },
    },

    DeleteItem: {
      authorize: (input, call) => toAuthorization(catalog, call, [asked("DeleteItem", input, call, input.Key)]),
      run: (input, call) => {
        checkParameters(input, ["ConditionExpression"], ["Expected", "ConditionalOperator"]);
        checkReturnValues(input.ReturnValues, ["NONE", "ALL_OLD"], "ReturnValues can only be ALL_OLD or NONE");
        const prepared = prepareDelete(input, expressions);
        return runWrite(needs, call, input, prepared, ({ before }) =>
          input.ReturnValues === "ALL_OLD" ? before?.text : undefined,
        );
      },
    },

    UpdateItem: {
      authorize: (input, call) => toAuthorization(catalog, call, [asked("UpdateItem", input, call, input.Key)]),
      run: (input, call) => {
        checkParameters(
          input,
          ["UpdateExpression", "ConditionExpression"],
          ["AttributeUpdates", "Expected", "ConditionalOperator"],
        );
        const prepared = prepareUpdate(input, expressions);
        return runWrite(needs, call, input, prepared, (written) =>
          attributesAsked(input.ReturnValues, written, prepared.paths),
        );
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function asked(action: string, input: WriteInput, call: Call, key: unknown): Asked {
  return {
    action,
    table: parseTableName(input.TableName, call),
    context: (table) => itemContext(table, input, { keys: [key] }),
  };
}

function checkReturnValues(given: string | undefined, allowed: readonly string[], message: string): void {
  if (given !== undefined && !allowed.includes(given)) throw validation(message);
}

async function runWrite(
  needs: DataNeeds,
  call: Call,
  input: WriteInput,
  prepared: PreparedWrite,
  attributes: (written: Written) => string | undefined,
): Promise<never> {
  const name = parseTableName(input.TableName, call);
  return await needs.observer.observe(call, name.name, async () => {
    const table = await needs.catalog.active(name);
    const write = prepared(table);
    const { written, used } = await performWrite(needs, call, write);
    return toAnswer(call, {
      Attributes: attributes(written),
      ConsumedCapacity: jsonOf(toConsumedCapacity(used, input.ReturnConsumedCapacity)),
      ItemCollectionMetrics: collectionMetrics(input, table, written),
    });
  });
}

/** Writes one item, charges what that uses and counts it. @throws what the write's `change` throws, and when it is throttled */
export async function performWrite(
  needs: Pick<DataNeeds, "throttle" | "writer" | "observer">,
  call: Call,
  write: ItemWrite,
): Promise<{ readonly written: Written; readonly used: Used }> {
  const { table } = write;
  needs.throttle.admit(table, "write");
  let seen: StoredItem | undefined;
  let written: Written;
  const used = createUsed(table);
  try {
    written = await needs.writer.write({
      ...write,
      change: (before) => {
        seen = before;
        return write.change(before);
      },
    });
    addWritten(used, written.units, 1);
  } catch (error) {
    // AWS: a condition that does not hold costs as much as the write would have.
    used.write += toWriteUnits(seen?.bytes ?? 0);
    needs.throttle.charge(used);
    needs.observer.used(call, used);
    throw error;
  }
  needs.throttle.charge(used);
  needs.observer.used(call, used);
  return { written, used };
}

/** Only tables with local indexes have collections that have a limit. */
function collectionMetrics(input: WriteInput, table: Table, written: Written): string | undefined {
  if (input.ReturnItemCollectionMetrics !== "SIZE") return undefined;
  const some = written.after ?? written.before;
  if (written.collectionBytes === undefined || !some) return undefined;
  return JSON.stringify(toCollectionMetrics(table, some.item, written.collectionBytes));
}

/** Source: API reference, ItemCollectionMetrics: a range in GB. */
export function toCollectionMetrics(table: Table, item: Item, bytes: number) {
  const floor = Math.floor(bytes / 1024 ** 3);
  return {
    ItemCollectionKey: attributesOf(
      item,
      table.key.hash.map(({ name }) => name),
    ),
    SizeEstimateRangeGB: [floor, floor + 1],
  };
}

function attributesAsked(
  wanted: string | undefined,
  written: Written,
  paths: readonly BoundPath[],
): string | undefined {
  const { before, after } = written;
  switch (wanted) {
    case "ALL_OLD":
      return before?.text;
    case "ALL_NEW":
      return after?.text;
    case "UPDATED_OLD":
      return updatedOf(before, paths);
    case "UPDATED_NEW":
      return updatedOf(after, paths);
    case undefined:
    case "NONE":
      return undefined;
    default:
      throw invalidValues(`Unknown ReturnValues: ${wanted}`);
  }
}

/** What of an item an update's paths name; undefined when that is nothing. */
export function updatedOf(stored: StoredItem | undefined, paths: readonly BoundPath[]): string | undefined {
  if (!stored) return undefined;
  const updated = project(toProjection(paths), stored.item);
  return Object.keys(updated).length > 0 ? JSON.stringify(updated) : undefined;
}
