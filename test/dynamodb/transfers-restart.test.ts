import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { S3 } from "@aws-sdk/client-s3";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientSettings, type ClientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const Bucket = "transfers";
const count = 1_500;
const key = {
  AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" as const }],
  KeySchema: [{ AttributeName: "h", KeyType: "HASH" as const }],
  BillingMode: "PAY_PER_REQUEST" as const,
};
const numbers = Array.from({ length: count }, (_, at) => at);

let server: TestServer;
let settings: ClientSettings;
let dynamodb: DynamoDB;
let s3: S3;

beforeAll(async () => {
  server = await startTestServer();
  settings = clientSettings(server.environment);
  dynamodb = new DynamoDB(settings);
  s3 = new S3({ ...settings, forcePathStyle: true });
  await s3.createBucket({ Bucket });
  await dynamodb.createTable({ TableName: "source", ...key });
  await dynamodb.updateContinuousBackups({
    TableName: "source",
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  const document = DynamoDBDocument.from(dynamodb);
  for (let from = 0; from < count; from += 25) {
    const requests = numbers.slice(from, from + 25).map((n) => ({ PutRequest: { Item: { h: `${n}`, n } } }));
    await document.batchWrite({ RequestItems: { source: requests } });
  }
});
afterAll(() => server.stop());

/** Asks again until it is done; the server is killed and started meanwhile. */
async function finish<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && isDone(answer)) return answer;
    await delay(50);
  }
}

test("a backup, an export and an import that are under way when the server is killed come to their exact end", async () => {
  const lines = numbers.map((n) => `${n},${n}\n`).join("");
  await s3.putObject({ Bucket, Key: "csv/1", Body: `h,n\n${lines}x,"unquoted" quotes\n` });
  const TableArn = (await dynamodb.describeTable({ TableName: "source" })).Table?.TableArn;
  const { BackupDetails } = await dynamodb.createBackup({ TableName: "source", BackupName: "kept" });
  const { ExportDescription } = await dynamodb.exportTableToPointInTime({ TableArn, S3Bucket: Bucket });
  const { ImportTableDescription } = await dynamodb.importTable({
    S3BucketSource: { S3Bucket: Bucket, S3KeyPrefix: "csv/" },
    InputFormat: "CSV",
    TableCreationParameters: { TableName: "imported", ...key },
  });
  for (let kills = 0; kills < 2; kills += 1) {
    await delay(Math.random() * 60);
    await server.killAndRestart();
  }

  const ImportArn = ImportTableDescription?.ImportArn;
  const imported = await finish(
    () => dynamodb.describeImport({ ImportArn }),
    (answer) => answer.ImportTableDescription?.ImportStatus !== "IN_PROGRESS",
  );
  expect(imported.ImportTableDescription).toMatchObject({
    ImportStatus: "COMPLETED",
    ProcessedItemCount: count + 1,
    ImportedItemCount: count,
    ErrorCount: 1,
  });
  expect((await dynamodb.scan({ TableName: "imported", Select: "COUNT" })).Count).toBe(count);

  const ExportArn = ExportDescription?.ExportArn;
  const exported = await finish(
    () => dynamodb.describeExport({ ExportArn }),
    (answer) => answer.ExportDescription?.ExportStatus !== "IN_PROGRESS",
  );
  expect(exported.ExportDescription).toMatchObject({ ExportStatus: "COMPLETED", ItemCount: count });
  const { Contents = [] } = await s3.listObjectsV2({ Bucket, Prefix: "AWSDynamoDB/" });
  const data = Contents.filter(({ Key }) => Key?.endsWith(".json.gz"));
  let found = 0;
  for (const { Key } of data) {
    const { Body } = await s3.getObject({ Bucket, Key });
    found += String(gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array(0)))
      .trimEnd()
      .split("\n").length;
  }
  // No file twice, by whatever name.
  expect(found).toBe(count);

  const BackupArn = BackupDetails?.BackupArn;
  const backup = await finish(
    () => dynamodb.describeBackup({ BackupArn }),
    (answer) => answer.BackupDescription?.BackupDetails?.BackupStatus === "AVAILABLE",
  );
  expect(backup.BackupDescription?.SourceTableDetails?.ItemCount).toBe(count);
  await dynamodb.restoreTableFromBackup({ TargetTableName: "restored", BackupArn });
  await server.killAndRestart();
  await finish(
    () => dynamodb.describeTable({ TableName: "restored" }),
    ({ Table }) => Table?.TableStatus === "ACTIVE",
  );
  expect((await dynamodb.scan({ TableName: "restored", Select: "COUNT" })).Count).toBe(count);
}, 120_000);
