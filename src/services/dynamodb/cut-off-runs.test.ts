import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { S3 } from "@aws-sdk/client-s3";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { account } from "../../testing/access.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { readTable, type TableRecord } from "./model.ts";
import { restoreKind } from "./tables/lifecycle.ts";
import { exportKind } from "./transfer/export-job.ts";
import { readExport, writeExport } from "./transfer/export-record.ts";

/** What is left when a process ends between two transactions of a job: the same job runs again on what the first has written. */

const place = { account, region: "us-east-1" };
const items = ["a", "b", "c"];

let platform: TestPlatform;
let dynamodb: DynamoDB;
let document: DynamoDBDocument;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  dynamodb = new DynamoDB(platform.settings);
  document = DynamoDBDocument.from(dynamodb);
  await dynamodb.createTable({
    TableName: "source",
    AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
  });
  await dynamodb.updateContinuousBackups({
    TableName: "source",
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  for (const h of items) await document.put({ TableName: "source", Item: { h } });
});
afterAll(() => platform.stop());

async function tableOf(name: string): Promise<TableRecord> {
  const found = await platform.platform.store.read((reader) => readTable(reader, place, name));
  if (!found) throw new Error(`There is no ${name}`);
  return found;
}

test("an export whose last file was written before the process ended has each item once", async () => {
  const { store, jobs } = platform.platform;
  const Bucket = "exports";
  const s3 = new S3({ ...platform.settings, forcePathStyle: true });
  await s3.createBucket({ Bucket });
  const { key } = await tableOf("source");
  const { ExportDescription } = await dynamodb.exportTableToPointInTime({
    TableArn: `arn:aws:dynamodb:us-east-1:${account}:table/source`,
    S3Bucket: Bucket,
  });
  const finished = () =>
    vi.waitFor(async () => {
      const answer = await dynamodb.describeExport({ ExportArn: ExportDescription?.ExportArn });
      expect(answer.ExportDescription?.ExportStatus).toBe("COMPLETED");
      return answer.ExportDescription;
    });
  await finished();
  const id = ExportDescription?.ExportArn?.split("/").at(-1) ?? "";
  await store.transact(async (tx) => {
    const record = await readExport(tx, place, id);
    if (!record) throw new Error("There is no export");
    writeExport(tx, place, { ...record, status: "IN_PROGRESS" });
    jobs.schedule(tx, { kind: exportKind, key: [id], at: Date.now(), payload: { ...place, id, key } });
  });
  expect(await finished()).toMatchObject({ ItemCount: items.length });
  const { Contents = [] } = await s3.listObjectsV2({ Bucket });
  expect(Contents.filter(({ Key }) => Key?.endsWith(".json.gz"))).toHaveLength(1);
});

test("a restore that ended when its table was in use already leaves the table's new items alone", async () => {
  const { store, jobs } = platform.platform;
  await dynamodb.restoreTableToPointInTime({
    SourceTableName: "source",
    TargetTableName: "restored",
    UseLatestRestorableTime: true,
  });
  await vi.waitFor(async () => {
    expect((await dynamodb.describeTable({ TableName: "restored" })).Table?.TableStatus).toBe("ACTIVE");
  });
  await document.put({ TableName: "restored", Item: { h: "a", changed: true } });
  const [source, restored] = [await tableOf("source"), await tableOf("restored")];
  await store.transact((tx) => {
    jobs.schedule(tx, {
      kind: restoreKind,
      key: [restored.storeId],
      at: Date.now(),
      payload: {
        ...place,
        name: "restored",
        storeId: restored.storeId,
        sourceStoreId: source.storeId,
        logId: source.recovery?.logId,
        at: Date.now(),
      },
    });
    return Promise.resolve();
  });
  await jobs.drain();
  expect((await document.get({ TableName: "restored", Key: { h: "a" } })).Item).toEqual({ h: "a", changed: true });
});
