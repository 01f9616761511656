import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { deploy } from "../../src/testing/stacks.ts";

const password = "Correct-Horse-1";

/** One function for all: the trigger says who may sign up, the APIs say who has called. */
const InlineCode = `exports.handler = async (event) => {
  if (event.triggerSource !== undefined) {
    if (!event.request.userAttributes.email.endsWith("@example.com")) throw new Error("not one of us");
    event.response.autoConfirmUser = true;
    return event;
  }
  const { authorizer } = event.requestContext;
  const claims = authorizer.claims ?? authorizer.jwt.claims;
  return { statusCode: 200, body: JSON.stringify({ name: claims["cognito:username"] ?? claims.username, use: claims.token_use }) };
};`;

const on = (Type: string, api: string, path: string, more: object = {}) => ({
  Type,
  Properties: { [Type === "Api" ? "RestApiId" : "ApiId"]: { Ref: api }, Path: path, Method: "get", ...more },
});

const template = {
  Transform: "AWS::Serverless-2016-10-31",
  Resources: {
    Pool: { Type: "AWS::Cognito::UserPool", Properties: { Policies: { PasswordPolicy: { MinimumLength: 8 } } } },
    Client: {
      Type: "AWS::Cognito::UserPoolClient",
      Properties: { UserPoolId: { Ref: "Pool" }, ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"] },
    },
    Rest: {
      Type: "AWS::Serverless::Api",
      Properties: {
        StageName: "prod",
        Auth: {
          DefaultAuthorizer: "Pool",
          Authorizers: {
            Pool: { UserPoolArn: { "Fn::GetAtt": ["Pool", "Arn"] } },
            Scoped: {
              UserPoolArn: { "Fn::GetAtt": ["Pool", "Arn"] },
              AuthorizationScopes: ["aws.cognito.signin.user.admin"],
            },
          },
        },
      },
    },
    Http: {
      Type: "AWS::Serverless::HttpApi",
      Properties: {
        Auth: {
          DefaultAuthorizer: "Jwt",
          Authorizers: {
            Jwt: {
              IdentitySource: "$request.header.Authorization",
              JwtConfiguration: {
                issuer: { "Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}" },
                audience: [{ Ref: "Client" }],
              },
            },
          },
        },
      },
    },
    Function: {
      Type: "AWS::Serverless::Function",
      Properties: {
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        InlineCode,
        Events: {
          SignUp: { Type: "Cognito", Properties: { UserPool: { Ref: "Pool" }, Trigger: "PreSignUp" } },
          Rest: on("Api", "Rest", "/me"),
          Scoped: on("Api", "Rest", "/scoped", { Auth: { Authorizer: "Scoped" } }),
          Http: on("HttpApi", "Http", "/me"),
        },
      },
    },
  },
  Outputs: Object.fromEntries(["Pool", "Client", "Rest", "Http"].map((name) => [name, { Value: { Ref: name } }])),
};

let platform: TestPlatform;
let cognito: sdk.CognitoIdentityProviderClient;
let outputs: Readonly<Record<string, string | undefined>>;
beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cognito = new sdk.CognitoIdentityProviderClient(platform.settings);
  const made = await deploy(new CloudFormationClient(platform.settings), "app", template);
  expect(made).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  ({ outputs } = made);
}, 60_000);
afterAll(() => platform.stop());

const signUp = (Username: string, domain: string) =>
  cognito.send(
    new sdk.SignUpCommand({
      ClientId: outputs["Client"],
      Username,
      Password: password,
      UserAttributes: [{ Name: "email", Value: `${Username}@${domain}` }],
    }),
  );

async function tokens() {
  const { AuthenticationResult } = await cognito.send(
    new sdk.InitiateAuthCommand({
      ClientId: outputs["Client"],
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "ann", PASSWORD: password },
    }),
  );
  return { id: AuthenticationResult?.IdToken ?? "", access: AuthenticationResult?.AccessToken ?? "" };
}

async function ask(api: string, path: string, token?: string) {
  const headers = token === undefined ? {} : { authorization: token };
  const answer = await fetch(`${platform.endpoint}/_cumulet/api/${outputs[api]}${path}`, { headers });
  return { status: answer.status, body: answer.status === 200 ? await answer.json() : undefined };
}

describe("A pool, its trigger and two APIs of one SAM template", () => {
  test("the function decides who signs up", async () => {
    expect((await signUp("ann", "example.com")).UserConfirmed).toBe(true);
    await expect(signUp("eve", "evil.example")).rejects.toThrow("PreSignUp failed with error not one of us.");
  });

  test("COGNITO_USER_POOLS takes ID tokens of the pool; with scopes, access tokens; and nothing else", async () => {
    const { id, access } = await tokens();
    for (const token of [id, `Bearer ${id}`]) {
      expect(await ask("Rest", "/prod/me", token)).toEqual({ status: 200, body: { name: "ann", use: "id" } });
    }
    expect(await ask("Rest", "/prod/scoped", access)).toEqual({ status: 200, body: { name: "ann", use: "access" } });
    for (const [path, token] of [
      ["/prod/me", undefined],
      ["/prod/me", `${id.slice(0, -4)}AAAA`],
      ["/prod/scoped", id],
      ["/prod/me", unsigned(id)],
    ] as const) {
      expect((await ask("Rest", path, token)).status).toBe(401);
    }
  });

  test("a JWT authorizer takes them by AWS's name of the issuer, and refuses others' and unsigned ones", async () => {
    const { id, access } = await tokens();
    expect(await ask("Http", "/me", `Bearer ${id}`)).toEqual({ status: 200, body: { name: "ann", use: "id" } });
    expect((await ask("Http", "/me", `Bearer ${access}`)).status).toBe(200);
    for (const token of [undefined, `Bearer ${unsigned(id)}`, `Bearer ${id.slice(0, -4)}AAAA`]) {
      expect((await ask("Http", "/me", token)).status).toBe(401);
    }
  });
});

function unsigned(token: string): string {
  const [, body = ""] = token.split(".");
  return `${Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")}.${body}.`;
}
