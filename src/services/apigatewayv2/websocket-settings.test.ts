import * as sdk from "@aws-sdk/client-apigatewayv2";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../testing/access.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { connectClient } from "../execute-api/websocket/client.ts";

let platform: TestPlatform;
let client: sdk.ApiGatewayV2Client;
let ApiId: string | undefined;

beforeAll(async () => {
  platform = await startTestPlatform();
  client = new sdk.ApiGatewayV2Client(platform.settings);
  const command = new sdk.CreateApiCommand({
    Name: "settings",
    ProtocolType: "WEBSOCKET",
    RouteSelectionExpression: "$request.body.action",
  });
  ({ ApiId } = await client.send(command));
  const Schema = JSON.stringify({ type: "object", required: ["room"] });
  await client.send(new sdk.CreateModelCommand({ ApiId, Name: "Join", ContentType: "application/json", Schema }));
});
afterAll(() => platform.stop());

const serviceUri = "arn:aws:apigateway:us-east-1:sqs:action/SendMessage";
const role = "arn:aws:iam::000000000000:role/caller";
const createIntegration = (input: Partial<sdk.CreateIntegrationCommandInput>) =>
  client.send(new sdk.CreateIntegrationCommand({ ApiId, IntegrationType: "MOCK", ...input }));
const createRoute = (input: Partial<sdk.CreateRouteCommandInput>) =>
  client.send(new sdk.CreateRouteCommand({ ApiId, RouteKey: "x", ...input }));

describe("An integration", () => {
  test.each<[sdk.IntegrationType, Partial<sdk.CreateIntegrationCommandInput>, string]>([
    [
      "AWS",
      {
        IntegrationUri: serviceUri,
        CredentialsArn: role,
        IntegrationMethod: "POST",
        PassthroughBehavior: "NEVER",
        ContentHandlingStrategy: "CONVERT_TO_BINARY",
        RequestParameters: { "integration.request.header.X": "route.request.body.x" },
        RequestTemplates: { $default: "{}" },
        TemplateSelectionExpression: "\\$default",
        TimeoutInMillis: 1000,
        Description: "d",
      },
      "${integration.response.statuscode}",
    ],
    [
      "HTTP",
      { IntegrationUri: "http://example.com/{x}", IntegrationMethod: "ANY" },
      "${integration.response.statuscode}",
    ],
    [
      "HTTP_PROXY",
      { IntegrationUri: "https://example.com", IntegrationMethod: "PUT" },
      "${integration.response.statuscode}",
    ],
    [
      "MOCK",
      { TemplateSelectionExpression: "200", RequestTemplates: { 200: "{}" } },
      "${integration.response.statuscode}",
    ],
  ])("of type %s is told with every member it was given", async (IntegrationType, input, expression) => {
    const { $metadata: _made, ...made } = await createIntegration({ IntegrationType, ...input });
    expect(made).toEqual({
      ConnectionType: "INTERNET",
      IntegrationId: expect.any(String),
      IntegrationResponseSelectionExpression: expression,
      IntegrationType,
      PassthroughBehavior: "WHEN_NO_MATCH",
      PayloadFormatVersion: "1.0",
      TimeoutInMillis: 29_000,
      ...input,
    });
    const { IntegrationId } = made;
    const { $metadata: _got, ...got } = await client.send(new sdk.GetIntegrationCommand({ ApiId, IntegrationId }));
    expect(got).toEqual(made);
  });

  test.each<[Partial<sdk.CreateIntegrationCommandInput>, string]>([
    [{ IntegrationType: "HTTP", IntegrationUri: "http://example.com" }, "BadRequestException"],
    [{ IntegrationType: "HTTP", IntegrationUri: "example.com", IntegrationMethod: "GET" }, "BadRequestException"],
    [{ IntegrationType: "AWS", IntegrationUri: "http://example.com" }, "BadRequestException"],
    [{ IntegrationType: "AWS_PROXY", IntegrationUri: "http://example.com" }, "BadRequestException"],
    [{ IntegrationType: "AWS", IntegrationUri: serviceUri, CredentialsArn: "arn:x" }, "BadRequestException"],
    [{ CredentialsArn: role }, "BadRequestException"],
    [{ ContentHandlingStrategy: "CONVERT_TO_TEXT" }, "BadRequestException"],
    [{ ConnectionType: "VPC_LINK", ConnectionId: "v" }, "NotImplemented"],
    [{ TlsConfig: { ServerNameToVerify: "x" } }, "BadRequestException"],
    [{ ResponseParameters: { 200: { "overwrite:statuscode": "201" } } }, "BadRequestException"],
    [{ TemplateSelectionExpression: "${request.header.x}" }, "NotImplemented"],
    [{ TimeoutInMillis: 49 }, "BadRequestException"],
    [
      {
        IntegrationType: "HTTP",
        IntegrationUri: "http://example.com",
        IntegrationMethod: "GET",
        RequestParameters: { "integration.request.header.X": "route.request.path.x" },
      },
      "BadRequestException",
    ],
    [
      {
        IntegrationType: "HTTP",
        IntegrationUri: "http://example.com",
        IntegrationMethod: "GET",
        RequestParameters: { "integration.request.body": "'x'" },
      },
      "BadRequestException",
    ],
  ])("with %j is refused with %s", async (input, name) => {
    expect((await refusal(createIntegration(input))).name).toBe(name);
  });

  test("gets a role from whoever may pass it", async () => {
    const iam = new IAMClient(platform.settings);
    await iam.send(new CreateUserCommand({ UserName: "integrator" }));
    const Statement = [{ Effect: "Allow", Action: "apigateway:*", Resource: "*" }];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: "integrator", PolicyName: "p", PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "integrator" }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    };
    const command = new sdk.CreateIntegrationCommand({
      ApiId,
      IntegrationType: "AWS",
      IntegrationUri: serviceUri,
      CredentialsArn: role,
    });
    const refused = await refusal(new sdk.ApiGatewayV2Client({ ...platform.settings, credentials }).send(command));
    expect(refused.message).toContain("iam:PassRole");
  });
});

describe("An integration response", () => {
  test("is told with every member, changed by member, and only of what is mapped", async () => {
    const { IntegrationId } = await createIntegration({});
    const input = {
      ContentHandlingStrategy: "CONVERT_TO_TEXT" as const,
      IntegrationResponseKey: "/2\\d\\d/",
      ResponseParameters: { "route.response.header.X": "integration.response.body.x" },
      ResponseTemplates: { $default: "x" },
      TemplateSelectionExpression: "${integration.response.header.X-Kind}",
    };
    const { $metadata: _made, ...made } = await client.send(
      new sdk.CreateIntegrationResponseCommand({ ApiId, IntegrationId, ...input }),
    );
    expect(made).toEqual({ IntegrationResponseId: expect.any(String), ...input });
    const { IntegrationResponseId } = made;
    const path = { ApiId, IntegrationId, IntegrationResponseId };
    const update = new sdk.UpdateIntegrationResponseCommand({
      ...path,
      ResponseTemplates: {},
      IntegrationResponseKey: "$default",
    });
    const { $metadata: _changed, ...changed } = await client.send(update);
    const { ResponseTemplates: _gone, ...kept } = made;
    expect(changed).toEqual({ ...kept, IntegrationResponseKey: "$default" });
    for (const wrong of [
      { ResponseParameters: { "route.response.body": "'x'" } },
      { ResponseParameters: { "route.response.header.X": "route.response.header.Y" } },
      { IntegrationResponseKey: "200" },
    ]) {
      const refused = await refusal(client.send(new sdk.UpdateIntegrationResponseCommand({ ...path, ...wrong })));
      expect([wrong, refused.name]).toEqual([wrong, "BadRequestException"]);
    }
    const proxy = await createIntegration({
      IntegrationType: "HTTP_PROXY",
      IntegrationUri: "http://example.com",
      IntegrationMethod: "POST",
    });
    const ofProxy = { ApiId, IntegrationId: proxy.IntegrationId, IntegrationResponseKey: "$default" };
    const refused = await refusal(client.send(new sdk.CreateIntegrationResponseCommand(ofProxy)));
    expect(refused.name).toBe("BadRequestException");
  });
});

describe("A route", () => {
  test("is told with its models and parameters, and changed by member", async () => {
    const input = {
      RouteKey: "$connect",
      ApiKeyRequired: true,
      AuthorizationType: "AWS_IAM" as const,
      ModelSelectionExpression: "$request.body.kind",
      OperationName: "connect",
      RequestModels: { $default: "Join" },
      RequestParameters: {
        "route.request.header.X": { Required: true },
        "route.request.querystring.q": { Required: false },
      },
      RouteResponseSelectionExpression: "$default",
    };
    const { $metadata: _made, ...made } = await createRoute(input);
    expect(made).toEqual({ RouteId: expect.any(String), ...input });
    const { RouteId } = made;
    await client.send(
      new sdk.DeleteRouteRequestParameterCommand({ ApiId, RouteId, RequestParameterKey: "route.request.header.X" }),
    );
    const again = new sdk.DeleteRouteRequestParameterCommand({
      ApiId,
      RouteId,
      RequestParameterKey: "route.request.header.X",
    });
    expect((await refusal(client.send(again))).name).toBe("NotFoundException");
    const update = new sdk.UpdateRouteCommand({ ApiId, RouteId, ApiKeyRequired: false, RequestModels: {} });
    const { $metadata: _changed, ...changed } = await client.send(update);
    const { RequestModels: _models, ...kept } = made;
    expect(changed).toEqual({
      ...kept,
      ApiKeyRequired: false,
      RequestParameters: { "route.request.querystring.q": { Required: false } },
    });
    const response = {
      ModelSelectionExpression: "$default",
      ResponseModels: { $default: "Join" },
      ResponseParameters: { "route.response.header.X": { Required: true } },
      RouteResponseKey: "$default",
    };
    const told = await client.send(new sdk.CreateRouteResponseCommand({ ApiId, RouteId, ...response }));
    expect(told).toMatchObject(response);
    await client.send(new sdk.DeleteRouteCommand({ ApiId, RouteId }));
  });

  test.each<[Partial<sdk.CreateRouteCommandInput>, string]>([
    [{ RouteKey: "$disconnect", ApiKeyRequired: true }, "NotImplemented"],
    [{ AuthorizationScopes: ["s"] }, "BadRequestException"],
    [{ RequestParameters: { "route.request.header.x": { Required: true } } }, "BadRequestException"],
    [{ RequestModels: { $default: "None" } }, "BadRequestException"],
    [{ ModelSelectionExpression: "$request.header.x" }, "NotImplemented"],
    [
      { RouteKey: "$connect", RequestParameters: { "method.request.path.x": { Required: true } } },
      "BadRequestException",
    ],
  ])("with %j is refused with %s", async (input, name) => {
    expect((await refusal(createRoute(input))).name).toBe(name);
  });
});

test("What a stage was given is on the air: a validated, throttled mock", async () => {
  const { IntegrationId } = await createIntegration({});
  const response = {
    ApiId,
    IntegrationId,
    IntegrationResponseKey: "$default",
    ResponseTemplates: { $default: "fine" },
  };
  await client.send(new sdk.CreateIntegrationResponseCommand(response));
  const { RouteId } = await createRoute({
    RouteKey: "join",
    Target: `integrations/${IntegrationId}`,
    ModelSelectionExpression: "$default",
    RequestModels: { $default: "Join" },
    RouteResponseSelectionExpression: "$default",
  });
  await client.send(new sdk.CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: "$default" }));
  const RouteSettings = { join: { ThrottlingBurstLimit: 2, ThrottlingRateLimit: 0.001, DetailedMetricsEnabled: true } };
  const stage = await client.send(
    new sdk.CreateStageCommand({ ApiId, StageName: "prod", AutoDeploy: true, RouteSettings }),
  );
  expect(stage.RouteSettings).toEqual(RouteSettings);
  const connected = await connectClient(`ws://127.0.0.1:${platform.port}/_cumulet/api/${ApiId}/prod`);
  const say = async (message: object) => {
    connected.send({ action: "join", ...message });
    const answer = await connected.next();
    return answer.startsWith("{") ? JSON.parse(answer).message : answer;
  };
  expect([await say({ room: "r" }), await say({}), await say({ room: "r" })]).toEqual([
    "fine",
    "Invalid request body",
    "Too Many Requests",
  ]);
  connected.socket.terminate();
});
