import {
  APIGatewayClient,
  CreateAuthorizerCommand,
  type CreateAuthorizerCommandInput,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  DeleteAuthorizerCommand,
  FlushStageAuthorizersCacheCommand,
  GetAuthorizerCommand,
  GetAuthorizersCommand,
  GetMethodCommand,
  GetRestApiCommand,
  ImportRestApiCommand,
  PutIntegrationCommand,
  PutMethodCommand,
  TestInvokeAuthorizerCommand,
  UpdateAuthorizerCommand,
  UpdateMethodCommand,
  UpdateRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccessTest, type AccessTest, policy, refusal, statement, trust } from "../../testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";

let access: AccessTest;
let client: APIGatewayClient;
const uriOf = (name: string) =>
  `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${name}/invocations`;
const uri = uriOf("auth");

beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process", durable: true });
  const { settings } = access.platform;
  client = new APIGatewayClient(settings);
  const Role = await createFunctionRole(settings, "auth");
  await createNodeFunction(settings, {
    FunctionName: "auth",
    Role,
    source: `export const handler = async (event) => {
      const token = event.authorizationToken ?? event.headers.Who;
      if (token === "nobody") throw new Error("Unauthorized");
      return {
        principalId: token,
        context: { said: String(Date.now()) },
        policyDocument: { Version: "2012-10-17", Statement: [
          { Effect: token === "good" ? "Allow" : "Deny", Action: "execute-api:Invoke", Resource: event.methodArn },
        ] },
      };
    };`,
  });
  await createNodeFunction(settings, {
    FunctionName: "hello",
    Role,
    source: `export const handler = async (event) => ({
      statusCode: 200, body: JSON.stringify(event.requestContext.authorizer ?? null),
    });`,
  });
  await permit("hello", "hello", "arn:aws:execute-api:us-east-1:000000000000:*");
}, 30_000);
afterAll(() => access.stop());

async function permit(FunctionName: string, StatementId: string, SourceArn: string): Promise<void> {
  await new LambdaClient(access.platform.settings).send(
    new AddPermissionCommand({
      FunctionName,
      StatementId,
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
      SourceArn,
    }),
  );
}

interface Api {
  readonly restApiId: string;
  readonly resourceId: string;
}

async function createApi(more: { policy?: string } = {}): Promise<Api> {
  const api = await client.send(new CreateRestApiCommand({ name: "a", ...more }));
  const restApiId = api.id ?? "";
  const resource = await client.send(
    new CreateResourceCommand({ restApiId, parentId: api.rootResourceId, pathPart: "a" }),
  );
  return { restApiId, resourceId: resource.id ?? "" };
}

async function createAuthorizer(api: Api, more: Partial<CreateAuthorizerCommandInput> = {}): Promise<string> {
  const input = { restApiId: api.restApiId, name: "first", type: "TOKEN", authorizerUri: uri } as const;
  const { id = "" } = await client.send(
    new CreateAuthorizerCommand({ ...input, identitySource: "method.request.header.Who", ...more }),
  );
  return id;
}

async function putMethod(api: Api, more: object): Promise<void> {
  const address = { ...api, httpMethod: "GET" };
  await client.send(new PutMethodCommand({ ...address, authorizationType: "NONE", ...more }));
  await client.send(
    new PutIntegrationCommand({ ...address, type: "AWS_PROXY", integrationHttpMethod: "POST", uri: uriOf("hello") }),
  );
}

async function deploy({ restApiId }: Api): Promise<void> {
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "prod" }));
}

function ask({ restApiId }: Api, Who?: string): Promise<Response> {
  const url = `${access.platform.endpoint}/_cumulet/api/${restApiId}/prod/a`;
  return fetch(url, Who === undefined ? {} : { headers: { Who } });
}

const from = (range: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: "*",
        Action: "execute-api:Invoke",
        Resource: "execute-api:/*",
        Condition: { IpAddress: { "aws:SourceIp": range } },
      },
    ],
  });

const scheme = (name: string, authorizer: object, more = {}) => ({
  type: "apiKey",
  name,
  in: "header",
  ...more,
  "x-amazon-apigateway-authorizer": authorizer,
});

describe("CreateAuthorizer", () => {
  test("answers what was asked for with AWS's defaults, and is told by Get and list", async () => {
    const api = await createApi();
    const id = await createAuthorizer(api);
    const { $metadata: _, ...told } = await client.send(
      new GetAuthorizerCommand({ restApiId: api.restApiId, authorizerId: id }),
    );
    expect(told).toEqual({
      id,
      name: "first",
      type: "TOKEN",
      authType: "custom",
      authorizerUri: uri,
      identitySource: "method.request.header.Who",
      authorizerResultTtlInSeconds: 300,
    });
    const { items } = await client.send(new GetAuthorizersCommand({ restApiId: api.restApiId }));
    expect(items).toEqual([told]);
  });

  test.each<[Partial<CreateAuthorizerCommandInput>, string]>([
    [{ type: "TOKEN", identitySource: "method.request.querystring.q" }, "Invalid token source expression"],
    [{ type: "TOKEN", identitySource: undefined }, "Invalid token source expression"],
    [{ type: "REQUEST", identitySource: undefined }, "Identity source must be set"],
    [{ type: "REQUEST", identitySource: "method.request.body.x" }, "Invalid identity source expression"],
    [{ authorizerUri: "arn:aws:lambda:us-east-1:000000000000:function:auth" }, "Invalid Authorizer URI"],
    [{ authorizerUri: undefined }, "Invalid Authorizer URI"],
    [{ authorizerResultTtlInSeconds: 3601 }, "TTL"],
    [{ authorizerResultTtlInSeconds: -1 }, "TTL"],
    [{ type: "COGNITO_USER_POOLS" }, "at least one provider ARN"],
    [
      { type: "COGNITO_USER_POOLS", providerARNs: ["arn:aws:iam::000000000000:role/x"] },
      "Invalid Cognito User Pool ARN",
    ],
    [{ identityValidationExpression: "(" }, "Invalid identity validation expression"],
    [{ name: "" }, "name"],
  ])("refuses %j", async (more, message) => {
    const refused = await refusal(createAuthorizer(await createApi(), more));
    expect([refused.name, refused.status]).toEqual(["BadRequestException", 400]);
    expect(refused.message).toContain(message);
  });

  test("refuses a second authorizer of the same name", async () => {
    const api = await createApi();
    await createAuthorizer(api);
    expect(await refusal(createAuthorizer(api))).toMatchObject({ name: "ConflictException", status: 409 });
  });

  test("asks that the role may be passed", async () => {
    const restApiId = (await createApi()).restApiId;
    const role = "arn:aws:iam::000000000000:role/passed";
    const input = { restApiId, name: "n", type: "TOKEN", authorizerUri: uri } as const;
    const send = async (name: string, document: string) => {
      const credentials = await access.createUser(name, document);
      return new APIGatewayClient({ ...access.platform.settings, credentials }).send(
        new CreateAuthorizerCommand({
          ...input,
          identitySource: "method.request.header.Who",
          authorizerCredentials: role,
        }),
      );
    };
    const may = statement("apigateway:POST", `arn:aws:apigateway:us-east-1::/restapis/${restApiId}/authorizers`);
    expect((await refusal(send("alone", policy(may)))).message).toContain("iam:PassRole");
    await send("passing", policy(may, statement("iam:PassRole", role)));
  });
});

describe("TestInvokeAuthorizer", () => {
  test("tells what the function said, and what a client would have got where it said nothing", async () => {
    const api = await createApi();
    const authorizerId = await createAuthorizer(api, { identityValidationExpression: "[a-z]+" });
    const send = (headers: Record<string, string>) =>
      client.send(new TestInvokeAuthorizerCommand({ restApiId: api.restApiId, authorizerId, headers }));
    expect((await send({ who: "good" })).clientStatus).toBe(500);
    await permit("auth", "tested", `arn:aws:execute-api:us-east-1:000000000000:${api.restApiId}/authorizers/*`);
    const { clientStatus, principalId, policy: said, log, latency, authorization } = await send({ who: "good" });
    expect({ clientStatus, principalId, authorization }).toEqual({
      clientStatus: 0,
      principalId: "good",
      authorization: {},
    });
    expect(JSON.parse(said ?? "")).toMatchObject({ Statement: [{ Effect: "Allow" }] });
    expect([typeof latency, log?.includes("Starting authorizer")]).toEqual(["number", true]);
    for (const who of ["nobody", "", "1"]) expect((await send({ who })).clientStatus).toBe(401);
  });
});

describe("Methods", () => {
  test("must name an authorizer that is there and of the kind that their type says", async () => {
    const api = await createApi();
    const authorizerId = await createAuthorizer(api);
    for (const more of [
      { authorizationType: "CUSTOM" },
      { authorizationType: "CUSTOM", authorizerId: "nope" },
      { authorizationType: "COGNITO_USER_POOLS", authorizerId },
    ]) {
      const refused = await refusal(putMethod(api, more));
      expect(refused).toMatchObject({
        name: "BadRequestException",
        message:
          "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
      });
    }
    await putMethod(api, {});
    const patch = (patchOperations: object[]) =>
      client.send(new UpdateMethodCommand({ ...api, httpMethod: "GET", patchOperations: patchOperations as never }));
    await expect(patch([{ op: "replace", path: "/authorizationType", value: "CUSTOM" }])).rejects.toThrow(
      "Invalid authorizer ID",
    );
    await patch([
      { op: "replace", path: "/authorizationType", value: "CUSTOM" },
      { op: "replace", path: "/authorizerId", value: authorizerId },
    ]);
    expect(await client.send(new GetMethodCommand({ ...api, httpMethod: "GET" }))).toMatchObject({
      authorizationType: "CUSTOM",
      authorizerId,
    });
    const gone = client.send(new DeleteAuthorizerCommand({ restApiId: api.restApiId, authorizerId }));
    expect(await refusal(gone)).toMatchObject({ name: "ConflictException" });
  });

  test("are authorized by the function once the function's policy lets the authorizer call it", async () => {
    const api = await createApi();
    const authorizerId = await createAuthorizer(api);
    await putMethod(api, { authorizationType: "CUSTOM", authorizerId });
    await deploy(api);
    expect((await ask(api, "good")).status).toBe(500);
    await permit(
      "auth",
      "one",
      `arn:aws:execute-api:us-east-1:000000000000:${api.restApiId}/authorizers/${authorizerId}`,
    );
    const first = await ask(api, "good");
    expect(first.status).toBe(200);
    const { said, principalId }: { said?: string; principalId?: string } = JSON.parse(await first.text());
    expect(principalId).toBe("good");
    expect([(await ask(api, "bad")).status, (await ask(api, "nobody")).status, (await ask(api)).status]).toEqual([
      403, 401, 401,
    ]);
    expect(await (await ask(api, "good")).json()).toMatchObject({ said });
    await client.send(new FlushStageAuthorizersCacheCommand({ restApiId: api.restApiId, stageName: "prod" }));
    const flushed: { said?: string } = JSON.parse(await (await ask(api, "good")).text());
    expect(flushed.said).not.toBe(said);
    // A change of the authorizer acts with the next deployment, and all of it survives a restart.
    await client.send(
      new UpdateAuthorizerCommand({
        restApiId: api.restApiId,
        authorizerId,
        patchOperations: [{ op: "replace", path: "/identitySource", value: "method.request.header.Other" }],
      }),
    );
    expect((await ask(api, "good")).status).toBe(200);
    await deploy(api);
    expect((await ask(api, "good")).status).toBe(401);
    await access.platform.restart();
    expect((await ask(api, "good")).status).toBe(401);
  });

  test("are authorized with a role, which must trust API Gateway and may call the function", async () => {
    await access.iam.send(
      new CreateRoleCommand({
        RoleName: "caller",
        AssumeRolePolicyDocument: trust({ Service: "apigateway.amazonaws.com" }),
      }),
    );
    const api = await createApi();
    const authorizerId = await createAuthorizer(api, {
      authorizerCredentials: "arn:aws:iam::000000000000:role/caller",
      authorizerResultTtlInSeconds: 0,
    });
    await putMethod(api, { authorizationType: "CUSTOM", authorizerId });
    await deploy(api);
    expect((await ask(api, "good")).status).toBe(500);
    const PolicyDocument = policy(statement("lambda:InvokeFunction"));
    await access.iam.send(new PutRolePolicyCommand({ RoleName: "caller", PolicyName: "p", PolicyDocument }));
    expect((await ask(api, "good")).status).toBe(200);
  });
});

describe("A resource policy", () => {
  test("acts once it is deployed, and is told with ARNs in full and its quotes escaped", async () => {
    const api = await createApi({ policy: from("127.0.0.0/8") });
    await putMethod(api, {});
    await deploy(api);
    expect((await ask(api)).status).toBe(200);
    const told = await client.send(new GetRestApiCommand({ restApiId: api.restApiId }));
    expect(JSON.parse(JSON.parse(`"${told.policy}"`)).Statement[0].Resource).toBe(
      `arn:aws:execute-api:us-east-1:000000000000:${api.restApiId}/*`,
    );
    const patch = (op: "replace" | "remove", value?: string) =>
      client.send(
        new UpdateRestApiCommand({ restApiId: api.restApiId, patchOperations: [{ op, path: "/policy", value }] }),
      );
    await patch("replace", from("192.0.2.0/24"));
    expect((await ask(api)).status).toBe(200);
    await deploy(api);
    expect((await ask(api)).status).toBe(403);
    await patch("remove");
    await deploy(api);
    expect((await ask(api)).status).toBe(200);
  });

  test.each([
    ["{", "BadRequestException"],
    ["[]", "BadRequestException"],
    [JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow" }] }), "BadRequestException"],
    [from("127.0.0.1").replace("aws:SourceIp", "aws:SourceVpc").replace("IpAddress", "StringEquals"), "NotImplemented"],
    [from("x".repeat(8192)), "BadRequestException"],
  ])("%s is refused", async (text, name) => {
    expect((await refusal(createApi({ policy: text }))).name).toBe(name);
  });
});

test("A definition's security schemes become authorizers, for the methods that ask for them, with its resource policy", async () => {
  const integration = { type: "aws_proxy", httpMethod: "POST", uri: uriOf("hello") };
  const pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";
  const operation = (security: object[]) => ({
    security,
    responses: {},
    "x-amazon-apigateway-integration": integration,
  });
  const api = await client.send(
    new ImportRestApiCommand({
      body: Buffer.from(
        JSON.stringify({
          swagger: "2.0",
          info: { title: "t", version: "1" },
          "x-amazon-apigateway-policy": JSON.parse(from127()),
          securityDefinitions: {
            token: scheme("Who", { type: "token", authorizerUri: uri, authorizerResultTtlInSeconds: 60 }),
            request: scheme("Unused", {
              type: "request",
              authorizerUri: uri,
              identitySource: "method.request.header.Who",
            }),
            pool: scheme("Authorization", { type: "cognito_user_pools", providerARNs: [pool] }),
          },
          paths: {
            "/a": {
              get: operation([{ token: [] }]),
              post: operation([{ request: [] }]),
              put: operation([{ pool: ["x/y"] }]),
            },
          },
        }),
      ),
    }),
  );
  const restApiId = api.id ?? "";
  expect(api.policy).toContain("execute-api:Invoke");
  const { items = [] } = await client.send(new GetAuthorizersCommand({ restApiId }));
  expect(items.map(({ name, type, identitySource }) => [name, type, identitySource]).toSorted()).toEqual([
    ["pool", "COGNITO_USER_POOLS", "method.request.header.Authorization"],
    ["request", "REQUEST", "method.request.header.Who"],
    ["token", "TOKEN", "method.request.header.Who"],
  ]);
  const token = items.find(({ name }) => name === "token")?.id ?? "";
  await permit("auth", "imported", `arn:aws:execute-api:us-east-1:000000000000:${restApiId}/authorizers/${token}`);
  await deploy({ restApiId, resourceId: "" });
  const imported = { restApiId, resourceId: "" };
  expect([(await ask(imported, "good")).status, (await ask(imported, "bad")).status]).toEqual([200, 403]);
});

function from127(): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: "*",
        Action: "execute-api:Invoke",
        Resource: "execute-api:/*",
        Condition: { IpAddress: { "aws:SourceIp": "127.0.0.1" } },
      },
    ],
  });
}
