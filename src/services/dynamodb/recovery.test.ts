import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DynamoDBClient,
  RestoreTableToPointInTimeCommand,
  UpdateContinuousBackupsCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: DynamoDBClient;
let document: DynamoDBDocument;
const clock = createFakeClock(Date.now());
const hourMs = 3_600_000;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  client = new DynamoDBClient(platform.settings);
  // The client signs with the platform's time, whatever it reads from answers.
  client.middlewareStack.add(
    (next) => (input) => {
      client.config.systemClockOffset = clock.now() - Date.now();
      return next(input);
    },
    { step: "initialize" },
  );
  document = DynamoDBDocument.from(client);
});
afterAll(() => platform.stop());

const drain = () => platform.platform.jobs.drain();

const passHours = (hours: number) => clock.advance(hours * hourMs);

async function createTable(TableName: string, RecoveryPeriodInDays: number): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
    }),
  );
  await enable(TableName, RecoveryPeriodInDays);
}

const enable = (TableName: string, RecoveryPeriodInDays: number) =>
  client.send(
    new UpdateContinuousBackupsCommand({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays },
    }),
  );

const restore = (SourceTableName: string, TargetTableName: string, at: number) =>
  client.send(
    new RestoreTableToPointInTimeCommand({ SourceTableName, TargetTableName, RestoreDateTime: new Date(at) }),
  );

/** How many entries the store has below a prefix of the slice. */
const kept = async (prefix: string) =>
  (await platform.platform.store.read((reader) => reader.range({ prefix: ["dynamodb", prefix] }, { limit: 1_000 })))
    .length;

const earliest = async (TableName: string) =>
  (
    await client.send(new DescribeContinuousBackupsCommand({ TableName }))
  ).ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.EarliestRestorableDateTime?.getTime();

test("point-in-time recovery keeps as many days as the table asks for", async () => {
  await createTable("short", 1);
  const start = clock.now();
  for (const v of [1, 2, 3]) {
    await document.put({ TableName: "short", Item: { h: "a", v } });
    passHours(10);
  }
  await drain();
  expect([await kept("undo"), await kept("undoAt")]).toEqual([2, 2]);
  expect(Math.abs(((await earliest("short")) ?? 0) - (clock.now() - 24 * hourMs))).toBeLessThan(1_000);
  await expect(restore("short", "before", start + 5 * hourMs)).rejects.toThrow("outside of the point in time recovery");

  await restore("short", "then", start + 12 * hourMs);
  await drain();
  expect((await document.scan({ TableName: "then" })).Items).toEqual([{ h: "a", v: 2 }]);

  // A longer period does not reach back to what is gone.
  await enable("short", 35);
  expect(await earliest("short")).toBeGreaterThanOrEqual(start + 5 * hourMs);
  passHours(100);
  await drain();
  expect([await kept("undo"), await kept("undoAt")]).toEqual([2, 2]);
});

test("a table that is deleted stays for as long as another is restored from it", async () => {
  await createTable("deleted", 35);
  const items = Array.from({ length: 150 }, (_, at) => ({ h: String(at) }));
  for (const Item of items) await document.put({ TableName: "deleted", Item });
  clock.advance(2_000);
  const at = clock.now() - 1_000;
  await document.delete({ TableName: "deleted", Key: { h: "1" } });
  const others = await kept("item");
  const logged = await kept("undo");
  await restore("deleted", "kept", at);
  // Without recovery nothing is left of it but this.
  await client.send(
    new UpdateContinuousBackupsCommand({
      TableName: "deleted",
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
    }),
  );
  await document.delete({ TableName: "deleted", Key: { h: "2" } });
  await client.send(new DeleteTableCommand({ TableName: "deleted" }));
  await drain();
  expect((await document.scan({ TableName: "kept" })).Count).toBe(150);
  clock.advance(60_000);
  await drain();
  expect(await kept("item")).toBe(others - 149 + 150);
  expect(await kept("undo")).toBe(logged - 151);
  expect(await kept("restoring")).toBe(0);
});
