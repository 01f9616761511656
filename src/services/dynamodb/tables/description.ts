import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  LocalSecondaryIndexDescription,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import {
  tableArn,
  type IndexRecord,
  type KeySchema,
  type OnDemandMaxima,
  type Place,
  type TableRecord,
  type Units,
} from "../model.ts";

/** A table as DescribeTable tells of it. */
export function describeTable(place: Place, table: TableRecord): TableDescription {
  const arn = tableArn(place, table.name);
  const local = table.indexes.filter(({ kind }) => kind === "local").map((index) => describeLocal(arn, index));
  const global = table.indexes
    .filter(({ kind }) => kind === "global")
    .map((index) => describeGlobal(arn, index, table.status === "CREATING"));
  const { stream, latestStreamLabel: label } = table;
  return {
    AttributeDefinitions: table.attributes.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
    TableName: table.name,
    KeySchema: toElements(table.key),
    TableStatus: table.status,
    CreationDateTime: new Date(table.createdAt),
    ProvisionedThroughput: {
      NumberOfDecreasesToday: 0,
      ...toThroughput(table.throughput),
      ...(table.lastIncreaseAt !== undefined && { LastIncreaseDateTime: new Date(table.lastIncreaseAt) }),
      ...(table.lastDecreaseAt !== undefined && { LastDecreaseDateTime: new Date(table.lastDecreaseAt) }),
    },
    TableSizeBytes: table.bytes,
    ItemCount: table.itemCount,
    TableArn: arn,
    TableId: table.tableId,
    ...((table.billingMode === "PAY_PER_REQUEST" || table.onDemandSince !== undefined) && {
      BillingModeSummary: {
        BillingMode: table.billingMode,
        ...(table.onDemandSince !== undefined && {
          LastUpdateToPayPerRequestDateTime: new Date(table.onDemandSince),
        }),
      },
    }),
    ...(local.length > 0 && { LocalSecondaryIndexes: local }),
    ...(global.length > 0 && { GlobalSecondaryIndexes: global }),
    ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType } }),
    ...(label !== undefined && { LatestStreamLabel: label, LatestStreamArn: `${arn}/stream/${label}` }),
    ...(table.restore && {
      RestoreSummary: {
        SourceTableArn: table.restore.from,
        ...(table.restore.backup !== undefined && { SourceBackupArn: table.restore.backup }),
        RestoreDateTime: new Date(table.restore.at),
        RestoreInProgress: table.status === "CREATING",
      },
    }),
    ...(table.tableClass && {
      TableClassSummary: {
        TableClass: table.tableClass,
        ...(table.tableClassAt !== undefined && { LastUpdateDateTime: new Date(table.tableClassAt) }),
      },
    }),
    DeletionProtectionEnabled: table.deletionProtection,
    ...(table.onDemand && { OnDemandThroughput: toOnDemand(table.onDemand) }),
  };
}

/** While a table goes: what it had is not told any more. */
export function describeDeleted(place: Place, table: TableRecord): TableDescription {
  const { AttributeDefinitions: _a, KeySchema: _k, CreationDateTime: _c, ...rest } = describeTable(place, table);
  return { ...rest, TableStatus: "DELETING" };
}

function describeLocal(arn: string, index: IndexRecord): LocalSecondaryIndexDescription {
  return {
    IndexName: index.name,
    KeySchema: toElements(index.key),
    Projection: toProjection(index),
    IndexSizeBytes: index.bytes,
    ItemCount: index.itemCount,
    IndexArn: `${arn}/index/${index.name}`,
  };
}

function describeGlobal(arn: string, index: IndexRecord, isNew: boolean): GlobalSecondaryIndexDescription {
  return {
    IndexName: index.name,
    KeySchema: toElements(index.key),
    Projection: toProjection(index),
    IndexStatus: index.status,
    ...(index.status === "CREATING" && !isNew && { Backfilling: true }),
    ProvisionedThroughput: { NumberOfDecreasesToday: 0, ...toThroughput(index.throughput ?? { read: 0, write: 0 }) },
    IndexSizeBytes: index.bytes,
    ItemCount: index.itemCount,
    IndexArn: `${arn}/index/${index.name}`,
    ...(index.onDemand && { OnDemandThroughput: toOnDemand(index.onDemand) }),
  };
}

function toProjection({ projection }: IndexRecord) {
  return {
    ProjectionType: projection.type,
    ...(projection.type === "INCLUDE" && { NonKeyAttributes: [...projection.attributes] }),
  };
}

export function toElements({ hash, range }: KeySchema): KeySchemaElement[] {
  return [
    ...hash.map(({ name }) => ({ AttributeName: name, KeyType: "HASH" as const })),
    ...range.map(({ name }) => ({ AttributeName: name, KeyType: "RANGE" as const })),
  ];
}

export function toThroughput({ read, write }: Units) {
  return { ReadCapacityUnits: read, WriteCapacityUnits: write };
}

function toOnDemand({ read, write }: OnDemandMaxima) {
  return { MaxReadRequestUnits: read ?? -1, MaxWriteRequestUnits: write ?? -1 };
}
