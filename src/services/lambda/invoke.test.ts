import {
  AddPermissionCommand,
  CreateAliasCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type InvokeCommandInput,
  type InvokeWithResponseStreamCommandInput,
} from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction, zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let name = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `f${(count += 1)}`;
});

const create = (source: string, more: Partial<Parameters<typeof createNodeFunction>[1]> = {}) =>
  createNodeFunction(platform.settings, { FunctionName: name, Role: role, source, ...more });

async function invoke(more: Partial<InvokeCommandInput> = {}, client = lambda) {
  const answer = await client.send(new InvokeCommand({ FunctionName: name, ...more }));
  return { ...answer, text: answer.Payload?.transformToString() };
}

async function logged(): Promise<string[]> {
  const logs = new CloudWatchLogsClient(platform.settings);
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }));
  return (events ?? []).map(({ message }) => message ?? "");
}

test("Invoke hands over payload, client context and ARN, and answers with the version that ran", async () => {
  await create(`export const handler = async (event, context) =>
    ({ event, arn: context.invokedFunctionArn, client: context.clientContext, id: context.awsRequestId })`);
  const ClientContext = Buffer.from(JSON.stringify({ custom: { a: "1" } })).toString("base64");
  const answer = await invoke({ Payload: '{"a":[1,"ü"]}', ClientContext });
  expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
  expect(answer.FunctionError).toBeUndefined();
  expect(JSON.parse(answer.text ?? "")).toMatchObject({
    event: { a: [1, "ü"] },
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    client: { custom: { a: "1" } },
    id: answer.$metadata.requestId,
  });
});

test("Invoke without a payload gives the function an empty object", async () => {
  await create("export const handler = async (event) => event");
  expect((await invoke()).text).toBe("{}");
});

test("LogType=Tail answers the log's end, and the log group has the lines", async () => {
  await create("export const handler = async () => { console.log('from inside'); return 1 }");
  const answer = await invoke({ LogType: "Tail" });
  const tail = Buffer.from(answer.LogResult ?? "", "base64").toString();
  expect(tail).toMatch(/^START RequestId: .* Version: \$LATEST\n[^]*from inside[^]*REPORT RequestId: /);
  const lines = await logged();
  expect(lines.some((line) => line.includes("from inside"))).toBe(true);
  expect(lines.at(-1)).toContain(`REPORT RequestId: ${answer.$metadata.requestId}`);
});

test("an error in the function is an answer, marked Unhandled", async () => {
  await create("export const handler = async () => { throw new TypeError('no') }");
  const answer = await invoke();
  expect(answer).toMatchObject({ StatusCode: 200, FunctionError: "Unhandled", ExecutedVersion: "$LATEST" });
  expect(JSON.parse(answer.text ?? "")).toMatchObject({ errorType: "TypeError", errorMessage: "no" });
});

test("DryRun answers 204 and runs nothing; for an unknown function 404", async () => {
  await create("export const handler = async () => { console.log('ran') }");
  expect((await invoke({ InvocationType: "DryRun" })).StatusCode).toBe(204);
  await expect(logged()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(invoke({ FunctionName: "none", InvocationType: "DryRun" })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none",
    Type: "User",
  });
});

test.each([
  ["9", (f: string) => `Function not found: arn:aws:lambda:us-east-1:000000000000:function:${f}:9`],
  ["none", (f: string) => `Cannot find alias arn: arn:aws:lambda:us-east-1:000000000000:function:${f}:none`],
])("Invoke of the qualifier %j that is not there answers ResourceNotFoundException", async (Qualifier, message) => {
  await create("export const handler = async () => 1");
  await expect(invoke({ Qualifier })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: message(name),
  });
});

function text(bytes: number): string {
  return `"${"x".repeat(bytes - 2)}"`;
}

test("Invoke refuses what is no JSON, and what is too large", async () => {
  await create("export const handler = async (event) => event.length");
  await expect(invoke({ Payload: "{no" })).rejects.toMatchObject({
    name: "InvalidRequestContentException",
    message: expect.stringContaining("Could not parse request body into json"),
    $metadata: { httpStatusCode: 400 },
  });
  expect((await invoke({ Payload: text(6_291_456) })).text).toBe("6291454");
  await expect(invoke({ Payload: text(6_291_457) })).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } });
  await expect(invoke({ Payload: text(1_048_577), InvocationType: "Event" })).rejects.toMatchObject({
    name: "RequestTooLargeException",
    $metadata: { httpStatusCode: 413 },
  });
});

test("an alias runs its version, and weights route to the other one", async () => {
  await create("export const handler = async () => 1", { Publish: true });
  await lambda.send(
    new UpdateFunctionCodeCommand({
      FunctionName: name,
      ZipFile: zipOf({ "index.mjs": "export const handler = async () => 2" }),
    }),
  );
  await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
  expect(await invoke({ Qualifier: "live" })).toMatchObject({ text: "1", ExecutedVersion: "1" });
  const weigh = (weight: number) =>
    lambda.send(
      new UpdateAliasCommand({
        FunctionName: name,
        Name: "live",
        RoutingConfig: { AdditionalVersionWeights: { "2": weight } },
      }),
    );
  await weigh(1);
  expect(await invoke({ Qualifier: "live" })).toMatchObject({ text: "2", ExecutedVersion: "2" });
  await weigh(0.5);
  const seen = new Set<string | undefined>();
  for (let i = 0; i < 60; i += 1) seen.add((await invoke({ Qualifier: "live" })).text);
  expect(seen).toEqual(new Set(["1", "2"]));
});

function reserve(ReservedConcurrentExecutions: number) {
  return lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions }));
}

test("no reserved concurrency answers TooManyRequestsException with AWS's reason", async () => {
  await create("export const handler = async () => 1");
  await reserve(0);
  await expect(invoke()).rejects.toMatchObject({
    name: "TooManyRequestsException",
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    Type: "User",
    message: "Rate Exceeded.",
    retryAfterSeconds: "1",
    $metadata: { httpStatusCode: 429 },
  });
});

test("reserved concurrency limits what runs at once, and no more", async () => {
  await create("export const handler = () => new Promise((resolve) => setTimeout(() => resolve(1), 300))");
  await reserve(2);
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => invoke()));
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  expect((await invoke()).text).toBe("1");
});

async function createUser(UserName: string, statement: object): Promise<LambdaClient> {
  const iam = new IAMClient(platform.settings);
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
  return new LambdaClient({ ...platform.settings, credentials });
}

test("a user who may invoke one function can do that and nothing else", async () => {
  await create("export const handler = async () => 1", { Publish: true });
  const Resource = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
  const user = await createUser(`user-${name}`, { Action: "lambda:InvokeFunction", Resource });
  expect((await invoke({}, user)).text).toBe("1");
  const denied = { name: "AccessDeniedException", $metadata: { httpStatusCode: 403 } };
  await expect(invoke({ Qualifier: "1" }, user)).rejects.toMatchObject(denied);
  await expect(invoke({ FunctionName: "other" }, user)).rejects.toMatchObject(denied);
  await expect(user.send(new DeleteFunctionCommand({ FunctionName: name }))).rejects.toMatchObject(denied);
});

test("a function's policy alone lets a user of the account in", async () => {
  await create("export const handler = async () => 1");
  const user = await createUser(`user-${name}`, { Action: "lambda:ListFunctions", Resource: "*" });
  await expect(invoke({}, user)).rejects.toMatchObject({ name: "AccessDeniedException" });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: "s",
      Action: "lambda:InvokeFunction",
      Principal: `arn:aws:iam::000000000000:user/user-${name}`,
    }),
  );
  expect((await invoke({}, user)).text).toBe("1");
});

test("who may create a function but not pass the role is denied", async () => {
  const user = await createUser(`user-${name}`, { Action: "lambda:*", Resource: "*" });
  const asUser = { ...platform.settings, credentials: await user.config.credentials() };
  await expect(
    createNodeFunction(asUser, { FunctionName: name, Role: role, source: "export const handler = 1" }),
  ).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringContaining("iam:PassRole") });
});

test("Invoke of a function whose role is gone answers AccessDeniedException, and works again with another role", async () => {
  const gone = await createFunctionRole(platform.settings, "goes");
  await create("export const handler = async () => 1", { Role: gone });
  await new IAMClient(platform.settings).send(new DeleteRoleCommand({ RoleName: "goes" }));
  await expect(invoke()).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: "The role defined for the function cannot be assumed by Lambda.",
  });
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Role: role }));
  expect((await invoke()).text).toBe("1");
});

async function stream(more: Partial<InvokeWithResponseStreamCommandInput> = {}) {
  const { EventStream, ...answer } = await lambda.send(
    new InvokeWithResponseStreamCommand({ FunctionName: name, ...more }),
  );
  const chunks: Uint8Array[] = [];
  let complete: unknown;
  for await (const event of EventStream ?? []) {
    if (event.PayloadChunk?.Payload) chunks.push(event.PayloadChunk.Payload);
    if (event.InvokeComplete) complete = event.InvokeComplete;
  }
  return { ...answer, complete, text: Buffer.concat(chunks).toString() };
}

test("InvokeWithResponseStream answers the payload as events, and its end", async () => {
  await create("export const handler = async ({ n }) => 'x'.repeat(n)");
  const answer = await stream({ Payload: '{"n":200000}', LogType: "Tail" });
  expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
  expect(answer.text).toBe(text(200_002));
  expect(answer.complete).toMatchObject({ LogResult: expect.any(String) });
});

test("InvokeWithResponseStream tells a function's error in its last event", async () => {
  await create("export const handler = async () => { throw new TypeError('no') }");
  const { complete, text } = await stream();
  expect(text).toBe("");
  expect(complete).toMatchObject({ ErrorCode: "Unhandled", ErrorDetails: expect.stringContaining("TypeError") });
});
