import {
  ApiGatewayV2Client,
  CreateStageCommand,
  DeleteRouteSettingsCommand,
  GetStageCommand,
  ImportApiCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-apigatewayv2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: ApiGatewayV2Client;

beforeAll(async () => {
  platform = await startTestPlatform();
  client = new ApiGatewayV2Client(platform.settings);
});
afterAll(async () => {
  client.destroy();
  await platform.stop();
});

const integration = {
  type: "AWS_PROXY",
  uri: "arn:aws:lambda:us-east-1:000000000000:function:nobody",
  payloadFormatVersion: "2.0",
};

async function importApi(): Promise<{ readonly ApiId: string; readonly call: (path: string) => Promise<number> }> {
  const get = { "x-amazon-apigateway-integration": integration, responses: {} };
  const Body = JSON.stringify({ openapi: "3.0.1", info: { title: "t" }, paths: { "/a": { get }, "/b": { get } } });
  const { ApiId = "" } = await client.send(new ImportApiCommand({ Body }));
  return { ApiId, call: async (path) => (await fetch(`${platform.endpoint}/_cumulet/api/${ApiId}/s${path}`)).status };
}

test("a stage's default limits each route for itself, and a route's own settings go before it", async () => {
  const { ApiId, call } = await importApi();
  const stage = { ApiId, StageName: "s" };
  const none = { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 };
  const made = await client.send(
    new CreateStageCommand({
      ...stage,
      AutoDeploy: true,
      DefaultRouteSettings: none,
      RouteSettings: { "GET /b": { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 100 } },
    }),
  );
  expect(made.DefaultRouteSettings).toEqual({ DetailedMetricsEnabled: false, ...none });
  // Let through, to a function that is not there.
  expect([await call("/a"), await call("/a"), await call("/b"), await call("/b")]).toEqual([500, 429, 500, 500]);
  const refused = await fetch(`${platform.endpoint}/_cumulet/api/${ApiId}/s/a`);
  expect(await refused.text()).toBe('{"message":"Too Many Requests"}');

  await client.send(new DeleteRouteSettingsCommand({ ...stage, RouteKey: "GET /b" }));
  expect((await client.send(new GetStageCommand(stage))).RouteSettings).toEqual({});
  expect([await call("/b"), await call("/b")]).toContain(429);
  await client.send(
    new UpdateStageCommand({
      ...stage,
      DefaultRouteSettings: { ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 1_000 },
    }),
  );
  await expect(client.send(new DeleteRouteSettingsCommand({ ...stage, RouteKey: "GET /b" }))).rejects.toMatchObject({
    name: "NotFoundException",
  });
});

test("execution logs are refused for HTTP APIs", async () => {
  const { ApiId } = await importApi();
  const logging = new CreateStageCommand({ ApiId, StageName: "l", DefaultRouteSettings: { LoggingLevel: "INFO" } });
  await expect(client.send(logging)).rejects.toThrow("Execution logs are not supported on protocol type HTTP");
});
