import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  GetUsageCommand,
  ImportRestApiCommand,
  CreateDeploymentCommand,
} from "@aws-sdk/client-api-gateway";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../testing/server.ts";

let server: TestServer;
let client: APIGatewayClient;

beforeAll(async () => {
  server = await startTestServer();
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = server.environment;
  client = new APIGatewayClient({
    endpoint: server.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
  });
}, 60_000);
afterAll(async () => {
  client.destroy();
  await server.stop();
});

const definition = {
  swagger: "2.0",
  info: { title: "keyed" },
  securityDefinitions: { api_key: { type: "apiKey", name: "x-api-key", in: "header" } },
  paths: {
    "/": {
      get: {
        security: [{ api_key: [] }],
        responses: { 200: { description: "ok" } },
        "x-amazon-apigateway-integration": {
          type: "mock",
          requestTemplates: { "application/json": '{"statusCode": 200}' },
          responses: { default: { statusCode: "200" } },
        },
      },
    },
  },
};

test(
  "rate 10, burst 5 and quota 100 let exactly that through under 8 clients, also over kill -9",
  { timeout: 60_000 },
  async () => {
    const { id: restApiId } = await client.send(
      new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }),
    );
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "dev" }));
    const url = `${server.endpoint}/_cumulet/api/${restApiId}/dev/`;
    const newKey = async (throttle: { rateLimit: number; burstLimit: number }) => {
      const plan = await client.send(
        new CreateUsagePlanCommand({
          name: "limits",
          apiStages: [{ apiId: restApiId, stage: "dev" }],
          throttle,
          quota: { limit: 100, period: "MONTH" },
        }),
      );
      const key = await client.send(new CreateApiKeyCommand({ enabled: true }));
      await client.send(new CreateUsagePlanKeyCommand({ usagePlanId: plan.id, keyId: key.id, keyType: "API_KEY" }));
      return { planId: plan.id, keyId: key.id ?? "", value: key.value ?? "" };
    };
    const slow = await newKey({ rateLimit: 10, burstLimit: 5 });
    const fast = await newKey({ rateLimit: 10_000, burstLimit: 5_000 });

    /** How 8 clients are answered until the time has come or each has sent enough. */
    const run = async (value: string, until: number, each: number) => {
      const answers: string[] = [];
      const send = async () => {
        for (let sent = 0; sent < each && Date.now() < until; sent++) {
          const response = await fetch(url, { headers: { "x-api-key": value } });
          answers.push(response.status === 200 ? "200" : await response.text());
        }
      };
      await Promise.all(Array.from({ length: 8 }, send));
      return answers;
    };

    const began = Date.now();
    const slowly = await run(slow.value, began + 1_500, Infinity);
    const seconds = (Date.now() - began) / 1_000;
    expect(passed(slowly)).toBeGreaterThanOrEqual(5 + 10);
    expect(passed(slowly)).toBeLessThanOrEqual(5 + 10 * seconds);
    expect(slowly).toContain('{"message":"Too Many Requests"}');

    // The quota, over kills: what a killed process had taken and not used is there again.
    let total = 0;
    for (const each of [6, 20]) {
      total += passed(await run(fast.value, Infinity, each));
      await server.killAndRestart();
    }
    expect(total).toBe(100);
    expect(await run(fast.value, Infinity, 1)).toEqual(Array.from({ length: 8 }, () => '{"message":"Limit Exceeded"}'));
    const today = new Date().toISOString().slice(0, 10);
    const usage = await client.send(
      new GetUsageCommand({ usagePlanId: fast.planId, keyId: fast.keyId, startDate: today, endDate: today }),
    );
    expect(usage.items?.[fast.keyId]?.[0]?.[1]).toBe(0);
    // What passed before still counts for the other key, too.
    const rest = await run(slow.value, Date.now() + 300, Infinity);
    expect(passed(slowly) + passed(rest)).toBeLessThanOrEqual(100);
  },
);

function passed(answers: readonly string[]): number {
  return answers.filter((answer) => answer === "200").length;
}
