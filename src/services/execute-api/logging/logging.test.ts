import * as rest from "@aws-sdk/client-api-gateway";
import * as http from "@aws-sdk/client-apigatewayv2";
import { CloudWatchClient, GetMetricStatisticsCommand, ListMetricsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../../testing/access.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let v1: rest.APIGatewayClient;
let v2: http.ApiGatewayV2Client;
let logs: CloudWatchLogsClient;
let restApiId: string;
const groupArn = (name: string) => `arn:aws:logs:us-east-1:000000000000:log-group:${name}`;
const format =
  '{"requestId":"$context.requestId","method":"$context.httpMethod","path":"$context.path","resourcePath":"$context.resourcePath","status":$context.status,"length":"$context.responseLength","latency":"$context.responseLatency","error":"$context.error.message","type":"$context.error.responseType","stage":"$context.stage","key":"$context.identity.apiKey"}';

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  v1 = new rest.APIGatewayClient(platform.settings);
  v2 = new http.ApiGatewayV2Client(platform.settings);
  logs = new CloudWatchLogsClient(platform.settings);
  await logs.send(new CreateLogGroupCommand({ logGroupName: "access" }));
  const mock = {
    type: "mock",
    requestTemplates: { "application/json": '{"statusCode": 200}' },
    responses: { default: { statusCode: "200", responseTemplates: { "application/json": '{"hello":"you"}' } } },
  };
  const definition = {
    swagger: "2.0",
    info: { title: "logged", version: "1" },
    paths: {
      "/pets/{id}": {
        get: { responses: { "200": { description: "" } }, "x-amazon-apigateway-integration": mock },
        post: { responses: { "200": { description: "" } }, "x-amazon-apigateway-integration": mock },
      },
    },
  };
  const body = Buffer.from(JSON.stringify(definition));
  restApiId = (await v1.send(new rest.ImportRestApiCommand({ body }))).id ?? "";
  await v1.send(new rest.CreateDeploymentCommand({ restApiId, stageName: "prod" }));
});
afterAll(() => platform.stop());

const patchStage = (...patches: [string, string][]) =>
  v1.send(
    new rest.UpdateStageCommand({
      restApiId,
      stageName: "prod",
      patchOperations: patches.map(([path, value]) => ({ op: "replace", path, value })),
    }),
  );
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${platform.endpoint}/_cumulet/api/${restApiId}${path}`, init);

async function messages(logGroupName: string, count: number): Promise<string[]> {
  let found: string[] = [];
  await expect
    .poll(
      async () => {
        const { events = [] } = await logs
          .send(new FilterLogEventsCommand({ logGroupName }))
          .catch(() => ({}) as { events?: [] });
        found = events.map(({ message = "" }) => message);
        return found.length;
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThanOrEqual(count);
  return found;
}

describe("logs of a REST API", () => {
  test("are refused until the account has a role for them", async () => {
    const refused = await refusal(patchStage(["/accessLogSettings/destinationArn", groupArn("access")]));
    expect(refused).toEqual({
      name: "BadRequestException",
      status: 400,
      message: "CloudWatch Logs role ARN must be set in account settings to enable logging",
    });
    expect((await refusal(patchStage(["/*/*/logging/loglevel", "INFO"]))).message).toBe(refused.message);
    await v1.send(
      new rest.UpdateAccountCommand({
        patchOperations: [
          { op: "replace", path: "/cloudwatchRoleArn", value: "arn:aws:iam::000000000000:role/gateway-logs" },
        ],
      }),
    );
  });

  test.each([
    ["/accessLogSettings/destinationArn", "arn:aws:sns:us-east-1:000000000000:x", "BadRequestException"],
    ["/accessLogSettings/destinationArn", groupArn("x").replace("us-east-1", "eu-west-1"), "BadRequestException"],
    [
      "/accessLogSettings/destinationArn",
      "arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-x",
      "NotImplemented",
    ],
    ["/accessLogSettings/format", "$context.status", "BadRequestException"],
    ["/accessLogSettings/format", "$context.requestId\n$context.status", "BadRequestException"],
    ["/accessLogSettings/format", `$context.requestId${"x".repeat(3 * 1024)}`, "BadRequestException"],
    ["/*/*/logging/loglevel", "DEBUG", "BadRequestException"],
  ])("with %s %s are refused", async (path, value, name) => {
    expect((await refusal(patchStage([path, value]))).name).toBe(name);
  });

  test("have a line for each request, refused ones too", async () => {
    const stage = await patchStage(
      ["/accessLogSettings/destinationArn", groupArn("access")],
      ["/accessLogSettings/format", format],
    );
    expect(stage.accessLogSettings).toEqual({ destinationArn: groupArn("access"), format });
    const answer = await ask("/prod/pets/7");
    const text = await answer.text();
    await (await ask("/prod/none")).text();
    const lines = (await messages("access", 2)).map((line) => JSON.parse(line));
    expect(lines.find(({ status }) => status === 200)).toEqual({
      requestId: answer.headers.get("x-amzn-requestid"),
      method: "GET",
      path: "/prod/pets/7",
      resourcePath: "/pets/{id}",
      status: 200,
      length: String(text.length),
      latency: expect.stringMatching(/^\d+$/),
      error: "-",
      type: "-",
      stage: "prod",
      key: "-",
    });
    expect(lines.find(({ status }) => status === 403)).toMatchObject({
      resourcePath: "-",
      error: "Missing Authentication Token",
      type: "MISSING_AUTHENTICATION_TOKEN",
    });
  });

  test("of execution tell a traced request without its secrets", async () => {
    await patchStage(["/*/*/logging/loglevel", "INFO"], ["/*/*/logging/dataTrace", "true"]);
    const answer = await ask("/prod/pets/7?a=b", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: "Bearer very-secret-token",
        "x-api-key": "abcdef0123456789",
      },
      body: '{"x":1}',
    });
    const id = answer.headers.get("x-amzn-requestid");
    const lines = await messages(`API-Gateway-Execution-Logs_${restApiId}/prod`, 9);
    const told = lines.join("\n");
    expect(lines).toContain(`(${id}) HTTP Method: POST, Resource Path: /pets/{id}`);
    expect(lines).toContain(`(${id}) Method request path: {id=7}`);
    expect(lines).toContain(`(${id}) Method request query string: {a=b}`);
    expect(lines).toContain(`(${id}) Method request body before transformations: {"x":1}`);
    expect(lines).toContain(`(${id}) Method completed with status: 200`);
    expect(told).not.toContain("very-secret");
    expect(told).not.toContain("abcdef0123");
    expect(told).toMatch(/x-api-key=\*{10}456789/);
  });

  test("of execution tell how a method without a key begins and ends, in AWS's order", async () => {
    await patchStage(["/*/*/logging/dataTrace", "false"]);
    const id = (await ask("/prod/pets/6")).headers.get("x-amzn-requestid");
    const group = `API-Gateway-Execution-Logs_${restApiId}/prod`;
    const own = async () => (await messages(group, 1)).filter((line) => line.startsWith(`(${id})`));
    await expect.poll(async () => (await own()).length).toBe(8);
    expect((await own()).map((line) => line.slice(39))).toEqual([
      expect.stringMatching(/^Extended Request Id: /),
      `Verifying Usage Plan for request: ${id}. API Key:  API Stage: ${restApiId}/prod`,
      "API Key  authorized because method 'GET /pets/{id}' does not require API Key. Request will not contribute to throttle or quota limits",
      `Usage Plan check succeeded for API Key  and API Stage ${restApiId}/prod`,
      `Starting execution for request: ${id}`,
      "HTTP Method: GET, Resource Path: /pets/{id}",
      "Successfully completed execution",
      "Method completed with status: 200",
    ]);
  });

  test("of level ERROR tell failures alone", async () => {
    await patchStage(["/*/*/logging/loglevel", "ERROR"], ["/*/*/logging/dataTrace", "false"]);
    const before = (await messages(`API-Gateway-Execution-Logs_${restApiId}/prod`, 1)).length;
    await (await ask("/prod/pets/8")).text();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await messages(`API-Gateway-Execution-Logs_${restApiId}/prod`, 1)).length).toBe(before);
  });

  test("end when the settings are removed", async () => {
    const removed = await v1.send(
      new rest.UpdateStageCommand({
        restApiId,
        stageName: "prod",
        patchOperations: [{ op: "remove", path: "/accessLogSettings" }],
      }),
    );
    expect(removed).not.toHaveProperty("accessLogSettings");
  });
});

test("the access log of an HTTP API needs no role, and tells what its routes answer", async () => {
  const { ApiId = "" } = await v2.send(new http.CreateApiCommand({ Name: "logged", ProtocolType: "HTTP" }));
  const Format = '{"id":"$context.requestId","route":"$context.routeKey","status":"$context.status"}';
  await v2.send(
    new http.CreateStageCommand({
      ApiId,
      StageName: "$default",
      AutoDeploy: true,
      AccessLogSettings: { DestinationArn: groupArn("http"), Format },
    }),
  );
  const answer = await fetch(`${platform.endpoint}/_cumulet/api/${ApiId}/none`);
  const [line = ""] = await messages("http", 1);
  expect(JSON.parse(line)).toEqual({ id: answer.headers.get("apigw-requestid"), route: "-", status: "404" });
  const gone = { ApiId, StageName: "$default" };
  await v2.send(new http.DeleteAccessLogSettingsCommand(gone));
  expect(await v2.send(new http.GetStageCommand(gone))).not.toHaveProperty("AccessLogSettings");
  const AccessLogSettings = { DestinationArn: groupArn("http") };
  expect((await refusal(v2.send(new http.UpdateStageCommand({ ...gone, AccessLogSettings })))).name).toBe(
    "BadRequestException",
  );
});

test("a method with detailed metrics has them by stage, method and resource", async () => {
  await patchStage(["/~1pets~1{id}/GET/metrics/enabled", "true"]);
  await (await ask("/prod/pets/9")).text();
  const cloudwatch = new CloudWatchClient(platform.settings);
  const Dimensions = [
    { Name: "ApiName", Value: "logged" },
    { Name: "Stage", Value: "prod" },
    { Name: "Method", Value: "GET" },
    { Name: "Resource", Value: "/pets/{id}" },
  ];
  await expect
    .poll(
      async () => {
        const { Datapoints = [] } = await cloudwatch.send(
          new GetMetricStatisticsCommand({
            Namespace: "AWS/ApiGateway",
            MetricName: "Count",
            Dimensions,
            StartTime: new Date(Date.now() - 600_000),
            EndTime: new Date(Date.now() + 60_000),
            Period: 60,
            Statistics: ["Sum"],
          }),
        );
        return Datapoints.reduce((sum, point) => sum + (point.Sum ?? 0), 0);
      },
      { timeout: 15_000 },
    )
    .toBe(1);
  const { Metrics = [] } = await cloudwatch.send(new ListMetricsCommand({ Namespace: "AWS/ApiGateway" }));
  expect(new Set(Metrics.map(({ MetricName }) => MetricName))).toEqual(
    new Set(["Count", "4XXError", "5XXError", "Latency", "4xx", "5xx", "DataProcessed"]),
  );
});
