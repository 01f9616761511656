import { setTimeout as delay } from "node:timers/promises";
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import * as sdk from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { refusal } from "../../../testing/access.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let iam: sdk.IAMClient;
let stacks: CloudFormationClient;

beforeAll(async () => {
  platform = await startTestPlatform();
  iam = new sdk.IAMClient(platform.settings);
  stacks = new CloudFormationClient(platform.settings);
});
afterAll(() => platform.stop());

const account = "000000000000";
// IAM takes documents of 1,000 characters and more.
const metadata = "<X509Certificate/>".repeat(60);
const allow = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }] }`;

const template = (more: {
  readonly client: string;
  readonly path: string;
  readonly password: string;
  readonly role: string;
}) => `
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com, ${more.client}]
      ThumbprintList: [${"a".repeat(40)}]
      Tags: [{ Key: team, Value: ${more.client} }]
  Saml:
    Type: AWS::IAM::SAMLProvider
    Properties: { Name: idp, SamlMetadataDocument: "<EntityDescriptor entityID='${more.client}'>${metadata}</EntityDescriptor>" }
  Linked:
    Type: AWS::IAM::ServiceLinkedRole
    Properties: { AWSServiceName: ops.apigateway.amazonaws.com, Description: ${more.client} }
  Device:
    Type: AWS::IAM::VirtualMFADevice
    Properties: { VirtualMfaDeviceName: phone, Users: [!Ref User], Tags: [{ Key: team, Value: ${more.client} }] }
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: !Ref Provider }, Action: "sts:AssumeRoleWithWebIdentity" }] }
  OtherRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: "sts:AssumeRole" }] }
  Profile:
    Type: AWS::IAM::InstanceProfile
    Properties: { Roles: [!Ref ${more.role}] }
  Group: { Type: AWS::IAM::Group, Properties: { GroupName: people, Path: ${more.path} } }
  User:
    Type: AWS::IAM::User
    Properties: { UserName: person, LoginProfile: { Password: ${more.password}, PasswordResetRequired: true } }
  RolePolicy: { Type: AWS::IAM::RolePolicy, Properties: { PolicyName: p, RoleName: !Ref Role, PolicyDocument: ${allow} } }
  UserPolicy: { Type: AWS::IAM::UserPolicy, Properties: { PolicyName: p, UserName: !Ref User, PolicyDocument: ${allow} } }
  GroupPolicy: { Type: AWS::IAM::GroupPolicy, Properties: { PolicyName: p, GroupName: !Ref Group, PolicyDocument: ${allow} } }
Outputs:
  Provider: { Value: !GetAtt Provider.Arn }
  Serial: { Value: !GetAtt Device.SerialNumber }
  Linked: { Value: !GetAtt Linked.RoleName }
  Group: { Value: !GetAtt Group.Arn }
`;

test("AWS::IAM's providers, devices, profiles, linked roles and single policies are made, changed and removed", async () => {
  const Capabilities = ["CAPABILITY_NAMED_IAM" as const];
  const StackName = "access";
  const first = template({ client: "one", path: "/a/", password: "First-Password-1", role: "Role" });
  await stacks.send(new CreateStackCommand({ StackName, TemplateBody: first, Capabilities }));
  expect(await settle(StackName)).toMatchObject({
    StackStatus: "CREATE_COMPLETE",
    Outputs: [
      {
        OutputKey: "Provider",
        OutputValue: `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`,
      },
      { OutputKey: "Serial", OutputValue: `arn:aws:iam::${account}:mfa/phone` },
      { OutputKey: "Linked", OutputValue: "AWSServiceRoleForAPIGateway" },
      { OutputKey: "Group", OutputValue: `arn:aws:iam::${account}:group/a/people` },
    ],
  });
  const second = template({ client: "two", path: "/b/", password: "Second-Password-1", role: "OtherRole" });
  await stacks.send(new UpdateStackCommand({ StackName, TemplateBody: second, Capabilities }));
  expect(await settle(StackName)).toMatchObject({ StackStatus: "UPDATE_COMPLETE" });
  const OpenIDConnectProviderArn = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`;
  await expect(iam.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))).resolves.toMatchObject({
    ClientIDList: ["sts.amazonaws.com", "two"],
    Tags: [{ Key: "team", Value: "two" }],
  });
  const { Group } = await iam.send(new sdk.GetGroupCommand({ GroupName: "people" }));
  expect(Group?.Path).toBe("/b/");
  const { InstanceProfiles } = await iam.send(new sdk.ListInstanceProfilesCommand({}));
  expect(InstanceProfiles?.[0]?.Roles).toMatchObject([{ RoleName: expect.stringContaining("OtherRole") as string }]);
  await iam.send(new sdk.GetGroupPolicyCommand({ GroupName: "people", PolicyName: "p" }));
  await stacks.send(new DeleteStackCommand({ StackName }));
  await settle(StackName);
  for (const command of [
    new sdk.GetUserCommand({ UserName: "person" }),
    new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }),
    new sdk.GetRoleCommand({ RoleName: "AWSServiceRoleForAPIGateway" }),
  ]) {
    expect(await refusal(iam.send(command as sdk.GetUserCommand))).toMatchObject({ name: "NoSuchEntityException" });
  }
});

async function settle(StackName: string) {
  for (;;) {
    const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName })).catch(() => ({ Stacks: [] }));
    const [stack] = Stacks ?? [];
    if (!stack?.StackStatus?.endsWith("IN_PROGRESS")) return stack;
    await delay(50);
  }
}
