import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import * as sdk from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let iam: sdk.IAMClient;
let stacks: CloudFormationClient;

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true });
  iam = new sdk.IAMClient(platform.settings);
  stacks = new CloudFormationClient(platform.settings);
});
afterAll(() => platform.stop());

const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" }] }`;
const document = (action: string) =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "${action}", Resource: "*" }] }`;

const template = (more: { readonly action: string; readonly managed: string; readonly inline: string }) => `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: ${trust}
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/${more.managed}"]
      Policies: [{ PolicyName: ${more.inline}, PolicyDocument: ${document(more.action)} }]
      Tags: [{ Key: team, Value: a }]
  Policy:
    Type: AWS::IAM::Policy
    Properties: { PolicyName: extra, PolicyDocument: ${document(more.action)}, Roles: [!Ref Role], Users: [!Ref User] }
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties: { PolicyDocument: ${document(more.action)}, Groups: [!Ref Group] }
  Group: { Type: AWS::IAM::Group }
  User:
    Type: AWS::IAM::User
    Properties: { UserName: stacked, Path: /x/, PermissionsBoundary: !Ref Managed }
  Member:
    Type: AWS::IAM::UserToGroupAddition
    Properties: { GroupName: !Ref Group, Users: [!Ref User] }
  Key:
    Type: AWS::IAM::AccessKey
    Properties: { UserName: !Ref User }
Outputs:
  Role: { Value: !Ref Role }
  RoleArn: { Value: !GetAtt Role.Arn }
  Managed: { Value: !Ref Managed }
  Key: { Value: !Ref Key }
  Secret: { Value: !GetAtt Key.SecretAccessKey }
`;

async function settled(StackName: string): Promise<{ status: string; outputs: Record<string, string> }> {
  for (;;) {
    const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName }));
    const { StackStatus = "", StackStatusReason, Outputs = [] } = Stacks?.[0] ?? {};
    if (StackStatus.endsWith("_IN_PROGRESS")) continue;
    const outputs = Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue ?? ""]));
    return { status: StackStatusReason ? `${StackStatus} ${StackStatusReason}` : StackStatus, outputs };
  }
}

const Capabilities: ["CAPABILITY_NAMED_IAM"] = ["CAPABILITY_NAMED_IAM"];

test("a stack makes, changes and removes identities, whose keys work and outlive a restart", async () => {
  const first = template({ action: "iam:GetUser", managed: "service-role/AWSLambdaBasicExecutionRole", inline: "one" });
  await stacks.send(new CreateStackCommand({ StackName: "ids", TemplateBody: first, Capabilities }));
  const { status, outputs } = await settled("ids");
  expect(status).toBe("CREATE_COMPLETE");
  const RoleName = outputs["Role"] ?? "";
  expect(RoleName).toMatch(/^ids-Role-[A-Za-z0-9]+$/);
  const { Role } = await iam.send(new sdk.GetRoleCommand({ RoleName }));
  expect(Role).toMatchObject({ Arn: outputs["RoleArn"], Tags: expect.arrayContaining([{ Key: "team", Value: "a" }]) });
  const inline = async () => (await iam.send(new sdk.ListRolePoliciesCommand({ RoleName }))).PolicyNames;
  expect(await inline()).toEqual(["extra", "one"]);

  const user = { accessKeyId: outputs["Key"] ?? "", secretAccessKey: outputs["Secret"] ?? "" };
  const who = () => new STSClient({ ...platform.settings, credentials: user }).send(new GetCallerIdentityCommand({}));
  expect((await who()).Arn).toBe("arn:aws:iam::000000000000:user/x/stacked");
  await platform.restart();
  expect((await who()).Arn).toBe("arn:aws:iam::000000000000:user/x/stacked");

  const second = template({ action: "iam:ListUsers", managed: "AWSXRayDaemonWriteAccess", inline: "two" });
  await stacks.send(new UpdateStackCommand({ StackName: "ids", TemplateBody: second, Capabilities }));
  expect((await settled("ids")).status).toBe("UPDATE_COMPLETE");
  expect(await inline()).toEqual(["extra", "two"]);
  const attached = await iam.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName }));
  expect(attached.AttachedPolicies?.map(({ PolicyName }) => PolicyName)).toEqual(["AWSXRayDaemonWriteAccess"]);
  const managed = await iam.send(new sdk.GetPolicyCommand({ PolicyArn: outputs["Managed"] ?? "" }));
  expect(managed.Policy?.DefaultVersionId).toBe("v2");

  const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName: "ids" }));
  await stacks.send(new DeleteStackCommand({ StackName: "ids" }));
  expect((await settled(Stacks?.[0]?.StackId ?? "")).status).toBe("DELETE_COMPLETE");
  expect((await iam.send(new sdk.ListRolesCommand({}))).Roles).toEqual([]);
  expect((await iam.send(new sdk.ListUsersCommand({}))).Users).toEqual([]);
  expect((await iam.send(new sdk.ListGroupsCommand({}))).Groups).toEqual([]);
  expect((await iam.send(new sdk.ListPoliciesCommand({ Scope: "Local" }))).Policies).toEqual([]);
});

test("a role whose policy is refused leaves no role behind", async () => {
  const TemplateBody = `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: ${trust}
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/NoSuchPolicy"]
`;
  await stacks.send(new CreateStackCommand({ StackName: "bad", TemplateBody, Capabilities }));
  expect((await settled("bad")).status).toContain("ROLLBACK_COMPLETE");
  expect((await iam.send(new sdk.ListRolesCommand({}))).Roles).toEqual([]);
});
