import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { S3 } from "@aws-sdk/client-s3";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { account, startAccessTest, type AccessTest } from "../../../testing/access.ts";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let dynamodb: DynamoDB;
let document: DynamoDBDocument;
let s3: S3;
const clock = createFakeClock(Date.now());
const Bucket = "transfers";
const hash = {
  AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" as const }],
  KeySchema: [{ AttributeName: "h", KeyType: "HASH" as const }],
  BillingMode: "PAY_PER_REQUEST" as const,
};

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  dynamodb = new DynamoDB(platform.settings);
  keepTime(dynamodb);
  document = DynamoDBDocument.from(dynamodb);
  s3 = new S3({ ...platform.settings, forcePathStyle: true });
  s3.middlewareStack.add(
    (next) => (args) => {
      s3.config.systemClockOffset = clock.now() - Date.now();
      return next(args);
    },
    { step: "initialize" },
  );
  await s3.createBucket({ Bucket });
});
afterAll(() => platform.stop());

/** Signed with the platform's time, which the clients would take from answers' real ones. */
function keepTime(client: DynamoDB): void {
  client.middlewareStack.add(
    (next) => (args) => {
      client.config.systemClockOffset = clock.now() - Date.now();
      return next(args);
    },
    { step: "initialize" },
  );
}

const drain = () => {
  clock.advance(1);
  return platform.platform.jobs.drain();
};

async function createTable(TableName: string): Promise<string> {
  const { TableDescription } = await dynamodb.createTable({ TableName, ...hash });
  await dynamodb.updateContinuousBackups({
    TableName,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  return TableDescription?.TableArn ?? "";
}

async function read(Key: string): Promise<Buffer> {
  const { Body } = await s3.getObject({ Bucket, Key });
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function readJson(Key: string): Promise<Record<string, unknown>> {
  return JSON.parse(String(await read(Key))) as Record<string, unknown>;
}

/** Lines of an export's data, by its manifests. */
async function linesOf(ExportManifest = ""): Promise<Record<string, unknown>[]> {
  const summary = await readJson(ExportManifest);
  const files = String(await read(String(summary["manifestFilesS3Key"])))
    .trimEnd()
    .split("\n");
  const lines: Record<string, unknown>[] = [];
  for (const file of files) {
    const { dataFileS3Key, itemCount } = JSON.parse(file) as { dataFileS3Key: string; itemCount: number };
    const text = String(gunzipSync(await read(dataFileS3Key)));
    const found = text.split("\n").filter(Boolean);
    expect(found).toHaveLength(itemCount);
    lines.push(...found.map((line) => JSON.parse(line) as Record<string, unknown>));
  }
  return lines;
}

describe("exports", () => {
  test("a full export has the table as it was at the moment, and its manifests", async () => {
    const TableArn = await createTable("full");
    for (let from = 0; from < 425; from += 25) {
      const Items = Array.from({ length: 25 }, (_, at) => ({
        PutRequest: { Item: { h: `${from + at}`, n: from + at } },
      }));
      await document.batchWrite({ RequestItems: { full: Items } });
    }
    clock.advance(5_000);
    const ExportTime = new Date(clock.now() - 1_000);
    for (let at = 0; at < 425; at += 9) {
      await document.delete({ TableName: "full", Key: { h: `${at}` } });
      await document.put({ TableName: "full", Item: { h: `${at + 1}`, n: "later" } });
      await document.put({ TableName: "full", Item: { h: `new-${at}`, n: "later" } });
    }
    const asked = { TableArn, S3Bucket: Bucket, S3Prefix: "some/where", ExportTime, ClientToken: "once" };
    const { ExportDescription } = await dynamodb.exportTableToPointInTime(asked);
    expect(ExportDescription).toMatchObject({ ExportStatus: "IN_PROGRESS", ExportFormat: "DYNAMODB_JSON", TableArn });
    expect((await dynamodb.exportTableToPointInTime(asked)).ExportDescription?.ExportArn).toBe(
      ExportDescription?.ExportArn,
    );
    await expect(dynamodb.exportTableToPointInTime({ ...asked, S3Prefix: "else" })).rejects.toMatchObject({
      name: "ExportConflictException",
    });
    await drain();
    const { ExportDescription: done } = await dynamodb.describeExport({ ExportArn: ExportDescription?.ExportArn });
    expect(done).toMatchObject({ ExportStatus: "COMPLETED", ItemCount: 425, ExportType: "FULL_EXPORT" });
    const id = done?.ExportArn?.split("/").at(-1);
    expect(done?.ExportManifest).toBe(`some/where/AWSDynamoDB/${id}/manifest-summary.json`);
    expect(await readJson(done?.ExportManifest ?? "")).toMatchObject({
      version: "2020-06-30",
      exportArn: done?.ExportArn,
      tableArn: TableArn,
      s3Bucket: Bucket,
      s3Prefix: "some/where",
      itemCount: 425,
      outputFormat: "DYNAMODB_JSON",
    });
    const lines = await linesOf(done?.ExportManifest);
    const numbers = lines.map((line) => Number((line["Item"] as { n: { N: string } }).n.N));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 425 }, (_, at) => at));
  });

  test("an incremental export has what changed, once for each item", async () => {
    const TableArn = await createTable("changes");
    await document.put({ TableName: "changes", Item: { h: "kept", n: 1 } });
    await document.put({ TableName: "changes", Item: { h: "changed", n: 1 } });
    await document.put({ TableName: "changes", Item: { h: "deleted", n: 1 } });
    clock.advance(1_000);
    const from = clock.now();
    clock.advance(1_000);
    await document.put({ TableName: "changes", Item: { h: "changed", n: 2 } });
    clock.advance(1_000);
    const last = clock.now();
    await document.put({ TableName: "changes", Item: { h: "changed", n: 3 } });
    await document.delete({ TableName: "changes", Key: { h: "deleted" } });
    await document.put({ TableName: "changes", Item: { h: "made", n: 1 } });
    await document.put({ TableName: "changes", Item: { h: "passing", n: 1 } });
    await document.delete({ TableName: "changes", Key: { h: "passing" } });
    clock.advance(15 * 60_000);
    const to = clock.now();
    clock.advance(1_000);
    await document.put({ TableName: "changes", Item: { h: "changed", n: 4 } });
    const send = (more: object) =>
      dynamodb.exportTableToPointInTime({
        TableArn,
        S3Bucket: Bucket,
        ExportType: "INCREMENTAL_EXPORT",
        IncrementalExportSpecification: { ExportFromTime: new Date(from), ExportToTime: new Date(to), ...more },
      });
    const { ExportDescription } = await send({});
    await drain();
    const { ExportDescription: done } = await dynamodb.describeExport({ ExportArn: ExportDescription?.ExportArn });
    const lines = await linesOf(done?.ExportManifest);
    expect(lines.toSorted((a, b) => (JSON.stringify(a["Keys"]) < JSON.stringify(b["Keys"]) ? -1 : 1))).toEqual([
      {
        Metadata: { WriteTimestampMicros: { N: `${last * 1000}` } },
        Keys: { h: { S: "changed" } },
        NewImage: { h: { S: "changed" }, n: { N: "3" } },
        OldImage: { h: { S: "changed" }, n: { N: "1" } },
      },
      {
        Metadata: { WriteTimestampMicros: { N: `${last * 1000}` } },
        Keys: { h: { S: "deleted" } },
        OldImage: { h: { S: "deleted" }, n: { N: "1" } },
      },
      {
        Metadata: { WriteTimestampMicros: { N: `${last * 1000}` } },
        Keys: { h: { S: "made" } },
        NewImage: { h: { S: "made" }, n: { N: "1" } },
      },
    ]);
    await expect(send({ ExportToTime: new Date(from + 60_000) })).rejects.toMatchObject({
      name: "ValidationException",
    });
    const { ExportSummaries } = await dynamodb.listExports({ TableArn });
    expect(ExportSummaries).toEqual([
      { ExportArn: done?.ExportArn, ExportStatus: "COMPLETED", ExportType: "INCREMENTAL_EXPORT" },
    ]);
  });

  test("what cannot be exported is refused", async () => {
    const TableArn = await createTable("refused");
    const arn = (name: string) => TableArn.replace("refused", name);
    await dynamodb.createTable({ TableName: "unprotected", ...hash });
    const to = (more: object) => dynamodb.exportTableToPointInTime({ TableArn, S3Bucket: Bucket, ...more });
    for (const [name, more] of [
      ["TableNotFoundException", { TableArn: arn("nowhere") }],
      ["PointInTimeRecoveryUnavailableException", { TableArn: arn("unprotected") }],
      ["InvalidExportTimeException", { ExportTime: new Date(clock.now() - 60_000) }],
      ["InvalidExportTimeException", { ExportTime: new Date(clock.now() + 60_000) }],
      ["NotImplemented", { ExportFormat: "ION" }],
      ["NotImplemented", { S3SseAlgorithm: "KMS" }],
      ["ValidationException", { ExportType: "INCREMENTAL_EXPORT" }],
    ] as const) {
      await expect(to(more)).rejects.toMatchObject({ name });
    }
    const ExportArn = `${arn("nowhere")}/export/01489602797149-73d8d5bc`;
    await expect(dynamodb.describeExport({ ExportArn })).rejects.toMatchObject({
      name: "ExportNotFoundException",
      message: `Export not found: ${ExportArn}`,
    });
    const { ExportDescription } = await to({ S3Bucket: "no-such-bucket" });
    await drain();
    const { ExportDescription: failed } = await dynamodb.describeExport({ ExportArn: ExportDescription?.ExportArn });
    expect(failed).toMatchObject({ ExportStatus: "FAILED", FailureCode: "S3NoSuchBucket" });
  });
});

function start(TableName: string, more: object) {
  return dynamodb.importTable({
    S3BucketSource: { S3Bucket: Bucket, S3KeyPrefix: `${TableName}/` },
    InputFormat: "DYNAMODB_JSON",
    TableCreationParameters: { TableName, ...hash },
    ...more,
  });
}

async function finish(ImportArn: string | undefined) {
  await drain();
  return (await dynamodb.describeImport({ ImportArn })).ImportTableDescription;
}

async function scan(TableName: string) {
  return (await document.scan({ TableName })).Items ?? [];
}

function line(item: object): string {
  return JSON.stringify({ Item: item });
}

describe("imports", () => {
  test("DynamoDB JSON makes a table; what is wrong is counted and told in a log", async () => {
    const good = Array.from({ length: 230 }, (_, at) => line({ h: { S: `${at}` }, n: { N: `${at}` } }));
    const bad = ["{", line({ n: { N: "1" } }), line({ h: { N: "1" } }), line({ h: { S: "x" }, n: { N: "one" } })];
    const put = (Key: string, Body: Uint8Array) => s3.putObject({ Bucket, Key, Body });
    await put("json/1.json.gz", gzipSync(`${[...good.slice(0, 120), ...bad].join("\n")}\n`));
    await put("json/2.json.gz", gzipSync(good.slice(120).join("\n")));
    const { ImportTableDescription: begun } = await start("json", { InputCompressionType: "GZIP" });
    expect(begun).toMatchObject({ ImportStatus: "IN_PROGRESS", InputCompressionType: "GZIP", ProcessedItemCount: 0 });
    expect((await dynamodb.describeTable({ TableName: "json" })).Table?.TableStatus).toBe("CREATING");
    expect(await finish(begun?.ImportArn)).toMatchObject({
      ImportStatus: "COMPLETED",
      ProcessedItemCount: 234,
      ImportedItemCount: 230,
      ErrorCount: 4,
    });
    expect(await scan("json")).toHaveLength(230);
    expect((await dynamodb.describeTable({ TableName: "json" })).Table).toMatchObject({
      TableStatus: "ACTIVE",
      ItemCount: 230,
    });
    const logs = new CloudWatchLogs({ ...platform.settings, systemClockOffset: clock.now() - Date.now() });
    const { events = [] } = await logs.filterLogEvents({ logGroupName: "/aws-dynamodb/imports" });
    expect(events.map(({ message = "" }) => JSON.parse(message) as unknown)).toContainEqual({
      itemS3Pointer: { bucket: Bucket, key: "json/1.json.gz", itemIndex: 121 },
      importArn: begun?.ImportArn,
      errorMessages: ["One or more parameter values were invalid: Missing the key h in the item"],
    });
    expect((await dynamodb.listImports({})).ImportSummaryList?.[0]?.ImportArn).toBe(begun?.ImportArn);
  });

  test("comma-separated values have their first line's names; keys have their types, all else are strings", async () => {
    const Body = zstdCompressSync(
      'h,g,text\r\na,1,"with ""quotes"", and\na break"\nb,2,"plain"\nc,x,not a number\nd,3\n',
    );
    await s3.putObject({ Bucket, Key: "csv/1.csv.zst", Body });
    const { ImportTableDescription: begun } = await start("csv", {
      InputFormat: "CSV",
      InputCompressionType: "ZSTD",
      TableCreationParameters: {
        TableName: "csv",
        ...hash,
        AttributeDefinitions: [...hash.AttributeDefinitions, { AttributeName: "g", AttributeType: "N" }],
        GlobalSecondaryIndexes: [
          {
            IndexName: "gsi",
            KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
            Projection: { ProjectionType: "ALL" },
          },
        ],
      },
    });
    expect(await finish(begun?.ImportArn)).toMatchObject({ ImportedItemCount: 2, ErrorCount: 2 });
    expect((await scan("csv")).toSorted((a, b) => Number(a["g"]) - Number(b["g"]))).toEqual([
      { h: "a", g: 1, text: 'with "quotes", and\na break' },
      { h: "b", g: 2, text: "plain" },
    ]);
    expect((await document.scan({ TableName: "csv", IndexName: "gsi", Select: "COUNT" })).Count).toBe(2);
  });

  test("a header may be given, and another delimiter", async () => {
    await s3.putObject({ Bucket, Key: "headed/1", Body: "a;1\nb;2" });
    const { ImportTableDescription: begun } = await start("headed", {
      InputFormat: "CSV",
      InputFormatOptions: { Csv: { Delimiter: ";", HeaderList: ["h", "n"] } },
    });
    expect(await finish(begun?.ImportArn)).toMatchObject({ ImportedItemCount: 2, ErrorCount: 0 });
    expect(await scan("headed")).toContainEqual({ h: "b", n: "2" });
  });

  test("an export is imported as it is", async () => {
    const TableArn = await createTable("origin");
    await document.put({
      TableName: "origin",
      Item: { h: "a", list: [1, { b: new Uint8Array([1]) }], s: new Set(["x"]) },
    });
    clock.advance(1_000);
    const { ExportDescription } = await dynamodb.exportTableToPointInTime({ TableArn, S3Bucket: Bucket });
    await drain();
    const id = ExportDescription?.ExportArn?.split("/").at(-1);
    const { ImportTableDescription: begun } = await start("copy", {
      S3BucketSource: { S3Bucket: Bucket, S3KeyPrefix: `AWSDynamoDB/${id}/data/` },
      InputCompressionType: "GZIP",
    });
    expect(await finish(begun?.ImportArn)).toMatchObject({ ImportedItemCount: 1, ErrorCount: 0 });
    expect(await scan("copy")).toEqual(await scan("origin"));
  });

  test("what cannot be imported is refused, or fails and leaves no table", async () => {
    await dynamodb.createTable({ TableName: "taken", ...hash });
    await expect(start("taken", {})).rejects.toMatchObject({ name: "ResourceInUseException" });
    await expect(start("ion", { InputFormat: "ION" })).rejects.toThrow("InputFormat ION is not implemented");
    await expect(
      start("keys", { TableCreationParameters: { TableName: "keys", ...hash, KeySchema: [] } }),
    ).rejects.toThrow();
    const ImportArn = `arn:aws:dynamodb:us-east-1:${account}:table/none/import/01489602797149-73d8d5bc`;
    await expect(dynamodb.describeImport({ ImportArn })).rejects.toMatchObject({ name: "ImportNotFoundException" });
    const once = { ClientToken: "t", S3BucketSource: { S3Bucket: "no-such-bucket" } };
    const { ImportTableDescription: begun } = await start("lost", once);
    await expect(start("lost", { ...once, InputCompressionType: "GZIP" })).rejects.toMatchObject({
      name: "ImportConflictException",
    });
    expect(await finish(begun?.ImportArn)).toMatchObject({ ImportStatus: "FAILED", FailureCode: "S3NoSuchBucket" });
    await expect(dynamodb.describeTable({ TableName: "lost" })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

describe("permissions to the bucket are the caller's", () => {
  let access: AccessTest;
  beforeAll(async () => {
    access = await startAccessTest();
  });
  afterAll(() => access.stop());

  test("a user who may export, and not write the bucket, gets an export that failed", async () => {
    const root = new DynamoDB(access.platform.settings);
    const bucket = new S3({ ...access.platform.settings, forcePathStyle: true });
    await bucket.createBucket({ Bucket });
    await root.createTable({ TableName: "own", ...hash });
    await root.updateContinuousBackups({
      TableName: "own",
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    const Statement = [{ Effect: "Allow", Action: "dynamodb:*Export*", Resource: "*" }];
    const keys = await access.createUser("exporter", JSON.stringify({ Version: "2012-10-17", Statement }));
    const user = new DynamoDB({ ...access.platform.settings, credentials: keys });
    const TableArn = `arn:aws:dynamodb:us-east-1:${account}:table/own`;
    const { ExportDescription } = await user.exportTableToPointInTime({ TableArn, S3Bucket: Bucket });
    await expect
      .poll(async () => (await user.describeExport({ ExportArn: ExportDescription?.ExportArn })).ExportDescription, {
        timeout: 20_000,
      })
      .toMatchObject({ ExportStatus: "FAILED", FailureCode: "S3AccessDenied" });
  });
});
