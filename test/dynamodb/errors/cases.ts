import type { DynamoDB } from "@aws-sdk/client-dynamodb";

/** Where errors are met: tables, backups and tokens that the test has prepared. */
export interface Places {
  readonly dynamodb: DynamoDB;
  readonly arn: (rest: string) => string;
  readonly now: number;
  /** A backup that a table is being restored from, and one that is being made. */
  readonly restoring: string;
  readonly creating: string;
}

interface ErrorCase {
  readonly send: (places: Places) => Promise<unknown>;
  readonly message: (places: Places) => string;
}

type ErrorCases = Readonly<Record<string, Readonly<Record<string, ErrorCase>>>>;

const Key = { h: { S: "a" } };
/** Of items that are together more than a transaction reads. */
export const largeKeys = Array.from({ length: 11 }, (_, at) => ({ h: { S: `large-${at}` } }));
const full = { h: { S: "full" }, r: { S: "a" }, filler: { S: "x" } };
const hash = {
  AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" as const }],
  KeySchema: [{ AttributeName: "h", KeyType: "HASH" as const }],
  BillingMode: "PAY_PER_REQUEST" as const,
};
const index = (IndexName: string) => ({
  IndexName,
  KeySchema: [{ AttributeName: "h", KeyType: "HASH" as const }],
  Projection: { ProjectionType: "ALL" as const },
});
/** With so many attributes projected by name, seventeen by an index. */
const wide = (count: number) => ({
  ...hash,
  GlobalSecondaryIndexes: Array.from({ length: count / 17 }, (_, at) => ({
    ...index(`index-${at}`),
    Projection: {
      ProjectionType: "INCLUDE" as const,
      NonKeyAttributes: Array.from({ length: 17 }, (_each, attribute) => `n${at}-${attribute}`),
    },
  })),
});

const said = (message: string) => () => message;
const exceeded = said(
  "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
);
const throttled = said("Throughput exceeds the maximum OnDemandThroughput configured on table or index");
const missing = said("Requested resource not found");
const failed = said("The conditional request failed");
const tooLarge = said("Collection size exceeded.");

type Send = (dynamodb: DynamoDB, TableName: string) => Promise<unknown>;

/** Of an operation that reads or writes one table: where that is not there, and where it has no throughput left. */
function onTable(send: Send) {
  return {
    ResourceNotFoundException: { send: ({ dynamodb }: Places) => send(dynamodb, "nowhere"), message: missing },
    ...onBusyTable(send),
  };
}

function onBusyTable(send: Send) {
  return {
    ProvisionedThroughputExceededException: {
      send: ({ dynamodb }: Places) => send(dynamodb, "slow"),
      message: exceeded,
    },
    ThrottlingException: { send: ({ dynamodb }: Places) => send(dynamodb, "capped"), message: throttled },
  };
}

const fails = { ConditionExpression: "n = :other", ExpressionAttributeValues: { ":other": { N: "2" } } };

const itemCases: ErrorCases = {
  GetItem: onTable((dynamodb, TableName) => dynamodb.getItem({ TableName, Key })),
  BatchGetItem: onTable((dynamodb, TableName) =>
    dynamodb.batchGetItem({ RequestItems: { [TableName]: { Keys: [Key] } } }),
  ),
  Query: onTable((dynamodb, TableName) =>
    dynamodb.query({
      TableName,
      KeyConditionExpression: "h = :h",
      ExpressionAttributeValues: { ":h": Key.h },
    }),
  ),
  Scan: onTable((dynamodb, TableName) => dynamodb.scan({ TableName })),
  PutItem: {
    ...onTable((dynamodb, TableName) => dynamodb.putItem({ TableName, Item: Key })),
    ConditionalCheckFailedException: {
      send: ({ dynamodb }) => dynamodb.putItem({ TableName: "there", Item: Key, ...fails }),
      message: failed,
    },
    ItemCollectionSizeLimitExceededException: {
      send: ({ dynamodb }) => dynamodb.putItem({ TableName: "collections", Item: full }),
      message: tooLarge,
    },
  },
  UpdateItem: {
    ...onTable((dynamodb, TableName) => dynamodb.updateItem({ TableName, Key })),
    ConditionalCheckFailedException: {
      send: ({ dynamodb }) => dynamodb.updateItem({ TableName: "there", Key, UpdateExpression: "REMOVE x", ...fails }),
      message: failed,
    },
    ItemCollectionSizeLimitExceededException: {
      send: ({ dynamodb }) =>
        dynamodb.updateItem({
          TableName: "collections",
          Key: { h: full.h, r: full.r },
          UpdateExpression: "SET filler = :filler",
          ExpressionAttributeValues: { ":filler": full.filler },
        }),
      message: tooLarge,
    },
  },
  DeleteItem: {
    ...onTable((dynamodb, TableName) => dynamodb.deleteItem({ TableName, Key })),
    ConditionalCheckFailedException: {
      send: ({ dynamodb }) => dynamodb.deleteItem({ TableName: "there", Key, ...fails }),
      message: failed,
    },
  },
  BatchWriteItem: {
    ...onTable((dynamodb, TableName) =>
      dynamodb.batchWriteItem({ RequestItems: { [TableName]: [{ PutRequest: { Item: Key } }] } }),
    ),
    ItemCollectionSizeLimitExceededException: {
      send: ({ dynamodb }) =>
        dynamodb.batchWriteItem({ RequestItems: { collections: [{ PutRequest: { Item: full } }] } }),
      message: tooLarge,
    },
  },
  TransactGetItems: {
    ...onTable((dynamodb, TableName) => dynamodb.transactGetItems({ TransactItems: [{ Get: { TableName, Key } }] })),
    TransactionCanceledException: {
      send: ({ dynamodb }) =>
        dynamodb.transactGetItems({
          TransactItems: largeKeys.map((large) => ({ Get: { TableName: "there", Key: large } })),
        }),
      message: said(
        `Transaction cancelled, please refer cancellation reasons for specific reasons [${largeKeys.map(() => "ValidationError").join(", ")}]`,
      ),
    },
  },
  TransactWriteItems: {
    ...onTable((dynamodb, TableName) =>
      dynamodb.transactWriteItems({ TransactItems: [{ Put: { TableName, Item: Key } }] }),
    ),
    TransactionCanceledException: {
      send: ({ dynamodb }) =>
        dynamodb.transactWriteItems({
          TransactItems: [
            { Put: { TableName: "there", Item: { h: { S: "b" } } } },
            { ConditionCheck: { TableName: "there", Key, ...fails } },
          ],
        }),
      message: said(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
      ),
    },
    IdempotentParameterMismatchException: {
      send: ({ dynamodb }) =>
        dynamodb.transactWriteItems({
          ClientRequestToken: "written",
          TransactItems: [{ Put: { TableName: "there", Item: { h: { S: "other" } } } }],
        }),
      message: said(
        "Your request contained the same client token as an earlier request, but the parameters do not match.",
      ),
    },
  },
};

const statement = (text: string) => (dynamodb: DynamoDB, TableName: string) =>
  dynamodb.executeStatement({ Statement: text.replace("$", `"${TableName}"`) });

const statementCases: ErrorCases = {
  ExecuteStatement: {
    ...onTable(statement("SELECT * FROM $ WHERE h = 'a'")),
    ConditionalCheckFailedException: {
      send: ({ dynamodb }) => statement("UPDATE $ SET x = 1 WHERE h = 'a' AND n = 2")(dynamodb, "there"),
      message: failed,
    },
    DuplicateItemException: {
      send: ({ dynamodb }) => statement("INSERT INTO $ VALUE {'h': 'a'}")(dynamodb, "there"),
      message: said("Duplicate primary key exists in table"),
    },
    ItemCollectionSizeLimitExceededException: {
      send: ({ dynamodb }) =>
        statement("UPDATE $ SET filler = 'x' WHERE h = 'full' AND r = 'a'")(dynamodb, "collections"),
      message: tooLarge,
    },
  },
  ExecuteTransaction: {
    ...onBusyTable((dynamodb, TableName) =>
      dynamodb.executeTransaction({
        TransactStatements: [{ Statement: `SELECT * FROM "${TableName}" WHERE h = 'a'` }],
      }),
    ),
    TransactionCanceledException: {
      send: ({ dynamodb }) =>
        dynamodb.executeTransaction({ TransactStatements: [{ Statement: `INSERT INTO "there" VALUE {'h': 'a'}` }] }),
      message: said("Transaction cancelled, please refer cancellation reasons for specific reasons [DuplicateItem]"),
    },
    IdempotentParameterMismatchException: {
      send: ({ dynamodb }) =>
        dynamodb.executeTransaction({
          ClientRequestToken: "stated",
          TransactStatements: [{ Statement: `INSERT INTO "there" VALUE {'h': 'otherwise'}` }],
        }),
      message: said(
        "Your request contained the same client token as an earlier request, but the parameters do not match.",
      ),
    },
  },
};

const tableMissing = said("Requested resource not found: Table: nowhere not found");
const arnMissing = ({ arn }: Places) => `Requested resource not found: ResourcArn: ${arn("table/nowhere")} not found`;
const noTable = said("Table not found: nowhere");
const beingMade = said("Attempt to change a resource which is still in use: Table is being created: being-made");
const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Principal: "*", Action: "dynamodb:GetItem", Resource: "*" }],
});
const someId = "01489602797149-73d8d5bc";

/** Of an operation on tables: where there is none. */
function onNoTable(
  error: string,
  message: (places: Places) => string,
  send: (places: Places, name: string) => Promise<unknown>,
) {
  return { [error]: { send: (places: Places) => send(places, "nowhere"), message } };
}

const tableCases: ErrorCases = {
  CreateTable: {
    ResourceInUseException: {
      send: ({ dynamodb }) => dynamodb.createTable({ TableName: "there", ...hash }),
      message: said("Table already exists: there"),
    },
    LimitExceededException: {
      send: ({ dynamodb }) => dynamodb.createTable({ TableName: "wide", ...wide(102) }),
      message: said("Number of projected attributes exceeds the per-table limit of 100"),
    },
  },
  DescribeTable: onNoTable("ResourceNotFoundException", tableMissing, ({ dynamodb }, TableName) =>
    dynamodb.describeTable({ TableName }),
  ),
  UpdateTable: {
    ...onNoTable("ResourceNotFoundException", tableMissing, ({ dynamodb }, TableName) =>
      dynamodb.updateTable({ TableName, DeletionProtectionEnabled: true }),
    ),
    ResourceInUseException: {
      send: ({ dynamodb }) => dynamodb.updateTable({ TableName: "being-made", DeletionProtectionEnabled: true }),
      message: beingMade,
    },
    LimitExceededException: {
      send: ({ dynamodb }) =>
        dynamodb.updateTable({
          TableName: "there",
          AttributeDefinitions: hash.AttributeDefinitions,
          GlobalSecondaryIndexUpdates: [{ Create: index("one") }, { Create: index("two") }],
        }),
      message: said(
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
      ),
    },
  },
  DeleteTable: {
    ...onNoTable("ResourceNotFoundException", tableMissing, ({ dynamodb }, TableName) =>
      dynamodb.deleteTable({ TableName }),
    ),
    ResourceInUseException: {
      send: ({ dynamodb }) => dynamodb.deleteTable({ TableName: "being-made" }),
      message: beingMade,
    },
  },
  TagResource: onNoTable("ResourceNotFoundException", arnMissing, ({ dynamodb, arn }, name) =>
    dynamodb.tagResource({ ResourceArn: arn(`table/${name}`), Tags: [{ Key: "k", Value: "v" }] }),
  ),
  UntagResource: onNoTable("ResourceNotFoundException", arnMissing, ({ dynamodb, arn }, name) =>
    dynamodb.untagResource({ ResourceArn: arn(`table/${name}`), TagKeys: ["k"] }),
  ),
  ListTagsOfResource: onNoTable("ResourceNotFoundException", arnMissing, ({ dynamodb, arn }, name) =>
    dynamodb.listTagsOfResource({ ResourceArn: arn(`table/${name}`) }),
  ),
  GetResourcePolicy: {
    ...onNoTable("ResourceNotFoundException", arnMissing, ({ dynamodb, arn }, name) =>
      dynamodb.getResourcePolicy({ ResourceArn: arn(`table/${name}`) }),
    ),
    PolicyNotFoundException: {
      send: ({ dynamodb, arn }) => dynamodb.getResourcePolicy({ ResourceArn: arn("table/there") }),
      message: ({ arn }) => `Resource-based policy not found for the provided ResourceArn: ${arn("table/there")}`,
    },
  },
  PutResourcePolicy: {
    ...onNoTable("ResourceNotFoundException", arnMissing, ({ dynamodb, arn }, name) =>
      dynamodb.putResourcePolicy({ ResourceArn: arn(`table/${name}`), Policy: policy }),
    ),
    PolicyNotFoundException: {
      send: ({ dynamodb, arn }) =>
        dynamodb.putResourcePolicy({ ResourceArn: arn("table/there"), Policy: policy, ExpectedRevisionId: "1" }),
      message: ({ arn }) => `Resource-based policy not found for the provided ResourceArn: ${arn("table/there")}`,
    },
  },
  DeleteResourcePolicy: {
    ...onNoTable("ResourceNotFoundException", arnMissing, ({ dynamodb, arn }, name) =>
      dynamodb.deleteResourcePolicy({ ResourceArn: arn(`table/${name}`) }),
    ),
    PolicyNotFoundException: {
      send: ({ dynamodb, arn }) =>
        dynamodb.deleteResourcePolicy({ ResourceArn: arn("table/there"), ExpectedRevisionId: "1" }),
      message: ({ arn }) => `Resource-based policy not found for the provided ResourceArn: ${arn("table/there")}`,
    },
  },
  DescribeTimeToLive: onNoTable("ResourceNotFoundException", tableMissing, ({ dynamodb }, TableName) =>
    dynamodb.describeTimeToLive({ TableName }),
  ),
  UpdateTimeToLive: onNoTable("ResourceNotFoundException", tableMissing, ({ dynamodb }, TableName) =>
    dynamodb.updateTimeToLive({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "ends" } }),
  ),
};

const notFound = (kind: string) => (places: Places) =>
  `${kind} not found: ${places.arn(`table/nowhere/${kind.toLowerCase()}/${someId}`)}`;

const backupCases: ErrorCases = {
  DescribeContinuousBackups: onNoTable("TableNotFoundException", noTable, ({ dynamodb }, TableName) =>
    dynamodb.describeContinuousBackups({ TableName }),
  ),
  UpdateContinuousBackups: onNoTable("TableNotFoundException", noTable, ({ dynamodb }, TableName) =>
    dynamodb.updateContinuousBackups({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  ),
  RestoreTableToPointInTime: {
    ...onNoTable("TableNotFoundException", noTable, ({ dynamodb }, SourceTableName) =>
      dynamodb.restoreTableToPointInTime({
        SourceTableName,
        TargetTableName: "target",
        UseLatestRestorableTime: true,
      }),
    ),
    TableAlreadyExistsException: {
      send: ({ dynamodb }) =>
        dynamodb.restoreTableToPointInTime({
          SourceTableName: "there",
          TargetTableName: "slow",
          UseLatestRestorableTime: true,
        }),
      message: said("Table already exists: slow"),
    },
    InvalidRestoreTimeException: {
      send: ({ dynamodb, now }) =>
        dynamodb.restoreTableToPointInTime({
          SourceTableName: "there",
          TargetTableName: "target",
          RestoreDateTime: new Date(now - 86_400_000),
        }),
      message: said("Restore time is outside of the point in time recovery window"),
    },
    PointInTimeRecoveryUnavailableException: {
      send: ({ dynamodb }) =>
        dynamodb.restoreTableToPointInTime({
          SourceTableName: "slow",
          TargetTableName: "target",
          UseLatestRestorableTime: true,
        }),
      message: said("Point in time recovery is not enabled for table 'slow'"),
    },
  },
  CreateBackup: {
    ...onNoTable("TableNotFoundException", noTable, ({ dynamodb }, TableName) =>
      dynamodb.createBackup({ TableName, BackupName: "any" }),
    ),
    TableInUseException: {
      send: ({ dynamodb }) => dynamodb.createBackup({ TableName: "being-made", BackupName: "any" }),
      message: said("Table is being created or deleted: being-made"),
    },
  },
  DescribeBackup: {
    BackupNotFoundException: {
      send: ({ dynamodb, arn }) => dynamodb.describeBackup({ BackupArn: arn(`table/nowhere/backup/${someId}`) }),
      message: notFound("Backup"),
    },
  },
  DeleteBackup: {
    BackupNotFoundException: {
      send: ({ dynamodb, arn }) => dynamodb.deleteBackup({ BackupArn: arn(`table/nowhere/backup/${someId}`) }),
      message: notFound("Backup"),
    },
    BackupInUseException: {
      send: ({ dynamodb, restoring }) => dynamodb.deleteBackup({ BackupArn: restoring }),
      message: ({ restoring }) => `A table is being restored from backup: ${restoring}`,
    },
  },
  RestoreTableFromBackup: {
    BackupNotFoundException: {
      send: ({ dynamodb, arn }) =>
        dynamodb.restoreTableFromBackup({
          TargetTableName: "target",
          BackupArn: arn(`table/nowhere/backup/${someId}`),
        }),
      message: notFound("Backup"),
    },
    BackupInUseException: {
      send: ({ dynamodb, creating }) =>
        dynamodb.restoreTableFromBackup({ TargetTableName: "target", BackupArn: creating }),
      message: ({ creating }) => `Backup is being created: ${creating}`,
    },
    TableAlreadyExistsException: {
      send: ({ dynamodb, restoring }) =>
        dynamodb.restoreTableFromBackup({ TargetTableName: "slow", BackupArn: restoring }),
      message: said("Table already exists: slow"),
    },
  },
};

const transferCases: ErrorCases = {
  ExportTableToPointInTime: {
    ...onNoTable("TableNotFoundException", noTable, ({ dynamodb, arn }, name) =>
      dynamodb.exportTableToPointInTime({ TableArn: arn(`table/${name}`), S3Bucket: "some-bucket" }),
    ),
    PointInTimeRecoveryUnavailableException: {
      send: ({ dynamodb, arn }) =>
        dynamodb.exportTableToPointInTime({ TableArn: arn("table/slow"), S3Bucket: "some-bucket" }),
      message: said("Point in time recovery is not enabled for table 'slow'"),
    },
    InvalidExportTimeException: {
      send: ({ dynamodb, arn, now }) =>
        dynamodb.exportTableToPointInTime({
          TableArn: arn("table/there"),
          S3Bucket: "some-bucket",
          ExportTime: new Date(now - 86_400_000),
        }),
      message: said("Export time is outside of the point in time recovery window"),
    },
    ExportConflictException: {
      send: ({ dynamodb, arn }) =>
        dynamodb.exportTableToPointInTime({
          TableArn: arn("table/there"),
          S3Bucket: "other-bucket",
          ClientToken: "exported",
        }),
      message: said("An export with this ClientToken and other parameters exists"),
    },
  },
  DescribeExport: {
    ExportNotFoundException: {
      send: ({ dynamodb, arn }) => dynamodb.describeExport({ ExportArn: arn(`table/nowhere/export/${someId}`) }),
      message: notFound("Export"),
    },
  },
  ImportTable: {
    ResourceInUseException: {
      send: ({ dynamodb }) =>
        dynamodb.importTable({
          S3BucketSource: { S3Bucket: "some-bucket" },
          InputFormat: "CSV",
          TableCreationParameters: { TableName: "there", ...hash },
        }),
      message: said("Table already exists: there"),
    },
    ImportConflictException: {
      send: ({ dynamodb }) =>
        dynamodb.importTable({
          S3BucketSource: { S3Bucket: "other-bucket" },
          InputFormat: "CSV",
          TableCreationParameters: { TableName: "imported", ...hash },
          ClientToken: "imported",
        }),
      message: said("An import with this ClientToken and other parameters exists"),
    },
  },
  DescribeImport: {
    ImportNotFoundException: {
      send: ({ dynamodb, arn }) => dynamodb.describeImport({ ImportArn: arn(`table/nowhere/import/${someId}`) }),
      message: notFound("Import"),
    },
  },
};

/** By operation and error of the model. */
export const errorCases: ErrorCases = {
  ...itemCases,
  ...statementCases,
  ...tableCases,
  ...backupCases,
  ...transferCases,
};
