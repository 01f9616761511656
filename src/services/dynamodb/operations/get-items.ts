import type { Call, OperationsOf } from "../../../wire/service.ts";
import { itemContext, toAuthorization } from "../access.ts";
import { invalidValues, validation } from "../errors.ts";
import type { Expressions } from "../expressions/expressions.ts";
import { createPlaceholders } from "../expressions/placeholders.ts";
import { project, toProjection, type Projection } from "../expressions/projection.ts";
import { jsonOf, toAnswer } from "../items/answer.ts";
import { createUsed, toConsumedCapacity, toReadUnits, type Used } from "../items/capacity.ts";
import { checkParameters } from "../items/condition-parameters.ts";
import { decodeStored, type StoredItem } from "../items/stored-item.ts";
import { dynamoLimits } from "../limits.ts";
import type { Sdk } from "../needs.ts";
import { parseTableName } from "../tables/catalog.ts";
import { addressOf, checkKey, type ItemAddress, type Table } from "../tables/table.ts";
import { parseItem, type Item } from "../values/attribute-value.ts";
import type { DataNeeds } from "./data-needs.ts";

/** GetItem, BatchGetItem. */
export function getOperations(needs: DataNeeds) {
  const { catalog, expressions, store, throttle, observer } = needs;
  return {
    GetItem: {
      authorize: (input, call) =>
        toAuthorization(catalog, call, [
          {
            action: "GetItem",
            table: parseTableName(input.TableName, call),
            context: (table) => itemContext(table, input, { keys: [input.Key] }),
          },
        ]),
      run: async (input, call): Promise<never> => {
        const name = parseTableName(input.TableName, call);
        return await observer.observe(call, name.name, async () => {
          checkParameters(input, ["ProjectionExpression"], ["AttributesToGet"]);
          const key = parseItem(input.Key ?? {});
          const projection = parseProjection(input, expressions);
          const found = catalog.active(name);
          const table = found instanceof Promise ? await found : found;
          checkKey(table.key, key);
          checkScalarKeys(table, projection);
          throttle.admit(table, "read");
          const { key: storeKey } = addressOf(table, key);
          const bytes = await store.read((reader) => reader.get<Uint8Array>(storeKey));
          const stored = bytes && decodeStored(bytes);
          const used = createUsed(table);
          used.read = toReadUnits(stored?.bytes ?? 0, input.ConsistentRead === true);
          throttle.charge(used);
          observer.used(call, used);
          return toAnswer(call, {
            Item: stored && textOf(stored, projection),
            ConsumedCapacity: jsonOf(toConsumedCapacity(used, input.ReturnConsumedCapacity)),
          });
        });
      },
    },

    BatchGetItem: {
      authorize: (input, call) =>
        toAuthorization(
          catalog,
          call,
          Object.entries(input.RequestItems ?? {}).map(([table, request]) => ({
            action: "BatchGetItem",
            table: parseTableName(table, call),
            context: (found: Table) => itemContext(found, request, { keys: request.Keys ?? [] }),
          })),
        ),
      run: async (input, call): Promise<never> =>
        await observer.observe(call, undefined, async () => {
          const requests = Object.entries(input.RequestItems ?? {});
          const total = requests.reduce((sum, [, { Keys }]) => sum + (Keys?.length ?? 0), 0);
          if (total > dynamoLimits.batchGetKeysMax) {
            throw validation("Too many items requested for the BatchGetItem call");
          }
          const tables: BatchRead[] = [];
          for (const [requested, request] of requests) {
            const { ConsistentRead, Keys, AttributesToGet, ProjectionExpression, ExpressionAttributeNames } = request;
            checkParameters(request, ["ProjectionExpression"], ["AttributesToGet"]);
            const projection = parseProjection(
              { AttributesToGet, ProjectionExpression, ExpressionAttributeNames },
              expressions,
            );
            const keys = (Keys ?? []).map((key) => parseItem(key));
            const table = await catalog.active(parseTableName(requested, call));
            checkScalarKeys(table, projection);
            const wanted = keys.map((key) => {
              checkKey(table.key, key);
              return { key, address: addressOf(table, key) };
            });
            if (new Set(wanted.map(({ address }) => address.id)).size !== wanted.length) {
              throw validation("Provided list of item keys contains duplicates");
            }
            const used = createUsed(table);
            tables.push({ requested, request, table, projection, consistent: ConsistentRead === true, wanted, used });
          }
          return await readBatch(needs, call, input.ReturnConsumedCapacity, tables);
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

interface BatchRead {
  readonly requested: string;
  readonly request: object;
  readonly table: Table;
  readonly projection: Projection | undefined;
  readonly consistent: boolean;
  readonly wanted: readonly { readonly key: Item; readonly address: ItemAddress }[];
  readonly used: Used;
}

/** 16 MB of items at the most; the keys of the rest are told as unprocessed. */
async function readBatch(
  { store, throttle, observer }: DataNeeds,
  call: Call,
  asked: "INDEXES" | "TOTAL" | "NONE" | undefined,
  tables: readonly BatchRead[],
): Promise<never> {
  const responses: string[] = [];
  const unprocessed: Record<string, object> = {};
  let bytes = 0;
  let refused: unknown;
  let admitted = 0;
  for (const each of tables) {
    const { requested, request, table, projection, consistent, wanted, used } = each;
    const texts: string[] = [];
    const left: Item[] = [];
    const found = await store.read((reader) => reader.getMany<Uint8Array>(wanted.map(({ address }) => address.key)));
    wanted.forEach(({ key }, at) => {
      try {
        throttle.admit(table, "read");
      } catch (error) {
        refused = error;
        left.push(key);
        return;
      }
      const encoded = found[at];
      const stored = encoded && decodeStored(encoded);
      if (bytes + (stored?.bytes ?? 0) > dynamoLimits.batchBytesMax) {
        left.push(key);
        return;
      }
      admitted += 1;
      bytes += stored?.bytes ?? 0;
      used.read += toReadUnits(stored?.bytes ?? 0, consistent);
      if (stored) texts.push(textOf(stored, projection));
    });
    throttle.charge(used);
    observer.used(call, used);
    responses.push(`${JSON.stringify(requested)}:[${texts.join(",")}]`);
    if (left.length > 0) unprocessed[requested] = { ...request, Keys: left };
  }
  // AWS: only where nothing at all could be read is the whole request refused.
  if (admitted === 0 && refused !== undefined) throw refused;
  const capacity = tables.flatMap(({ used }) => toConsumedCapacity(used, asked) ?? []);
  return toAnswer(call, {
    Responses: `{${responses.join(",")}}`,
    UnprocessedKeys: JSON.stringify(unprocessed),
    ConsumedCapacity: capacity.length > 0 ? JSON.stringify(capacity) : undefined,
  });
}

/** What an answer has of an item. */
export function textOf(stored: StoredItem, projection: Projection | undefined): string {
  return projection ? JSON.stringify(project(projection, stored.item)) : stored.text;
}

/** `ProjectionExpression` or `AttributesToGet`, where the request has no other expression. */
function parseProjection(
  input: {
    readonly AttributesToGet?: readonly string[] | undefined;
    readonly ProjectionExpression?: string | undefined;
    readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  },
  expressions: Expressions,
): Projection | undefined {
  if (input.AttributesToGet !== undefined) return toLegacyProjection(input.AttributesToGet);
  if (input.ProjectionExpression === undefined) return undefined;
  const placeholders = createPlaceholders(input.ExpressionAttributeNames, undefined);
  const projection = expressions.projection(input.ProjectionExpression, placeholders);
  placeholders.assertUsed();
  return projection;
}

/** @throws {ValidationException} for names listed twice */
export function toLegacyProjection(names: readonly string[]): Projection {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw invalidValues(`Duplicate value in attribute name: ${twice}`);
  return toProjection(names.map((name) => [name]));
}

/** @throws {ValidationException} for a path into an attribute that is a key */
export function checkScalarKeys(table: Table, projection: Projection | undefined): void {
  for (const path of projection?.paths ?? []) {
    const [name] = path;
    if (path.length > 1 && typeof name === "string" && table.keyNames.has(name)) {
      throw validation(
        `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: ${name}`,
      );
    }
  }
}
