import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { toRestored } from "../backups/restored-table.ts";
import {
  invalidRestoreTime,
  recoveryUnavailable,
  tableAlreadyExists,
  tableNotFoundNamed,
  validation,
} from "../errors.ts";
import { earliestHeld, holdSource } from "../items/recovery-log.ts";
import { dynamoLimits } from "../limits.ts";
import { earliestRestorable, readTable, tableArn, writeTable, type TableRecord } from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { parseTableName, type TableCatalog } from "../tables/catalog.ts";
import { describeTable } from "../tables/description.ts";
import { assertRoom } from "../tables/new-table.ts";
import { endRecovery, keepRecoveryTrimmed, restoreKind } from "../tables/lifecycle.ts";

/** UpdateContinuousBackups, DescribeContinuousBackups, RestoreTableToPointInTime. */
export function recoveryOperations(
  needs: Pick<DynamoNeeds, "settledStore" | "jobs" | "ids"> & { readonly catalog: TableCatalog },
) {
  const { settledStore: store, catalog, jobs, ids } = needs;
  const on = (action: string) => (input: { readonly TableName: string | undefined }, call: Call) =>
    toAuthorization(catalog, call, [{ action, table: parseTableName(input.TableName, call) }]);
  const newId = () => ids.random(10, lowerAlphanumeric);
  return {
    UpdateContinuousBackups: {
      authorize: on("UpdateContinuousBackups"),
      async run(input, call) {
        const name = parseTableName(input.TableName, call);
        const { PointInTimeRecoveryEnabled: enabled = false, RecoveryPeriodInDays: days } =
          input.PointInTimeRecoverySpecification ?? {};
        return await store.transact(async (tx) => {
          const table = await readTable(tx, name.place, name.name);
          if (!table) throw tableNotFoundNamed(name.name);
          const { recovery, ...rest } = table;
          let changed: TableRecord = { ...table, generation: table.generation + 1 };
          if (enabled) {
            changed = {
              ...changed,
              recovery: {
                // A longer period does not bring back what a shorter one has let go.
                since: recovery ? earliestRestorable(recovery, call.now) : call.now,
                logId: recovery?.logId ?? newId(),
                days: days ?? recovery?.days ?? dynamoLimits.recoveryDaysMax,
              },
            };
            if (!recovery) keepRecoveryTrimmed(tx, { jobs, now: call.now }, name.place, changed);
          } else if (recovery) {
            const isRead = (await earliestHeld(tx, table.storeId)) !== undefined;
            const endingLogs = [...(table.endingLogs ?? []), recovery.logId];
            changed = { ...rest, ...(isRead && { endingLogs }), generation: table.generation + 1 };
            endRecovery(tx, { jobs, now: call.now }, name.place, table, recovery.logId);
          }
          writeTable(tx, name.place, changed);
          return { ContinuousBackupsDescription: describeRecovery(changed, call.now) };
        });
      },
    },

    DescribeContinuousBackups: {
      authorize: on("DescribeContinuousBackups"),
      async run(input, call) {
        const name = parseTableName(input.TableName, call);
        const table = await catalog.find(name);
        if (!table) throw tableNotFoundNamed(name.name);
        return { ContinuousBackupsDescription: describeRecovery(table.record, call.now) };
      },
    },

    RestoreTableToPointInTime: {
      authorize: async (input, call) => {
        const source = parseTableName(input.SourceTableArn ?? input.SourceTableName, call);
        const target = parseTableName(input.TargetTableName, call);
        return await toAuthorization(catalog, call, [
          { action: "RestoreTableToPointInTime", table: source },
          { action: "RestoreTableToPointInTime", table: target },
        ]);
      },
      async run(input, call) {
        const source = parseTableName(input.SourceTableArn ?? input.SourceTableName, call);
        const target = parseTableName(input.TargetTableName, call);
        if ((input.RestoreDateTime === undefined) === (input.UseLatestRestorableTime !== true)) {
          throw validation("Exactly one of RestoreDateTime and UseLatestRestorableTime must be specified");
        }
        return await store.transact(async (tx) => {
          const table = await readTable(tx, source.place, source.name);
          if (!table) throw tableNotFoundNamed(source.name);
          if (!table.recovery) throw recoveryUnavailable(source.name);
          const at = input.RestoreDateTime?.getTime() ?? call.now;
          if (at < earliestRestorable(table.recovery, call.now) || at > call.now) throw invalidRestoreTime();
          if (await readTable(tx, target.place, target.name)) throw tableAlreadyExists(target.name);
          await assertRoom(tx, target.place);
          const restored = toRestored(table, input, {
            name: target.name,
            tableId: ids.uuid(),
            newId,
            now: call.now,
            restore: { from: tableArn(source.place, source.name), at },
          });
          writeTable(tx, target.place, restored);
          holdSource(tx, table.storeId, restored.storeId, at);
          jobs.schedule(tx, {
            kind: restoreKind,
            key: [restored.storeId],
            at: call.now,
            payload: {
              account: target.place.account,
              region: target.place.region,
              name: target.name,
              storeId: restored.storeId,
              sourceStoreId: table.storeId,
              logId: table.recovery.logId,
              at,
            },
          });
          return { TableDescription: describeTable(target.place, restored) };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function describeRecovery({ recovery }: TableRecord, now: number) {
  return {
    ContinuousBackupsStatus: "ENABLED" as const,
    PointInTimeRecoveryDescription: recovery
      ? {
          PointInTimeRecoveryStatus: "ENABLED" as const,
          RecoveryPeriodInDays: recovery.days,
          EarliestRestorableDateTime: new Date(earliestRestorable(recovery, now)),
          LatestRestorableDateTime: new Date(now),
        }
      : { PointInTimeRecoveryStatus: "DISABLED" as const },
  };
}
