import { setTimeout as delay } from "node:timers/promises";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { NotificationConfiguration, S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../testing/s3.ts";
import { deploy } from "../../testing/stacks.ts";

let platform: TestPlatform;
let s3: S3;
let Bucket = "";
let count = 0;
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

// Says what it was handed in its own log.
const source = "export const handler = async (event) => console.log('GOT ' + JSON.stringify(event))";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  s3 = s3Client(platform);
  const Role = await createFunctionRole(platform.settings, "told");
  for (const FunctionName of ["told", "closed", "foreign"]) {
    await createNodeFunction(platform.settings, { FunctionName, Role, source });
  }
  await permit("told", { SourceAccount: "000000000000" });
  await permit("foreign", { SourceArn: "arn:aws:s3:::of-somebody-else" });
});
afterAll(() => platform.stop());
beforeEach(async () => {
  Bucket = `notifies-${(count += 1)}`;
  await s3.createBucket({ Bucket });
});

function permit(FunctionName: string, more: { readonly SourceAccount?: string; readonly SourceArn?: string }) {
  const what = { StatementId: "s3", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com" };
  return new LambdaClient(platform.settings).send(new AddPermissionCommand({ FunctionName, ...what, ...more }));
}

const told = (Events: string[], rules: Record<string, string> = {}, more: object = {}) => ({
  LambdaFunctionArn: arnOf("told"),
  Events,
  ...(Object.keys(rules).length > 0 && {
    Filter: { Key: { FilterRules: Object.entries(rules).map(([Name, Value]) => ({ Name, Value })) } },
  }),
  ...more,
});

function configure(...LambdaFunctionConfigurations: object[]) {
  const NotificationConfiguration = { LambdaFunctionConfigurations } as NotificationConfiguration;
  return s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration });
}

interface Told {
  readonly eventName: string;
  readonly s3: {
    readonly bucket: { readonly name: string };
    readonly object: { readonly key: string; readonly sequencer: string };
  };
}

/** What the function was told of a bucket, in the order of what happened, once it is so many records. */
async function recordsOf(bucket: string, atLeast: number, group = "/aws/lambda/told"): Promise<Told[]> {
  const logs = new CloudWatchLogsClient(platform.settings);
  for (let waited = 0; ; waited += 50) {
    // The function makes the group when it first speaks.
    const { events } = await logs
      .send(new FilterLogEventsCommand({ logGroupName: group, filterPattern: `"GOT " "${bucket}"` }))
      .catch(() => ({ events: [] }));
    const records = (events ?? []).flatMap(({ message = "" }): Told[] => {
      return JSON.parse(message.slice(message.indexOf("GOT ") + 4)).Records;
    });
    const ours = records.filter((record) => record.s3.bucket.name === bucket);
    if (ours.length >= atLeast) {
      return ours.toSorted((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1));
    }
    if (waited > 20_000) throw new Error(`Only ${ours.length} records of ${bucket}`);
    await delay(50);
  }
}

describe("A bucket's function is told", () => {
  test("of a new object, in the form of S3's events", async () => {
    await configure(told(["s3:ObjectCreated:*"], {}, { Id: "mine" }));
    const { ETag = "", $metadata } = await s3.putObject({ Bucket, Key: "Ä b/c+d.jpg", Body: "hello" });
    expect(await recordsOf(Bucket, 1)).toEqual([
      {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        awsRegion: "us-east-1",
        eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        eventName: "ObjectCreated:Put",
        userIdentity: { principalId: expect.stringMatching(/^A[0-9A-F]{13}$/) },
        requestParameters: { sourceIPAddress: "127.0.0.1" },
        responseElements: { "x-amz-request-id": $metadata.requestId, "x-amz-id-2": $metadata.extendedRequestId },
        s3: {
          s3SchemaVersion: "1.0",
          configurationId: "mine",
          bucket: {
            name: Bucket,
            ownerIdentity: { principalId: expect.stringMatching(/^A[0-9A-F]{13}$/) },
            arn: `arn:aws:s3:::${Bucket}`,
          },
          object: {
            key: "%C3%84+b/c%2Bd.jpg",
            size: 5,
            eTag: ETag.replaceAll('"', ""),
            sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
          },
        },
      },
    ]);
  });

  test("of everything that happens to a key, each by its name", async () => {
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    await configure(told(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"]));
    const Key = "k";
    const { VersionId } = await s3.putObject({ Bucket, Key, Body: "1" });
    await s3.putObjectTagging({ Bucket, Key, Tagging: { TagSet: [{ Key: "a", Value: "b" }] } });
    await s3.deleteObjectTagging({ Bucket, Key });
    await s3.copyObject({ Bucket, Key: "copy", CopySource: `${Bucket}/k` });
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "parts" });
    const { ETag } = await s3.uploadPart({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: "p" });
    const Parts = [{ PartNumber: 1, ETag }];
    await s3.completeMultipartUpload({ Bucket, Key: "parts", UploadId, MultipartUpload: { Parts } });
    await s3.deleteObject({ Bucket, Key });
    await s3.deleteObjects({
      Bucket,
      Delete: {
        Objects: [
          { Key, VersionId: VersionId ?? "" },
          { Key: "none", VersionId: VersionId ?? "" },
        ],
      },
    });
    const names = (await recordsOf(Bucket, 7)).map(({ eventName, s3: { object } }) => `${eventName} ${object.key}`);
    expect(names.toSorted()).toEqual(
      [
        "ObjectCreated:CompleteMultipartUpload parts",
        "ObjectCreated:Copy copy",
        "ObjectCreated:Put k",
        "ObjectRemoved:Delete k",
        "ObjectRemoved:DeleteMarkerCreated k",
        "ObjectTagging:Delete k",
        "ObjectTagging:Put k",
      ].toSorted(),
    );
  });

  test("only of the keys and events that it asked for", async () => {
    await configure(told(["s3:ObjectCreated:Put"], { Prefix: "in/", suffix: ".jpg" }));
    for (const Key of ["out/a.jpg", "in/a.png", "in/a.jpg"]) await s3.putObject({ Bucket, Key, Body: "x" });
    await s3.copyObject({ Bucket, Key: "in/copy.jpg", CopySource: `${Bucket}/in/a.jpg` });
    await s3.putObject({ Bucket, Key: "in/last.jpg", Body: "x" });
    expect((await recordsOf(Bucket, 2)).map((each) => each.s3.object.key)).toEqual(["in/a.jpg", "in/last.jpg"]);
  });

  test("of what was acknowledged before the platform was killed", async () => {
    await configure(told(["s3:ObjectCreated:*"]));
    await s3.putObject({ Bucket, Key: "kept", Body: "x" });
    await platform.restart();
    expect((await recordsOf(Bucket, 1)).map((each) => each.s3.object.key)).toEqual(["kept"]);
  });

  test("of nothing any more once the configuration is emptied, and a refused write is no event", async () => {
    await configure(told(["s3:ObjectCreated:*"]));
    await expect(s3.putObject({ Bucket, Key: "k", Body: "x", IfMatch: '"none"' })).rejects.toThrow();
    await s3.putObject({ Bucket, Key: "before", Body: "x" });
    await configure();
    await s3.putObject({ Bucket, Key: "after", Body: "x" });
    expect(await s3.getBucketNotificationConfiguration({ Bucket })).toEqual({ $metadata: expect.anything() });
    expect((await recordsOf(Bucket, 1)).map((each) => each.s3.object.key)).toEqual(["before"]);
  });
});

test("GetBucketNotificationConfiguration answers what was put, with ids of their own for those without", async () => {
  await configure(told(["s3:ObjectCreated:Put"], { prefix: "a", suffix: "z" }), told(["s3:ObjectRemoved:*"]));
  const { LambdaFunctionConfigurations } = await s3.getBucketNotificationConfiguration({ Bucket });
  expect(LambdaFunctionConfigurations).toEqual([
    {
      Id: expect.stringMatching(/^[\da-f-]{36}$/),
      LambdaFunctionArn: arnOf("told"),
      Events: ["s3:ObjectCreated:Put"],
      Filter: {
        Key: {
          FilterRules: [
            { Name: "Prefix", Value: "a" },
            { Name: "Suffix", Value: "z" },
          ],
        },
      },
    },
    { Id: expect.any(String), LambdaFunctionArn: arnOf("told"), Events: ["s3:ObjectRemoved:*"] },
  ]);
});

describe("PutBucketNotificationConfiguration refuses", () => {
  const unable = "400 InvalidArgument: Unable to validate the following destination configurations";
  const overlap =
    "400 InvalidArgument: Configurations overlap. Configurations on the same bucket cannot share a common event type.";
  test.each<[string, object[], string]>([
    [
      "a function that S3 may not invoke",
      [told(["s3:ObjectCreated:*"], {}, { LambdaFunctionArn: arnOf("closed") })],
      unable,
    ],
    [
      "one that trusts another bucket alone",
      [told(["s3:ObjectCreated:*"], {}, { LambdaFunctionArn: arnOf("foreign") })],
      unable,
    ],
    ["a function that is not there", [told(["s3:ObjectCreated:*"], {}, { LambdaFunctionArn: arnOf("none") })], unable],
    [
      "what is no function",
      [told(["s3:ObjectCreated:*"], {}, { LambdaFunctionArn: "arn:aws:sqs:us-east-1:000000000000:q" })],
      "400 InvalidArgument: The ARN could not be parsed",
    ],
    [
      "an event that there is not",
      [told(["s3:ObjectCreated:Patch"])],
      "400 InvalidArgument: The event is not supported for notifications",
    ],
    [
      "no events",
      [told([])],
      "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema",
    ],
    ["one event twice", [told(["s3:ObjectCreated:*"]), told(["s3:ObjectCreated:Put"])], overlap],
    [
      "filters that meet",
      [told(["s3:ObjectCreated:*"], { prefix: "a" }), told(["s3:ObjectCreated:Put"], { prefix: "ab", suffix: "x" })],
      overlap,
    ],
    [
      "an id twice",
      [told(["s3:ObjectCreated:*"], {}, { Id: "i" }), told(["s3:ObjectRemoved:*"], {}, { Id: "i" })],
      "400 InvalidArgument: Found two configurations with the same ID. Configuration ID must be unique.",
    ],
    [
      "an id too long",
      [told(["s3:ObjectCreated:*"], {}, { Id: "i".repeat(256) })],
      "400 InvalidArgument: ID length should not exceed allowed limit of 255",
    ],
    [
      "filters of another kind",
      [told(["s3:ObjectCreated:*"], { infix: "a" })],
      "400 InvalidArgument: filter rule name must be either prefix or suffix",
    ],
    [
      "a filter twice",
      [told(["s3:ObjectCreated:*"], { prefix: "a", Prefix: "b" })],
      "400 InvalidArgument: Cannot specify more than one prefix rule in a filter.",
    ],
  ])("%s", async (_what, configurations, refusal) => {
    expect(await refusalOf(configure(...configurations))).toBe(refusal);
    expect(await s3.getBucketNotificationConfiguration({ Bucket })).toEqual({ $metadata: expect.anything() });
  });

  test.each([
    [
      "queues",
      { QueueConfigurations: [{ QueueArn: "arn:aws:sqs:us-east-1:000000000000:q", Events: ["s3:ObjectCreated:*"] }] },
    ],
    [
      "topics",
      { TopicConfigurations: [{ TopicArn: "arn:aws:sns:us-east-1:000000000000:t", Events: ["s3:ObjectCreated:*"] }] },
    ],
    ["EventBridge", { EventBridgeConfiguration: {} }],
  ])("%s, which are not built, by name", async (_what, configuration) => {
    const NotificationConfiguration = configuration as NotificationConfiguration;
    const refused = s3.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration });
    expect(await refusalOf(refused)).toMatch(new RegExp(`^501 NotImplemented: .*${Object.keys(configuration)[0]}`));
  });

  test("a bucket that is not there, and whoever may not", async () => {
    const NotificationConfiguration = {};
    const missing = s3.putBucketNotificationConfiguration({ Bucket: "is-not-there", NotificationConfiguration });
    expect(await refusalOf(missing)).toBe("404 NoSuchBucket: The specified bucket does not exist");
    const user = await userClient(platform, `u-${Bucket}`, [
      { Effect: "Allow", Action: "s3:GetBucketNotification", Resource: "*" },
    ]);
    await user.getBucketNotificationConfiguration({ Bucket });
    await expect(user.putBucketNotificationConfiguration({ Bucket, NotificationConfiguration })).rejects.toMatchObject({
      name: "AccessDenied",
    });
  });
});

test("A SAM function with an S3 event is told, until the stack goes", async () => {
  const stacks = new CloudFormationClient(platform.settings);
  const name = `stacked-${Date.now()}`;
  const template = (Events: string) => ({
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Files: { Type: "AWS::S3::Bucket", Properties: { BucketName: name } },
      Reads: {
        Type: "AWS::Serverless::Function",
        Properties: {
          FunctionName: name,
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          InlineCode: "exports.handler = async (event) => console.log('GOT ' + JSON.stringify(event))",
          Events: {
            New: {
              Type: "S3",
              Properties: {
                Bucket: { Ref: "Files" },
                Events,
                Filter: { S3Key: { Rules: [{ Name: "suffix", Value: ".txt" }] } },
              },
            },
          },
        },
      },
    },
  });
  expect(await deploy(stacks, name, template("s3:ObjectCreated:*"))).toMatchObject({ status: "CREATE_COMPLETE" });
  await s3.putObject({ Bucket: name, Key: "a.txt", Body: "x" });
  const records = await recordsOf(name, 1, `/aws/lambda/${name}`);
  expect(records.map(({ eventName }) => eventName)).toEqual(["ObjectCreated:Put"]);
  expect(await deploy(stacks, name, template("s3:ObjectRemoved:*"))).toMatchObject({ status: "UPDATE_COMPLETE" });
  const { LambdaFunctionConfigurations } = await s3.getBucketNotificationConfiguration({ Bucket: name });
  expect(LambdaFunctionConfigurations?.map(({ Events }) => Events)).toEqual([["s3:ObjectRemoved:*"]]);
  await s3.deleteObject({ Bucket: name, Key: "a.txt" });
  expect(await deploy(stacks, name, undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
});
