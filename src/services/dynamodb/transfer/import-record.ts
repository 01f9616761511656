import type { ImportSummary, ImportTableDescription, InputFormatOptions } from "@aws-sdk/client-dynamodb";
import { toArn } from "../../../aws/arn.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import { tableArn, type Place } from "../model.ts";

/** TableCreationParameters as they were given. */
export type CreationParameters = NonNullable<ImportTableDescription["TableCreationParameters"]>;

/** An import of a table from S3. Version 1. */
export interface ImportRecord {
  readonly v: 1;
  readonly id: string;
  readonly status: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  readonly failure?: { readonly code: string; readonly message: string };
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly table: { readonly name: string; readonly tableId: string; readonly storeId: string };
  readonly parameters: CreationParameters;
  readonly bucket: string;
  readonly bucketOwner?: string;
  readonly prefix?: string;
  readonly format: "DYNAMODB_JSON" | "CSV";
  readonly options?: InputFormatOptions;
  readonly compression: "NONE" | "GZIP" | "ZSTD";
  readonly token?: string;
  /** Whose permissions to the bucket count. */
  readonly caller: { readonly principal: Principal; readonly endpoint: string };
  /** Objects that are done, up to this one; and how many records of the one after it. */
  readonly doneKey?: string;
  readonly doneRecords: number;
  readonly errorCount: number;
  readonly processedCount: number;
  readonly importedCount: number;
  readonly processedBytes: number;
}

export const importLogGroup = "/aws-dynamodb/imports";

export function importsOf({ account, region }: Place): Key {
  return ["dynamodb", "import", account, region];
}

/** Which import a client's token has asked for, and with what. */
export function importTokenKey({ account, region }: Place, token: string): Key {
  return ["dynamodb", "importToken", account, region, token];
}

export function importArn({ account, region }: Place, { id, table }: Pick<ImportRecord, "id" | "table">): string {
  return toArn("dynamodb", region, account, `table/${table.name}/import/${id}`);
}

export function readImport(reader: Reader, place: Place, id: string): Promise<ImportRecord | undefined> {
  return reader.get<ImportRecord>([...importsOf(place), id]);
}

export function writeImport(tx: Transaction, place: Place, record: ImportRecord): void {
  tx.set([...importsOf(place), record.id], record);
}

function toSource({ bucket, bucketOwner, prefix }: ImportRecord) {
  return {
    S3Bucket: bucket,
    ...(bucketOwner !== undefined && { S3BucketOwner: bucketOwner }),
    ...(prefix !== undefined && { S3KeyPrefix: prefix }),
  };
}

export function summarizeImport(place: Place, record: ImportRecord): ImportSummary {
  return {
    ImportArn: importArn(place, record),
    ImportStatus: record.status,
    TableArn: tableArn(place, record.table.name),
    S3BucketSource: toSource(record),
    CloudWatchLogGroupArn: `${toArn("logs", place.region, place.account, `log-group:${importLogGroup}`)}:*`,
    InputFormat: record.format,
    StartTime: new Date(record.startedAt),
    ...(record.endedAt !== undefined && { EndTime: new Date(record.endedAt) }),
  };
}

export function describeImport(place: Place, record: ImportRecord): ImportTableDescription {
  return {
    ...summarizeImport(place, record),
    TableId: record.table.tableId,
    ...(record.token !== undefined && { ClientToken: record.token }),
    ErrorCount: record.errorCount,
    ...(record.options && { InputFormatOptions: record.options }),
    InputCompressionType: record.compression,
    TableCreationParameters: record.parameters,
    ProcessedSizeBytes: record.processedBytes,
    ProcessedItemCount: record.processedCount,
    ImportedItemCount: record.importedCount,
    ...(record.failure && { FailureCode: record.failure.code, FailureMessage: record.failure.message }),
  };
}
