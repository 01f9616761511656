import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateAuthorizerCommand,
  type CreateAuthorizerCommandInput,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
  DeleteAuthorizerCommand,
  GetAuthorizersCommand,
  GetRouteCommand,
  ImportApiCommand,
  ResetAuthorizersCacheCommand,
  UpdateAuthorizerCommand,
  UpdateRouteCommand,
} from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { startTestIssuer, type TestIssuer } from "../execute-api/authorizers/test-issuer.ts";

let platform: TestPlatform;
let client: ApiGatewayV2Client;
let issuer: TestIssuer;
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn("auth")}/invocations`;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new ApiGatewayV2Client(platform.settings);
  issuer = await startTestIssuer(() => Math.floor(Date.now() / 1000));
  const Role = await createFunctionRole(platform.settings, "auth");
  await createNodeFunction(platform.settings, {
    FunctionName: "auth",
    Role,
    source: `export const handler = async (event) => ({
      isAuthorized: event.headers.who === "good", context: { said: Date.now() },
    });`,
  });
  await createNodeFunction(platform.settings, {
    FunctionName: "hello",
    Role,
    source: "export const handler = async (event) => event.requestContext.authorizer ?? {};",
  });
  for (const FunctionName of ["auth", "hello"]) {
    await new LambdaClient(platform.settings).send(
      new AddPermissionCommand({
        FunctionName,
        StatementId: "all",
        Action: "lambda:InvokeFunction",
        Principal: "apigateway.amazonaws.com",
        SourceArn: "arn:aws:execute-api:us-east-1:000000000000:*",
      }),
    );
  }
}, 30_000);
afterAll(async () => {
  await issuer.stop();
  await platform.stop();
});

async function createApi(): Promise<{ ApiId: string; Target: string }> {
  const { ApiId = "" } = await client.send(new CreateApiCommand({ Name: "a", ProtocolType: "HTTP" }));
  const { IntegrationId } = await client.send(
    new CreateIntegrationCommand({
      ApiId,
      IntegrationType: "AWS_PROXY",
      IntegrationUri: functionArn("hello"),
      PayloadFormatVersion: "2.0",
    }),
  );
  await client.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
  return { ApiId, Target: `integrations/${IntegrationId}` };
}

function authorizer(ApiId: string, more: Partial<CreateAuthorizerCommandInput> = {}) {
  const jwt = more.AuthorizerType === "JWT";
  return client.send(
    new CreateAuthorizerCommand({
      ApiId,
      Name: "first",
      AuthorizerType: "REQUEST",
      IdentitySource: jwt ? ["$request.header.Authorization"] : ["$request.header.Who"],
      ...(jwt
        ? { JwtConfiguration: { Issuer: issuer.url, Audience: ["app"] } }
        : { AuthorizerUri: uri, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true }),
      ...more,
    }),
  );
}

const ask = (ApiId: string, headers: Record<string, string> = {}, path = "/a") =>
  fetch(`${platform.endpoint}/_cumulet/api/${ApiId}${path}`, { headers });

describe("CreateAuthorizer", () => {
  test("answers what was asked for, for functions and for issuers", async () => {
    const { ApiId } = await createApi();
    const { $metadata: _1, ...lambda } = await authorizer(ApiId);
    expect(lambda).toEqual({
      AuthorizerId: lambda.AuthorizerId,
      AuthorizerPayloadFormatVersion: "2.0",
      AuthorizerResultTtlInSeconds: 0,
      AuthorizerType: "REQUEST",
      AuthorizerUri: uri,
      EnableSimpleResponses: true,
      IdentitySource: ["$request.header.Who"],
      Name: "first",
    });
    const { $metadata: _2, ...jwt } = await authorizer(ApiId, { AuthorizerType: "JWT", Name: "second" });
    expect(jwt).toEqual({
      AuthorizerId: jwt.AuthorizerId,
      AuthorizerType: "JWT",
      IdentitySource: ["$request.header.Authorization"],
      JwtConfiguration: { Audience: ["app"], Issuer: issuer.url },
      Name: "second",
    });
    const { Items = [] } = await client.send(new GetAuthorizersCommand({ ApiId }));
    expect(Items.map(({ Name }) => Name).toSorted()).toEqual(["first", "second"]);
  });

  test.each<[Partial<CreateAuthorizerCommandInput>]>([
    [{ AuthorizerPayloadFormatVersion: undefined }],
    [{ AuthorizerPayloadFormatVersion: "3.0" }],
    [{ AuthorizerPayloadFormatVersion: "1.0" }],
    [{ AuthorizerUri: undefined }],
    [{ AuthorizerUri: functionArn("auth") }],
    [{ IdentitySource: ["method.request.header.Who"] }],
    [{ IdentitySource: [], AuthorizerResultTtlInSeconds: 60 }],
    [{ JwtConfiguration: { Issuer: "https://a.example", Audience: ["x"] } }],
    [{ AuthorizerType: "JWT", JwtConfiguration: undefined }],
    [{ AuthorizerType: "JWT", JwtConfiguration: { Issuer: "http://a.example", Audience: ["x"] } }],
    [{ AuthorizerType: "JWT", JwtConfiguration: { Issuer: "http://localhost.evil.example", Audience: ["x"] } }],
    [{ AuthorizerType: "JWT", JwtConfiguration: { Issuer: "https://a.example" } }],
    [{ AuthorizerType: "JWT", IdentitySource: ["$context.identity.sourceIp"] }],
    [{ AuthorizerType: "JWT", IdentitySource: ["$request.header.a", "$request.header.b"] }],
    [{ AuthorizerType: "JWT", AuthorizerResultTtlInSeconds: 60 }],
    [{ IdentityValidationExpression: "x" }],
  ])("refuses %j", async (more) => {
    const { ApiId } = await createApi();
    expect(await refusal(authorizer(ApiId, more))).toMatchObject({ name: "BadRequestException", status: 400 });
  });
});

describe("Routes", () => {
  test("must name an authorizer that is there and of the kind that their type says", async () => {
    const { ApiId, Target } = await createApi();
    const { AuthorizerId } = await authorizer(ApiId);
    const create = (more: object) =>
      client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /a", Target, ...more }));
    for (const [more, kind] of [
      [{ AuthorizationType: "CUSTOM" }, "CUSTOM"],
      [{ AuthorizationType: "JWT", AuthorizerId }, "JWT"],
    ] as const) {
      expect((await refusal(create(more))).message).toBe(
        `Invalid authorizer ID specified. Setting the authorization type to ${kind} requires a valid ${kind} authorizer.`,
      );
    }
    const scoped = create({ AuthorizationType: "CUSTOM", AuthorizerId, AuthorizationScopes: ["a"] });
    expect((await refusal(scoped)).name).toBe("BadRequestException");
    const { RouteId } = await create({ AuthorizationType: "CUSTOM", AuthorizerId });
    expect(await refusal(client.send(new DeleteAuthorizerCommand({ ApiId, AuthorizerId })))).toMatchObject({
      name: "ConflictException",
    });
    await client.send(new UpdateRouteCommand({ ApiId, RouteId, AuthorizationType: "NONE" }));
    const told = await client.send(new GetRouteCommand({ ApiId, RouteId }));
    expect([told.AuthorizationType, told.AuthorizerId]).toEqual(["NONE", undefined]);
    await client.send(new DeleteAuthorizerCommand({ ApiId, AuthorizerId }));
  });

  test("are authorized by a function, whose answers are remembered until they are reset", async () => {
    const { ApiId, Target } = await createApi();
    const { AuthorizerId } = await authorizer(ApiId, { AuthorizerResultTtlInSeconds: 300 });
    await client.send(
      new CreateRouteCommand({ ApiId, RouteKey: "GET /a", Target, AuthorizationType: "CUSTOM", AuthorizerId }),
    );
    const said = async () => (await ask(ApiId, { Who: "good" })).text();
    const first = await said();
    expect(JSON.parse(first)).toMatchObject({ lambda: { said: expect.any(Number) } });
    expect([(await ask(ApiId, { Who: "bad" })).status, (await ask(ApiId)).status]).toEqual([403, 401]);
    expect(await said()).toBe(first);
    await client.send(new ResetAuthorizersCacheCommand({ ApiId, StageName: "$default" }));
    expect(await said()).not.toBe(first);
    await client.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId, IdentitySource: ["$request.header.Other"] }));
    expect((await ask(ApiId, { Who: "good" })).status).toBe(401);
  });

  test("are authorized by tokens, with scopes", async () => {
    const { ApiId, Target } = await createApi();
    const { AuthorizerId } = await authorizer(ApiId, { AuthorizerType: "JWT" });
    const route = { ApiId, Target, AuthorizationType: "JWT", AuthorizerId } as const;
    await client.send(new CreateRouteCommand({ ...route, RouteKey: "GET /a", AuthorizationScopes: ["read"] }));
    const as = (token: string) => ask(ApiId, { Authorization: `Bearer ${token}` });
    expect((await as(issuer.sign({ scope: "read" }))).status).toBe(200);
    expect([(await as(issuer.sign())).status, (await as("x.y.z")).status, (await ask(ApiId)).status]).toEqual([
      403, 401, 401,
    ]);
  });
});

test("A definition's security schemes become authorizers, for the routes that ask for them", async () => {
  const integration = {
    type: "aws_proxy",
    httpMethod: "POST",
    uri: functionArn("hello"),
    payloadFormatVersion: "2.0",
  };
  const operation = (security: object[]) => ({ security, "x-amazon-apigateway-integration": integration });
  const { ApiId = "" } = await client.send(
    new ImportApiCommand({
      Body: JSON.stringify({
        openapi: "3.0.1",
        info: { title: "t", version: "1" },
        components: {
          securitySchemes: {
            issuer: {
              type: "oauth2",
              "x-amazon-apigateway-authorizer": {
                type: "jwt",
                jwtConfiguration: { issuer: issuer.url, audience: ["app"] },
                identitySource: "$request.header.Authorization",
              },
            },
            asked: {
              type: "apiKey",
              name: "Unused",
              in: "header",
              "x-amazon-apigateway-authorizer": {
                type: "request",
                authorizerUri: uri,
                identitySource: ["$request.header.Who"],
                authorizerPayloadFormatVersion: "2.0",
                enableSimpleResponses: true,
              },
            },
          },
        },
        paths: {
          "/a": { get: operation([{ issuer: ["read"] }]) },
          "/b": { get: operation([{ asked: [] }]) },
          "/c": { get: operation([]) },
        },
      }),
    }),
  );
  await client.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
  const token = issuer.sign({ scp: ["read"] });
  expect((await ask(ApiId, { Authorization: token })).status).toBe(200);
  expect((await ask(ApiId, {})).status).toBe(401);
  expect((await ask(ApiId, { Who: "good" }, "/b")).status).toBe(200);
  expect((await ask(ApiId, { Who: "bad" }, "/b")).status).toBe(403);
  expect((await ask(ApiId, {}, "/c")).status).toBe(200);
});
