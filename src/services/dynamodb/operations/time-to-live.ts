import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { validation } from "../errors.ts";
import { dynamoLimits } from "../limits.ts";
import { expiriesPrefix, readTable, writeTable } from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { existing, parseTableName, type TableCatalog } from "../tables/catalog.ts";
import { backfillKind, expireKind, purge, toTableJob } from "../tables/lifecycle.ts";

/** UpdateTimeToLive, DescribeTimeToLive. */
export function timeToLiveOperations(
  needs: Pick<DynamoNeeds, "settledStore" | "jobs" | "ids"> & { readonly catalog: TableCatalog },
) {
  const { settledStore: store, jobs, ids, catalog } = needs;
  const on = (action: string) => (input: { readonly TableName: string | undefined }, call: Call) =>
    toAuthorization(catalog, call, [{ action, table: parseTableName(input.TableName, call) }]);
  return {
    UpdateTimeToLive: {
      authorize: on("UpdateTimeToLive"),
      async run(input, call) {
        const name = parseTableName(input.TableName, call);
        const { Enabled: enabled = false, AttributeName: attribute = "" } = input.TimeToLiveSpecification ?? {};
        await store.transact(async (tx) => {
          const table = existing(await readTable(tx, name.place, name.name), name);
          const { ttl, ...rest } = table;
          if (ttl && ttl.attribute !== attribute) {
            throw validation(
              `TimeToLive is active on a different AttributeName: current AttributeName is ${ttl.attribute}`,
            );
          }
          if (enabled && ttl) throw validation("TimeToLive is already enabled");
          if (!enabled && !ttl) throw validation("TimeToLive is already disabled");
          const generation = table.generation + 1;
          if (ttl) {
            writeTable(tx, name.place, { ...rest, generation, ttlChangedAt: call.now });
            jobs.cancel(tx, expireKind, [table.storeId]);
            jobs.cancel(tx, backfillKind, [ttl.storeId]);
            purge(tx, jobs, ttl.storeId, [expiriesPrefix(ttl.storeId)], call.now);
            return;
          }
          const storeId = ids.random(10, lowerAlphanumeric);
          const payload = toTableJob(name.place, table);
          writeTable(tx, name.place, {
            ...rest,
            generation,
            ttl: { attribute, storeId, status: "ENABLING" },
            ttlChangedAt: call.now,
          });
          // Items that are there already find their place in the order of ends.
          jobs.schedule(tx, {
            kind: backfillKind,
            key: [storeId],
            at: call.now,
            payload: { ...payload, indexStoreId: storeId },
          });
          jobs.schedule(tx, {
            kind: expireKind,
            key: [table.storeId],
            at: call.now + dynamoLimits.ttlEveryMs,
            payload,
          });
        });
        return { TimeToLiveSpecification: { Enabled: enabled, AttributeName: attribute } };
      },
    },

    DescribeTimeToLive: {
      authorize: on("DescribeTimeToLive"),
      async run(input, call) {
        const name = parseTableName(input.TableName, call);
        const { ttl } = existing(await catalog.find(name), name).record;
        return {
          TimeToLiveDescription: ttl
            ? { TimeToLiveStatus: ttl.status, AttributeName: ttl.attribute }
            : { TimeToLiveStatus: "DISABLED" },
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
