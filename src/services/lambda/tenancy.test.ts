import {
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  type InvokeCommandInput,
} from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createFunctionRole, createNodeFunction, zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let Role: string;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  Role = await createFunctionRole(platform.settings, "runs");
  const source = `let seen = [];
    export const handler = async (event, context) => {
      seen.push(context.tenantId);
      console.log("here");
      return { seen, pid: process.pid };
    };`;
  const TenancyConfig = { TenantIsolationMode: "PER_TENANT" } as const;
  const LoggingConfig = { LogFormat: "JSON" } as const;
  await createNodeFunction(platform.settings, { FunctionName: "apart", Role, source, TenancyConfig, LoggingConfig });
  await createNodeFunction(platform.settings, { FunctionName: "together", Role, source });
});
afterAll(() => platform.stop());

async function invoke(FunctionName: string, more: Partial<InvokeCommandInput> = {}) {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, ...more }));
  return JSON.parse(Payload?.transformToString() ?? "null") as { seen: string[]; pid: number };
}

test("tenants never share an environment, and keep theirs warm", async () => {
  const blue = await invoke("apart", { TenantId: "blue" });
  const green = await invoke("apart", { TenantId: "green" });
  expect(green.pid).not.toBe(blue.pid);
  expect(green.seen).toEqual(["green"]);
  expect(await invoke("apart", { TenantId: "blue" })).toEqual({ seen: ["blue", "blue"], pid: blue.pid });
});

test("asynchronous invocations run in their tenant's environments too, and lines of the log name it", async () => {
  await lambda.send(new InvokeCommand({ FunctionName: "apart", TenantId: "async one", InvocationType: "Event" }));
  const logs = new CloudWatchLogsClient(platform.settings);
  const lines = await vi.waitFor(async () => {
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: "/aws/lambda/apart" }));
    const own = (events ?? [])
      .map(({ message }) => JSON.parse(message ?? "") as { type?: string; tenantId?: string; record?: object })
      .filter((line) => JSON.stringify(line).includes("async one"));
    expect(own.length).toBeGreaterThanOrEqual(2);
    return own;
  });
  expect(lines.find(({ type }) => type === "platform.start")?.record).toMatchObject({ tenantId: "async one" });
  expect(lines.find(({ type }) => type === undefined)).toMatchObject({ message: "here", tenantId: "async one" });
});

const configuration = (FunctionName: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));

test("the configuration says so, and a function without it does not", async () => {
  expect((await configuration("apart")).TenancyConfig).toEqual({ TenantIsolationMode: "PER_TENANT" });
  expect(await configuration("together")).not.toHaveProperty("TenancyConfig");
});

const missing =
  "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.";
const refusals: readonly (readonly [string, Partial<InvokeCommandInput> & { FunctionName: string }, string])[] = [
  ["without a tenant", { FunctionName: "apart" }, missing],
  ["as an event without a tenant", { FunctionName: "apart", InvocationType: "Event" }, missing],
  ["in a dry run without a tenant", { FunctionName: "apart", InvocationType: "DryRun" }, missing],
  [
    "with a tenant, of a function without tenant isolation",
    { FunctionName: "together", TenantId: "blue" },
    "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.",
  ],
];
test.each(refusals)("Invoke is refused %s", async (_, input, message) => {
  await expect(lambda.send(new InvokeCommand(input))).rejects.toMatchObject({
    name: "InvalidParameterValueException",
    message,
    $metadata: { httpStatusCode: 400 },
  });
});

test("a tenant id of forbidden characters is refused", async () => {
  await expect(invoke("apart", { TenantId: "a!b" })).rejects.toMatchObject({ name: "ValidationException" });
});

test("provisioned concurrency, SnapStart and function URLs do not go with it", async () => {
  await expect(
    lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: "apart", AuthType: "NONE" })),
  ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
  const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: "apart" }));
  await expect(
    lambda.send(
      new PutProvisionedConcurrencyConfigCommand({
        FunctionName: "apart",
        Qualifier: Version,
        ProvisionedConcurrentExecutions: 1,
      }),
    ),
  ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
  await expect(
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: "both",
        Role,
        Runtime: "python3.13",
        Handler: "app.handler",
        Code: { ZipFile: zipOf({ "app.py": "" }) },
        TenancyConfig: { TenantIsolationMode: "PER_TENANT" },
        SnapStart: { ApplyOn: "PublishedVersions" },
      }),
    ),
  ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
});
