import {
  AddUserPoolClientSecretCommand,
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminSetUserPasswordCommand,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  DeleteUserPoolCommand,
  DescribeUserPoolCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  ListUsersInGroupCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateAuthorizerCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy } from "../../testing/stacks.ts";
import { poolsOf } from "../../testing/user-pools.ts";

const password = "Correct-Horse-1";
let platform: TestPlatform;
let pools: ReturnType<typeof poolsOf>;
beforeAll(async () => {
  platform = await startTestPlatform();
  pools = poolsOf(platform);
});
afterAll(() => platform.stop());

const adminCreate = (UserPoolId: string, Username: string, attributes: Readonly<Record<string, string>>) =>
  pools.cognito.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username,
      MessageAction: "SUPPRESS",
      UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    }),
  );

async function signIn(UserPoolId: string, Username: string): Promise<string> {
  await pools.cognito.send(
    new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: password, Permanent: true }),
  );
  const { id: ClientId } = await pools.createClient(UserPoolId, { ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] });
  const { AuthenticationResult } = await pools.cognito.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: Username, PASSWORD: password },
    }),
  );
  return AuthenticationResult?.IdToken ?? "";
}

const role = (name: string) => `arn:aws:iam::000000000000:role/${name}`;

describe("Users", () => {
  test("ListUsers finds by equality and by prefix, in pages, without regard to case", async () => {
    const pool = await pools.createPool();
    for (const name of ["anna", "annette", "bert"]) {
      await adminCreate(pool, name, { email: `${name}@Example.com`, given_name: name });
    }
    const list = async (Filter?: string, more: { Limit?: number; PaginationToken?: string } = {}) =>
      pools.cognito.send(new ListUsersCommand({ UserPoolId: pool, Filter, ...more }));
    const names = async (filter?: string) => (await list(filter)).Users?.map(({ Username }) => Username);
    expect(await names()).toEqual(["anna", "annette", "bert"]);
    expect(await names('username ^= "ann"')).toEqual(["anna", "annette"]);
    expect(await names('email = "ANNA@example.com"')).toEqual(["anna"]);
    expect(await names('given_name ^= "b"')).toEqual(["bert"]);
    expect(await names('cognito:user_status = "FORCE_CHANGE_PASSWORD"')).toHaveLength(3);
    expect(await names('email = "ann"')).toEqual([]);
    const first = await list('username ^= "ann"', { Limit: 1 });
    expect(first.Users).toMatchObject([{ Username: "anna" }]);
    const second = await list('username ^= "ann"', { Limit: 1, PaginationToken: first.PaginationToken ?? "" });
    expect(second.Users).toMatchObject([{ Username: "annette" }]);
    expect(second.PaginationToken).toBeUndefined();
    for (const filter of ["anna", 'custom:x = "1"', 'email > "a"']) {
      await expect(list(filter)).rejects.toMatchObject({ name: "InvalidParameterException" });
    }
    const { UserPool } = await pools.cognito.send(new DescribeUserPoolCommand({ UserPoolId: pool }));
    expect(UserPool?.EstimatedNumberOfUsers).toBe(3);
  });

  test("where names are addresses, one address is one account", async () => {
    const pool = await pools.createPool({ UsernameAttributes: ["email"], AutoVerifiedAttributes: ["email"] });
    const { id: ClientId } = await pools.createClient(pool);
    const signUp = (Username: string) =>
      pools.cognito.send(new SignUpCommand({ ClientId, Username, Password: password }));
    const { UserSub } = await signUp("dora@example.com");
    await expect(signUp("Dora@Example.com")).rejects.toMatchObject({ name: "UsernameExistsException" });
    await expect(signUp("dora")).rejects.toThrow("Username should be an email.");
    await expect(
      pools.cognito.send(new SignUpCommand({ ClientId, Username: "e@example.com", Password: "short" })),
    ).rejects.toMatchObject({ name: "InvalidPasswordException" });
    const found = await pools.cognito.send(new AdminGetUserCommand({ UserPoolId: pool, Username: "DORA@example.com" }));
    expect(found).toMatchObject({ Username: UserSub, UserStatus: "UNCONFIRMED", Enabled: true });
  });

  test("groups are told in tokens, the one that goes before all others with its role", async () => {
    const pool = await pools.createPool();
    await adminCreate(pool, "gina", {});
    for (const [GroupName, Precedence] of [["late", 9] as const, ["early", 1] as const]) {
      await pools.cognito.send(
        new CreateGroupCommand({ UserPoolId: pool, GroupName, Precedence, RoleArn: role(GroupName) }),
      );
      await pools.cognito.send(new AdminAddUserToGroupCommand({ UserPoolId: pool, GroupName, Username: "gina" }));
    }
    const { Users } = await pools.cognito.send(new ListUsersInGroupCommand({ UserPoolId: pool, GroupName: "late" }));
    expect(Users).toMatchObject([{ Username: "gina" }]);
    const claims = JSON.parse(Buffer.from((await signIn(pool, "gina")).split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({
      "cognito:groups": ["early", "late"],
      "cognito:roles": [role("early"), role("late")],
      "cognito:preferred_role": role("early"),
    });
    await expect(
      pools.cognito.send(new CreateGroupCommand({ UserPoolId: pool, GroupName: "late" })),
    ).rejects.toMatchObject({ name: "GroupExistsException" });
  });
});

describe("Pools", () => {
  test.each([
    [{ UserPoolAddOns: { AdvancedSecurityMode: "ENFORCED" as const } }, "UserPoolAddOns.AdvancedSecurityMode=ENFORCED"],
    [{ LambdaConfig: { KMSKeyID: "arn:aws:kms:us-east-1:000000000000:key/x" } }, "LambdaConfig.KMSKeyID"],
    [{ EmailConfiguration: { ConfigurationSet: "set" } }, "EmailConfiguration.ConfigurationSet"],
  ])("what is not built is refused by name: %j", async (settings, name) => {
    await expect(pools.cognito.send(new CreateUserPoolCommand({ PoolName: "p", ...settings }))).rejects.toThrow(
      `${name} of CreateUserPool is not implemented`,
    );
  });

  test.each([
    [{ Policies: { SignInPolicy: { AllowedFirstAuthFactors: ["PASSWORD" as const, "EMAIL_OTP" as const] } } }],
    [{ Policies: { PasswordPolicy: { PasswordHistorySize: 3 } } }],
    [{ LambdaConfig: { PreTokenGenerationConfig: { LambdaVersion: "V2_0" as const, LambdaArn: role("x") } } }],
  ])("the feature plan LITE has less: %j", async (settings) => {
    await expect(pools.createPool({ UserPoolTier: "LITE", ...settings })).rejects.toMatchObject({
      name: "FeatureUnavailableInTierException",
    });
  });

  test("a protected pool is not deleted, and a client has two secrets at the most", async () => {
    const pool = await pools.createPool({ DeletionProtection: "ACTIVE" });
    await expect(pools.cognito.send(new DeleteUserPoolCommand({ UserPoolId: pool }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const { id: ClientId } = await pools.createClient(pool, { GenerateSecret: true });
    const add = () => pools.cognito.send(new AddUserPoolClientSecretCommand({ UserPoolId: pool, ClientId }));
    await add();
    await expect(add()).rejects.toMatchObject({ name: "LimitExceededException" });
    await expect(
      pools.cognito.send(
        new CreateUserPoolClientCommand({
          UserPoolId: pool,
          ClientName: "c",
          AllowedOAuthFlows: ["client_credentials", "code"],
        }),
      ),
    ).rejects.toMatchObject({ name: "InvalidOAuthFlowException" });
  });

  test("a template makes a pool whose tokens an HTTP API takes by AWS's own issuer", async () => {
    const template = {
      Resources: {
        Pool: { Type: "AWS::Cognito::UserPool", Properties: { Policies: { PasswordPolicy: { MinimumLength: 8 } } } },
        Client: {
          Type: "AWS::Cognito::UserPoolClient",
          Properties: { UserPoolId: { Ref: "Pool" }, ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] },
        },
        Group: {
          Type: "AWS::Cognito::UserPoolGroup",
          Properties: { UserPoolId: { Ref: "Pool" }, GroupName: "admins" },
        },
        User: {
          Type: "AWS::Cognito::UserPoolUser",
          Properties: { UserPoolId: { Ref: "Pool" }, Username: "ida", MessageAction: "SUPPRESS" },
        },
        Member: {
          Type: "AWS::Cognito::UserPoolUserToGroupAttachment",
          Properties: { UserPoolId: { Ref: "Pool" }, Username: { Ref: "User" }, GroupName: { Ref: "Group" } },
        },
        Server: {
          Type: "AWS::Cognito::UserPoolResourceServer",
          Properties: { UserPoolId: { Ref: "Pool" }, Identifier: "api", Name: "api", Scopes: [] },
        },
        Domain: {
          Type: "AWS::Cognito::UserPoolDomain",
          Properties: { UserPoolId: { Ref: "Pool" }, Domain: "stack-pool" },
        },
      },
      Outputs: {
        Pool: { Value: { Ref: "Pool" } },
        Client: { Value: { Ref: "Client" } },
        Url: { Value: { "Fn::GetAtt": ["Pool", "ProviderURL"] } },
      },
    };
    const cloudformation = new CloudFormationClient(platform.settings);
    const made = await deploy(cloudformation, "pools", template);
    expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
    const { Pool: pool = "", Url: issuer = "" } = made.outputs;
    const token = await signIn(pool, "ida");
    const audience = String(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).aud);

    const api = new ApiGatewayV2Client(platform.settings);
    const { ApiId } = await api.send(new CreateApiCommand({ Name: "api", ProtocolType: "HTTP" }));
    const { AuthorizerId } = await api.send(
      new CreateAuthorizerCommand({
        ApiId,
        AuthorizerType: "JWT",
        Name: "pool",
        IdentitySource: ["$request.header.Authorization"],
        JwtConfiguration: { Issuer: issuer, Audience: [audience] },
      }),
    );
    const { IntegrationId } = await api.send(
      new CreateIntegrationCommand({
        ApiId,
        IntegrationType: "HTTP_PROXY",
        IntegrationMethod: "GET",
        IntegrationUri: `${platform.endpoint}/_cumulet/health`,
        PayloadFormatVersion: "1.0",
      }),
    );
    await api.send(
      new CreateRouteCommand({
        ApiId,
        RouteKey: "GET /",
        AuthorizationType: "JWT",
        AuthorizerId,
        Target: `integrations/${IntegrationId}`,
      }),
    );
    await api.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
    const ask = async (authorization: string) =>
      (await fetch(`${platform.endpoint}/_cumulet/api/${ApiId}/`, { headers: { authorization } })).status;
    expect(await ask(`Bearer ${token}`)).toBe(200);
    const [head = "", body = ""] = token.split(".");
    expect(await ask(`Bearer ${head}.${body}.${Buffer.alloc(256).toString("base64url")}`)).toBe(401);

    expect((await deploy(cloudformation, "pools", undefined)).status).toBe("DELETE_COMPLETE");
    await expect(pools.cognito.send(new DescribeUserPoolCommand({ UserPoolId: pool }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

test("what a pool knows is there after a restart: users, keys, sessions", async () => {
  const durable = await startTestPlatform({ durable: true });
  try {
    const own = poolsOf(durable);
    const pool = await own.createPool();
    const { id: ClientId } = await own.createClient(pool, {
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    });
    const name = { UserPoolId: pool, Username: "rita" };
    await own.cognito.send(new AdminCreateUserCommand({ ...name, MessageAction: "SUPPRESS" }));
    await own.cognito.send(new AdminSetUserPasswordCommand({ ...name, Password: password, Permanent: true }));
    const signedIn = await own.cognito.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: "rita", PASSWORD: password },
      }),
    );
    const jwks = async () => (await fetch(`${durable.endpoint}/${pool}/.well-known/jwks.json`)).json();
    const before = await jwks();
    await durable.restart();
    expect(await jwks()).toEqual(before);
    const REFRESH_TOKEN = signedIn.AuthenticationResult?.RefreshToken ?? "";
    await expect(
      own.cognito.send(
        new InitiateAuthCommand({ ClientId, AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters: { REFRESH_TOKEN } }),
      ),
    ).resolves.toMatchObject({ AuthenticationResult: { TokenType: "Bearer" } });
  } finally {
    await durable.stop();
  }
});
