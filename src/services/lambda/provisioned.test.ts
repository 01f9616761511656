import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let FunctionName = "";
let count = 0;

const initType = `const born = { type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE, pid: process.pid };
  export const handler = async (event) => {
    if (event.exit) process.exit(1);
    return born;
  };`;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());
beforeEach(async () => {
  FunctionName = `f${(count += 1)}`;
  await createNodeFunction(platform.settings, { FunctionName, Role: role, source: initType, Publish: true });
});

const put = (Qualifier: string, ProvisionedConcurrentExecutions: number) =>
  lambda.send(new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions }));
const get = (Qualifier: string) => lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
const alias = (Name: string, FunctionVersion: string) =>
  lambda.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion }));

async function ready(qualifier: string, status = "READY") {
  return vi.waitFor(
    async () => {
      const { $metadata: _metadata, ...config } = await get(qualifier);
      expect(config.Status).toBe(status);
      return config;
    },
    { timeout: 10_000, interval: 20 },
  );
}

async function invoke(Qualifier: string, event: object = {}) {
  const { Payload } = await lambda.send(
    new InvokeCommand({ FunctionName, Qualifier, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  return JSON.parse(Payload?.transformToString() ?? "null") as { type: string; pid: number };
}

async function publishNext() {
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description: `next ${count}`, Timeout: 5 }));
  return (await lambda.send(new PublishVersionCommand({ FunctionName }))).Version ?? "";
}

test("environments are initialised ahead, say so, and are as many as were asked for", async () => {
  const { $metadata, ...accepted } = await put("1", 2);
  expect($metadata.httpStatusCode).toBe(202);
  expect(accepted).toEqual({
    RequestedProvisionedConcurrentExecutions: 2,
    AllocatedProvisionedConcurrentExecutions: 0,
    AvailableProvisionedConcurrentExecutions: 0,
    Status: "IN_PROGRESS",
    LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/),
  });
  expect(await ready("1")).toEqual({
    ...accepted,
    AllocatedProvisionedConcurrentExecutions: 2,
    AvailableProvisionedConcurrentExecutions: 2,
    Status: "READY",
  });
  expect((await invoke("1")).type).toBe("provisioned-concurrency");
  expect((await invoke("$LATEST")).type).toBe("on-demand");
});

test("its invocations are metrics of their own", async () => {
  await put("1", 1);
  await ready("1");
  await invoke("1");
  const cloudwatch = new CloudWatchClient(platform.settings);
  const statistics = (MetricName: string) =>
    cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: "AWS/Lambda",
        MetricName,
        Dimensions: [
          { Name: "FunctionName", Value: FunctionName },
          { Name: "Resource", Value: `${FunctionName}:1` },
        ],
        StartTime: new Date(Date.now() - 600_000),
        EndTime: new Date(Date.now() + 600_000),
        Period: 3600,
        Statistics: ["Sum", "Maximum"],
      }),
    );
  for (const [name, value] of [
    ["ProvisionedConcurrencyInvocations", 1],
    ["ProvisionedConcurrentExecutions", 1],
    ["ProvisionedConcurrencyUtilization", 1],
  ] as const) {
    await vi.waitFor(async () => expect((await statistics(name)).Datapoints?.[0]?.Maximum).toBe(value), {
      timeout: 10_000,
    });
  }
  expect((await statistics("ProvisionedConcurrencySpilloverInvocations")).Datapoints).toEqual([]);
});

test("one that ends is made again", async () => {
  await put("1", 1);
  await ready("1");
  const { pid } = await invoke("1");
  await invoke("1", { exit: true });
  await ready("1");
  const next = await invoke("1");
  expect(next.type).toBe("provisioned-concurrency");
  expect(next.pid).not.toBe(pid);
});

test("they are there again after a restart", async () => {
  await put("1", 1);
  await ready("1");
  await platform.restart();
  await ready("1");
  expect((await invoke("1")).type).toBe("provisioned-concurrency");
});

test("an alias takes its environments along to the version it is moved to", async () => {
  await alias("live", "1");
  await put("live", 1);
  await ready("live");
  const next = await publishNext();
  await lambda.send(new UpdateAliasCommand({ FunctionName, Name: "live", FunctionVersion: next }));
  await ready("live");
  expect((await invoke("live")).type).toBe("provisioned-concurrency");
  expect((await invoke(next)).type).toBe("provisioned-concurrency");
});

test("an init that fails is told as FAILED, with AWS's reason", async () => {
  FunctionName = `${FunctionName}-broken`;
  await createNodeFunction(platform.settings, {
    FunctionName,
    Role: role,
    source: "throw new Error('not today')",
    Publish: true,
  });
  await put("1", 1);
  expect(await ready("1", "FAILED")).toMatchObject({
    StatusReason: "FUNCTION_ERROR_INIT_FAILURE",
    AllocatedProvisionedConcurrentExecutions: 0,
  });
});

test("provisioned concurrency counts against what the account has left, and comes back", async () => {
  const left = async () =>
    (await lambda.send(new GetAccountSettingsCommand({}))).AccountLimit?.UnreservedConcurrentExecutions ?? 0;
  const before = await left();
  await put("1", 3);
  expect(await left()).toBe(before - 3);
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 5 }));
  expect(await left()).toBe(before - 5);
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  expect(await left()).toBe(before - 3);
  await lambda.send(new DeleteFunctionCommand({ FunctionName }));
  expect(await left()).toBe(before);
});

const list = (more: object) => lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName, ...more }));
const remove = () => lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: "a" }));

test("a configuration can be listed page by page, deleted, and deleted again", async () => {
  await alias("a", "1");
  await put("a", 1);
  const next = await publishNext();
  await put(next, 1);
  const first = await list({ MaxItems: 1 });
  const second = await list({ MaxItems: 1, Marker: first.NextMarker });
  const arns = [...(first.ProvisionedConcurrencyConfigs ?? []), ...(second.ProvisionedConcurrencyConfigs ?? [])].map(
    (config) => config.FunctionArn?.split(":").at(-1),
  );
  expect(arns.toSorted()).toEqual([next, "a"].toSorted());
  expect(second.NextMarker).toBeUndefined();
  expect((await remove()).$metadata.httpStatusCode).toBe(204);
  await remove();
  await expect(get("a")).rejects.toMatchObject({
    name: "ProvisionedConcurrencyConfigNotFoundException",
    message: "No Provisioned Concurrency Config found for this function",
    $metadata: { httpStatusCode: 404 },
  });
});

test("deleting an alias takes its provisioned concurrency away", async () => {
  await alias("gone", "1");
  await put("gone", 1);
  await lambda.send(new DeleteAliasCommand({ FunctionName, Name: "gone" }));
  await put("1", 1);
});

const refusals: readonly (readonly [string, () => Promise<unknown>, object])[] = [
  [
    "$LATEST",
    () => put("$LATEST", 1),
    {
      name: "InvalidParameterValueException",
      message: "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    },
  ],
  [
    "to get that of $LATEST",
    () => get("$LATEST"),
    {
      name: "InvalidParameterValueException",
      message: "The function resource provided must be an alias or a published version.",
    },
  ],
  ["a version that is not there", () => put("9", 1), { name: "ResourceNotFoundException" }],
  ["an alias that is not there", () => put("none", 1), { name: "ResourceNotFoundException" }],
  [
    "less than one",
    () => put("1", 0),
    {
      name: "ValidationException",
      message:
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1",
    },
  ],
  [
    "more than the account has",
    () => put("1", 1001),
    {
      name: "InvalidParameterValueException",
      message: "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
    },
  ],
  [
    "what leaves less than 100 to all others",
    () => put("1", 950),
    {
      name: "InvalidParameterValueException",
      message:
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    },
  ],
];

test.each(refusals)("PutProvisionedConcurrencyConfig refuses %s", async (_, action, expected) => {
  await expect(action()).rejects.toMatchObject(expected);
});

test("more than the function has reserved is refused, and so is reserving less than is provisioned", async () => {
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 2 }));
  await expect(put("1", 3)).rejects.toThrow(
    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
  );
  await put("1", 2);
  await expect(
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 })),
  ).rejects.toThrow("should not be lower than function's total provisioned concurrency [2].");
});

test("a version and an alias that points to it cannot both have it, nor an alias with weights", async () => {
  await alias("live", "1");
  await put("1", 1);
  await expect(put("live", 1)).rejects.toMatchObject({
    name: "ResourceConflictException",
    message: "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  });
  const next = await publishNext();
  await lambda.send(
    new CreateAliasCommand({
      FunctionName,
      Name: "split",
      FunctionVersion: next,
      RoutingConfig: { AdditionalVersionWeights: { 1: 0.5 } },
    }),
  );
  await expect(put("split", 1)).rejects.toThrow("Alias with weights can not be used with Provisioned Concurrency");
  await alias("other", next);
  await put("other", 1);
  await expect(put(next, 1)).rejects.toThrow("Version is pointed by a Provisioned Concurrency alias");
  await expect(
    lambda.send(new UpdateAliasCommand({ FunctionName, Name: "other", FunctionVersion: "$LATEST" })),
  ).rejects.toThrow("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
});
