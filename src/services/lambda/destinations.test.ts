import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
  type DestinationConfig,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { policy, refusal, statement } from "../../testing/access.ts";
import { createFunctionRole, zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let s3: S3Client;
let iam: IAMClient;
let logs: CloudWatchLogsClient;
let role: string;
let name = "";
let count = 0;

const arnOf = (functionName: string) => `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;
const failing = "export const handler = async () => { throw new Error('no') }";
const succeeding = "export const handler = async (event) => ({ doubled: event.n * 2 })";
/** Writes the records it is sent into its log. */
const collecting = `
  export const handler = async (record) => console.log("record", JSON.stringify(record));
`;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  lambda = new LambdaClient(platform.settings);
  s3 = new S3Client({ ...platform.settings, forcePathStyle: true });
  iam = new IAMClient(platform.settings);
  logs = new CloudWatchLogsClient(platform.settings);
  role = await createFunctionRole(platform.settings, "delivers");
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: "delivers",
      PolicyName: "deliver",
      PolicyDocument: policy(statement("s3:PutObject"), statement("lambda:InvokeFunction")),
    }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: "failures" }));
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `f${(count += 1)}`;
});

async function create(source: string, functionName = name, executionRole = role) {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: functionName,
      Role: executionRole,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zipOf({ "index.mjs": source }) },
    }),
  );
}

function configure(destinations: DestinationConfig, MaximumRetryAttempts = 0) {
  return lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: name,
      MaximumRetryAttempts,
      DestinationConfig: destinations,
    }),
  );
}

function send(event: object) {
  return lambda.send(
    new InvokeCommand({ FunctionName: name, InvocationType: "Event", Payload: JSON.stringify(event) }),
  );
}

/** What lies in the bucket for this test's function. */
async function failures(): Promise<{ readonly key: string; readonly record: unknown }[]> {
  await platform.platform.jobs.drain();
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: "failures", Prefix: `aws/lambda/async/${name}/` }));
  return Promise.all(
    (listed.Contents ?? []).map(async ({ Key = "" }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: "failures", Key }));
      return { key: Key, record: JSON.parse((await Body?.transformToString()) ?? "") };
    }),
  );
}

test("a failed event's record goes to the bucket, with what it was and what the function answered", async () => {
  await create(failing);
  await configure({ OnFailure: { Destination: "arn:aws:s3:::failures" } });
  const { $metadata } = await send({ n: 7 });
  const [delivered, ...others] = await failures();
  expect(others).toEqual([]);
  expect(delivered?.key).toMatch(
    /^aws\/lambda\/async\/f\d+\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
  );
  expect(delivered?.record).toEqual({
    version: "1.0",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    requestContext: {
      requestId: $metadata.requestId,
      functionArn: `${arnOf(name)}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 1,
    },
    requestPayload: { n: 7 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: { errorType: "Error", errorMessage: "no", trace: expect.any(Array) },
  });
});

test("a successful event's record invokes the other function", async () => {
  const collector = `${name}-collector`;
  await create(collecting, collector);
  await create(succeeding);
  await configure({
    OnSuccess: { Destination: arnOf(collector) },
    OnFailure: { Destination: "arn:aws:s3:::failures" },
  });
  await send({ n: 4 });
  expect(await failures()).toEqual([]);
  const { events } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${collector}`, filterPattern: '"record"' }),
  );
  const [line, ...others] = (events ?? []).map(({ message }) => message ?? "");
  expect(others).toEqual([]);
  expect(JSON.parse(line?.slice(line.indexOf("{")) ?? "")).toMatchObject({
    requestContext: { condition: "Success", approximateInvokeCount: 1 },
    requestPayload: { n: 4 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST" },
    responsePayload: { doubled: 8 },
  });
});

test("an event that waits, and where its record is to go, survive the platform's end", async () => {
  await create(failing);
  await configure({ OnFailure: { Destination: "arn:aws:s3:::failures" } });
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }));
  await send({ n: 1 });
  await platform.platform.jobs.drain();
  await platform.restart();
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: name }));
  await expect.poll(failures, { timeout: 20_000 }).toHaveLength(1);
});

test("UpdateFunctionEventInvokeConfig keeps the destinations it does not name, Put removes them", async () => {
  await create(succeeding);
  const OnFailure = { Destination: "arn:aws:s3:::failures" };
  await configure({ OnFailure });
  await lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 1 }));
  const read = () => lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: name }));
  expect((await read()).DestinationConfig).toEqual({ OnSuccess: {}, OnFailure });
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 1 }));
  expect((await read()).DestinationConfig).toEqual({ OnSuccess: {}, OnFailure: {} });
});

test("a destination that is gone by then loses the record, which DestinationDeliveryFailures counts, and nothing else", async () => {
  const collector = `${name}-collector`;
  await create(collecting, collector);
  await create(failing);
  await configure({ OnFailure: { Destination: arnOf(collector) } });
  await lambda.send(new DeleteFunctionCommand({ FunctionName: collector }));
  await send({});
  await platform.platform.jobs.drain();
  const { Datapoints } = await new CloudWatchClient(platform.settings).send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/Lambda",
      MetricName: "DestinationDeliveryFailures",
      Dimensions: [{ Name: "FunctionName", Value: name }],
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(Date.now() + 60_000),
      Period: 3600,
      Statistics: ["Sum"],
    }),
  );
  expect(Datapoints?.map(({ Sum }) => Sum)).toEqual([1]);
  await expect(send({})).resolves.toMatchObject({ StatusCode: 202 });
});

const refused: readonly (readonly [why: string, config: () => DestinationConfig, code: string, message: RegExp])[] = [
  [
    "a bucket for successes",
    () => ({ OnSuccess: { Destination: "arn:aws:s3:::failures" } }),
    "InvalidParameterValueException",
    /^The destination ARN arn:aws:s3:::failures is invalid\.$/,
  ],
  [
    "the function itself",
    () => ({ OnFailure: { Destination: arnOf(name) } }),
    "InvalidParameterValueException",
    /^You can't specify the function as a destination for itself\.$/,
  ],
  [
    "a function that is not there",
    () => ({ OnFailure: { Destination: arnOf("nobody") } }),
    "InvalidParameterValueException",
    /^The destination ARN \S+ is invalid\.$/,
  ],
  [
    "a table",
    () => ({ OnFailure: { Destination: "arn:aws:dynamodb:us-east-1:000000000000:table/t" } }),
    "InvalidParameterValueException",
    /is invalid\.$/,
  ],
  [
    "a queue, for there is no SQS yet",
    () => ({ OnFailure: { Destination: "arn:aws:sqs:us-east-1:000000000000:q" } }),
    "NotImplemented",
    /sqs/,
  ],
];

test.each(refused)("refuses %s as a destination", async (_why, config, code, message) => {
  await create(succeeding);
  const error = await refusal(configure(config()));
  expect(error).toMatchObject({ name: code });
  expect(error.message).toMatch(message);
});

test("refuses a destination that the execution role may not use", async () => {
  const weak = await createFunctionRole(platform.settings, "weak");
  await create(succeeding, name, weak);
  const error = await refusal(configure({ OnFailure: { Destination: "arn:aws:s3:::failures" } }));
  expect(error).toMatchObject({
    name: "InvalidParameterValueException",
    message: "The provided execution role does not have permissions to call PutObject on S3",
  });
});
