import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { itemContext, toAuthorization } from "../access.ts";
import { transactionCanceled, validation } from "../errors.ts";
import { createPlaceholders } from "../expressions/placeholders.ts";
import type { Projection } from "../expressions/projection.ts";
import type { ItemWrite, Written } from "../items/apply-write.ts";
import { jsonOf, toAnswer } from "../items/answer.ts";
import { addWritten, createUsed, toConsumedCapacity, toReadUnits, type Used } from "../items/capacity.ts";
import { prepareCheck, prepareDelete, preparePut, prepareUpdate, type PreparedWrite } from "../items/prepare-write.ts";
import { decodeStored } from "../items/stored-item.ts";
import { writeTransaction } from "../items/transaction.ts";
import { dynamoLimits } from "../limits.ts";
import type { Sdk } from "../needs.ts";
import { parseTableName } from "../tables/catalog.ts";
import { addressOf, checkKey, type ItemAddress, type Table } from "../tables/table.ts";
import { parseItem } from "../values/attribute-value.ts";
import type { DataNeeds } from "./data-needs.ts";
import { textOf } from "./get-items.ts";
import { toCollectionMetrics } from "./write-items.ts";

type Asked = "INDEXES" | "TOTAL" | "NONE" | undefined;

interface TransactItem {
  readonly ConditionCheck?: WriteRequest | undefined;
  readonly Put?: WriteRequest | undefined;
  readonly Delete?: WriteRequest | undefined;
  readonly Update?: WriteRequest | undefined;
}

interface WriteRequest {
  readonly TableName: string | undefined;
  readonly Item?: unknown;
  readonly Key?: unknown;
  readonly UpdateExpression?: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: unknown;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

/** TransactWriteItems, TransactGetItems. */
export function transactionOperations(needs: DataNeeds) {
  const { catalog, store, throttle, observer, expressions } = needs;

  const inTransaction = async (
    call: Call,
    asked: Parameters<typeof toAuthorization>[2],
  ): Promise<readonly AuthorizationRequest[]> => {
    const requests = await toAuthorization(catalog, call, asked);
    return requests.map((each) =>
      Object.assign(each, { context: { ...each.context, "dynamodb:EnclosingOperation": [call.operation] } }),
    );
  };

  return {
    TransactWriteItems: {
      authorize: (input, call) =>
        inTransaction(
          call,
          (input.TransactItems ?? []).flatMap((item) => {
            const found = requestOf(item);
            if (!found) return [];
            const { kind, request } = found;
            return {
              action: actions[kind],
              table: parseTableName(request.TableName, call),
              context: (table: Table) => itemContext(table, request, { keys: [request.Item ?? request.Key] }),
            };
          }),
        ),
      run: async (input, call): Promise<never> =>
        await observer.observe(call, undefined, async () => {
          const { TransactItems: items = [] } = input;
          const prepared = items.map((item) => {
            const found = requestOf(item);
            if (!found) {
              throw validation("TransactItems can only contain one of Check, Put, Update or Delete");
            }
            const { kind, request } = found;
            return { request, name: parseTableName(request.TableName, call), prepare: prepareOf(kind, request) };
          });
          const writes: ItemWrite[] = [];
          for (const { name, prepare } of prepared) writes.push(prepare(await catalog.active(name)));
          const { ReturnConsumedCapacity, ReturnItemCollectionMetrics, ...request } = input;
          const { written, used } = await performTransaction(needs, call, writes, request);
          return toAnswer(call, {
            ConsumedCapacity: settle(needs, call, used, ReturnConsumedCapacity),
            ItemCollectionMetrics:
              ReturnItemCollectionMetrics === "SIZE" ? jsonOf(metricsOf(writes, written)) : undefined,
          });
        }),
    },

    TransactGetItems: {
      authorize: (input, call) =>
        inTransaction(
          call,
          (input.TransactItems ?? []).flatMap(({ Get }) =>
            Get
              ? {
                  action: "GetItem",
                  table: parseTableName(Get.TableName, call),
                  context: (table: Table) => itemContext(table, Get, { keys: [Get.Key] }),
                }
              : [],
          ),
        ),
      run: async (input, call): Promise<never> =>
        await observer.observe(call, undefined, async () => {
          const wanted: { table: Table; address: ItemAddress; projection: Projection | undefined }[] = [];
          for (const { Get } of input.TransactItems ?? []) {
            if (!Get) throw validation("TransactItems can only contain Get");
            const placeholders = createPlaceholders(Get.ExpressionAttributeNames, undefined);
            const projection =
              Get.ProjectionExpression === undefined
                ? undefined
                : expressions.projection(Get.ProjectionExpression, placeholders);
            placeholders.assertUsed();
            const key = parseItem(Get.Key ?? {});
            const table = await catalog.active(parseTableName(Get.TableName, call));
            checkKey(table.key, key);
            wanted.push({ table, address: addressOf(table, key), projection });
          }
          assertOnce(wanted.map(({ table, address }) => `${table.record.storeId} ${address.id}`));
          for (const { table } of wanted) throttle.admit(table, "read");
          // One snapshot: all that is read was so at one moment.
          const found = await store.read((reader) =>
            reader.getMany<Uint8Array>(wanted.map(({ address }) => address.key)),
          );
          const used = new Map<Table, Used>();
          let total = 0;
          const responses = wanted.map(({ table, projection }, at) => {
            const bytes = found[at];
            const stored = bytes && decodeStored(bytes);
            total += stored?.bytes ?? 0;
            usedOf(used, table).read += 2 * toReadUnits(stored?.bytes ?? 0, true);
            return stored ? `{"Item":${textOf(stored, projection)}}` : "{}";
          });
          if (total > dynamoLimits.transactionBytesMax) {
            throw transactionCanceled(
              wanted.map(() => ({
                Code: "ValidationError",
                Message: "Aggregate size of items in the transaction exceeds the supported limit of 4 MB",
              })),
            );
          }
          return toAnswer(call, {
            ConsumedCapacity: settle(needs, call, used, input.ReturnConsumedCapacity),
            Responses: `[${responses.join(",")}]`,
          });
        }),
    },
  } satisfies OperationsOf<Sdk>;

  function prepareOf(kind: Kind, request: WriteRequest): PreparedWrite {
    switch (kind) {
      case "ConditionCheck":
        return prepareCheck(request, expressions);
      case "Put":
        return preparePut(request, expressions);
      case "Delete":
        return prepareDelete(request, expressions);
      case "Update":
        return prepareUpdate(request, expressions);
    }
  }
}

/**
 * Writes a transaction, once for each of its tokens. What it wrote is undefined where it was done before.
 *
 * @param request what a token stands for
 * @throws {ValidationException} for an item that is named twice, and what `writeTransaction` throws
 */
export async function performTransaction(
  needs: DataNeeds,
  call: Call,
  writes: readonly ItemWrite[],
  request: { readonly ClientRequestToken?: string | undefined },
): Promise<{ readonly written: readonly Written[] | undefined; readonly used: ReadonlyMap<Table, Used> }> {
  assertOnce(writes.map(({ table, address }) => `${table.record.storeId} ${address.id}`));
  for (const { table } of writes) needs.throttle.admit(table, "write");
  const { ClientRequestToken: token } = request;
  const written = await writeTransaction(
    needs,
    writes,
    token === undefined ? undefined : { place: call, token, request },
  );
  const used = new Map<Table, Used>();
  writes.forEach(({ table }, at) => {
    const each = usedOf(used, table);
    const done = written?.[at];
    // AWS: a transaction that was done before costs what reading its items does.
    if (done) addWritten(each, done.units, 2);
    else each.read += 2;
  });
  return { written, used };
}

/** Charges what a transaction used, and tells of it as it was asked to. */
export function settle(
  { throttle, observer }: Pick<DataNeeds, "throttle" | "observer">,
  call: Call,
  used: ReadonlyMap<Table, Used>,
  asked: Asked,
): string | undefined {
  const capacity = [...used.values()].flatMap((each) => {
    throttle.charge(each);
    observer.used(call, each);
    return toConsumedCapacity(each, asked, true) ?? [];
  });
  return capacity.length > 0 ? JSON.stringify(capacity) : undefined;
}

type Kind = "ConditionCheck" | "Put" | "Delete" | "Update";
const actions: Readonly<Record<Kind, string>> = {
  ConditionCheck: "ConditionCheckItem",
  Put: "PutItem",
  Delete: "DeleteItem",
  Update: "UpdateItem",
};

/** The one request of an item; undefined where there are several, or none. */
function requestOf(item: TransactItem): { readonly kind: Kind; readonly request: WriteRequest } | undefined {
  const kinds: Kind[] = ["ConditionCheck", "Put", "Delete", "Update"];
  const given = kinds.filter((kind) => item[kind] !== undefined);
  const [kind] = given;
  const request = kind && item[kind];
  return given.length === 1 && request ? { kind, request } : undefined;
}

export function assertOnce(ids: readonly string[]): void {
  if (new Set(ids).size === ids.length) return;
  throw validation("Transaction request cannot include multiple operations on one item");
}

export function usedOf(used: Map<Table, Used>, table: Table): Used {
  let found = used.get(table);
  if (!found) {
    found = createUsed(table);
    used.set(table, found);
  }
  return found;
}

function metricsOf(writes: readonly ItemWrite[], written: readonly Written[] | undefined) {
  const metrics: Record<string, object[]> = {};
  written?.forEach(({ before, after, collectionBytes }, at) => {
    const table = writes[at]?.table;
    const some = after ?? before;
    if (!table || !some || collectionBytes === undefined) return;
    (metrics[table.record.name] ??= []).push(toCollectionMetrics(table, some.item, collectionBytes));
  });
  return metrics;
}
