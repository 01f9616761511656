import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient, GetMetricStatisticsCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  ListFunctionsCommand,
} from "@aws-sdk/client-lambda";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { AwsError } from "../../src/aws/error.ts";
import type { Call } from "../../src/wire/service.ts";
import { startFakePlatform, type FakePlatform, type FakeRun } from "./fake-platform.ts";

/** The official clients against the real front door: what they send arrives typed, what is answered they read. */
let platform: FakePlatform;
let received: Record<string, unknown>[] = [];
let calls: Call[] = [];

/** Remember the input, answer with this. */
function answer(output: unknown | ((input: Record<string, unknown>) => unknown)): FakeRun {
  return (input, call) => {
    received.push(input);
    calls.push(call);
    return typeof output === "function" ? output(input) : output;
  };
}

const created = new Date("2026-01-02T03:04:05.678Z");

beforeAll(async () => {
  platform = await startFakePlatform({
    lambda: {
      CreateFunction: answer({ FunctionName: "f", Timeout: 3, Environment: { Variables: { AB: "c" } } }),
      GetFunction: answer(() => {
        throw new AwsError("ResourceNotFoundException", 404, "Function not found: arn", { members: { Type: "User" } });
      }),
      Invoke: answer((input: Record<string, unknown>) => ({
        StatusCode: 200,
        Payload: input["Payload"],
        FunctionError: "Unhandled",
      })),
      InvokeWithResponseStream: answer(() => ({ StatusCode: 200, EventStream: events() })),
    },
    s3: {
      ListBuckets: answer({ Buckets: [{ Name: "a", CreationDate: created }], Owner: { ID: "o" } }),
      PutObject: answer(async (input: Record<string, unknown>) => ({
        ETag: `"${(await readAll(input["Body"])).length}"`,
      })),
      GetObject: answer(() => ({
        Body: bytes(3, 100_000),
        ContentLength: 300_000,
        ContentType: "x/y",
        LastModified: created,
        Metadata: { tag: "é" },
      })),
      HeadObject: answer({ ContentLength: 12, ETag: '"e"' }),
      CopyObject: answer({ CopyObjectResult: { ETag: '"c"', LastModified: created } }),
      UploadPart: answer(async (input: Record<string, unknown>) => ({
        ETag: String((await readAll(input["Body"])).length),
      })),
      CompleteMultipartUpload: answer({ Bucket: "b", Key: "k", ETag: '"x-2"' }),
      DeleteObjects: answer({ Deleted: [{ Key: "a&b" }], Errors: [{ Key: "c", Code: "AccessDenied" }] }),
      ListObjectsV2: answer({
        Name: "b",
        Contents: [{ Key: "k <1>", Size: 5, LastModified: created }],
        KeyCount: 1,
        IsTruncated: false,
      }),
      GetBucketLocation: answer({ LocationConstraint: "eu-west-1" }),
    },
    iam: {
      CreateRole: answer((input: Record<string, unknown>) => ({
        Role: {
          RoleName: input["RoleName"],
          Path: "/",
          RoleId: "A",
          Arn: "arn",
          CreateDate: created,
          Tags: input["Tags"],
        },
      })),
    },
    sts: { GetCallerIdentity: answer({ Account: "123456789012", Arn: "arn", UserId: "u" }) },
    cloudformation: {
      DescribeStacks: answer(() => {
        throw new AwsError("ValidationError", 400, "Stack with id s does not exist");
      }),
    },
    logs: {
      CreateLogGroup: answer({}),
      DescribeLogGroups: answer({ logGroups: [{ logGroupName: "g", creationTime: 5, storedBytes: 0 }] }),
    },
    dynamodb: {
      PutItem: answer({}),
      GetItem: answer({
        Item: { k: { S: "v" }, n: { N: "1" }, b: { B: "AQI=" }, l: { L: [{ NULL: true }] } },
      }),
    },
    cloudwatch: {
      PutMetricData: answer({}),
      GetMetricStatistics: answer({ Label: "l", Datapoints: [{ Timestamp: created, Sum: 1.5, Unit: "Count" }] }),
    },
  });
});

afterEach(() => {
  expect(platform.logged.splice(0)).toEqual([]);
  received = [];
  calls = [];
});

afterAll(() => platform.stop());

async function* events(): AsyncIterable<object> {
  yield { PayloadChunk: { Payload: new Uint8Array([104, 105]) } };
  yield { InvokeComplete: { ErrorCode: "", LogResult: "bG9n" } };
}

async function* bytes(chunks: number, size: number): AsyncIterable<Uint8Array> {
  for (let index = 0; index < chunks; index += 1) yield new Uint8Array(size).fill(index);
}

async function readAll(body: unknown): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (typeof body === "object" && body !== null && Symbol.asyncIterator in body) {
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A plain request under another host name; `fetch` does not let one say it. */
function get(path: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: platform.port, path, headers: { host } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject);
    sent.end();
  });
}

function s3Client(): S3Client {
  return new S3Client({ ...settings(), forcePathStyle: true });
}

function settings() {
  return {
    endpoint: platform.endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIA", secretAccessKey: "s" },
    maxAttempts: 1,
  };
}

describe("Lambda over restJson", () => {
  test("a function's settings arrive with their types", async () => {
    const client = new LambdaClient(settings());
    const output = await client.send(
      new CreateFunctionCommand({
        FunctionName: "f",
        Role: "arn:aws:iam::123456789012:role/r",
        Code: { ZipFile: new Uint8Array([80, 75]) },
        Runtime: "nodejs22.x",
        Environment: { Variables: { AB: "c" } },
      }),
    );
    expect(received[0]).toMatchObject({ FunctionName: "f", Code: { ZipFile: new Uint8Array([80, 75]) } });
    expect(output).toMatchObject({ FunctionName: "f", Timeout: 3, Environment: { Variables: { AB: "c" } } });
    expect(output.$metadata).toMatchObject({ httpStatusCode: 201, requestId: calls[0]?.requestId });
  });

  test("every broken constraint is told, in AWS's words", async () => {
    const client = new LambdaClient(settings());
    const command = new CreateFunctionCommand({ FunctionName: "f", Role: "r", Code: {}, Timeout: 0 });
    await expect(client.send(command)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(
        /^2 validation errors detected: Value 'r' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: .*; Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1$/,
      ),
    });
    expect(received).toEqual([]);
  });

  test("an error keeps its members", async () => {
    const client = new LambdaClient(settings());
    await expect(client.send(new GetFunctionCommand({ FunctionName: "f" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: arn",
      Type: "User",
      $metadata: { httpStatusCode: 404 },
    });
  });

  test("an operation that is not built answers 501 with its name", async () => {
    const client = new LambdaClient(settings());
    await expect(client.send(new ListFunctionsCommand({}))).rejects.toMatchObject({
      name: "NotImplemented",
      message: "lambda:ListFunctions is not implemented by Cumulet",
      $metadata: { httpStatusCode: 501 },
    });
  });

  test("a payload is the body, both ways", async () => {
    const client = new LambdaClient(settings());
    const output = await client.send(
      new InvokeCommand({ FunctionName: "f", Payload: Buffer.from('{"a":1}'), Qualifier: "7" }),
    );
    expect(received[0]).toMatchObject({ FunctionName: "f", Qualifier: "7" });
    expect(output.Payload?.transformToString()).toBe('{"a":1}');
    expect(output.FunctionError).toBe("Unhandled");
  });

  test("events stream out", async () => {
    const client = new LambdaClient(settings());
    const output = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: "f" }));
    const seen = [];
    for await (const event of output.EventStream ?? []) seen.push(event);
    expect(Buffer.from(seen[0]?.PayloadChunk?.Payload ?? []).toString()).toBe("hi");
    expect(seen[1]?.InvokeComplete?.LogResult).toBe("bG9n");
  });
});

describe("S3 over restXml", () => {
  test("lists have S3's root element and its namespace", async () => {
    expect((await s3Client().send(new ListBucketsCommand({}))).Buckets).toEqual([{ Name: "a", CreationDate: created }]);
    const text = await get("/", "s3.localhost");
    expect(text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<ListAllMyBucketsResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
    );
    expect(text).toContain("<CreationDate>2026-01-02T03:04:05.678Z</CreationDate>");
  });

  test("keys keep their characters, and metadata its prefix", async () => {
    const output = await s3Client().send(
      new PutObjectCommand({ Bucket: "b", Key: "/a b/ü+%2F/", Body: "hello", Metadata: { x: "y" } }),
    );
    expect(received[0]).toMatchObject({ Bucket: "b", Key: "/a b/ü+%2F/", Metadata: { x: "y" }, ContentLength: 5 });
    expect(output.ETag).toBe('"5"');
  });

  test("a body streams out, with its headers", async () => {
    const output = await s3Client().send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
    expect(output).toMatchObject({
      ContentLength: 300_000,
      ContentType: "x/y",
      LastModified: new Date("2026-01-02T03:04:05Z"),
    });
    expect((await output.Body?.transformToByteArray())?.length).toBe(300_000);
  });

  test("HEAD tells the length and has no body", async () => {
    expect((await s3Client().send(new HeadObjectCommand({ Bucket: "b", Key: "k" }))).ContentLength).toBe(12);
  });

  test("operations that share a path are told apart by parameters and headers", async () => {
    await s3Client().send(new CopyObjectCommand({ Bucket: "b", Key: "k", CopySource: "x/y" }));
    await s3Client().send(new UploadPartCommand({ Bucket: "b", Key: "k", UploadId: "u", PartNumber: 2, Body: "abc" }));
    await s3Client().send(
      new CompleteMultipartUploadCommand({
        Bucket: "b",
        Key: "k",
        UploadId: "u",
        MultipartUpload: { Parts: [{ ETag: "e", PartNumber: 2 }] },
      }),
    );
    await s3Client().send(new ListObjectsV2Command({ Bucket: "b", Prefix: "k" }));
    expect(calls.map((call) => call.operation)).toEqual([
      "CopyObject",
      "UploadPart",
      "CompleteMultipartUpload",
      "ListObjectsV2",
    ]);
    expect(received[2]).toMatchObject({ MultipartUpload: { Parts: [{ ETag: "e", PartNumber: 2 }] } });
  });

  test("flattened lists and XML's special characters survive", async () => {
    const output = await s3Client().send(
      new DeleteObjectsCommand({ Bucket: "b", Delete: { Objects: [{ Key: "a&b" }, { Key: "c" }], Quiet: false } }),
    );
    expect(received[0]).toMatchObject({ Delete: { Objects: [{ Key: "a&b" }, { Key: "c" }], Quiet: false } });
    expect(output).toMatchObject({ Deleted: [{ Key: "a&b" }], Errors: [{ Key: "c", Code: "AccessDenied" }] });
  });

  test("GetBucketLocation answers the text of the root element", async () => {
    expect((await s3Client().send(new GetBucketLocationCommand({ Bucket: "b" }))).LocationConstraint).toBe("eu-west-1");
  });

  test("a bucket with dots in the host is the bucket", async () => {
    await get("/k/l", "my.bucket.s3.eu-west-1.localhost");
    expect(calls[0]).toMatchObject({ operation: "GetObject", http: { path: "/k/l" } });
    expect(received[0]).toMatchObject({ Bucket: "my.bucket", Key: "k/l" });
  });
});

describe("the query, JSON and CBOR services", () => {
  test("IAM reads nested lists of a form and answers dates", async () => {
    const output = await new IAMClient(settings()).send(
      new CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: "{ }", Tags: [{ Key: "a", Value: "ä=" }] }),
    );
    expect(received[0]).toEqual({ RoleName: "r", AssumeRolePolicyDocument: "{ }", Tags: [{ Key: "a", Value: "ä=" }] });
    expect(output.Role).toMatchObject({ RoleName: "r", Tags: [{ Key: "a", Value: "ä=" }] });
    expect(output.$metadata.requestId).toBe(calls[0]?.requestId);
  });

  test("CloudFormation answers its errors in the envelope", async () => {
    await expect(
      new CloudFormationClient(settings()).send(new DescribeStacksCommand({ StackName: "s" })),
    ).rejects.toMatchObject({
      name: "ValidationError",
      message: "Stack with id s does not exist",
    });
  });

  test("STS knows who calls and where", async () => {
    expect((await new STSClient(settings()).send(new GetCallerIdentityCommand({}))).Account).toBe("123456789012");
    expect(calls[0]).toMatchObject({
      principal: { type: "root" },
      account: "123456789012",
      endpoint: platform.endpoint,
    });
  });

  test("Logs, DynamoDB and CloudWatch round-trip", async () => {
    const logs = new CloudWatchLogsClient(settings());
    await logs.send(new CreateLogGroupCommand({ logGroupName: "g", tags: { a: "b" } }));
    expect((await logs.send(new DescribeLogGroupsCommand({}))).logGroups).toEqual([
      { logGroupName: "g", creationTime: 5, storedBytes: 0 },
    ]);
    const dynamodb = new DynamoDBClient(settings());
    await dynamodb.send(
      new PutItemCommand({ TableName: "tab", Item: { k: { S: "v" }, b: { B: new Uint8Array([1]) } } }),
    );
    // Items pass through as they are on the wire: what they hold is DynamoDB's to read.
    expect(received[2]).toEqual({ TableName: "tab", Item: { k: { S: "v" }, b: { B: "AQ==" } } });
    expect((await dynamodb.send(new GetItemCommand({ TableName: "tab", Key: { k: { S: "v" } } }))).Item).toEqual({
      k: { S: "v" },
      n: { N: "1" },
      b: { B: new Uint8Array([1, 2]) },
      l: { L: [{ NULL: true }] },
    });
    const cloudwatch = new CloudWatchClient(settings());
    const many = Array.from({ length: 500 }, (_each, index) => ({ MetricName: `m${index}`, Value: index + 0.5 }));
    await cloudwatch.send(new PutMetricDataCommand({ Namespace: "n", MetricData: many }));
    expect(received[4]).toMatchObject({
      Namespace: "n",
      MetricData: expect.arrayContaining([{ MetricName: "m7", Value: 7.5 }]),
    });
    const statistics = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: "n",
        MetricName: "m",
        StartTime: new Date(0),
        EndTime: created,
        Period: 60,
      }),
    );
    expect(received[5]).toMatchObject({ EndTime: created });
    expect(statistics.Datapoints).toEqual([{ Timestamp: created, Sum: 1.5, Unit: "Count" }]);
  });

  test("an unsigned call of a signed operation is refused", async () => {
    const answered = await fetch(`${platform.endpoint}/2015-03-31/functions/f`);
    expect(answered.status).toBe(403);
    expect(answered.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    const form = await fetch(platform.endpoint, {
      method: "POST",
      body: new URLSearchParams({ Action: "CreateRole", Version: "2010-05-08" }),
    });
    expect(form.status).toBe(403);
    expect(await form.text()).toContain("<Code>MissingAuthenticationToken</Code>");
  });

  test("an operation nobody knows is refused in the protocol's words", async () => {
    const headers = {
      authorization:
        "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0",
    };
    const json = await fetch(platform.endpoint, {
      method: "POST",
      headers: { ...headers, "x-amz-target": "Logs_20140328.Nothing" },
    });
    expect([json.status, await json.json()]).toEqual([400, { __type: "UnknownOperationException" }]);
    const iam = { authorization: headers.authorization.replace("logs", "iam") };
    const query = await fetch(platform.endpoint, {
      method: "POST",
      headers: iam,
      body: new URLSearchParams({ Action: "Nothing", Version: "2010-05-08" }),
    });
    expect([query.status, await query.text()]).toEqual([400, expect.stringContaining("<Code>InvalidAction</Code>")]);
    const lambda = { authorization: headers.authorization.replace("logs", "lambda") };
    const rest = await fetch(`${platform.endpoint}/2015-03-31/nothing`, { headers: lambda });
    expect([rest.status, rest.headers.get("x-amzn-errortype")]).toEqual([404, "UnknownOperationException"]);
    const absent = { authorization: headers.authorization.replace("logs", "ecs") };
    expect((await fetch(platform.endpoint, { method: "POST", headers: absent })).status).toBe(501);
  });
});

describe("other destinations", () => {
  test("APIs and function URLs are found by host and by path", async () => {
    expect(JSON.parse(await get("/prod/a?b=1", "abc123.execute-api.eu-west-1.amazonaws.com"))).toEqual({
      apiId: "abc123",
      target: "/prod/a?b=1",
    });
    expect(JSON.parse(await get("/_cumulet/api/abc123/prod/a%20b?c", "localhost"))).toEqual({
      apiId: "abc123",
      target: "/prod/a%20b?c",
    });
    expect(JSON.parse(await get("/restapis/abc123/prod/_user_request_/a/b?c=d", "localhost"))).toEqual({
      apiId: "abc123",
      target: "/prod/a/b?c=d",
    });
    expect(JSON.parse(await get("/a%20b?c=1", "xyz.lambda-url.eu-west-1.on.aws"))).toEqual({
      urlId: "xyz",
      target: "/a%20b?c=1",
    });
    expect(JSON.parse(await get("/_cumulet/url/xyz?c", "localhost"))).toEqual({ urlId: "xyz", target: "/?c" });
    expect(JSON.parse(await get("/_cumulet/health", "localhost"))).toEqual({ status: "alive" });
  });
});
