import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { backupInUse, backupNotFound, tableAlreadyExists, tableInUse, tableNotFoundNamed } from "../errors.ts";
import { readTable, tableArn, writeTable } from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { parseTableName, type TableCatalog } from "../tables/catalog.ts";
import { describeTable } from "../tables/description.ts";
import { toTableJob } from "../tables/lifecycle.ts";
import { assertRoom } from "../tables/new-table.ts";
import {
  backupArn,
  backupsOf,
  parseBackupArn,
  readBackup,
  toBackupId,
  writeBackup,
  type BackupRecord,
} from "./backup-record.ts";
import { describeBackup, describeDetails, summarize } from "./description.ts";
import { copyKind, removeBackup, restoreBackupKind, type BackupJob } from "./jobs.ts";
import { toRestored } from "./restored-table.ts";

const hexadecimal = "0123456789abcdef";

/** Ours: when the work begins. */
const afterAnswerMs = 1;

/** Developer guide, "Using IAM with DynamoDB backup and restore": what is asked of the target besides. */
const targetActions = ["BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"];

const onBackup = (action: string) => (input: { readonly BackupArn: string | undefined }, call: Call) => [
  { action: `dynamodb:${action}`, resource: parseBackupArn(input.BackupArn, call).arn },
];

/** CreateBackup, DescribeBackup, ListBackups, DeleteBackup, RestoreTableFromBackup. */
export function backupOperations(
  needs: Pick<DynamoNeeds, "store" | "settledStore" | "jobs" | "ids"> & { readonly catalog: TableCatalog },
) {
  const { store, settledStore, jobs, ids, catalog } = needs;
  const newId = () => ids.random(10, lowerAlphanumeric);

  return {
    CreateBackup: {
      authorize: (input, call) =>
        toAuthorization(catalog, call, [{ action: "CreateBackup", table: parseTableName(input.TableName, call) }]),
      async run(input, call) {
        const { place, name } = parseTableName(input.TableName, call);
        const id = toBackupId(call.now, ids.random(8, hexadecimal));
        const storeId = newId();
        return await settledStore.transact(async (tx) => {
          const table = await readTable(tx, place, name);
          if (!table) throw tableNotFoundNamed(name);
          if (table.status === "CREATING") throw tableInUse(name);
          const backup: BackupRecord = {
            v: 1,
            id,
            name: input.BackupName ?? "",
            type: "USER",
            status: "CREATING",
            createdAt: call.now,
            table,
            storeId,
            itemCount: table.itemCount,
            bytes: table.bytes,
            restoring: [],
          };
          writeBackup(tx, place, backup);
          // From this commit on every write notes what was before it: the backup is the table at this moment.
          const copies = [...(table.copies ?? []), storeId];
          writeTable(tx, place, { ...table, copies, generation: table.generation + 1 });
          const payload: BackupJob = { account: place.account, region: place.region, table: name, id };
          jobs.schedule(tx, { kind: copyKind, key: [id], at: call.now + afterAnswerMs, payload });
          return { BackupDetails: describeDetails(place, backup) };
        });
      },
    },

    DescribeBackup: {
      authorize: onBackup("DescribeBackup"),
      async run(input, call) {
        const name = parseBackupArn(input.BackupArn, call);
        const backup = await store.read((reader) => readBackup(reader, name));
        if (!backup) throw backupNotFound(name.arn);
        return { BackupDescription: describeBackup(name.place, backup) };
      },
    },

    ListBackups: {
      authorize: () => [{ action: "dynamodb:ListBackups", resource: "*" }],
      async run(input, call) {
        const table = input.TableName === undefined ? undefined : parseTableName(input.TableName, call).name;
        const type = input.BackupType ?? "USER";
        const [from, to] = [
          input.TimeRangeLowerBound?.getTime() ?? 0,
          input.TimeRangeUpperBound?.getTime() ?? Infinity,
        ];
        const after = input.ExclusiveStartBackupArn && parseBackupArn(input.ExclusiveStartBackupArn, call).id;
        const limit = input.Limit ?? 100;
        const prefix = backupsOf(call);
        const found: BackupRecord[] = [];
        await store.read(async (reader) => {
          let last = after;
          for (let more = true; more && found.length <= limit;) {
            const page = await reader.range<BackupRecord>(
              { prefix, ...(last !== undefined && { after: [...prefix, last] }) },
              { limit: 100 },
            );
            found.push(
              ...page
                .map(({ value }) => value)
                .filter(
                  (backup) =>
                    (table === undefined || backup.table.name === table) &&
                    (type === "ALL" || backup.type === type) &&
                    backup.createdAt >= from &&
                    backup.createdAt < to,
                ),
            );
            last = page.at(-1)?.value.id;
            more = page.length === 100;
          }
        });
        const listed = found.slice(0, limit);
        const last = listed.at(-1);
        return {
          BackupSummaries: listed.map((backup) => summarize(call, backup)),
          ...(found.length > limit && last && { LastEvaluatedBackupArn: backupArn(call, last) }),
        };
      },
    },

    DeleteBackup: {
      authorize: onBackup("DeleteBackup"),
      async run(input, call) {
        const name = parseBackupArn(input.BackupArn, call);
        return await store.transact(async (tx) => {
          const backup = await readBackup(tx, name);
          if (!backup) throw backupNotFound(name.arn);
          if (backup.status === "CREATING") throw backupInUse(`Backup is being created: ${name.arn}`);
          if (backup.restoring.length > 0) throw backupInUse(`A table is being restored from backup: ${name.arn}`);
          removeBackup(tx, { jobs, now: call.now }, name.place, backup);
          const { BackupDetails: details, ...description } = describeBackup(name.place, backup);
          return {
            BackupDescription: {
              ...description,
              ...(details && { BackupDetails: { ...details, BackupStatus: "DELETED" as const } }),
            },
          };
        });
      },
    },

    RestoreTableFromBackup: {
      authorize: async (input, call) => {
        const table = parseTableName(input.TargetTableName, call);
        const actions = ["RestoreTableFromBackup", ...targetActions];
        return [
          { action: "dynamodb:RestoreTableFromBackup", resource: parseBackupArn(input.BackupArn, call).arn },
          ...(await toAuthorization(
            catalog,
            call,
            actions.map((action) => ({ action, table })),
          )),
        ];
      },
      async run(input, call) {
        const name = parseBackupArn(input.BackupArn, call);
        const target = parseTableName(input.TargetTableName, call);
        return await settledStore.transact(async (tx) => {
          const backup = await readBackup(tx, name);
          if (!backup) throw backupNotFound(name.arn);
          if (backup.status === "CREATING") throw backupInUse(`Backup is being created: ${name.arn}`);
          if (await readTable(tx, target.place, target.name)) throw tableAlreadyExists(target.name);
          await assertRoom(tx, target.place);
          const restored = toRestored(backup.table, input, {
            name: target.name,
            tableId: ids.uuid(),
            newId,
            now: call.now,
            restore: { from: tableArn(name.place, name.table), backup: name.arn, at: backup.createdAt },
          });
          writeTable(tx, target.place, restored);
          writeBackup(tx, name.place, { ...backup, restoring: [...backup.restoring, restored.storeId] });
          jobs.schedule(tx, {
            kind: restoreBackupKind,
            key: [restored.storeId],
            at: call.now + afterAnswerMs,
            payload: {
              ...name.place,
              table: name.table,
              id: name.id,
              target: toTableJob(target.place, restored),
            },
          });
          return { TableDescription: describeTable(target.place, restored) };
        });
      },
    },
  } satisfies OperationsOf<Sdk>;
}
