import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import {
  CognitoIdentityClient,
  DescribeIdentityPoolCommand,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  GetIdentityPoolRolesCommand,
  GetOpenIdTokenCommand,
  GetPrincipalTagAttributeMapCommand,
} from "@aws-sdk/client-cognito-identity";
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy } from "../../testing/stacks.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ durable: true });
});
afterAll(() => platform.stop());

const provider = "cognito-identity.amazonaws.com";

const template = (unauthenticated: boolean) => ({
  Resources: {
    Pool: {
      Type: "AWS::Cognito::IdentityPool",
      Properties: {
        AllowUnauthenticatedIdentities: unauthenticated,
        AllowClassicFlow: true,
        CognitoIdentityProviders: [
          { ClientId: "abc", ProviderName: "cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA" },
        ],
        IdentityPoolTags: [{ Key: "team", Value: "a" }],
      },
    },
    Guest: {
      Type: "AWS::IAM::Role",
      Properties: {
        RoleName: "stack-guest",
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Federated: provider },
              Action: "sts:AssumeRoleWithWebIdentity",
              Condition: {
                StringEquals: { [`${provider}:aud`]: { Ref: "Pool" } },
                "ForAnyValue:StringLike": { [`${provider}:amr`]: "unauthenticated" },
              },
            },
          ],
        },
      },
    },
    Roles: {
      Type: "AWS::Cognito::IdentityPoolRoleAttachment",
      Properties: {
        IdentityPoolId: { Ref: "Pool" },
        Roles: { unauthenticated: { "Fn::GetAtt": ["Guest", "Arn"] } },
        RoleMappings: {
          pool: {
            IdentityProvider: "cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA:abc",
            Type: "Rules",
            AmbiguousRoleResolution: "Deny",
            RulesConfiguration: {
              Rules: [{ Claim: "dept", MatchType: "Equals", Value: "x", RoleARN: { "Fn::GetAtt": ["Guest", "Arn"] } }],
            },
          },
        },
      },
    },
    Tags: {
      Type: "AWS::Cognito::IdentityPoolPrincipalTag",
      Properties: { IdentityPoolId: { Ref: "Pool" }, IdentityProviderName: "p", PrincipalTags: { dept: "department" } },
    },
  },
  Outputs: { Pool: { Value: { Ref: "Pool" } }, Name: { Value: { "Fn::GetAtt": ["Pool", "Name"] } } },
});

test("a stack makes a pool with roles and tags, changes it in place, and its guests' tokens outlive a restart", async () => {
  const cloudformation = new CloudFormationClient(platform.settings);
  const identity = new CognitoIdentityClient(platform.settings);
  const made = await deploy(cloudformation, "pools", template(true));
  expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  const IdentityPoolId = made.outputs["Pool"] ?? "";
  expect(await identity.send(new GetIdentityPoolRolesCommand({ IdentityPoolId }))).toMatchObject({
    Roles: { unauthenticated: "arn:aws:iam::000000000000:role/stack-guest" },
    RoleMappings: { "cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA:abc": { Type: "Rules" } },
  });
  const map = new GetPrincipalTagAttributeMapCommand({ IdentityPoolId, IdentityProviderName: "p" });
  expect(await identity.send(map)).toMatchObject({ UseDefaults: false, PrincipalTags: { dept: "department" } });

  // The basic flow: the token is the client's to trade.
  const { IdentityId = "" } = await identity.send(new GetIdCommand({ IdentityPoolId }));
  const { Token } = await identity.send(new GetOpenIdTokenCommand({ IdentityId }));
  await platform.restart();
  const sts = new STSClient(platform.settings);
  const assume = new AssumeRoleWithWebIdentityCommand({
    RoleArn: "arn:aws:iam::000000000000:role/stack-guest",
    RoleSessionName: "mine",
    WebIdentityToken: Token,
  });
  const { Credentials, SubjectFromWebIdentityToken } = await sts.send(assume);
  expect(SubjectFromWebIdentityToken).toBe(IdentityId);
  const who = new STSClient({
    ...platform.settings,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    },
  });
  expect((await who.send(new GetCallerIdentityCommand({}))).Arn).toContain("assumed-role/stack-guest/mine");

  const again = new CognitoIdentityClient(platform.settings);
  const changed = await deploy(new CloudFormationClient(platform.settings), "pools", template(false));
  expect(changed).toMatchObject({ status: "UPDATE_COMPLETE", outputs: { Pool: IdentityPoolId } });
  const { AllowUnauthenticatedIdentities, IdentityPoolName } = await again.send(
    new DescribeIdentityPoolCommand({ IdentityPoolId }),
  );
  expect(AllowUnauthenticatedIdentities).toBe(false);
  expect(IdentityPoolName).toBe(made.outputs["Name"]);
  await expect(again.send(new GetCredentialsForIdentityCommand({ IdentityId }))).rejects.toThrow(
    "Unauthenticated access is not supported for this identity pool.",
  );
  expect((await deploy(new CloudFormationClient(platform.settings), "pools", undefined)).status).toBe(
    "DELETE_COMPLETE",
  );
});
