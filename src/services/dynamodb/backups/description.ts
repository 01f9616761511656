import type { BackupDescription, BackupDetails, BackupSummary } from "@aws-sdk/client-dynamodb";
import { tableArn, type Place } from "../model.ts";
import { describeTable, toElements, toThroughput } from "../tables/description.ts";
import { backupArn, type BackupRecord } from "./backup-record.ts";

export function describeDetails(place: Place, backup: BackupRecord): BackupDetails {
  return {
    BackupArn: backupArn(place, backup),
    BackupName: backup.name,
    BackupSizeBytes: backup.bytes,
    BackupStatus: backup.status,
    BackupType: backup.type,
    BackupCreationDateTime: new Date(backup.createdAt),
    ...(backup.expiresAt !== undefined && { BackupExpiryDateTime: new Date(backup.expiresAt) }),
  };
}

export function summarize(place: Place, backup: BackupRecord): BackupSummary {
  const { name, tableId } = backup.table;
  return {
    TableName: name,
    TableId: tableId,
    TableArn: tableArn(place, name),
    ...describeDetails(place, backup),
  };
}

export function describeBackup(place: Place, backup: BackupRecord): BackupDescription {
  const { table } = backup;
  const { LocalSecondaryIndexes = [], GlobalSecondaryIndexes = [], OnDemandThroughput } = describeTable(place, table);
  return {
    BackupDetails: describeDetails(place, backup),
    SourceTableDetails: {
      TableName: table.name,
      TableId: table.tableId,
      TableArn: tableArn(place, table.name),
      TableSizeBytes: backup.bytes,
      KeySchema: toElements(table.key),
      TableCreationDateTime: new Date(table.createdAt),
      ProvisionedThroughput: toThroughput(table.throughput),
      ...(OnDemandThroughput && { OnDemandThroughput }),
      ItemCount: backup.itemCount,
      BillingMode: table.billingMode,
    },
    SourceTableFeatureDetails: {
      ...(LocalSecondaryIndexes.length > 0 && {
        LocalSecondaryIndexes: LocalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) => ({
          IndexName,
          KeySchema,
          Projection,
        })),
      }),
      ...(GlobalSecondaryIndexes.length > 0 && {
        GlobalSecondaryIndexes: table.indexes
          .filter(({ kind }) => kind === "global")
          .map((index, at) => ({
            IndexName: index.name,
            KeySchema: toElements(index.key),
            Projection: GlobalSecondaryIndexes[at]?.Projection,
            ProvisionedThroughput: toThroughput(index.throughput ?? { read: 0, write: 0 }),
          })),
      }),
      ...(table.stream && { StreamDescription: { StreamEnabled: true, StreamViewType: table.stream.viewType } }),
      ...(table.ttl && {
        TimeToLiveDescription: { TimeToLiveStatus: table.ttl.status, AttributeName: table.ttl.attribute },
      }),
    },
  };
}
