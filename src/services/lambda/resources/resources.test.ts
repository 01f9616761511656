import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
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

/** Waits until the stack rests; its status, outputs, and why anything failed. */
async function settle(StackName: string) {
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    const stack = Stacks?.[0];
    if (!stack?.StackStatus?.endsWith("_IN_PROGRESS")) {
      const { StackEvents } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
      const failures = (StackEvents ?? [])
        .filter(({ ResourceStatus }) => ResourceStatus?.endsWith("_FAILED"))
        .map(({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`);
      const outputs = Object.fromEntries((stack?.Outputs ?? []).map((each) => [each.OutputKey, each.OutputValue]));
      return { status: stack?.StackStatus, failures, outputs };
    }
    await delay(20);
  }
}

const template = (answer: number, more: object = {}) => ({
  Resources: {
    Role: {
      Type: "AWS::IAM::Role",
      Properties: {
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
      },
    },
    Group: { Type: "AWS::Logs::LogGroup", Properties: { RetentionInDays: 7 } },
    Stream: { Type: "AWS::Logs::LogStream", Properties: { LogGroupName: { Ref: "Group" } } },
    Function: {
      Type: "AWS::Lambda::Function",
      Properties: {
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role: { "Fn::GetAtt": ["Role", "Arn"] },
        Timeout: "5",
        Environment: { Variables: { ANSWER: answer } },
        LoggingConfig: { LogGroup: { Ref: "Group" } },
        Tags: [{ Key: "team", Value: "a" }],
        Code: {
          ZipFile: `const response = require("cfn-response");
exports.handler = async () => [${answer}, process.env.ANSWER, response.SUCCESS];`,
        },
        ...more,
      },
    },
    Version: { Type: "AWS::Lambda::Version", Properties: { FunctionName: { Ref: "Function" } } },
    Alias: {
      Type: "AWS::Lambda::Alias",
      Properties: {
        Name: "live",
        FunctionName: { Ref: "Function" },
        FunctionVersion: { "Fn::GetAtt": ["Version", "Version"] },
      },
    },
    Permission: {
      Type: "AWS::Lambda::Permission",
      Properties: {
        Action: "lambda:InvokeFunction",
        FunctionName: { Ref: "Alias" },
        Principal: "apigateway.amazonaws.com",
      },
    },
    Events: {
      Type: "AWS::Lambda::EventInvokeConfig",
      Properties: { FunctionName: { Ref: "Function" }, Qualifier: "$LATEST", MaximumRetryAttempts: 0 },
    },
  },
  Outputs: {
    Name: { Value: { Ref: "Function" } },
    Arn: { Value: { "Fn::GetAtt": ["Function", "Arn"] } },
    Alias: { Value: { Ref: "Alias" } },
    Group: { Value: { Ref: "Group" } },
  },
});

test("a stack makes, changes and removes functions with all that hangs on them", async () => {
  const StackName = "whole";
  const Capabilities = ["CAPABILITY_IAM" as const];
  const deploy = { StackName, Capabilities };
  await cloudformation.send(new CreateStackCommand({ ...deploy, TemplateBody: JSON.stringify(template(1)) }));
  const made = await settle(StackName);
  expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  const { Name = "", Arn = "", Alias = "", Group = "" } = made.outputs;
  expect(Name).toMatch(/^whole-Function-[A-Za-z0-9]{12}$/);
  expect(Alias).toBe(`${Arn}:live`);

  const run = async (FunctionName: string) => {
    const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName }));
    expect(FunctionError).toBeUndefined();
    return JSON.parse(Payload?.transformToString() ?? "");
  };
  expect(await run(Alias)).toEqual([1, "1", "SUCCESS"]);
  const { Tags } = await lambda.send(new ListTagsCommand({ Resource: Arn }));
  expect(Tags).toMatchObject({ team: "a" });
  const config = await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: Name }));
  expect(config.MaximumRetryAttempts).toBe(0);
  const { Policy } = await lambda.send(new GetPolicyCommand({ FunctionName: Name, Qualifier: "live" }));
  expect(JSON.parse(Policy ?? "").Statement).toHaveLength(1);
  const logs = new CloudWatchLogsClient(platform.settings);
  const groups = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: Group }));
  expect(groups.logGroups).toMatchObject([{ logGroupName: Group, retentionInDays: 7 }]);

  const changed = template(2, {
    MemorySize: 256,
    Tags: [{ Key: "team", Value: "b" }],
    ReservedConcurrentExecutions: 5,
  });
  await cloudformation.send(new UpdateStackCommand({ ...deploy, TemplateBody: JSON.stringify(changed) }));
  expect(await settle(StackName)).toMatchObject({ status: "UPDATE_COMPLETE", failures: [] });
  expect(await run(Name)).toEqual([2, "2", "SUCCESS"]);
  expect(await run(Alias)).toEqual([1, "1", "SUCCESS"]);
  const after = await lambda.send(new GetFunctionCommand({ FunctionName: Name }));
  expect(after).toMatchObject({
    Configuration: { MemorySize: 256, Timeout: 5 },
    Concurrency: { ReservedConcurrentExecutions: 5 },
    Tags: { team: "b" },
  });

  await cloudformation.send(new DeleteStackCommand({ StackName }));
  await settle(StackName).catch(() => undefined);
  await expect(lambda.send(new GetFunctionCommand({ FunctionName: Name }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  const left = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: Group }));
  expect(left.logGroups).toEqual([]);
});

test.each([
  ["VpcConfig", { VpcConfig: { SubnetIds: ["subnet-1"] } }],
  ["DeadLetterConfig", { DeadLetterConfig: { TargetArn: "arn:aws:sqs:us-east-1:000000000000:q" } }],
])("a function with %s is refused by name before anything is created", async (property, more) => {
  const input = { StackName: `no-${property}`, Capabilities: ["CAPABILITY_IAM" as const] };
  const create = new CreateStackCommand({ ...input, TemplateBody: JSON.stringify(template(1, more)) });
  await expect(cloudformation.send(create)).rejects.toThrow(property);
});
