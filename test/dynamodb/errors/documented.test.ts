import { DynamoDB, type AttributeValue } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collectionKey, readTable } from "../../../src/services/dynamodb/model.ts";
import { partitionOf } from "../../../src/services/dynamodb/values/key-encoding.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { createModels } from "../../../src/wire/tables/catalog.ts";
import { errorCases, largeKeys, type Places } from "./cases.ts";
import { neverAnswered } from "./never.ts";

let platform: TestPlatform;
let dynamodb: DynamoDB;
let places: Places;
// Time stands still: nothing that is saved grows, and no job begins that is due later.
const clock = createFakeClock(Date.now());

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  dynamodb = new DynamoDB(platform.settings);
  places = await prepare();
}, 60_000);
afterAll(() => platform.stop());

const hash = {
  AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" as const }],
  KeySchema: [{ AttributeName: "h", KeyType: "HASH" as const }],
};
const onDemand = { ...hash, BillingMode: "PAY_PER_REQUEST" as const };

/** Uses up what a table has saved. */
async function exhaust(TableName: string): Promise<void> {
  const Item: Record<string, AttributeValue> = { h: { S: "a" }, pad: { S: "x".repeat(390_000) } };
  await dynamodb.putItem({ TableName, Item });
  for (let reads = 0; reads < 4; reads += 1) {
    await dynamodb.getItem({ TableName, Key: { h: { S: "a" } }, ConsistentRead: true });
  }
}

async function prepare(): Promise<Places> {
  const drain = async () => {
    clock.advance(1);
    await platform.platform.jobs.drain();
  };
  const { TableDescription } = await dynamodb.createTable({ TableName: "there", ...onDemand });
  await dynamodb.putItem({ TableName: "there", Item: { h: { S: "a" }, n: { N: "1" } } });
  const filler = { S: "x".repeat(390_000) };
  await Promise.all(largeKeys.map((key) => dynamodb.putItem({ TableName: "there", Item: { ...key, filler } })));
  await dynamodb.createTable({
    TableName: "slow",
    ...hash,
    ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
  });
  await exhaust("slow");
  const OnDemandThroughput = { MaxReadRequestUnits: 1, MaxWriteRequestUnits: 1 };
  await dynamodb.createTable({ TableName: "capped", ...onDemand, OnDemandThroughput });
  await exhaust("capped");
  await dynamodb.createTable({
    TableName: "collections",
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: ["h", "r", "l"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: [
      { AttributeName: "h", KeyType: "HASH" },
      { AttributeName: "r", KeyType: "RANGE" },
    ],
    LocalSecondaryIndexes: [
      {
        IndexName: "local",
        KeySchema: [
          { AttributeName: "h", KeyType: "HASH" },
          { AttributeName: "l", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
    ],
  });
  const account = TableDescription?.TableArn?.split(":")[4] ?? "";
  const place = { account, region: "us-east-1" };
  await dynamodb.putItem({ TableName: "collections", Item: { h: { S: "full" }, r: { S: "a" } } });
  await platform.platform.store.transact(async (tx) => {
    const table = await readTable(tx, place, "collections");
    tx.set(collectionKey(table?.storeId ?? "", partitionOf([{ S: "full" }])), 10 * 1024 ** 3);
  });
  await dynamodb.updateContinuousBackups({
    TableName: "there",
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  const made = await dynamodb.createBackup({ TableName: "there", BackupName: "made" });
  await drain();
  const BackupArn = made.BackupDetails?.BackupArn ?? "";
  // From here on the clock stands: these are begun, and never done.
  await dynamodb.restoreTableFromBackup({ TargetTableName: "being-made", BackupArn });
  const begun = await dynamodb.createBackup({ TableName: "collections", BackupName: "begun" });
  await dynamodb.exportTableToPointInTime({
    TableArn: TableDescription?.TableArn,
    S3Bucket: "some-bucket",
    ClientToken: "exported",
  });
  await dynamodb.importTable({
    S3BucketSource: { S3Bucket: "some-bucket" },
    InputFormat: "CSV",
    TableCreationParameters: { TableName: "imported", ...onDemand },
    ClientToken: "imported",
  });
  await dynamodb.transactWriteItems({
    ClientRequestToken: "written",
    TransactItems: [{ Put: { TableName: "there", Item: { h: { S: "t" } } } }],
  });
  await dynamodb.executeTransaction({
    ClientRequestToken: "stated",
    TransactStatements: [{ Statement: `INSERT INTO "there" VALUE {'h': 'stated'}` }],
  });
  return {
    dynamodb,
    arn: (rest) => `arn:aws:dynamodb:us-east-1:${account}:${rest}`,
    now: clock.now(),
    restoring: BackupArn,
    creating: begun.BackupDetails?.BackupArn ?? "",
  };
}

describe("every documented error of an operation", () => {
  test.each(
    Object.entries(errorCases).flatMap(([operation, errors]) =>
      Object.keys(errors).map((error) => [operation, error] as const),
    ),
  )("%s answers %s", async (operation, error) => {
    const found = errorCases[operation]?.[error];
    const answer = await found?.send(places).then(
      () => "it succeeded",
      (problem: { name: string; message: string; $metadata: { httpStatusCode: number } }) => ({
        code: problem.name,
        status: problem.$metadata.httpStatusCode,
        message: problem.message,
      }),
    );
    expect(answer).toEqual({ code: error, status: 400, message: found?.message(places) });
  });

  test("has a case, or a reason why it is never answered", async () => {
    const { model } = await createModels().load("dynamodb");
    const built = platform.platform.services.get("dynamodb")?.operations ?? {};
    const missing: string[] = [];
    const idle: string[] = [];
    for (const name of Object.keys(built)) {
      for (const error of model.operations.get(name)?.errors ?? []) {
        const isCase = errorCases[name]?.[error] !== undefined;
        const isNever = neverAnswered[error] !== undefined || neverAnswered[`${name} ${error}`] !== undefined;
        if (!isCase && !isNever) missing.push(`${name} ${error}`);
        if (isCase && neverAnswered[`${name} ${error}`] !== undefined) idle.push(`${name} ${error}`);
      }
    }
    expect({ missing, idle }).toEqual({ missing: [], idle: [] });
  });
});
