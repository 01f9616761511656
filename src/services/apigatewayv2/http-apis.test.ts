import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateDeploymentCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
  DeleteApiCommand,
  DeleteIntegrationCommand,
  DeleteRouteCommand,
  GetApiCommand,
  GetApisCommand,
  GetDeploymentsCommand,
  GetIntegrationCommand,
  GetRoutesCommand,
  GetStageCommand,
  GetTagsCommand,
  ImportApiCommand,
  ReimportApiCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateApiCommand,
  UpdateRouteCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { Sha256 } from "../../testing/sha256.ts";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";

let platform: TestPlatform;
let client: ApiGatewayV2Client;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:echo";
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true, sandbox: "process" });
  client = new ApiGatewayV2Client(platform.settings);
  const Role = await createFunctionRole(platform.settings, "echo");
  await createNodeFunction(platform.settings, {
    FunctionName: "echo",
    Role,
    source: "export const handler = async (event) => event;",
  });
  await new LambdaClient(platform.settings).send(
    new AddPermissionCommand({
      FunctionName: "echo",
      StatementId: "gateway",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
      SourceArn: "arn:aws:execute-api:us-east-1:000000000000:*/*",
    }),
  );
});
afterAll(() => platform.stop());

/** Ask an API as a client that resolves no names does: by the Host header of a request to the platform. */
function ask(apiId: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${platform.endpoint}/_cumulet/api/${apiId}${path}`, init);
}

async function refuse(command: Promise<unknown>, name: string): Promise<void> {
  await expect(command).rejects.toMatchObject({ name });
}

async function createApi(name: string): Promise<string> {
  const { ApiId = "" } = await client.send(new CreateApiCommand({ Name: name, ProtocolType: "HTTP" }));
  return ApiId;
}

async function createIntegration(ApiId: string): Promise<string> {
  const { IntegrationId = "" } = await client.send(
    new CreateIntegrationCommand({
      ApiId,
      IntegrationType: "AWS_PROXY",
      IntegrationUri: uri,
      PayloadFormatVersion: "2.0",
    }),
  );
  return IntegrationId;
}

describe("CreateApi", () => {
  test("answers with the members AWS returns", async () => {
    const { $metadata, ...api } = await client.send(new CreateApiCommand({ Name: "n", ProtocolType: "HTTP" }));
    expect($metadata.httpStatusCode).toBe(201);
    expect(api).toEqual({
      ApiEndpoint: `http://${api.ApiId}.execute-api.us-east-1.localhost:${platform.port}`,
      ApiId: expect.stringMatching(/^[a-z0-9]{10}$/),
      ApiKeySelectionExpression: "$request.header.x-api-key",
      CreatedDate: expect.any(Date),
      DisableExecuteApiEndpoint: false,
      IpAddressType: "ipv4",
      Name: "n",
      ProtocolType: "HTTP",
      RouteSelectionExpression: "$request.method $request.path",
      Tags: {},
    });
  });

  test("with a target makes an API that answers at once", async () => {
    const { ApiId = "" } = await client.send(
      new CreateApiCommand({ Name: "quick", ProtocolType: "HTTP", Target: functionArn }),
    );
    const response = await ask(ApiId, "/any/path?a=1");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ version: "2.0", routeKey: "$default", rawPath: "/any/path" });
  });

  test.each([
    ["WebSocket APIs without a selection", { ProtocolType: "WEBSOCKET" as const }, 400],
    ["credentials that are no role", { Target: functionArn, CredentialsArn: "arn:aws:iam::000000000000:user/r" }, 400],
    ["a role of another account", { Target: functionArn, CredentialsArn: "arn:aws:iam::111111111111:role/r" }, 400],
    ["a target that is no address", { Target: "https://" }, 400],
    ["a key without a target", { RouteKey: "GET /" }, 400],
    ["credentials for every origin", { CorsConfiguration: { AllowCredentials: true, AllowOrigins: ["*"] } }, 400],
  ])("refuses %s", async (_what, more, status) => {
    const refused = client.send(new CreateApiCommand({ Name: "n", ProtocolType: "HTTP", ...more }));
    await expect(refused).rejects.toMatchObject({ $metadata: { httpStatusCode: status } });
  });
});

describe("an API made piece by piece", () => {
  test("answers once its stage is deployed, and again after each change when it deploys itself", async () => {
    const ApiId = await createApi("pieces");
    const IntegrationId = await createIntegration(ApiId);
    const { RouteId } = await client.send(
      new CreateRouteCommand({ ApiId, RouteKey: "GET /a/{id}", Target: `integrations/${IntegrationId}` }),
    );
    await client.send(
      new CreateStageCommand({ ApiId, StageName: "dev", AutoDeploy: true, StageVariables: { v: "1" } }),
    );
    expect(await (await ask(ApiId, "/dev/a/7")).json()).toMatchObject({
      routeKey: "GET /a/{id}",
      rawPath: "/dev/a/7",
      pathParameters: { id: "7" },
      stageVariables: { v: "1" },
    });
    await client.send(new UpdateRouteCommand({ ApiId, RouteId, RouteKey: "GET /b" }));
    expect((await ask(ApiId, "/dev/b")).status).toBe(200);
    expect((await ask(ApiId, "/dev/a/7")).status).toBe(404);
    const { Items = [] } = await client.send(new GetDeploymentsCommand({ ApiId }));
    expect(Items).toMatchObject([{ AutoDeployed: true, DeploymentStatus: "DEPLOYED" }]);
  });

  test("keeps answering as deployed when the stage does not deploy itself", async () => {
    const ApiId = await createApi("manual");
    const IntegrationId = await createIntegration(ApiId);
    const { RouteId } = await client.send(
      new CreateRouteCommand({ ApiId, RouteKey: "GET /a", Target: `integrations/${IntegrationId}` }),
    );
    const { DeploymentId } = await client.send(new CreateDeploymentCommand({ ApiId }));
    await client.send(new CreateStageCommand({ ApiId, StageName: "$default", DeploymentId }));
    await client.send(new DeleteRouteCommand({ ApiId, RouteId }));
    expect((await ask(ApiId, "/a")).status).toBe(200);
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /c", Target: `integrations/${IntegrationId}` }));
    await client.send(new CreateDeploymentCommand({ ApiId, StageName: "$default" }));
    expect((await ask(ApiId, "/a")).status).toBe(404);
    expect((await ask(ApiId, "/c")).status).toBe(200);
  });

  test("answers after a restart, and no more once it is deleted", async () => {
    const { ApiId = "" } = await client.send(
      new CreateApiCommand({ Name: "kept", ProtocolType: "HTTP", Target: functionArn }),
    );
    await platform.restart();
    expect((await ask(ApiId, "/")).status).toBe(200);
    await client.send(new DeleteApiCommand({ ApiId }));
    expect((await ask(ApiId, "/")).status).toBe(403);
    await expect(client.send(new GetApiCommand({ ApiId }))).rejects.toMatchObject({
      name: "NotFoundException",
      message: `Invalid API identifier specified 000000000000:${ApiId}`,
    });
  });

  test("answers 500 when the function's policy does not allow it", async () => {
    const other = `${functionArn}:nobody`;
    const { ApiId = "" } = await client.send(
      new CreateApiCommand({ Name: "denied", ProtocolType: "HTTP", Target: other }),
    );
    const response = await ask(ApiId, "/");
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: "Internal Server Error" });
  });
});

describe("ImportApi", () => {
  const definition = {
    openapi: "3.0.1",
    info: { title: "imported", version: "1.0" },
    tags: [{ name: "httpapi:createdBy", "x-amazon-apigateway-tag-value": "SAM" }],
    "x-amazon-apigateway-cors": { allowOrigins: ["https://a.example"], allowMethods: ["GET"] },
    paths: {
      "/hello": {
        get: {
          responses: {},
          "x-amazon-apigateway-integration": {
            type: "aws_proxy",
            httpMethod: "POST",
            payloadFormatVersion: "2.0",
            uri,
          },
        },
      },
      $default: {
        "x-amazon-apigateway-any-method": {
          isDefaultRoute: true,
          responses: {},
          "x-amazon-apigateway-integration": {
            type: "aws_proxy",
            httpMethod: "POST",
            payloadFormatVersion: "1.0",
            uri,
          },
        },
      },
    },
  };

  test("makes what SAM describes", async () => {
    const api = await client.send(new ImportApiCommand({ Body: JSON.stringify(definition) }));
    const ApiId = api.ApiId ?? "";
    expect(api).toMatchObject({
      Name: "imported",
      Version: "1.0",
      Tags: { "httpapi:createdBy": "SAM" },
      CorsConfiguration: { AllowOrigins: ["https://a.example"], AllowMethods: ["GET"] },
    });
    const { Items = [] } = await client.send(new GetRoutesCommand({ ApiId }));
    expect(Items.map((route) => route.RouteKey).toSorted()).toEqual(["$default", "GET /hello"]);
    await client.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
    expect(await (await ask(ApiId, "/hello")).json()).toMatchObject({ version: "2.0" });
    const paths = { "/other": definition.paths["/hello"] };
    await client.send(new ReimportApiCommand({ ApiId, Body: JSON.stringify({ ...definition, paths }) }));
    expect((await ask(ApiId, "/hello")).status).toBe(404);
    expect((await ask(ApiId, "/other")).status).toBe(200);
  });

  test.each([
    ["text that is no definition", "{", 400],
    ["Swagger 2", JSON.stringify({ swagger: "2.0", info: { title: "t" } }), 400],
    ["a definition without a title", JSON.stringify({ openapi: "3.0.1", paths: {} }), 400],
    [
      "an extension that nothing acts on",
      JSON.stringify({ ...definition, "x-amazon-apigateway-request-validators": { a: {} } }),
      501,
    ],
    [
      "an authorizer",
      JSON.stringify({ ...definition, security: [{ jwt: [] }], components: { securitySchemes: { jwt: {} } } }),
      501,
    ],
  ])("refuses %s", async (_what, Body, status) => {
    await expect(client.send(new ImportApiCommand({ Body }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: status },
    });
  });
});

describe("refusals", () => {
  test("name what is not there, what is there already, and what is in use", async () => {
    const ApiId = await createApi("refusals");
    const IntegrationId = await createIntegration(ApiId);
    const Target = `integrations/${IntegrationId}`;
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /a", Target }));
    await refuse(client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /a" })), "ConflictException");
    await refuse(client.send(new CreateRouteCommand({ ApiId, RouteKey: "FETCH /a" })), "BadRequestException");
    await refuse(client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /{p+}/a" })), "BadRequestException");
    await refuse(
      client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /b", Target: "integrations/none" })),
      "BadRequestException",
    );
    await refuse(
      client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /c", AuthorizationType: "JWT" })),
      "BadRequestException",
    );
    await refuse(client.send(new DeleteIntegrationCommand({ ApiId, IntegrationId })), "ConflictException");
    await refuse(client.send(new GetIntegrationCommand({ ApiId, IntegrationId: "none" })), "NotFoundException");
    await refuse(client.send(new GetStageCommand({ ApiId, StageName: "none" })), "NotFoundException");
    await refuse(
      client.send(new CreateStageCommand({ ApiId, StageName: "s", DeploymentId: "none" })),
      "NotFoundException",
    );
    await refuse(
      client.send(new CreateIntegrationCommand({ ApiId, IntegrationType: "HTTP_PROXY", IntegrationUri: "https://x" })),
      "BadRequestException",
    );
    await refuse(
      client.send(
        new CreateIntegrationCommand({
          ApiId,
          IntegrationType: "AWS_PROXY",
          IntegrationUri: uri,
          RequestParameters: { "grow:header.a": "1" },
        }),
      ),
      "BadRequestException",
    );
  });
});

test("Lists come in pages to the end", async () => {
  for (const name of ["p1", "p2", "p3"]) await createApi(name);
  const seen: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new GetApisCommand({ MaxResults: "2", ...(NextToken === undefined ? {} : { NextToken }) }),
    );
    seen.push(...(page.Items ?? []).map((api) => api.ApiId ?? ""));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length).toBeGreaterThanOrEqual(3);
});

test("Tags of APIs and stages are set, told and removed", async () => {
  const ApiId = await createApi("tagged");
  const ResourceArn = `arn:aws:apigateway:us-east-1::/apis/${ApiId}`;
  await client.send(new TagResourceCommand({ ResourceArn, Tags: { a: "1", b: "2" } }));
  await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["a"] }));
  expect((await client.send(new GetTagsCommand({ ResourceArn }))).Tags).toEqual({ b: "2" });
});

test("UpdateApi and UpdateStage change what they name and keep the rest", async () => {
  const { ApiId = "" } = await client.send(
    new CreateApiCommand({ Name: "before", Description: "d", ProtocolType: "HTTP", Target: functionArn }),
  );
  const updated = await client.send(
    new UpdateApiCommand({ ApiId, Name: "after", CorsConfiguration: { AllowOrigins: ["*"] } }),
  );
  expect(updated).toMatchObject({ Name: "after", Description: "d" });
  const response = await ask(ApiId, "/", { headers: { Origin: "https://x.example" } });
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  const StageName = "$default";
  await client.send(new UpdateStageCommand({ ApiId, StageName, StageVariables: { a: "1", b: "2" } }));
  const stage = await client.send(new UpdateStageCommand({ ApiId, StageName, StageVariables: { a: "" } }));
  expect(stage.StageVariables).toEqual({ b: "2" });
  expect(await (await ask(ApiId, "/")).json()).toMatchObject({ stageVariables: { b: "2" } });
});

describe("a route authorized by IAM", () => {
  test("lets in who signs and may, tells the function who that is, and refuses all others", async () => {
    const ApiId = await createApi("iam");
    const IntegrationId = await createIntegration(ApiId);
    await client.send(
      new CreateRouteCommand({
        ApiId,
        RouteKey: "POST /a",
        AuthorizationType: "AWS_IAM",
        Target: `integrations/${IntegrationId}`,
      }),
    );
    await client.send(new CreateStageCommand({ ApiId, StageName: "$default", AutoDeploy: true }));
    const path = `/_cumulet/api/${ApiId}/a`;
    const signed = await signPost(platform.settings.credentials, path, "hi");
    const send = (headers: Record<string, string>, body: string) =>
      fetch(`${platform.endpoint}${path}`, { method: "POST", headers, body });
    const response = await send(signed.headers, "hi");
    expect(await response.json()).toMatchObject({
      requestContext: { authorizer: { iam: { accountId: "000000000000", cognitoIdentity: null } } },
    });
    expect((await send(signed.headers, "tampered")).status).toBe(403);
    expect((await send({}, "hi")).status).toBe(403);

    // As to every other service: nobody can read on the way over loopback.
    const allowed = async (name: string, secure: string) => {
      const Condition = { Bool: { "aws:SecureTransport": secure } };
      const keys = await createCaller(name, {
        Effect: "Allow",
        Action: "execute-api:Invoke",
        Resource: "*",
        Condition,
      });
      return (await send((await signPost(keys, path, "hi")).headers, "hi")).status;
    };
    expect(await allowed("secure", "true")).toBe(200);
    expect(await allowed("insecure", "false")).toBe(403);
  });
});

function signPost(credentials: { accessKeyId: string; secretAccessKey: string }, path: string, body: string) {
  const signer = new SignatureV4({ service: "execute-api", region: "us-east-1", credentials, sha256: Sha256 });
  return signer.sign({
    method: "POST",
    protocol: "http:",
    hostname: "127.0.0.1",
    port: platform.port,
    path,
    query: {},
    headers: { host: `127.0.0.1:${platform.port}` },
    body,
  });
}

/** A user who may do what one statement says; the user's keys. */
async function createCaller(UserName: string, statement: object) {
  const iam = new IAMClient(platform.settings);
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statement });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
}
