import { createHash } from "node:crypto";
import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { toBackupId } from "../backups/backup-record.ts";
import {
  exportConflict,
  exportNotFound,
  invalidExportTime,
  recoveryUnavailable,
  tableNotFoundNamed,
  validation,
} from "../errors.ts";
import { holdSource } from "../items/recovery-log.ts";
import { earliestRestorable, readTable, writeTable, type TableRecord } from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { parseTableName, type TableCatalog } from "../tables/catalog.ts";
import { exportKind, type ExportJob } from "./export-job.ts";
import {
  describeExport,
  exportsOf,
  exportTokenKey,
  readExport,
  summarizeExport,
  writeExport,
  type ExportRecord,
  type ExportWindow,
} from "./export-record.ts";
import { parseTransferArn, toPageToken, fromPageToken } from "./transfer-names.ts";

const hexadecimal = "0123456789abcdef";
/** API reference, ExportTableToPointInTime: for how long a ClientToken is valid. */
const tokenMs = 8 * 3_600_000;
/** Developer guide: "Minimum and maximum export period: 15 minutes to 24 hours". */
const periodMsMin = 15 * 60_000;
const periodMsMax = 24 * 3_600_000;

type ExportInput = Parameters<NonNullable<OperationsOf<Sdk>["ExportTableToPointInTime"]>["run"]>[0];

interface TokenRecord {
  readonly id: string;
  readonly digest: string;
  readonly until: number;
}

/** ExportTableToPointInTime, DescribeExport, ListExports. */
export function exportOperations(
  needs: Pick<DynamoNeeds, "store" | "settledStore" | "jobs" | "ids"> & { readonly catalog: TableCatalog },
) {
  const { store, settledStore, jobs, ids, catalog } = needs;
  return {
    ExportTableToPointInTime: {
      authorize: (input, call) =>
        toAuthorization(catalog, call, [
          { action: "ExportTableToPointInTime", table: parseTableName(input.TableArn, call) },
        ]),
      async run(input, call) {
        refuse(input);
        const { place, name } = parseTableName(input.TableArn, call);
        const id = toBackupId(call.now, ids.random(8, hexadecimal));
        const { ClientToken: token, ...asked } = input;
        const digest = createHash("sha256").update(JSON.stringify(asked)).digest("base64url");
        return await settledStore.transact(async (tx) => {
          const known = token === undefined ? undefined : await tx.get<TokenRecord>(exportTokenKey(place, token));
          if (known && known.until > call.now) {
            if (known.digest !== digest) throw exportConflict();
            const before = await readExport(tx, place, known.id);
            if (before) return { ExportDescription: describeExport(place, before) };
          }
          const table = await readTable(tx, place, name);
          if (!table) throw tableNotFoundNamed(name);
          if (!table.recovery) throw recoveryUnavailable(name);
          const window = toWindow(input, table.recovery, call.now);
          const record: ExportRecord = {
            v: 1,
            id,
            status: "IN_PROGRESS",
            startedAt: call.now,
            table: { name, tableId: table.tableId, storeId: table.storeId, logId: table.recovery.logId },
            window,
            bucket: input.S3Bucket ?? "",
            ...(input.S3BucketOwner !== undefined && { bucketOwner: input.S3BucketOwner }),
            ...(input.S3Prefix !== undefined && { prefix: input.S3Prefix }),
            ...(input.S3SseAlgorithm === "AES256" && { encryption: "AES256" as const }),
            ...(token !== undefined && { token }),
            caller: { principal: call.principal, endpoint: call.endpoint },
            files: 0,
            next: undefined,
            itemCount: 0,
            bytes: 0,
          };
          writeExport(tx, place, record);
          if (token !== undefined) tx.set(exportTokenKey(place, token), { id, digest, until: call.now + tokenMs });
          holdSource(tx, table.storeId, id, window.kind === "full" ? window.at : window.from);
          // Writes that are under way begin anew, at a later moment than the one that is exported.
          writeTable(tx, place, { ...table, generation: table.generation + 1 });
          const payload: ExportJob = { account: place.account, region: place.region, id, key: table.key };
          jobs.schedule(tx, { kind: exportKind, key: [id], at: call.now + 1, payload });
          return { ExportDescription: describeExport(place, record) };
        });
      },
    },

    DescribeExport: {
      authorize: (input, call) => [
        { action: "dynamodb:DescribeExport", resource: parseTransferArn("export", input.ExportArn, call).arn },
      ],
      async run(input, call) {
        const { id, table, arn } = parseTransferArn("export", input.ExportArn, call);
        const record = await store.read((reader) => readExport(reader, call, id));
        if (record?.table.name !== table) throw exportNotFound(arn);
        return { ExportDescription: describeExport(call, record) };
      },
    },

    ListExports: {
      authorize: (input, call) => listedOn("ListExports", input.TableArn, call),
      async run(input, call) {
        const table = input.TableArn === undefined ? undefined : parseTableName(input.TableArn, call).name;
        const limit = input.MaxResults ?? 25;
        const prefix = exportsOf(call);
        const after = input.NextToken === undefined ? undefined : fromPageToken(input.NextToken);
        // Newest first, as AWS lists them; of one account and region there are few.
        const all = await store.read((reader) =>
          reader.range<ExportRecord>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: 1_000, reverse: true },
          ),
        );
        const found = all.map(({ value }) => value).filter((each) => table === undefined || each.table.name === table);
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          ExportSummaries: page.map((each) => summarizeExport(call, each)),
          ...(found.length > limit && last && { NextToken: toPageToken(last.id) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** What lists of exports and imports ask for: their table, or all. */
export function listedOn(action: string, tableArn: string | undefined, call: Call) {
  const { account, region } = call;
  const resource = tableArn ?? `arn:aws:dynamodb:${region}:${account}:table/*`;
  return [{ action: `dynamodb:${action}`, resource }];
}

function refuse(input: ExportInput): void {
  if (input.ExportFormat === "ION") throw notImplemented("The ExportFormat ION");
  if (input.S3SseAlgorithm === "KMS" || input.S3SseKmsKeyId !== undefined) {
    throw notImplemented("The S3SseAlgorithm KMS of ExportTableToPointInTime");
  }
  if (input.FilterSpecification !== undefined) {
    throw notImplemented("The parameter FilterSpecification of ExportTableToPointInTime");
  }
}

/** Writes of this very moment may still be under way: the moment before it is the last one that is settled. */
function toWindow(input: ExportInput, recovery: NonNullable<TableRecord["recovery"]>, now: number): ExportWindow {
  const earliest = earliestRestorable(recovery, now);
  if (input.ExportType !== "INCREMENTAL_EXPORT") {
    if (input.IncrementalExportSpecification !== undefined) {
      throw validation("IncrementalExportSpecification is only supported when ExportType is INCREMENTAL_EXPORT");
    }
    const at = input.ExportTime?.getTime() ?? now;
    if (at > now || at < earliest) throw invalidExportTime();
    return { kind: "full", at: Math.min(at, now - 1) };
  }
  const given = input.IncrementalExportSpecification;
  if (input.ExportTime !== undefined) {
    throw validation("ExportTime is not supported when ExportType is INCREMENTAL_EXPORT");
  }
  if (given?.ExportFromTime === undefined) {
    throw validation("IncrementalExportSpecification with an ExportFromTime is required for INCREMENTAL_EXPORT");
  }
  const from = given.ExportFromTime.getTime();
  const to = given.ExportToTime?.getTime() ?? Math.min(now, from + periodMsMax);
  if (from < earliest || to > now) throw invalidExportTime();
  if (to - from < periodMsMin || to - from > periodMsMax) {
    throw validation("The export period must be at least 15 minutes and at most 24 hours");
  }
  return {
    kind: "incremental",
    from,
    to: Math.min(to, now - 1),
    view: given.ExportViewType ?? "NEW_AND_OLD_IMAGES",
  };
}
