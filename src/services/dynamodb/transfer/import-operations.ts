import { createHash } from "node:crypto";
import { notImplemented } from "../../../aws/error.ts";
import type { OperationsOf } from "../../../wire/service.ts";
import { toAuthorization } from "../access.ts";
import { toBackupId } from "../backups/backup-record.ts";
import { importConflict, importNotFound, tableExists } from "../errors.ts";
import { readTable, writeTable } from "../model.ts";
import type { DynamoNeeds, Sdk } from "../needs.ts";
import { parseTableName, type TableCatalog } from "../tables/catalog.ts";
import { assertRoom, toNewTable } from "../tables/new-table.ts";
import { listedOn } from "./export-operations.ts";
import { importKind, type ImportJob } from "./import-job.ts";
import {
  describeImport,
  importsOf,
  importTokenKey,
  readImport,
  summarizeImport,
  writeImport,
  type ImportRecord,
} from "./import-record.ts";
import { fromPageToken, parseTransferArn, toPageToken } from "./transfer-names.ts";

const hexadecimal = "0123456789abcdef";
/** API reference, ImportTable: for how long a ClientToken is valid. */
const tokenMs = 8 * 3_600_000;

interface TokenRecord {
  readonly id: string;
  readonly digest: string;
  readonly until: number;
}

/** ImportTable, DescribeImport, ListImports. */
export function importOperations(
  needs: Pick<DynamoNeeds, "store" | "settledStore" | "jobs" | "ids"> & { readonly catalog: TableCatalog },
) {
  const { store, settledStore, jobs, ids, catalog } = needs;
  return {
    ImportTable: {
      authorize: (input, call) =>
        toAuthorization(catalog, call, [
          { action: "ImportTable", table: parseTableName(input.TableCreationParameters?.TableName, call) },
        ]),
      async run(input, call) {
        const {
          InputFormat: format = "DYNAMODB_JSON",
          TableCreationParameters: parameters,
          S3BucketSource: source,
        } = input;
        if (format === "ION") throw notImplemented("The InputFormat ION");
        const { name } = parseTableName(parameters?.TableName, call);
        const table = { ...toNewTable({ ...parameters, TableName: name }, ids, call.now), status: "CREATING" as const };
        const id = toBackupId(call.now, ids.random(8, hexadecimal));
        const { ClientToken: token, ...asked } = input;
        const digest = createHash("sha256").update(JSON.stringify(asked)).digest("base64url");
        const place = { account: call.account, region: call.region };
        return await settledStore.transact(async (tx) => {
          const known = token === undefined ? undefined : await tx.get<TokenRecord>(importTokenKey(place, token));
          if (known && known.until > call.now) {
            if (known.digest !== digest) throw importConflict();
            const before = await readImport(tx, place, known.id);
            if (before) return { ImportTableDescription: describeImport(place, before) };
          }
          if (await readTable(tx, place, name)) throw tableExists(name);
          await assertRoom(tx, place);
          const record: ImportRecord = {
            v: 1,
            id,
            status: "IN_PROGRESS",
            startedAt: call.now,
            table: { name, tableId: table.tableId, storeId: table.storeId },
            parameters: {
              TableName: name,
              AttributeDefinitions: parameters?.AttributeDefinitions,
              KeySchema: parameters?.KeySchema,
              ...parameters,
            },
            bucket: source?.S3Bucket ?? "",
            ...(source?.S3BucketOwner !== undefined && { bucketOwner: source.S3BucketOwner }),
            ...(source?.S3KeyPrefix !== undefined && { prefix: source.S3KeyPrefix }),
            format,
            ...(input.InputFormatOptions && { options: input.InputFormatOptions }),
            compression: input.InputCompressionType ?? "NONE",
            ...(token !== undefined && { token }),
            caller: { principal: call.principal, endpoint: call.endpoint },
            doneRecords: 0,
            errorCount: 0,
            processedCount: 0,
            importedCount: 0,
            processedBytes: 0,
          };
          writeTable(tx, place, table);
          writeImport(tx, place, record);
          if (token !== undefined) tx.set(importTokenKey(place, token), { id, digest, until: call.now + tokenMs });
          const payload: ImportJob = { ...place, id };
          jobs.schedule(tx, { kind: importKind, key: [id], at: call.now + 1, payload });
          return { ImportTableDescription: describeImport(place, record) };
        });
      },
    },

    DescribeImport: {
      authorize: (input, call) => [
        { action: "dynamodb:DescribeImport", resource: parseTransferArn("import", input.ImportArn, call).arn },
      ],
      async run(input, call) {
        const { id, table, arn } = parseTransferArn("import", input.ImportArn, call);
        const record = await store.read((reader) => readImport(reader, call, id));
        if (record?.table.name !== table) throw importNotFound(arn);
        return { ImportTableDescription: describeImport(call, record) };
      },
    },

    ListImports: {
      authorize: (input, call) => listedOn("ListImports", input.TableArn, call),
      async run(input, call) {
        const table = input.TableArn === undefined ? undefined : parseTableName(input.TableArn, call).name;
        const limit = input.PageSize ?? 25;
        const prefix = importsOf(call);
        const after = input.NextToken === undefined ? undefined : fromPageToken(input.NextToken);
        const all = await store.read((reader) =>
          reader.range<ImportRecord>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: 1_000, reverse: true },
          ),
        );
        const found = all.map(({ value }) => value).filter((each) => table === undefined || each.table.name === table);
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          ImportSummaryList: page.map((each) => summarizeImport(call, each)),
          ...(found.length > limit && last && { NextToken: toPageToken(last.id) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}
