import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { ListFunctionsCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientSettings, type ClientSettings } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

let server: TestServer;
let settings: ClientSettings;
let cloudformation: CloudFormationClient;

beforeAll(async () => {
  server = await startTestServer();
  settings = clientSettings(server.environment);
  cloudformation = new CloudFormationClient(settings);
});

afterAll(() => server.stop());

const create = (name: string, TemplateBody: string) =>
  cloudformation.send(
    new CreateStackCommand({
      StackName: name,
      TemplateBody,
      Capabilities: ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }),
  );

const roleYaml = `
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: made-by-stack
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]`;

describe("a template that cannot be deployed is refused and leaves nothing", () => {
  test.each([
    [
      "an unsupported resource type",
      `Resources:${roleYaml}\n  Db: { Type: AWS::RDS::DBInstance }`,
      "AWS::RDS::DBInstance",
    ],
    [
      "a type that AWS does not have",
      `Resources:\n  X: { Type: AWS::Nope::Thing }`,
      "Unrecognized resource types: [AWS::Nope::Thing]",
    ],
    [
      "an unsupported property",
      `Resources:${roleYaml}\n  F: { Type: AWS::Lambda::Function, Properties: { Role: !GetAtt Role.Arn, Runtime: nodejs24.x, Handler: a.b, Code: { ZipFile: "x" }, VpcConfig: { SubnetIds: [s] } } }`,
      "VpcConfig",
    ],
    [
      "a bad reference",
      `Resources:${roleYaml}\nOutputs:\n  X: { Value: !Ref Missing }`,
      "Template format error: Unresolved resource dependencies [Missing] in the Outputs block of the template",
    ],
    [
      "a missing parameter",
      `Parameters:\n  P: { Type: String }\nResources:${roleYaml}`,
      "Parameters: [P] must have values",
    ],
    ["broken YAML", `Resources:\n  - {`, "Template format error: YAML not well-formed."],
  ])("%s", async (_what, template, message) => {
    await expect(create("refused", template)).rejects.toMatchObject({
      name: "ValidationError",
      message: expect.stringContaining(message) as string,
    });
    await expect(cloudformation.send(new DescribeStacksCommand({ StackName: "refused" }))).rejects.toMatchObject({
      message: "Stack with id refused does not exist",
    });
    expect((await cloudformation.send(new ListStacksCommand({}))).StackSummaries).toEqual([]);
    await expect(new IAMClient(settings).send(new GetRoleCommand({ RoleName: "made-by-stack" }))).rejects.toMatchObject(
      {
        name: "NoSuchEntityException",
      },
    );
  });
});

test("a resource that fails midway rolls the stack back completely", async () => {
  // The function's package does not exist: it fails after the role was made.
  const template = `Resources:${roleYaml}
  F:
    Type: AWS::Lambda::Function
    Properties: { Role: !GetAtt Role.Arn, Runtime: nodejs24.x, Handler: a.b, Code: { S3Bucket: no-such-bucket, S3Key: k } }`;
  await create("midway", template);
  const status = async () =>
    (await cloudformation.send(new DescribeStacksCommand({ StackName: "midway" }))).Stacks?.[0]?.StackStatus ?? "";
  while (!(await status()).match(/ROLLBACK_(COMPLETE|FAILED)/)) await delay(20);
  expect(await status()).toBe("ROLLBACK_COMPLETE");
  const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName: "midway" }));
  const told = StackEvents.map((event) => `${event.LogicalResourceId} ${event.ResourceStatus}`).toReversed();
  expect(told).toEqual([
    "midway CREATE_IN_PROGRESS",
    "Role CREATE_IN_PROGRESS",
    "Role CREATE_IN_PROGRESS",
    "Role CREATE_COMPLETE",
    "F CREATE_IN_PROGRESS",
    "F CREATE_FAILED",
    "midway ROLLBACK_IN_PROGRESS",
    "F DELETE_COMPLETE",
    "Role DELETE_IN_PROGRESS",
    "Role DELETE_COMPLETE",
    "midway ROLLBACK_COMPLETE",
  ]);
  await expect(new IAMClient(settings).send(new GetRoleCommand({ RoleName: "made-by-stack" }))).rejects.toThrow();
  expect((await new LambdaClient(settings).send(new ListFunctionsCommand({}))).Functions).toEqual([]);
});
