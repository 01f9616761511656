import { AwsError } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { itemContext, toAuthorization } from "../access.ts";
import { validation } from "../errors.ts";
import type { ItemWrite, Written } from "../items/apply-write.ts";
import { jsonOf, toAnswer } from "../items/answer.ts";
import { addWritten, createUsed, toConsumedCapacity } from "../items/capacity.ts";
import { asMap } from "../items/condition-parameters.ts";
import { prepareDelete, preparePut } from "../items/prepare-write.ts";
import { dynamoLimits } from "../limits.ts";
import type { Sdk } from "../needs.ts";
import { parseTableName } from "../tables/catalog.ts";
import type { Table } from "../tables/table.ts";
import type { DataNeeds } from "./data-needs.ts";
import { toCollectionMetrics } from "./write-items.ts";

/** One put or deletion of the request, as it came. */
interface BatchWrite {
  readonly request: object;
  readonly write: ItemWrite;
}

interface BatchTable {
  readonly requested: string;
  readonly table: Table;
  readonly writes: readonly BatchWrite[];
}

/** BatchWriteItem: each write by itself; those that were throttled are told as unprocessed. */
export function batchWriteOperations(needs: DataNeeds) {
  const { catalog, expressions, writer, throttle, observer } = needs;

  const prepare = async (input: { readonly RequestItems?: unknown }, call: Call): Promise<readonly BatchTable[]> => {
    const requests = Object.entries(asMap<readonly WriteRequest[]>(input.RequestItems) ?? {});
    const count = requests.reduce((sum, [, writes]) => sum + writes.length, 0);
    if (count > dynamoLimits.batchWritesMax) throw validation("Too many items requested for the BatchWriteItem call");
    const prepared = requests.map(([requested, writes]) => {
      const name = parseTableName(requested, call);
      return { requested, name, writes: writes.map((request) => ({ request, prepared: prepareOne(request) })) };
    });
    const tables: BatchTable[] = [];
    for (const { requested, name, writes } of prepared) {
      const table = await catalog.active(name);
      const ready = writes.map(({ request, prepared: each }) => ({ request, write: each(table) }));
      if (new Set(ready.map(({ write }) => write.address.id)).size !== ready.length) {
        throw validation("Provided list of item keys contains duplicates");
      }
      tables.push({ requested, table, writes: ready });
    }
    return tables;
  };

  const prepareOne = ({ PutRequest, DeleteRequest }: WriteRequest) => {
    if ((PutRequest === undefined) === (DeleteRequest === undefined)) {
      throw validation(
        PutRequest
          ? "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
          : "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
      );
    }
    return PutRequest ? preparePut(PutRequest, expressions) : prepareDelete(DeleteRequest ?? {}, expressions);
  };

  return {
    BatchWriteItem: {
      authorize: (input, call) =>
        toAuthorization(
          catalog,
          call,
          Object.entries(input.RequestItems ?? {}).map(([table, writes]) => ({
            action: "BatchWriteItem",
            table: parseTableName(table, call),
            context: (found: Table) =>
              itemContext(found, input, {
                keys: writes.map((each) => each.PutRequest?.Item ?? each.DeleteRequest?.Key),
              }),
          })),
        ),
      run: async (input, call): Promise<never> =>
        await observer.observe(call, undefined, async () => {
          const tables = await prepare(input, call);
          const unprocessed: Record<string, readonly object[]> = {};
          const capacity: unknown[] = [];
          const metrics: Record<string, readonly object[]> = {};
          let done = 0;
          let refused: unknown;
          await Promise.all(
            tables.map(async ({ requested, table, writes }) => {
              const used = createUsed(table);
              const outcomes = await Promise.allSettled(
                writes.map(async ({ write }) => {
                  throttle.admit(table, "write");
                  const written = await writer.write(write);
                  addWritten(used, written.units, 1);
                  return written;
                }),
              );
              const left: object[] = [];
              const collections: object[] = [];
              outcomes.forEach((outcome, at) => {
                const each = writes[at];
                if (!each) return;
                if (outcome.status === "fulfilled") {
                  done += 1;
                  const metric = collectionOf(table, outcome.value);
                  if (metric) collections.push(metric);
                } else if (isThrottled(outcome.reason)) {
                  refused = outcome.reason;
                  left.push(each.request);
                } else throw outcome.reason;
              });
              throttle.charge(used);
              observer.used(call, used);
              if (left.length > 0) unprocessed[requested] = left;
              if (collections.length > 0) metrics[requested] = collections;
              const consumed = toConsumedCapacity(used, input.ReturnConsumedCapacity);
              if (consumed) capacity.push(consumed);
            }),
          );
          // AWS: only where nothing at all could be written is the whole request refused.
          if (done === 0 && refused !== undefined) throw refused;
          return toAnswer(call, {
            UnprocessedItems: JSON.stringify(unprocessed),
            ItemCollectionMetrics: input.ReturnItemCollectionMetrics === "SIZE" ? jsonOf(metrics) : undefined,
            ConsumedCapacity: capacity.length > 0 ? JSON.stringify(capacity) : undefined,
          });
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

interface WriteRequest {
  readonly PutRequest?: { readonly Item?: unknown };
  readonly DeleteRequest?: { readonly Key?: unknown };
}

function isThrottled(error: unknown): boolean {
  return (
    error instanceof AwsError &&
    (error.code === "ProvisionedThroughputExceededException" || error.code === "ThrottlingException")
  );
}

function collectionOf(table: Table, { after, before, collectionBytes }: Written): object | undefined {
  const some = after ?? before;
  return collectionBytes === undefined || !some ? undefined : toCollectionMetrics(table, some.item, collectionBytes);
}
