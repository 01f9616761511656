import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { DeleteItemCommand, DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  type CreateEventSourceMappingCommandInput,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { IAMClient, DeleteRolePolicyCommand } from "@aws-sdk/client-iam";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import {
  createFedFunction,
  createReadingRole,
  createStreamedTable,
  fedEvents,
  mappingComesTo,
} from "../../../testing/fed-functions.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let dynamodb: DynamoDBClient;
let role: string;
let name = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  dynamodb = new DynamoDBClient(platform.settings);
  role = await createReadingRole(platform.settings);
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `fed${(count += 1)}`;
});

test("changes of items are records as AWS documents them", async () => {
  const EventSourceArn = await createStreamedTable(platform.settings, name);
  await createFedFunction(platform.settings, { name, role });
  const Key = { id: { S: "a" } };
  await dynamodb.send(
    new PutItemCommand({
      TableName: name,
      Item: { ...Key, b: { B: Buffer.from([1, 2, 255]) }, n: { NS: ["1", "2.5"] } },
    }),
  );
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: name,
      Key,
      UpdateExpression: "REMOVE b SET l = :l",
      ExpressionAttributeValues: { ":l": { L: [{ NULL: true }] } },
    }),
  );
  await dynamodb.send(new DeleteItemCommand({ TableName: name, Key }));
  await map({ EventSourceArn });
  const [event] = await fedEvents(platform.settings, name, 1);
  const first = { ...Key, b: { B: "AQL/" }, n: { NS: ["1", "2.5"] } };
  const second = { ...Key, l: { L: [{ NULL: true }] }, n: { NS: ["1", "2.5"] } };
  const record = (eventName: string, images: object) => ({
    eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
    eventName,
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-1",
    dynamodb: {
      ApproximateCreationDateTime: expect.closeTo(Date.now() / 1000, -2),
      Keys: Key,
      ...images,
      SequenceNumber: expect.stringMatching(/^\d{21}$/),
      SizeBytes: expect.any(Number),
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
    eventSourceARN: EventSourceArn,
  });
  expect(event).toEqual({
    Records: [
      record("INSERT", { NewImage: first }),
      record("MODIFY", { OldImage: first, NewImage: second }),
      record("REMOVE", { OldImage: second }),
    ],
  });
});

test("LATEST begins with what is written after the mapping was made; filters choose among that", async () => {
  const EventSourceArn = await createStreamedTable(platform.settings, name);
  await createFedFunction(platform.settings, { name, role });
  await put("before");
  const Pattern = JSON.stringify({ eventName: ["INSERT"], dynamodb: { NewImage: { id: { S: [{ prefix: "yes" }] } } } });
  const { UUID } = await map({
    EventSourceArn,
    StartingPosition: "LATEST",
    BatchSize: 1,
    FilterCriteria: { Filters: [{ Pattern }] },
  });
  for (const id of ["yes1", "no", "yes2", "yes1"]) await put(id);
  const events = await fedEvents(platform.settings, name, 2);
  await mappingSays(UUID, "OK");
  expect(events.map(({ Records: [record] }) => record?.dynamodb.Keys.id.S)).toEqual(["yes1", "yes2"]);
});

test("a batch that is given up is in the bucket, whole, and IteratorAge tells how old it was", async () => {
  const s3 = new S3Client({ ...platform.settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "failures" }));
  const EventSourceArn = await createStreamedTable(platform.settings, name);
  await createFedFunction(platform.settings, { name, role, next: "throw new Error('no')" });
  const { UUID } = await map({
    EventSourceArn,
    MaximumRetryAttempts: 1,
    DestinationConfig: { OnFailure: { Destination: "arn:aws:s3:::failures" } },
  });
  await put("a");
  let Key: string | undefined;
  while (Key === undefined) {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: "failures", Prefix: `aws/lambda/${UUID}/` }));
    Key = listed.Contents?.[0]?.Key;
    await delay(30);
  }
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "failures", Key }));
  const record = JSON.parse((await Body?.transformToString()) ?? "");
  const [event] = await fedEvents(platform.settings, name, 2);
  expect(record).toMatchObject({
    requestContext: { condition: "RetryAttemptsExhausted", approximateInvokeCount: 2 },
    responseContext: { functionError: "Unhandled" },
    DDBStreamBatchInfo: { batchSize: 1, streamArn: EventSourceArn },
    payload: JSON.stringify(event),
  });
  await mappingSays(UUID, "PROBLEM: Function call failed");
  const ages = await new CloudWatchClient(platform.settings).send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/Lambda",
      MetricName: "IteratorAge",
      Dimensions: [{ Name: "FunctionName", Value: name }],
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(Date.now() + 60_000),
      Period: 3600,
      Statistics: ["SampleCount"],
    }),
  );
  expect(ages.Datapoints?.[0]).toMatchObject({ SampleCount: 2, Unit: "Milliseconds" });
});

test("a role that may read no more is told of, and nothing is handed over until it may again", async () => {
  const own = await createReadingRole(platform.settings, "narrow");
  const EventSourceArn = await createStreamedTable(platform.settings, name);
  await createFedFunction(platform.settings, { name, role: own });
  const { UUID } = await map({ EventSourceArn });
  await mappingComesTo(platform.settings, UUID, "Enabled");
  await new IAMClient(platform.settings).send(
    new DeleteRolePolicyCommand({ RoleName: "narrow", PolicyName: "inline" }),
  );
  await delay(1_100);
  await put("a");
  await mappingSays(
    UUID,
    `PROBLEM: Cannot access stream ${EventSourceArn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.`,
  );
});

function map(more: Partial<CreateEventSourceMappingCommandInput>) {
  return lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: name, StartingPosition: "TRIM_HORIZON", ...more }),
  );
}

function put(id: string) {
  return dynamodb.send(new PutItemCommand({ TableName: name, Item: { id: { S: id } } }));
}

async function mappingSays(UUID: string | undefined, result: string): Promise<void> {
  for (;;) {
    const { LastProcessingResult } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
    if (LastProcessingResult === result) return;
    await delay(30);
  }
}
