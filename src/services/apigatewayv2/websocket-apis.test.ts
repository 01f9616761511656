import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import * as sdk from "@aws-sdk/client-apigatewayv2";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { Sha256 } from "../../testing/sha256.ts";
import { connectClient, RefusedHandshake, type TestClient } from "../execute-api/websocket/client.ts";

let platform: TestPlatform;
let client: sdk.ApiGatewayV2Client;
let apiId: string;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:chat";
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true, sandbox: "process" });
  client = new sdk.ApiGatewayV2Client(platform.settings);
  await createNodeFunction(platform.settings, {
    FunctionName: "chat",
    Role: await createFunctionRole(platform.settings, "chat"),
    source: `export const handler = async ({ requestContext, body }) =>
      ({ statusCode: 200, body: JSON.stringify({ id: requestContext.connectionId, body }) });`,
  });
  await new LambdaClient(platform.settings).send(
    new AddPermissionCommand({
      FunctionName: "chat",
      StatementId: "gateway",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
      SourceArn: "arn:aws:execute-api:us-east-1:000000000000:*/*",
    }),
  );
  apiId = await createChat();
});
afterAll(() => platform.stop());

/** An API whose `$default` answers with the connection's id and what came. */
async function createChat(connect: Partial<sdk.CreateRouteCommandInput> = {}): Promise<string> {
  const { ApiId } = await client.send(
    new sdk.CreateApiCommand({
      Name: "chat",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
    }),
  );
  const { IntegrationId } = await client.send(
    new sdk.CreateIntegrationCommand({ ApiId, IntegrationType: "AWS_PROXY", IntegrationUri: uri }),
  );
  const Target = `integrations/${IntegrationId}`;
  await client.send(new sdk.CreateRouteCommand({ ApiId, RouteKey: "$connect", Target, ...connect }));
  const { RouteId } = await client.send(
    new sdk.CreateRouteCommand({ ApiId, RouteKey: "$default", Target, RouteResponseSelectionExpression: "$default" }),
  );
  await client.send(new sdk.CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
  await client.send(new sdk.CreateStageCommand({ ApiId, StageName: "prod", AutoDeploy: true }));
  return ApiId ?? "";
}

const urlOf = (api: string) => `${platform.endpoint.replace("http", "ws")}/_cumulet/api/${api}/prod`;

const managementOf = (api: string, credentials = platform.settings.credentials) =>
  new ApiGatewayManagementApiClient({
    ...platform.settings,
    credentials,
    endpoint: `${platform.endpoint}/_cumulet/api/${api}/prod`,
  });

async function idOf(connected: TestClient): Promise<string> {
  connected.send("who");
  return JSON.parse(await connected.next()).id;
}

const refusal = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error;
};

describe("A WebSocket API", () => {
  test("is told as AWS tells it", async () => {
    const api = await client.send(new sdk.GetApiCommand({ ApiId: apiId }));
    expect(api).toMatchObject({
      ApiEndpoint: `ws://${apiId}.execute-api.us-east-1.localhost:${platform.port}`,
      ApiKeySelectionExpression: "$request.header.x-api-key",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
    });
    const { Items = [] } = await client.send(new sdk.GetRoutesCommand({ ApiId: apiId }));
    expect(Items.map(({ RouteKey }) => RouteKey).toSorted()).toEqual(["$connect", "$default"]);
  });

  test("is connected to by its host name, and answers", async () => {
    const connected = await connectClient(`ws://127.0.0.1:${platform.port}/prod`, {
      headers: { Host: `${apiId}.execute-api.us-east-1.localhost:${platform.port}` },
    });
    connected.send({ action: "x" });
    expect(JSON.parse(await connected.next()).body).toBe('{"action":"x"}');
    connected.socket.terminate();
  });

  test.each([
    [{ RouteSelectionExpression: undefined }, "BadRequestException"],
    [{ RouteSelectionExpression: "$request.header.x" }, "BadRequestException"],
    [{ RouteSelectionExpression: "$request.body..x" }, "NotImplemented"],
    [{ ApiKeySelectionExpression: "$request.body.key" }, "BadRequestException"],
    [{ CorsConfiguration: { AllowOrigins: ["*"] } }, "BadRequestException"],
    [{ Target: uri }, "BadRequestException"],
  ])("with %j is refused with %s", async (input, name) => {
    const command = new sdk.CreateApiCommand({
      Name: "bad",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
      ...input,
    });
    await expect(client.send(command)).rejects.toMatchObject({ name });
  });

  test.each([
    [{ RouteKey: "$other" }, "BadRequestException"],
    [{ RouteKey: "$default" }, "ConflictException"],
    [{ RouteKey: "x", AuthorizationType: "AWS_IAM" as const }, "BadRequestException"],
    [{ RouteKey: "x", AuthorizationType: "JWT" as const }, "BadRequestException"],
    [{ RouteKey: "x", RouteResponseSelectionExpression: "x" }, "BadRequestException"],
    [{ RouteKey: "x", Target: "integrations/none" }, "BadRequestException"],
    [{ RouteKey: "$disconnect", ApiKeyRequired: true }, "NotImplemented"],
  ])("refuses a route with %j with %s", async (input, name) => {
    await expect(client.send(new sdk.CreateRouteCommand({ ApiId: apiId, ...input }))).rejects.toMatchObject({ name });
  });

  test.each([
    [{ StageName: "$default" }, "BadRequestException"],
    [{ StageName: "s", DefaultRouteSettings: { ThrottlingRateLimit: -1 } }, "BadRequestException"],
    // The account has no role to log with.
    [{ StageName: "s", DefaultRouteSettings: { LoggingLevel: "INFO" as const } }, "BadRequestException"],
    [{ StageName: "s", AccessLogSettings: { DestinationArn: "arn:x", Format: "x" } }, "BadRequestException"],
    [{ StageName: "s", ClientCertificateId: "abc" }, "NotFoundException"],
  ])("refuses a stage with %j with %s", async (input, name) => {
    await expect(client.send(new sdk.CreateStageCommand({ ApiId: apiId, ...input }))).rejects.toMatchObject({ name });
  });

  test("is an HTTP API's other: route responses are refused there", async () => {
    const { ApiId } = await client.send(new sdk.CreateApiCommand({ Name: "http", ProtocolType: "HTTP" }));
    const command = new sdk.CreateRouteResponseCommand({ ApiId, RouteId: "r", RouteResponseKey: "$default" });
    await expect(client.send(command)).rejects.toMatchObject({ name: "BadRequestException" });
    await client.send(new sdk.DeleteApiCommand({ ApiId }));
  });

  test("without a route cannot be deployed", async () => {
    const { ApiId } = await client.send(
      new sdk.CreateApiCommand({
        Name: "empty",
        ProtocolType: "WEBSOCKET",
        RouteSelectionExpression: "$request.body.action",
      }),
    );
    await expect(client.send(new sdk.CreateDeploymentCommand({ ApiId }))).rejects.toMatchObject({
      name: "BadRequestException",
    });
    await client.send(new sdk.DeleteApiCommand({ ApiId }));
    await expect(client.send(new sdk.GetApiCommand({ ApiId }))).rejects.toMatchObject({ name: "NotFoundException" });
  });
});

describe("@connections", () => {
  test("posts to a client, tells of its connection, and closes it; then it is gone", async () => {
    const connected = await connectClient(urlOf(apiId), { headers: { "User-Agent": "test" } });
    const ConnectionId = await idOf(connected);
    const management = managementOf(apiId);
    await management.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from("hello") }));
    expect(await connected.next()).toBe("hello");
    const { ConnectedAt, Identity, LastActiveAt } = await management.send(new GetConnectionCommand({ ConnectionId }));
    expect(Identity).toEqual({ SourceIp: "127.0.0.1", UserAgent: "test" });
    expect(LastActiveAt?.getTime()).toBeGreaterThanOrEqual(ConnectedAt?.getTime() ?? Infinity);
    await management.send(new DeleteConnectionCommand({ ConnectionId }));
    expect((await connected.closed)[0]).toBe(1000);
    for (const command of [
      new PostToConnectionCommand({ ConnectionId, Data: Buffer.from("x") }),
      new GetConnectionCommand({ ConnectionId }),
      new DeleteConnectionCommand({ ConnectionId }),
    ]) {
      expect(await refusal(management.send(command as PostToConnectionCommand))).toMatchObject({
        name: "GoneException",
        $metadata: { httpStatusCode: 410 },
      });
    }
  });

  test("takes 128 KB, and refuses more with PayloadTooLargeException", async () => {
    const connected = await connectClient(urlOf(apiId));
    const ConnectionId = await idOf(connected);
    const management = managementOf(apiId);
    const Data = Buffer.alloc(128 * 1024, "x");
    await management.send(new PostToConnectionCommand({ ConnectionId, Data }));
    expect(await connected.next()).toHaveLength(Data.length);
    const more = new PostToConnectionCommand({ ConnectionId, Data: Buffer.alloc(Data.length + 1, "x") });
    expect(await refusal(management.send(more))).toMatchObject({
      name: "PayloadTooLargeException",
      $metadata: { httpStatusCode: 413 },
    });
    connected.socket.terminate();
  });

  test("lets in who may execute-api:ManageConnections, and nobody else", async () => {
    const iam = new IAMClient(platform.settings);
    await iam.send(new CreateUserCommand({ UserName: "poster" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "poster" }));
    const management = managementOf(apiId, {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    });
    const connected = await connectClient(urlOf(apiId));
    const ConnectionId = await idOf(connected);
    const post = () => management.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from("x") }));
    expect(await refusal(post())).toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const Resource = `arn:aws:execute-api:us-east-1:000000000000:${apiId}/prod/POST/@connections/*`;
    const Statement = [{ Effect: "Allow", Action: "execute-api:ManageConnections", Resource }];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: "poster", PolicyName: "post", PolicyDocument }));
    await post();
    expect(await connected.next()).toBe("x");
    const get = management.send(new GetConnectionCommand({ ConnectionId }));
    expect(await refusal(get)).toMatchObject({ $metadata: { httpStatusCode: 403 } });
    connected.socket.terminate();
  });

  test("without a signature is refused with 403", async () => {
    const response = await fetch(`${platform.endpoint}/_cumulet/api/${apiId}/prod/@connections/x`, { method: "POST" });
    expect(response.status).toBe(403);
  });
});

describe("$connect with AWS_IAM", () => {
  test("refuses an unsigned handshake with 403, and lets in a signed one", async () => {
    const api = await createChat({ AuthorizationType: "AWS_IAM" });
    const url = new URL(urlOf(api));
    expect(await refusal(connectClient(url.href))).toBeInstanceOf(RefusedHandshake);
    const signer = new SignatureV4({
      service: "execute-api",
      region: "us-east-1",
      credentials: platform.settings.credentials,
      sha256: Sha256,
    });
    const { headers } = await signer.sign({
      method: "GET",
      protocol: "http:",
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { host: url.host },
    });
    const connected = await connectClient(url.href, { headers });
    expect(await idOf(connected)).toMatch(/^[\w-]{15}=$/);
    connected.socket.terminate();
  });
});

describe("A restart", () => {
  test("leaves no connection: clients are cut off, and their ids are gone", async () => {
    const connected = await connectClient(urlOf(apiId));
    const ConnectionId = await idOf(connected);
    await platform.restart();
    expect((await connected.closed)[0]).toBe(1006);
    const get = managementOf(apiId).send(new GetConnectionCommand({ ConnectionId }));
    expect(await refusal(get)).toMatchObject({ name: "GoneException" });
  });
});
