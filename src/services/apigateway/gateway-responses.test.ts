import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  DeleteGatewayResponseCommand,
  GetGatewayResponseCommand,
  GetGatewayResponsesCommand,
  type PatchOperation,
  PutGatewayResponseCommand,
  type PutGatewayResponseCommandInput,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  UpdateGatewayResponseCommand,
} from "@aws-sdk/client-api-gateway";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy } from "../../testing/stacks.ts";

let platform: TestPlatform;
let client: APIGatewayClient;
let restApiId = "";
let resourceId = "";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new APIGatewayClient(platform.settings);
  const api = await client.send(new CreateRestApiCommand({ name: "answers" }));
  restApiId = api.id ?? "";
  resourceId = api.rootResourceId ?? "";
});
afterAll(() => platform.stop());

const ask = (path: string, init: RequestInit = {}, apiId = restApiId) =>
  fetch(`${platform.endpoint}/_cumulet/api/${apiId}${path}`, init);

const put = (
  responseType: PutGatewayResponseCommandInput["responseType"],
  more: Partial<PutGatewayResponseCommandInput>,
) => client.send(new PutGatewayResponseCommand({ restApiId, responseType, ...more }));

const patch = (responseType: PutGatewayResponseCommandInput["responseType"], ...patchOperations: PatchOperation[]) =>
  client.send(new UpdateGatewayResponseCommand({ restApiId, responseType, patchOperations }));

const refusal = (command: Promise<unknown>, name: string, message: string) =>
  expect(command).rejects.toMatchObject({ name, message: expect.stringContaining(message) });

const own = { "application/json": '{"message":$context.error.messageString}' };

describe("gateway responses", () => {
  test("GetGatewayResponses tells every type with AWS's defaults", async () => {
    const { items = [] } = await client.send(new GetGatewayResponsesCommand({ restApiId }));
    expect(items.map(({ responseType, statusCode }) => [responseType, statusCode])).toEqual([
      ["ACCESS_DENIED", "403"],
      ["API_CONFIGURATION_ERROR", "500"],
      ["AUTHORIZER_CONFIGURATION_ERROR", "500"],
      ["AUTHORIZER_FAILURE", "500"],
      ["BAD_REQUEST_BODY", "400"],
      ["BAD_REQUEST_PARAMETERS", "400"],
      ["DEFAULT_4XX", undefined],
      ["DEFAULT_5XX", undefined],
      ["EXPIRED_TOKEN", "403"],
      ["INTEGRATION_FAILURE", "504"],
      ["INTEGRATION_TIMEOUT", "504"],
      ["INVALID_API_KEY", "403"],
      ["INVALID_SIGNATURE", "403"],
      ["MISSING_AUTHENTICATION_TOKEN", "403"],
      ["QUOTA_EXCEEDED", "429"],
      ["REQUEST_TOO_LARGE", "413"],
      ["RESOURCE_NOT_FOUND", "404"],
      ["THROTTLED", "429"],
      ["UNAUTHORIZED", "401"],
      ["UNSUPPORTED_MEDIA_TYPE", "415"],
      ["WAF_FILTERED", "403"],
    ]);
    for (const item of items) {
      expect(item).toMatchObject({ responseParameters: {}, responseTemplates: own, defaultResponse: true });
    }
  });

  test("are put, told, patched and deleted", async () => {
    const template = { "application/json": '{"type":"$context.error.responseType"}' };
    expect(await put("THROTTLED", { statusCode: "430", responseTemplates: template })).toMatchObject({
      responseType: "THROTTLED",
      statusCode: "430",
      responseParameters: {},
      responseTemplates: template,
      defaultResponse: false,
    });
    const patched = await patch(
      "THROTTLED",
      { op: "replace", path: "/statusCode", value: "431" },
      { op: "add", path: "/responseParameters/gatewayresponse.header.X-Q", value: "method.request.querystring.q" },
      { op: "add", path: "/responseTemplates/text~1plain", value: "$context.error.message" },
      { op: "remove", path: "/responseTemplates/application~1json" },
    );
    expect(patched).toMatchObject({
      statusCode: "431",
      responseParameters: { "gatewayresponse.header.X-Q": "method.request.querystring.q" },
      responseTemplates: { "text/plain": "$context.error.message" },
    });
    expect(await client.send(new GetGatewayResponseCommand({ restApiId, responseType: "THROTTLED" }))).toMatchObject({
      statusCode: "431",
      defaultResponse: false,
    });
    await client.send(new DeleteGatewayResponseCommand({ restApiId, responseType: "THROTTLED" }));
    expect(await client.send(new GetGatewayResponseCommand({ restApiId, responseType: "THROTTLED" }))).toMatchObject({
      statusCode: "429",
      defaultResponse: true,
    });
  });

  test("a patch of what was not put begins with the default; a class's default is told for its types", async () => {
    const patched = await patch("DEFAULT_4XX", { op: "replace", path: "/statusCode", value: "444" });
    expect(patched).toMatchObject({ statusCode: "444", responseTemplates: own, defaultResponse: false });
    const inherited = await client.send(new GetGatewayResponseCommand({ restApiId, responseType: "UNAUTHORIZED" }));
    expect(inherited).toMatchObject({ statusCode: "444", defaultResponse: true });
    await client.send(new DeleteGatewayResponseCommand({ restApiId, responseType: "DEFAULT_4XX" }));
  });

  test("refusals name what is wrong", async () => {
    const parameters = (responseParameters: Record<string, string>) => put("THROTTLED", { responseParameters });
    await refusal(put("THROTTLED", { statusCode: "600" }), "BadRequestException", "Invalid value for statusCode");
    await refusal(
      parameters({ "method.response.header.X": "'a'" }),
      "BadRequestException",
      "Invalid mapping expression parameter specified: method.response.header.X",
    );
    await refusal(
      parameters({ "gatewayresponse.header.X": "plain" }),
      "BadRequestException",
      "Invalid mapping expression specified: plain",
    );
    await refusal(
      parameters({ "gatewayresponse.header.X": "integration.response.header.X" }),
      "BadRequestException",
      "Invalid mapping expression",
    );
    await refusal(
      parameters({ "gatewayresponse.header.X": "method.request.body.a" }),
      "BadRequestException",
      "Invalid mapping expression",
    );
    await refusal(
      put("THROTTLED", { responseTemplates: { "a/b": "x".repeat(300 * 1024 + 1) } }),
      "BadRequestException",
      "300 KB",
    );
    await refusal(
      client.send(new DeleteGatewayResponseCommand({ restApiId, responseType: "QUOTA_EXCEEDED" })),
      "NotFoundException",
      "Gateway response type not defined on api",
    );
    await refusal(
      patch("THROTTLED", { op: "add", path: "/statusCode", value: "400" }),
      "BadRequestException",
      "not allowed",
    );
    await refusal(
      patch("THROTTLED", { op: "replace", path: "/nothing", value: "400" }),
      "BadRequestException",
      "Invalid patch path",
    );
    await refusal(
      patch("THROTTLED", { op: "replace", path: "/statusCode", value: "x" }),
      "BadRequestException",
      "Invalid status code",
    );
    await refusal(
      patch("THROTTLED", { op: "replace", path: "/responseParameters/gatewayresponse.header.X", value: "'a'" }),
      "NotFoundException",
      "Invalid parameter name specified",
    );
    await refusal(
      client.send(new GetGatewayResponsesCommand({ restApiId: "none" })),
      "NotFoundException",
      "Invalid API identifier specified",
    );
  });

  test("are deployed with the API; mocks with templates are", async () => {
    const address = { restApiId, resourceId, httpMethod: "GET" };
    await client.send(new PutMethodCommand({ ...address, authorizationType: "NONE" }));
    await client.send(new PutMethodResponseCommand({ ...address, statusCode: "200" }));
    await client.send(
      new PutIntegrationCommand({
        ...address,
        type: "MOCK",
        requestTemplates: { "application/json": '#set($s = 200){"statusCode": $s}' },
      }),
    );
    await client.send(
      new PutIntegrationResponseCommand({
        ...address,
        statusCode: "200",
        responseTemplates: { "application/json": '{"q":"$input.params(\'q\')","stage":"$context.stage"}' },
      }),
    );
    await put("MISSING_AUTHENTICATION_TOKEN", {
      statusCode: "404",
      responseTemplates: { "application/json": '{"path":"$context.path"}' },
    });
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "Prod" }));
    const found = await ask("/Prod/?q=1");
    expect([found.status, await found.json()]).toEqual([200, { q: "1", stage: "Prod" }]);
    const missing = await ask("/Prod/none");
    expect([missing.status, await missing.json()]).toEqual([404, { path: "/Prod/none" }]);
  });

  test("come with a stack, and go with it", async () => {
    const cloudFormation = new CloudFormationClient(platform.settings);
    const first = await deploy(cloudFormation, "answers", stackOf("404"));
    const apiId = first.outputs["Api"] ?? "";
    const missing = await ask("/Prod/none", {}, apiId);
    expect([missing.status, missing.headers.get("x-stage"), await missing.json()]).toEqual([
      404,
      "Prod",
      { s: "Prod" },
    ]);
    await deploy(cloudFormation, "answers", stackOf("410"));
    expect((await ask("/Prod/none", {}, apiId)).status).toBe(410);
    // Another type replaces the resource: the first is gone.
    await deploy(cloudFormation, "answers", stackOf("411", "THROTTLED"));
    const told = await client.send(new GetGatewayResponsesCommand({ restApiId: apiId }));
    const configured = (told.items ?? []).filter(({ defaultResponse }) => defaultResponse === false);
    expect(configured.map(({ responseType, statusCode }) => [responseType, statusCode])).toEqual([
      ["THROTTLED", "411"],
    ]);
  });
});

function stackOf(statusCode: string, type = "MISSING_AUTHENTICATION_TOKEN") {
  return {
    Resources: {
      Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "stack" } },
      Method: {
        Type: "AWS::ApiGateway::Method",
        Properties: {
          RestApiId: { Ref: "Api" },
          ResourceId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
          HttpMethod: "GET",
          AuthorizationType: "NONE",
          Integration: { Type: "MOCK", RequestTemplates: { "application/json": "{statusCode: 200}" } },
        },
      },
      Answer: {
        Type: "AWS::ApiGateway::GatewayResponse",
        Properties: {
          RestApiId: { Ref: "Api" },
          ResponseType: type,
          StatusCode: statusCode,
          ResponseParameters: { "gatewayresponse.header.X-Stage": "context.stage" },
          ResponseTemplates: { "application/json": '{"s":"$context.stage"}' },
        },
      },
      [`Deployment${statusCode}${type.length}`]: {
        Type: "AWS::ApiGateway::Deployment",
        DependsOn: ["Method", "Answer"],
        Properties: { RestApiId: { Ref: "Api" }, StageName: "Prod" },
      },
    },
    Outputs: { Api: { Value: { Ref: "Api" } } },
  };
}
