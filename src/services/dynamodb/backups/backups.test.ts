import { DynamoDB, type CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let dynamodb: DynamoDB;
let document: DynamoDBDocument;
const clock = createFakeClock(Date.now());

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  dynamodb = new DynamoDB(platform.settings);
  document = DynamoDBDocument.from(dynamodb);
});
afterAll(() => platform.stop());

const drain = () => {
  clock.advance(1);
  return platform.platform.jobs.drain();
};

async function createTable(TableName: string, more: Partial<CreateTableCommandInput> = {}): Promise<void> {
  await dynamodb.createTable({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "h", AttributeType: "S" },
      { AttributeName: "g", AttributeType: "S" },
    ],
    KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
    GlobalSecondaryIndexes: [
      {
        IndexName: "gsi",
        KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
        Projection: { ProjectionType: "ALL" },
      },
    ],
    ...more,
  });
}

async function fill(TableName: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 25) {
    const Items = Array.from({ length: Math.min(25, count - from) }, (_, at) => ({
      PutRequest: { Item: { h: String(from + at), g: `g${at % 3}`, n: from + at } },
    }));
    await document.batchWrite({ RequestItems: { [TableName]: Items } });
  }
}

const someArn = "arn:aws:dynamodb:us-east-1:000000000000:table/none/backup/01489602797149-73d8d5bc";

test("a backup is the table at the moment it was asked for, whatever is written meanwhile, and outlives it", async () => {
  await createTable("source");
  await fill("source", 260);
  const { BackupDetails } = await dynamodb.createBackup({ TableName: "source", BackupName: "first" });
  expect(BackupDetails).toMatchObject({ BackupName: "first", BackupStatus: "CREATING", BackupType: "USER" });
  const BackupArn = BackupDetails?.BackupArn ?? "";
  expect(BackupArn).toMatch(/^arn:aws:dynamodb:us-east-1:\d{12}:table\/source\/backup\/\d{14}-[0-9a-f]{8}$/);
  await Promise.all([
    drain(),
    (async () => {
      for (let at = 0; at < 260; at += 7) {
        await document.put({ TableName: "source", Item: { h: String(at), n: "later" } });
        await document.delete({ TableName: "source", Key: { h: String(at + 1) } });
        await document.put({ TableName: "source", Item: { h: `new-${at}`, n: "later" } });
      }
    })(),
  ]);
  await drain();
  const { BackupDescription } = await dynamodb.describeBackup({ BackupArn });
  expect(BackupDescription?.BackupDetails?.BackupStatus).toBe("AVAILABLE");
  expect(BackupDescription?.SourceTableDetails).toMatchObject({
    TableName: "source",
    ItemCount: 260,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
  });
  expect(BackupDescription?.SourceTableFeatureDetails?.GlobalSecondaryIndexes?.[0]?.IndexName).toBe("gsi");
  await dynamodb.deleteTable({ TableName: "source" });
  await drain();
  const { TableDescription } = await dynamodb.restoreTableFromBackup({ TargetTableName: "restored", BackupArn });
  expect(TableDescription).toMatchObject({
    TableStatus: "CREATING",
    RestoreSummary: { SourceBackupArn: BackupArn, RestoreInProgress: true },
  });
  await drain();
  const { Items = [] } = await document.scan({ TableName: "restored" });
  expect(Items.map(({ n }) => Number(n)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 260 }, (_, at) => at));
  expect((await document.scan({ TableName: "restored", IndexName: "gsi", Select: "COUNT" })).Count).toBe(260);
  const { BackupDescription: deleted } = await dynamodb.deleteBackup({ BackupArn });
  expect(deleted?.BackupDetails?.BackupStatus).toBe("DELETED");
  await expect(dynamodb.describeBackup({ BackupArn })).rejects.toMatchObject({
    name: "BackupNotFoundException",
    message: `Backup not found: ${BackupArn}`,
  });
});

test("what restoring is told otherwise, the table has otherwise", async () => {
  await createTable("overridden");
  const { BackupDetails } = await dynamodb.createBackup({ TableName: "overridden", BackupName: "any" });
  await drain();
  const restore = (more: object) =>
    dynamodb.restoreTableFromBackup({
      TargetTableName: "overriding",
      BackupArn: BackupDetails?.BackupArn,
      ...more,
    });
  const ProvisionedThroughputOverride = { ReadCapacityUnits: 2, WriteCapacityUnits: 3 };
  const provisioned = { BillingModeOverride: "PROVISIONED", ProvisionedThroughputOverride };
  await expect(restore({ BillingModeOverride: "PROVISIONED" })).rejects.toThrow(
    "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
  );
  await expect(restore(provisioned)).rejects.toThrow("ProvisionedThroughput must be specified for index: gsi");
  await expect(restore({ GlobalSecondaryIndexOverride: [{ IndexName: "other" }] })).rejects.toThrow();
  await expect(restore({ SSESpecificationOverride: { Enabled: true } })).rejects.toThrow("SSESpecificationOverride");
  const { TableDescription } = await restore({ ...provisioned, GlobalSecondaryIndexOverride: [] });
  expect(TableDescription).toMatchObject({
    ProvisionedThroughput: ProvisionedThroughputOverride,
    AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" }],
  });
  expect(TableDescription?.GlobalSecondaryIndexes).toBeUndefined();
  await drain();
});

test("a table with point-in-time recovery leaves a backup of the system for 35 days when it is deleted", async () => {
  await createTable("left");
  await dynamodb.updateContinuousBackups({
    TableName: "left",
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  await fill("left", 30);
  const deletedAt = clock.now();
  await dynamodb.deleteTable({ TableName: "left" });
  await drain();
  expect((await dynamodb.listBackups({ TableName: "left" })).BackupSummaries).toEqual([]);
  const list = { TableName: "left", BackupType: "SYSTEM" as const };
  const [backup] = (await dynamodb.listBackups(list)).BackupSummaries ?? [];
  expect(backup).toMatchObject({
    BackupName: "left$DeletedTableBackup",
    BackupType: "SYSTEM",
    BackupStatus: "AVAILABLE",
    BackupExpiryDateTime: new Date(deletedAt + 35 * 86_400_000),
  });
  await dynamodb.restoreTableFromBackup({ TargetTableName: "again", BackupArn: backup?.BackupArn });
  await drain();
  expect((await document.scan({ TableName: "again", Select: "COUNT" })).Count).toBe(30);
});

/** Through all pages. */
async function listedNames(more: object): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  let ExclusiveStartBackupArn: string | undefined;
  do {
    const page = await dynamodb.listBackups({ TableName: "listed", ExclusiveStartBackupArn, ...more });
    found.push(...(page.BackupSummaries ?? []).map(({ BackupName }) => BackupName));
    ExclusiveStartBackupArn = page.LastEvaluatedBackupArn;
  } while (ExclusiveStartBackupArn);
  return found;
}

test("ListBackups goes through them by their time, in pages, by table and type", async () => {
  await createTable("listed");
  const made: Date[] = [];
  for (const BackupName of ["one", "two", "three"]) {
    clock.advance(2_000);
    made.push(new Date(clock.now()));
    await dynamodb.createBackup({ TableName: "listed", BackupName });
  }
  await drain();
  expect(await listedNames({})).toEqual(["one", "two", "three"]);
  expect(await listedNames({ Limit: 1 })).toEqual(["one", "two", "three"]);
  expect(await listedNames({ BackupType: "SYSTEM" })).toEqual([]);
  const at = (index: number, offset: number) => new Date((made[index]?.getTime() ?? 0) + offset);
  expect(await listedNames({ TimeRangeLowerBound: at(1, -500), TimeRangeUpperBound: at(2, -500) })).toEqual(["two"]);
});

test.each([
  ["CreateBackup", "TableNotFoundException", () => dynamodb.createBackup({ TableName: "none", BackupName: "any" })],
  ["DescribeBackup", "BackupNotFoundException", () => dynamodb.describeBackup({ BackupArn: someArn })],
  ["DeleteBackup", "BackupNotFoundException", () => dynamodb.deleteBackup({ BackupArn: someArn })],
  [
    "RestoreTableFromBackup",
    "BackupNotFoundException",
    () => dynamodb.restoreTableFromBackup({ TargetTableName: "any", BackupArn: someArn }),
  ],
  [
    "DescribeBackup",
    "ValidationException",
    () => dynamodb.describeBackup({ BackupArn: "arn:aws:dynamodb:us-east-1:000000000000:table/none" }),
  ],
  ["CreateBackup", "ValidationException", () => dynamodb.createBackup({ TableName: "none", BackupName: "a b" })],
])("%s answers %s", async (_operation, name, send) => {
  await expect(send()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
});

test("while a backup is made its table stays, and while a table is restored from it the backup", async () => {
  await createTable("busy");
  await fill("busy", 3);
  const { BackupDetails } = await dynamodb.createBackup({ TableName: "busy", BackupName: "any" });
  const BackupArn = BackupDetails?.BackupArn;
  await expect(dynamodb.deleteTable({ TableName: "busy" })).rejects.toMatchObject({ name: "ResourceInUseException" });
  await expect(dynamodb.deleteBackup({ BackupArn })).rejects.toMatchObject({ name: "BackupInUseException" });
  await expect(dynamodb.restoreTableFromBackup({ TargetTableName: "early", BackupArn })).rejects.toMatchObject({
    name: "BackupInUseException",
  });
  await drain();
  await expect(dynamodb.restoreTableFromBackup({ TargetTableName: "busy", BackupArn })).rejects.toMatchObject({
    name: "TableAlreadyExistsException",
    message: "Table already exists: busy",
  });
  await dynamodb.restoreTableFromBackup({ TargetTableName: "restoring", BackupArn });
  await expect(dynamodb.deleteBackup({ BackupArn })).rejects.toMatchObject({ name: "BackupInUseException" });
  await expect(dynamodb.createBackup({ TableName: "restoring", BackupName: "any" })).rejects.toMatchObject({
    name: "TableInUseException",
  });
  await drain();
  await dynamodb.deleteBackup({ BackupArn });
  await dynamodb.deleteTable({ TableName: "busy" });
});
