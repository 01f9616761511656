import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  DeleteApiKeyCommand,
  DeleteRestApiCommand,
  DeleteStageCommand,
  DeleteUsagePlanCommand,
  GetApiKeyCommand,
  GetApiKeysCommand,
  GetTagsCommand,
  GetUsageCommand,
  GetUsagePlanCommand,
  GetUsagePlanKeysCommand,
  GetUsagePlansCommand,
  ImportApiKeysCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  TagResourceCommand,
  UpdateApiKeyCommand,
  UpdateStageCommand,
  UpdateUsageCommand,
  UpdateUsagePlanCommand,
} from "@aws-sdk/client-api-gateway";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: APIGatewayClient;

beforeAll(async () => {
  platform = await startTestPlatform();
  client = new APIGatewayClient(platform.settings);
});
afterAll(async () => {
  client.destroy();
  await platform.stop();
});

async function deployApi(): Promise<{ readonly apiId: string; readonly url: string }> {
  const { id: restApiId, rootResourceId: resourceId } = await client.send(new CreateRestApiCommand({ name: "keyed" }));
  const method = { restApiId, resourceId, httpMethod: "GET" };
  await client.send(new PutMethodCommand({ ...method, authorizationType: "NONE", apiKeyRequired: true }));
  await client.send(
    new PutIntegrationCommand({
      ...method,
      type: "MOCK",
      requestTemplates: { "application/json": '{"statusCode": 200}' },
    }),
  );
  await client.send(new PutMethodResponseCommand({ ...method, statusCode: "200" }));
  await client.send(new PutIntegrationResponseCommand({ ...method, statusCode: "200" }));
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "dev" }));
  return { apiId: restApiId ?? "", url: `${platform.endpoint}/_cumulet/api/${restApiId}/dev/` };
}

async function createKey(planId: string | undefined, more: { enabled?: boolean; name?: string } = {}) {
  const key = await client.send(new CreateApiKeyCommand({ name: "k", enabled: true, ...more }));
  if (planId !== undefined) {
    await client.send(new CreateUsagePlanKeyCommand({ usagePlanId: planId, keyId: key.id, keyType: "API_KEY" }));
  }
  return { id: key.id ?? "", value: key.value ?? "" };
}

async function call(url: string, key?: string): Promise<{ status: number; body: string; type: string | null }> {
  const response = await fetch(url, { headers: key === undefined ? {} : { "x-api-key": key } });
  return { status: response.status, body: await response.text(), type: response.headers.get("x-amzn-errortype") };
}

const forbidden = { status: 403, body: '{"message":"Forbidden"}', type: "ForbiddenException" };

describe("a method that requires an API key", () => {
  test("answers 403 Forbidden without one, with an unknown one, and with one that is in no usage plan of the stage", async () => {
    const { url } = await deployApi();
    const lonely = await createKey(undefined);
    expect(await call(url)).toEqual(forbidden);
    expect(await call(url, "a".repeat(30))).toEqual(forbidden);
    expect(await call(url, lonely.value)).toEqual(forbidden);
  });

  test("answers whoever shows a key of the stage's usage plan, until the key is disabled, deleted or taken out", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(new CreateUsagePlanCommand({ name: "p", apiStages: [{ apiId, stage: "dev" }] }));
    const key = await createKey(plan.id);
    expect((await call(url, key.value)).status).toBe(200);
    const enable = (value: string) =>
      client.send(
        new UpdateApiKeyCommand({ apiKey: key.id, patchOperations: [{ op: "replace", path: "/enabled", value }] }),
      );
    await enable("false");
    expect(await call(url, key.value)).toEqual(forbidden);
    await enable("true");
    expect((await call(url, key.value)).status).toBe(200);
    await client.send(
      new UpdateUsagePlanCommand({
        usagePlanId: plan.id,
        patchOperations: [{ op: "remove", path: "/apiStages", value: `${apiId}:dev` }],
      }),
    );
    expect(await call(url, key.value)).toEqual(forbidden);
  });
});

describe("usage plans", () => {
  test("let a burst through and refuse the rest with 429 Too Many Requests", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(
      new CreateUsagePlanCommand({
        name: "slow",
        apiStages: [{ apiId, stage: "dev" }],
        throttle: { rateLimit: 0.001, burstLimit: 3 },
      }),
    );
    const [one, other] = [await createKey(plan.id), await createKey(plan.id)];
    const answers = await Promise.all(Array.from({ length: 8 }, () => call(url, one.value)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.find(({ status }) => status !== 200)).toEqual({
      status: 429,
      body: '{"message":"Too Many Requests"}',
      type: "TooManyRequestsException",
    });
    // AWS: the rate is of each key.
    expect((await call(url, other.value)).status).toBe(200);
  });

  test("a method's own throttle is in place of the plan's", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(new CreateUsagePlanCommand({ name: "m", apiStages: [{ apiId, stage: "dev" }] }));
    const key = await createKey(plan.id);
    const path = `/apiStages/${apiId}:dev/throttle/~1/GET`;
    await client.send(
      new UpdateUsagePlanCommand({
        usagePlanId: plan.id,
        patchOperations: [
          { op: "replace", path: `${path}/rateLimit`, value: "0.001" },
          { op: "replace", path: `${path}/burstLimit`, value: "1" },
        ],
      }),
    );
    expect((await call(url, key.value)).status).toBe(200);
    expect((await call(url, key.value)).status).toBe(429);
    expect((await client.send(new GetUsagePlanCommand({ usagePlanId: plan.id }))).apiStages).toEqual([
      { apiId, stage: "dev", throttle: { "/GET": { rateLimit: 0.001, burstLimit: 1 } } },
    ]);
  });

  test("a quota lets exactly its number through under 8 clients, GetUsage tells of it, and UpdateUsage extends it", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(
      new CreateUsagePlanCommand({
        name: "q",
        apiStages: [{ apiId, stage: "dev" }],
        quota: { limit: 25, period: "DAY" },
      }),
    );
    const key = await createKey(plan.id);
    const run = async () => {
      const statuses: number[] = [];
      for (let sent = 0; sent < 6; sent++) statuses.push((await call(url, key.value)).status);
      return statuses;
    };
    const statuses = (await Promise.all(Array.from({ length: 8 }, run))).flat();
    expect(statuses.filter((status) => status === 200)).toHaveLength(25);
    expect(await call(url, key.value)).toEqual({
      status: 429,
      body: '{"message":"Limit Exceeded"}',
      type: "LimitExceededException",
    });
    const today = new Date().toISOString().slice(0, 10);
    const usage = await client.send(new GetUsageCommand({ usagePlanId: plan.id, startDate: today, endDate: today }));
    expect(usage.items).toEqual({ [key.id]: [[25, 0]] });
    const updated = await client.send(
      new UpdateUsageCommand({
        usagePlanId: plan.id,
        keyId: key.id,
        patchOperations: [{ op: "replace", path: "/remaining", value: "2" }],
      }),
    );
    expect(updated.items).toEqual({ [key.id]: [[25, 2]] });
    const after = [await call(url, key.value), await call(url, key.value), await call(url, key.value)];
    expect(after.map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  test("GetUsage tells what the keys of a plan without a quota have used, too", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(new CreateUsagePlanCommand({ name: "free", apiStages: [{ apiId, stage: "dev" }] }));
    const key = await createKey(plan.id);
    await Promise.all(Array.from({ length: 7 }, () => call(url, key.value)));
    const today = new Date().toISOString().slice(0, 10);
    const told = () => client.send(new GetUsageCommand({ usagePlanId: plan.id, startDate: today, endDate: today }));
    expect((await told()).items).toEqual({ [key.id]: [[7, -1]] });
    await call(url, key.value);
    expect((await told()).items).toEqual({ [key.id]: [[8, -1]] });
  });

  test("lose a stage that is deleted, and can be deleted themselves when they have none", async () => {
    const { apiId, url } = await deployApi();
    const other = await deployApi();
    const apiStages = [
      { apiId, stage: "dev" },
      { apiId: other.apiId, stage: "dev" },
    ];
    const plan = await client.send(new CreateUsagePlanCommand({ name: "leaving", apiStages }));
    const key = await createKey(plan.id);
    await expect(client.send(new DeleteUsagePlanCommand({ usagePlanId: plan.id }))).rejects.toThrow(
      `Cannot delete Usage Plan ${plan.id} because there are API Stages associated with it, including ${apiId}:dev`,
    );
    await client.send(new DeleteStageCommand({ restApiId: apiId, stageName: "dev" }));
    expect((await client.send(new GetUsagePlanCommand({ usagePlanId: plan.id }))).apiStages).toHaveLength(1);
    // A stage of the same name is another one.
    await client.send(new CreateDeploymentCommand({ restApiId: apiId, stageName: "dev" }));
    expect(await call(url, key.value)).toEqual(forbidden);
    await client.send(new DeleteRestApiCommand({ restApiId: other.apiId }));
    await client.send(new DeleteUsagePlanCommand({ usagePlanId: plan.id }));
  });

  test("a key has no two plans with the same stage", async () => {
    const { apiId } = await deployApi();
    const stage = { apiId, stage: "dev" };
    const plans = await Promise.all(
      ["a", "b"].map((name) => client.send(new CreateUsagePlanCommand({ name, apiStages: [stage] }))),
    );
    const key = await createKey(plans[0]?.id);
    const second = { usagePlanId: plans[1]?.id, keyId: key.id, keyType: "API_KEY" };
    await expect(client.send(new CreateUsagePlanKeyCommand(second))).rejects.toThrow(
      "API Key cannot reference multiple Usage Plans with the same Api Stage",
    );
    await expect(
      client.send(new CreateUsagePlanKeyCommand({ ...second, usagePlanId: plans[0]?.id })),
    ).rejects.toMatchObject({ name: "ConflictException" });
    const { items } = await client.send(new GetUsagePlansCommand({ keyId: key.id }));
    expect(items?.map(({ id }) => id)).toEqual([plans[0]?.id]);
    await expect(client.send(new DeleteUsagePlanCommand({ usagePlanId: plans[0]?.id }))).rejects.toMatchObject({
      name: "BadRequestException",
    });
  });

  test.each([
    [{ quota: { limit: 1, period: "DAY" as const, offset: 1 } }, "offset must be zero in the DAY period"],
    [{ quota: { limit: 1, period: "WEEK" as const, offset: 7 } }, "between zero and 6 inclusive"],
    [{ quota: { limit: -1, period: "DAY" as const } }, "quota limit"],
    [{ throttle: { rateLimit: -1 } }, "must not be negative"],
    [{ apiStages: [{ apiId: "none", stage: "dev" }] }, "Invalid API Stage {api: none, stage: dev}"],
  ])("refuses %j", async (input, message) => {
    await expect(client.send(new CreateUsagePlanCommand({ name: "bad", ...input }))).rejects.toThrow(message);
  });
});

describe("a stage's method settings", () => {
  test("throttle each method for all callers", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(new CreateUsagePlanCommand({ name: "s", apiStages: [{ apiId, stage: "dev" }] }));
    const keys = [await createKey(plan.id), await createKey(plan.id)];
    const stage = await client.send(
      new UpdateStageCommand({
        restApiId: apiId,
        stageName: "dev",
        patchOperations: [
          { op: "replace", path: "/*/*/throttling/rateLimit", value: "0.001" },
          { op: "replace", path: "/*/*/throttling/burstLimit", value: "2" },
        ],
      }),
    );
    expect(stage.methodSettings?.["*/*"]).toMatchObject({ throttlingRateLimit: 0.001, throttlingBurstLimit: 2 });
    const statuses = [];
    for (const key of [...keys, ...keys]) statuses.push((await call(url, key.value)).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
  });
});

describe("API keys", () => {
  test("are told without their values unless these are asked for", async () => {
    const key = await createKey(undefined, { name: "secretive" });
    expect(await client.send(new GetApiKeyCommand({ apiKey: key.id }))).not.toHaveProperty("value");
    expect((await client.send(new GetApiKeyCommand({ apiKey: key.id, includeValue: true }))).value).toBe(key.value);
    const { items } = await client.send(new GetApiKeysCommand({ nameQuery: "secret", includeValues: true }));
    expect(items).toEqual([expect.objectContaining({ id: key.id, value: key.value, stageKeys: [], enabled: true })]);
  });

  test("refuse a value that another key has, without telling it, and values that are too short", async () => {
    const value = "v".repeat(24);
    await client.send(new CreateApiKeyCommand({ value }));
    const again = client.send(new CreateApiKeyCommand({ value }));
    await expect(again).rejects.toMatchObject({ name: "ConflictException", message: "API Key already exists" });
    await expect(client.send(new CreateApiKeyCommand({ value: "short" }))).rejects.toThrow("at least 20 characters");
  });

  test("are listed by page to the end, and gone when deleted", async () => {
    const made = [await createKey(undefined, { name: "paged" }), await createKey(undefined, { name: "paged" })];
    const first = await client.send(new GetApiKeysCommand({ nameQuery: "paged", limit: 1 }));
    const second = await client.send(new GetApiKeysCommand({ nameQuery: "paged", limit: 1, position: first.position }));
    expect([...(first.items ?? []), ...(second.items ?? [])].map(({ id }) => id)).toEqual(
      made.map(({ id }) => id).toSorted(),
    );
    expect(second.position).toBeUndefined();
    await client.send(new DeleteApiKeyCommand({ apiKey: made[0]?.id }));
    await expect(client.send(new GetApiKeyCommand({ apiKey: made[0]?.id }))).rejects.toMatchObject({
      name: "NotFoundException",
      message: "Invalid API Key identifier specified",
    });
  });

  test("are imported from CSV with the usage plans of their lines", async () => {
    const { apiId, url } = await deployApi();
    const plan = await client.send(new CreateUsagePlanCommand({ name: "csv", apiStages: [{ apiId, stage: "dev" }] }));
    const value = "imported-value-0123456789";
    const body = `Name,key,description,Enabled,usageplanIds\n"First, one",${value},"said ""so""",TRUE,"${plan.id}"\n`;
    const { ids } = await client.send(
      new ImportApiKeysCommand({ format: "csv", body: Buffer.from(body), failOnWarnings: true }),
    );
    expect((await call(url, value)).status).toBe(200);
    const { items } = await client.send(new GetUsagePlanKeysCommand({ usagePlanId: plan.id }));
    expect(items).toEqual([{ id: ids?.[0], type: "API_KEY", name: "First, one", value }]);
    const again = new ImportApiKeysCommand({ format: "csv", body: Buffer.from(body), failOnWarnings: true });
    await expect(client.send(again)).rejects.toThrow("already exists");
  });

  test("have tags", async () => {
    const key = await createKey(undefined);
    const resourceArn = `arn:aws:apigateway:us-east-1::/apikeys/${key.id}`;
    await client.send(new TagResourceCommand({ resourceArn, tags: { team: "a" } }));
    expect((await client.send(new GetTagsCommand({ resourceArn }))).tags).toEqual({ team: "a" });
  });
});
