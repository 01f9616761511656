import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as rest from "@aws-sdk/client-api-gateway";
import {
  ApiGatewayManagementApiClient,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import * as sdk from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../testing/access.ts";
import { makeCertificate, type CertificateFiles } from "../../testing/certificates.ts";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { connectClient } from "../execute-api/websocket/client.ts";
import { refusedHandshake } from "../execute-api/websocket/fake-stage.ts";

const account = "000000000000";
const uriOf = (name: string) =>
  `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:${account}:function:${name}/invocations`;
let folder: string;
let platform: TestPlatform;
let client: sdk.ApiGatewayV2Client;
let v1: rest.APIGatewayClient;
let sockets: CertificateFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-websocket-"));
  const tls = makeCertificate(folder, "listener", "localhost");
  platform = await startTestPlatform({ durable: true, sandbox: "process", tls });
  sockets = makeCertificate(folder, "sockets", "sockets.example.com");
  const certificates = join(platform.dataDir, "certificates", account);
  await mkdir(certificates, { recursive: true });
  await copyFile(sockets.certFile, join(certificates, "sockets.crt"));
  await copyFile(sockets.keyFile, join(certificates, "sockets.key"));
  client = new sdk.ApiGatewayV2Client(platform.settings);
  v1 = new rest.APIGatewayClient(platform.settings);
  const Role = await createFunctionRole(platform.settings, "sockets");
  await createNodeFunction(platform.settings, {
    FunctionName: "sockets",
    Role,
    source: `export const handler = async ({ type, methodArn, headers, requestContext }) => {
      if (type !== "REQUEST") return { statusCode: 200, body: JSON.stringify(requestContext) };
      if (headers.Authorization === "nobody") throw new Error("Unauthorized");
      const Effect = headers.Authorization === "friend" ? "Allow" : "Deny";
      const Statement = [{ Action: "execute-api:Invoke", Effect, Resource: methodArn }];
      const policyDocument = { Version: "2012-10-17", Statement };
      return { principalId: "p", policyDocument, context: { n: 1 }, usageIdentifierKey: headers["X-Plan"] };
    };`,
  });
  await new LambdaClient(platform.settings).send(
    new AddPermissionCommand({
      FunctionName: "sockets",
      StatementId: "gateway",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
    }),
  );
});
afterAll(async () => {
  await platform.stop();
  await rm(folder, { recursive: true, force: true });
});

/** An API that tells its request context, and what its `$connect` and stage are beside that. */
async function createApi(
  connect: Partial<sdk.CreateRouteCommandInput>,
  api: Partial<sdk.CreateApiCommandInput> = {},
  stage: Partial<sdk.CreateStageCommandInput> = {},
): Promise<string> {
  const { ApiId } = await client.send(
    new sdk.CreateApiCommand({
      Name: "sockets",
      ProtocolType: "WEBSOCKET",
      RouteSelectionExpression: "$request.body.action",
      ...api,
    }),
  );
  const integration = new sdk.CreateIntegrationCommand({
    ApiId,
    IntegrationType: "AWS_PROXY",
    IntegrationUri: uriOf("sockets"),
  });
  const Target = `integrations/${(await client.send(integration)).IntegrationId}`;
  const { AuthorizerId } =
    connect.AuthorizationType === "CUSTOM" ? await client.send(authorizerOf(ApiId)) : { AuthorizerId: undefined };
  await client.send(new sdk.CreateRouteCommand({ ApiId, RouteKey: "$connect", Target, AuthorizerId, ...connect }));
  const { RouteId } = await client.send(
    new sdk.CreateRouteCommand({ ApiId, RouteKey: "$default", Target, RouteResponseSelectionExpression: "$default" }),
  );
  await client.send(new sdk.CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
  await client.send(new sdk.CreateStageCommand({ ApiId, StageName: "prod", AutoDeploy: true, ...stage }));
  return ApiId ?? "";
}

const authorizerOf = (ApiId: string | undefined, more: Partial<sdk.CreateAuthorizerCommandInput> = {}) =>
  new sdk.CreateAuthorizerCommand({
    ApiId,
    Name: "gate",
    AuthorizerType: "REQUEST",
    AuthorizerUri: uriOf("sockets"),
    IdentitySource: ["route.request.header.Authorization"],
    ...more,
  });

const connect = (apiId: string, headers: Record<string, string> = {}) =>
  connectClient(`ws://127.0.0.1:${platform.port}/_cumulet/api/${apiId}/prod`, { headers });

async function contextOf(connecting: ReturnType<typeof connect>) {
  const connected = await connecting;
  connected.send("who");
  const context = JSON.parse(await connected.next());
  connected.socket.terminate();
  return context;
}

describe("A Lambda authorizer", () => {
  test("lets in, denies, and is told as AWS tells it", async () => {
    const apiId = await createApi({ AuthorizationType: "CUSTOM" });
    const { Items = [] } = await client.send(new sdk.GetAuthorizersCommand({ ApiId: apiId }));
    expect(Items).toEqual([
      {
        AuthorizerId: expect.any(String),
        AuthorizerType: "REQUEST",
        AuthorizerUri: uriOf("sockets"),
        IdentitySource: ["route.request.header.Authorization"],
        Name: "gate",
      },
    ]);
    const context = await contextOf(connect(apiId, { Authorization: "friend" }));
    expect(context.authorizer).toEqual({ n: "1", principalId: "p", integrationLatency: expect.any(Number) });
    const statusOf = async (headers: Record<string, string>) =>
      (await refusedHandshake(connect(apiId, headers))).status;
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ Authorization: "nobody" })).toBe(401);
    expect(await statusOf({ Authorization: "foe" })).toBe(403);
    const used = new sdk.DeleteAuthorizerCommand({ ApiId: apiId, AuthorizerId: Items[0]?.AuthorizerId });
    expect(await refusal(client.send(used))).toMatchObject({ name: "ConflictException" });
    await client.send(
      new sdk.UpdateAuthorizerCommand({ ApiId: apiId, AuthorizerId: Items[0]?.AuthorizerId, IdentitySource: [] }),
    );
    // Without identity sources it is asked whatever there is: the stage deploys itself.
    expect(await statusOf({})).toBe(403);
  });

  test("with what is of HTTP APIs, or means nothing, is refused", async () => {
    const { ApiId } = await client.send(
      new sdk.CreateApiCommand({ Name: "x", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.x" }),
    );
    for (const more of [
      { AuthorizerType: "JWT" as const },
      { AuthorizerResultTtlInSeconds: 300 },
      { AuthorizerPayloadFormatVersion: "2.0" },
      { EnableSimpleResponses: true },
      { IdentitySource: ["route.request.path.x"] },
      { AuthorizerUri: "https://example.com" },
      { IdentityValidationExpression: "x" },
    ]) {
      const refused = await refusal(client.send(authorizerOf(ApiId, more)));
      expect([more, refused.name]).toEqual([more, "BadRequestException"]);
    }
  });

  test("of $connect must be there, and other routes have none", async () => {
    const apiId = await createApi({});
    const create = (input: Partial<sdk.CreateRouteCommandInput>) =>
      refusal(
        client.send(new sdk.CreateRouteCommand({ ApiId: apiId, RouteKey: "x", AuthorizationType: "CUSTOM", ...input })),
      );
    expect(await create({ AuthorizerId: "none" })).toMatchObject({ name: "BadRequestException" });
    await client.send(
      new sdk.DeleteRouteCommand({
        ApiId: apiId,
        RouteId: (await client.send(new sdk.GetRoutesCommand({ ApiId: apiId }))).Items?.find(
          ({ RouteKey }) => RouteKey === "$connect",
        )?.RouteId,
      }),
    );
    expect(await create({ RouteKey: "$connect", AuthorizerId: "none" })).toMatchObject({
      name: "BadRequestException",
      message: "Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires a valid authorizer.",
    });
  });
});

async function createPlan(apiId: string, more: Partial<rest.CreateUsagePlanCommandInput>): Promise<string> {
  const { id: keyId, value = "" } = await v1.send(new rest.CreateApiKeyCommand({ name: "k", enabled: true }));
  const apiStages = [{ apiId, stage: "prod" }];
  const { id: usagePlanId } = await v1.send(new rest.CreateUsagePlanCommand({ name: "p", apiStages, ...more }));
  await v1.send(new rest.CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: "API_KEY" }));
  return value;
}

const planWith = (stage: rest.ApiStage) =>
  refusal(v1.send(new rest.CreateUsagePlanCommand({ name: "p", apiStages: [stage] })));

describe("An API key", () => {
  test("is required of handshakes, and its plan's quota counts them", async () => {
    const apiId = await createApi({ ApiKeyRequired: true });
    const value = await createPlan(apiId, { quota: { limit: 1, period: "DAY" } });
    expect((await refusedHandshake(connect(apiId))).status).toBe(403);
    expect((await refusedHandshake(connect(apiId, { "x-api-key": `${value}x` }))).status).toBe(403);
    const context = await contextOf(connect(apiId, { "x-api-key": value }));
    // The key is told to $connect alone: it is a secret that no record of a connection keeps.
    expect(context.identity).not.toHaveProperty("apiKey");
    const refused = await refusedHandshake(connect(apiId, { "x-api-key": value }));
    expect([refused.status, JSON.parse(refused.body).message]).toEqual([429, "Limit Exceeded"]);
  });

  test("may come from the authorizer", async () => {
    const apiId = await createApi(
      { ApiKeyRequired: true, AuthorizationType: "CUSTOM" },
      { ApiKeySelectionExpression: "$context.authorizer.usageIdentifierKey" },
    );
    const value = await createPlan(apiId, {});
    const headers = { Authorization: "friend" };
    expect((await refusedHandshake(connect(apiId, { ...headers, "x-api-key": value }))).status).toBe(403);
    expect((await contextOf(connect(apiId, { ...headers, "X-Plan": value }))).eventType).toBe("MESSAGE");
  });

  test("has no plan with a stage that is not there, nor one that limits routes", async () => {
    const apiId = await createApi({});
    expect(await planWith({ apiId, stage: "other" })).toMatchObject({ name: "NotFoundException" });
    const throttle = { "/x/GET": { rateLimit: 1, burstLimit: 1 } };
    expect(await planWith({ apiId, stage: "prod", throttle })).toMatchObject({ name: "BadRequestException" });
  });
});

describe("A stage", () => {
  test("logs only with a role of the account, and then what happens", async () => {
    const format = "$context.requestId $context.eventType $context.routeKey $context.status";
    const AccessLogSettings = { DestinationArn: `arn:aws:logs:us-east-1:${account}:log-group:sockets`, Format: format };
    const settings = { AccessLogSettings, DefaultRouteSettings: { LoggingLevel: "INFO" as const } };
    const refused = await refusal(createApi({}, {}, settings));
    expect(refused.message).toBe("CloudWatch Logs role ARN must be set in account settings to enable logging");
    const value = `arn:aws:iam::${account}:role/logging`;
    const patchOperations = [{ op: "replace" as const, path: "/cloudwatchRoleArn", value }];
    await v1.send(new rest.UpdateAccountCommand({ patchOperations }));
    const apiId = await createApi({}, {}, settings);
    const stage = await client.send(new sdk.GetStageCommand({ ApiId: apiId, StageName: "prod" }));
    expect(stage).toMatchObject({
      AccessLogSettings,
      DefaultRouteSettings: { DetailedMetricsEnabled: false, LoggingLevel: "INFO" },
    });
    await contextOf(connect(apiId));
    const logs = new CloudWatchLogsClient(platform.settings);
    const messages = async (logGroupName: string) => {
      const { events = [] } = await logs
        .send(new FilterLogEventsCommand({ logGroupName }))
        .catch(() => ({ events: [] }));
      return events.map(({ message }) => message).join("\n");
    };
    await expect.poll(() => messages("sockets"), { timeout: 5_000 }).toMatch(/MESSAGE \$default 200/);
    await expect.poll(() => messages(`/aws/apigateway/${apiId}/prod`), { timeout: 5_000 }).toContain("Route: $connect");
  });
});

describe("A custom domain name", () => {
  test("leads to the API over TLS, and to its connections", async () => {
    const apiId = await createApi({});
    const DomainName = "sockets.example.com";
    const CertificateArn = `arn:aws:acm:us-east-1:${account}:certificate/sockets`;
    await client.send(
      new sdk.CreateDomainNameCommand({
        DomainName,
        DomainNameConfigurations: [{ CertificateArn, EndpointType: "REGIONAL" }],
      }),
    );
    await client.send(
      new sdk.CreateApiMappingCommand({ DomainName, ApiId: apiId, Stage: "prod", ApiMappingKey: "chat" }),
    );
    const ca = await readFile(sockets.certFile, "utf8");
    const connected = await connectClient(`wss://127.0.0.1:${platform.port}/chat`, {
      headers: { Host: DomainName },
      tls: { servername: DomainName, ca },
    });
    connected.send("who");
    const { connectionId: ConnectionId, domainName, stage } = JSON.parse(await connected.next());
    expect([domainName, stage]).toEqual([DomainName, "prod"]);

    // As a backend does: at the domain's own address, below the mapping.
    const httpsAgent = new Agent({
      ca,
      lookup: (_host, _options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
    });
    const management = new ApiGatewayManagementApiClient({
      ...platform.settings,
      endpoint: `https://${DomainName}:${platform.port}/chat`,
      requestHandler: { httpsAgent },
    });
    await management.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from("posted") }));
    expect(await connected.next()).toBe("posted");
    const { Identity } = await management.send(new GetConnectionCommand({ ConnectionId }));
    expect(Identity?.SourceIp).toBe("127.0.0.1");
    connected.socket.terminate();
    management.destroy();
    httpsAgent.destroy();
    const lost = connectClient(`wss://127.0.0.1:${platform.port}/other`, {
      headers: { Host: DomainName },
      tls: { servername: DomainName, ca },
    });
    expect((await refusedHandshake(lost)).status).toBe(403);
  });
});

test("After a restart the same are let in, and a quota that was used up stays so", async () => {
  const apiId = await createApi({ ApiKeyRequired: true, AuthorizationType: "CUSTOM" });
  const value = await createPlan(apiId, { quota: { limit: 1, period: "DAY" } });
  const friend = { Authorization: "friend", "x-api-key": value };
  expect((await contextOf(connect(apiId, friend))).authorizer.principalId).toBe("p");
  await platform.restart();
  expect((await refusedHandshake(connect(apiId, { ...friend, Authorization: "foe" }))).status).toBe(403);
  const refused = await refusedHandshake(connect(apiId, friend));
  expect([refused.status, JSON.parse(refused.body).message]).toEqual([429, "Limit Exceeded"]);
});
