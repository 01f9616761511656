import type { ExportDescription, ExportSummary } from "@aws-sdk/client-dynamodb";
import { toArn } from "../../../aws/arn.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import { tableArn, type Place } from "../model.ts";

/** What of a table is exported: as it was at a moment, or what has changed from one to another. */
export type ExportWindow =
  | { readonly kind: "full"; readonly at: number }
  | {
      readonly kind: "incremental";
      readonly from: number;
      readonly to: number;
      readonly view: "NEW_IMAGE" | "NEW_AND_OLD_IMAGES";
    };

/** An export of a table to S3. Version 1. */
export interface ExportRecord {
  readonly v: 1;
  readonly id: string;
  readonly status: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  readonly failure?: { readonly code: string; readonly message: string };
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly table: { readonly name: string; readonly tableId: string; readonly storeId: string; readonly logId: string };
  readonly window: ExportWindow;
  readonly bucket: string;
  readonly bucketOwner?: string;
  readonly prefix?: string;
  readonly encryption?: "AES256";
  readonly token?: string;
  /** Whose permissions to the bucket count. */
  readonly caller: { readonly principal: Principal; readonly endpoint: string };
  /** Files that are written, and where the next one begins: the rest of a key below the table's items or log. */
  readonly files: number;
  readonly next: Key | undefined;
  readonly itemCount: number;
  readonly bytes: number;
}

/** A file of an export, as its manifest tells. */
export interface ExportFile {
  readonly itemCount: number;
  readonly md5Checksum: string;
  readonly etag: string;
  readonly dataFileS3Key: string;
}

export function exportsOf({ account, region }: Place): Key {
  return ["dynamodb", "export", account, region];
}

export function exportFilesPrefix(id: string): Key {
  return ["dynamodb", "exportFile", id];
}

/** Which export a client's token has asked for, and with what. */
export function exportTokenKey({ account, region }: Place, token: string): Key {
  return ["dynamodb", "exportToken", account, region, token];
}

export function exportArn({ account, region }: Place, { id, table }: Pick<ExportRecord, "id" | "table">): string {
  return toArn("dynamodb", region, account, `table/${table.name}/export/${id}`);
}

export function readExport(reader: Reader, place: Place, id: string): Promise<ExportRecord | undefined> {
  return reader.get<ExportRecord>([...exportsOf(place), id]);
}

export function writeExport(tx: Transaction, place: Place, record: ExportRecord): void {
  tx.set([...exportsOf(place), record.id], record);
}

/** Where an export's files are in its bucket. Source: developer guide, "DynamoDB table export output format". */
export function pathOf({ prefix, id }: Pick<ExportRecord, "prefix" | "id">, name: string): string {
  return `${prefix === undefined || prefix === "" ? "" : `${prefix}/`}AWSDynamoDB/${id}/${name}`;
}

export function dataPathOf({ prefix, id, window }: ExportRecord, name: string): string {
  const base = `${prefix === undefined || prefix === "" ? "" : `${prefix}/`}AWSDynamoDB`;
  // AWS: the data of incremental exports is beside their manifests, not below them.
  return window.kind === "full" ? `${base}/${id}/data/${name}` : `${base}/data/${name}`;
}

export function summarizeExport(place: Place, record: ExportRecord): ExportSummary {
  return {
    ExportArn: exportArn(place, record),
    ExportStatus: record.status,
    ExportType: record.window.kind === "full" ? "FULL_EXPORT" : "INCREMENTAL_EXPORT",
  };
}

export function describeExport(place: Place, record: ExportRecord): ExportDescription {
  const { window, endedAt, failure } = record;
  return {
    ...summarizeExport(place, record),
    StartTime: new Date(record.startedAt),
    ...(endedAt !== undefined && { EndTime: new Date(endedAt) }),
    ...(record.status === "COMPLETED" && { ExportManifest: pathOf(record, "manifest-summary.json") }),
    TableArn: tableArn(place, record.table.name),
    TableId: record.table.tableId,
    ...(window.kind === "full" && { ExportTime: new Date(window.at) }),
    ...(record.token !== undefined && { ClientToken: record.token }),
    S3Bucket: record.bucket,
    ...(record.bucketOwner !== undefined && { S3BucketOwner: record.bucketOwner }),
    ...(record.prefix !== undefined && { S3Prefix: record.prefix }),
    ...(record.encryption !== undefined && { S3SseAlgorithm: record.encryption }),
    ...(failure && { FailureCode: failure.code, FailureMessage: failure.message }),
    ExportFormat: "DYNAMODB_JSON",
    ...(record.status === "COMPLETED" && { BilledSizeBytes: record.bytes, ItemCount: record.itemCount }),
    ...(window.kind === "incremental" && {
      IncrementalExportSpecification: {
        ExportFromTime: new Date(window.from),
        ExportToTime: new Date(window.to),
        ExportViewType: window.view,
      },
    }),
  };
}
