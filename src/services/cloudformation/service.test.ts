import { setTimeout as delay } from "node:timers/promises";
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ValidateTemplateCommand,
  type Stack,
} from "@aws-sdk/client-cloudformation";
import { DescribeLogGroupsCommand, CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: CloudFormationClient;
let iam: IAMClient;

beforeAll(async () => {
  platform = await startTestPlatform();
  client = new CloudFormationClient(platform.settings);
  iam = new IAMClient(platform.settings);
});

afterAll(async () => platform.stop());

const groups = (name: string) => `
Resources:
  Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: ${name}, RetentionInDays: "7" } }
`;

async function settled(nameOrId: string, from = client): Promise<Stack> {
  for (;;) {
    const { Stacks } = await from.send(new DescribeStacksCommand({ StackName: nameOrId }));
    const stack = Stacks?.[0];
    if (stack && !stack.StackStatus?.endsWith("_IN_PROGRESS")) return stack;
    await delay(10);
  }
}

const policy = (actions: readonly string[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] });

async function userWith(name: string, actions: readonly string[]) {
  await iam.send(new CreateUserCommand({ UserName: name }));
  await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: "p", PolicyDocument: policy(actions) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  const credentials = {
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  };
  return new CloudFormationClient({ ...platform.settings, credentials });
}

test("CreateStack is denied to who may not", async () => {
  const nobody = await userWith("nobody", ["s3:*"]);
  const denied = nobody.send(new CreateStackCommand({ StackName: "denied", TemplateBody: groups("denied") }));
  await expect(denied).rejects.toMatchObject({ name: expect.stringMatching(/^AccessDenied/) });
});

test("resources are made with the rights of who deploys, and no others", async () => {
  const deployer = await userWith("deployer", ["cloudformation:*"]);
  await deployer.send(new CreateStackCommand({ StackName: "powerless", TemplateBody: groups("powerless") }));
  expect((await settled("powerless")).StackStatus).toBe("ROLLBACK_COMPLETE");
  const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName: "powerless" }));
  const failure = StackEvents?.find(({ ResourceStatus }) => ResourceStatus === "CREATE_FAILED");
  expect(failure?.ResourceStatusReason).toMatch(
    /^Resource handler returned message: "User: arn:aws:iam::\d{12}:user\/deployer is not authorized to perform: logs:CreateLogGroup .*HandlerErrorCode: AccessDenied\)$/,
  );
});

const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

const role = async (name: string, service: string) => {
  const input = { RoleName: name, AssumeRolePolicyDocument: trust(service) };
  const { Role } = await iam.send(new CreateRoleCommand(input));
  const document = { RoleName: name, PolicyName: "p", PolicyDocument: policy(["logs:*"]) };
  await iam.send(new PutRolePolicyCommand(document));
  return Role?.Arn ?? "";
};

test("a stack's role is really assumed, and lends its rights", async () => {
  const [lent, other] = [
    await role("lent", "cloudformation.amazonaws.com"),
    await role("other", "lambda.amazonaws.com"),
  ];
  const user = await userWith("passer", ["cloudformation:*", "iam:PassRole"]);
  const send = (StackName: string, RoleARN: string, from = user) =>
    from.send(new CreateStackCommand({ StackName, RoleARN, TemplateBody: groups(StackName) }));
  await send("lent-stack", lent);
  expect(await settled("lent-stack")).toMatchObject({ StackStatus: "CREATE_COMPLETE", RoleARN: lent });
  await expect(send("other-stack", other)).rejects.toMatchObject({
    message: `Role ${other} is invalid or cannot be assumed`,
  });
  const withoutPassRole = await userWith("keeper", ["cloudformation:*"]);
  await expect(send("kept-stack", lent, withoutPassRole)).rejects.toMatchObject({
    name: expect.stringMatching(/^AccessDenied/),
    message: expect.stringContaining("iam:PassRole"),
  });
});

test("templates are read from S3, as who asks", async () => {
  const s3 = new S3Client({ ...platform.settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "templates" }));
  await s3.send(new PutObjectCommand({ Bucket: "templates", Key: "a/t.yaml", Body: groups("from-s3") }));
  for (const url of [`${platform.endpoint}/templates/a/t.yaml`, "https://templates.s3.amazonaws.com/a/t.yaml"]) {
    expect(await client.send(new ValidateTemplateCommand({ TemplateURL: url }))).toMatchObject({ Parameters: [] });
  }
  const missing = client.send(new ValidateTemplateCommand({ TemplateURL: `${platform.endpoint}/templates/none` }));
  await expect(missing).rejects.toMatchObject({
    name: "ValidationError",
    message: expect.stringMatching(/^S3 error: The specified key does not exist\.\nFor more information check /),
  });
  const stranger = await userWith("stranger", ["cloudformation:*"]);
  const denied = stranger.send(new ValidateTemplateCommand({ TemplateURL: `${platform.endpoint}/templates/a/t.yaml` }));
  await expect(denied).rejects.toMatchObject({ message: expect.stringMatching(/^S3 error: Access Denied/) });
});

test("what the SAM transform refuses is the reason of a failed change set", async () => {
  const TemplateBody = `
Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { Runtime: nodejs22.x, CodeUri: s3://b/k, Handler: a.b, Nope: 1 } }
`;
  const input = { StackName: "sam", ChangeSetName: "c", ChangeSetType: "CREATE" as const, TemplateBody };
  await client.send(new CreateChangeSetCommand(input));
  expect(await client.send(new DescribeChangeSetCommand({ StackName: "sam", ChangeSetName: "c" }))).toMatchObject({
    Status: "FAILED",
    StatusReason: expect.stringMatching(
      /^Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document\. Number of errors found: 1\. Resource with id \[F\] is invalid\./,
    ),
  });
  await expect(client.send(new CreateStackCommand({ StackName: "direct", TemplateBody }))).rejects.toMatchObject({
    name: "ValidationError",
    message: expect.stringMatching(/^Transform AWS::Serverless-2016-10-31 failed with: /),
  });
});

test("stacks and their resources are there after a restart", async () => {
  const durable = await startTestPlatform({ durable: true });
  await new CloudFormationClient(durable.settings).send(
    new CreateStackCommand({ StackName: "lasting", TemplateBody: groups("lasting") }),
  );
  await durable.restart();
  const again = new CloudFormationClient(durable.settings);
  expect((await settled("lasting", again)).StackStatus).toBe("CREATE_COMPLETE");
  const { logGroups } = await new CloudWatchLogsClient(durable.settings).send(new DescribeLogGroupsCommand());
  expect(logGroups).toMatchObject([{ logGroupName: "lasting", retentionInDays: 7 }]);
  await durable.stop();
});
