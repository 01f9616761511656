import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import {
  GetFunctionConfigurationCommand,
  GetFunctionRecursionConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
  lambda = new LambdaClient(platform.settings);
});
afterAll(() => platform.stop());

/** Waits until the stack rests; its status, and why anything failed. */
const settle = (StackName: string) =>
  vi.waitFor(
    async () => {
      const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
      const status = Stacks?.[0]?.StackStatus ?? "";
      expect(status).not.toMatch(/_IN_PROGRESS$/);
      const { StackEvents } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
      const failures = (StackEvents ?? [])
        .filter(({ ResourceStatus }) => ResourceStatus?.endsWith("_FAILED"))
        .map(({ ResourceStatusReason }) => ResourceStatusReason);
      return { status, failures };
    },
    { timeout: 20_000, interval: 20 },
  );

const sam = (source: string, more: object = {}) => ({
  TemplateBody: JSON.stringify({
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Function: {
        Type: "AWS::Serverless::Function",
        Properties: {
          FunctionName: "ahead",
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          InlineCode: source,
          AutoPublishAlias: "live",
          ...more,
        },
      },
    },
  }),
  Capabilities: ["CAPABILITY_IAM" as const, "CAPABILITY_AUTO_EXPAND" as const],
});
const source = (answer: number) =>
  `exports.handler = async () => [${answer}, process.env.AWS_LAMBDA_INITIALIZATION_TYPE];`;

async function run(Qualifier: string) {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: "ahead", Qualifier }));
  return JSON.parse(Payload?.transformToString() ?? "") as unknown;
}

test("a stack is complete when its function's provisioned concurrency is READY, and takes it along to the next version", async () => {
  const StackName = "provisioned";
  const ProvisionedConcurrencyConfig = { ProvisionedConcurrentExecutions: 1 };
  const template = (answer: number) => sam(source(answer), { ProvisionedConcurrencyConfig, RecursiveLoop: "Allow" });
  await cloudformation.send(new CreateStackCommand({ StackName, ...template(1) }));
  expect(await settle(StackName)).toEqual({ status: "CREATE_COMPLETE", failures: [] });
  const get = new GetProvisionedConcurrencyConfigCommand({ FunctionName: "ahead", Qualifier: "live" });
  expect((await lambda.send(get)).Status).toBe("READY");
  expect(await run("live")).toEqual([1, "provisioned-concurrency"]);
  const loops = await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: "ahead" }));
  expect(loops.RecursiveLoop).toBe("Allow");

  await cloudformation.send(new UpdateStackCommand({ StackName, ...template(2) }));
  expect(await settle(StackName)).toEqual({ status: "UPDATE_COMPLETE", failures: [] });
  expect(await run("live")).toEqual([2, "provisioned-concurrency"]);

  await cloudformation.send(new UpdateStackCommand({ StackName, ...sam(source(2)) }));
  expect(await settle(StackName)).toEqual({ status: "UPDATE_COMPLETE", failures: [] });
  await expect(lambda.send(get)).rejects.toMatchObject({ name: "ProvisionedConcurrencyConfigNotFoundException" });
});

test("a function whose init fails cannot be provisioned, and the stack says why", async () => {
  const StackName = "broken";
  const more = { FunctionName: "broken", ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 1 } };
  await cloudformation.send(new CreateStackCommand({ StackName, ...sam("throw new Error('no')", more) }));
  const { status, failures } = await settle(StackName);
  expect(status).toBe("ROLLBACK_COMPLETE");
  expect(failures[0] ?? failures).toContain("FUNCTION_ERROR_INIT_FAILURE");
});

const of = (FunctionName: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));

test("SnapStart and tenant isolation are those of the template", async () => {
  const snap = { FunctionName: "snap", Runtime: "python3.13", SnapStart: { ApplyOn: "PublishedVersions" } };
  await cloudformation.send(new CreateStackCommand({ StackName: "snap", ...sam("def handler(a, b): pass", snap) }));
  expect(await settle("snap")).toEqual({ status: "CREATE_COMPLETE", failures: [] });
  expect((await of("snap")).SnapStart).toEqual({ ApplyOn: "PublishedVersions", OptimizationStatus: "Off" });
  expect((await of("snap:1")).SnapStart).toEqual({ ApplyOn: "PublishedVersions", OptimizationStatus: "On" });

  const apart = { FunctionName: "apart", TenancyConfig: { TenantIsolationMode: "PER_TENANT" } };
  await cloudformation.send(new CreateStackCommand({ StackName: "apart", ...sam(source(1), apart) }));
  expect(await settle("apart")).toEqual({ status: "CREATE_COMPLETE", failures: [] });
  expect((await of("apart")).TenancyConfig).toEqual({ TenantIsolationMode: "PER_TENANT" });
});

test("SnapStart is refused for a runtime that has none, in AWS's words", async () => {
  const more = { FunctionName: "node", SnapStart: { ApplyOn: "PublishedVersions" } };
  await cloudformation.send(new CreateStackCommand({ StackName: "node", ...sam(source(1), more) }));
  const { failures } = await settle("node");
  expect(failures.join()).toContain("nodejs24.x is not supported for SnapStart enabled functions");
});
