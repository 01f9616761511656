import { APIGatewayClient, GetApiKeysCommand, GetStageCommand, GetUsagePlanCommand } from "@aws-sdk/client-api-gateway";
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  UpdateStackCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let stacks: CloudFormationClient;
let gateway: APIGatewayClient;
const waiting = { maxWaitTime: 60, minDelay: 0.1, maxDelay: 0.2 };

beforeAll(async () => {
  platform = await startTestPlatform();
  stacks = new CloudFormationClient(platform.settings);
  gateway = new APIGatewayClient(platform.settings);
});
afterAll(async () => {
  stacks.destroy();
  gateway.destroy();
  await platform.stop();
});

async function outputs(StackName: string): Promise<Record<string, string>> {
  const { Stacks = [] } = await stacks.send(new DescribeStacksCommand({ StackName }));
  return Object.fromEntries((Stacks[0]?.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue ?? ""]));
}

const status = async (apiId: string | undefined, path: string, key?: string) => {
  const headers = key === undefined ? {} : { "x-api-key": key };
  return (await fetch(`${platform.endpoint}/_cumulet/api/${apiId}${path}`, { headers })).status;
};

function template(rate: object, settings: object, quota?: object) {
  const Api = { Ref: "Api" };
  return JSON.stringify({
    Resources: {
      Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "keyed" } },
      Get: {
        Type: "AWS::ApiGateway::Method",
        Properties: {
          RestApiId: Api,
          ResourceId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
          HttpMethod: "GET",
          AuthorizationType: "NONE",
          ApiKeyRequired: true,
          Integration: {
            Type: "MOCK",
            RequestTemplates: { "application/json": '{"statusCode": 200}' },
            IntegrationResponses: [{ StatusCode: "200" }],
          },
          MethodResponses: [{ StatusCode: "200" }],
        },
      },
      Deployment: { Type: "AWS::ApiGateway::Deployment", DependsOn: "Get", Properties: { RestApiId: Api } },
      Stage: {
        Type: "AWS::ApiGateway::Stage",
        Properties: { RestApiId: Api, StageName: "dev", DeploymentId: { Ref: "Deployment" }, ...settings },
      },
      Key: {
        Type: "AWS::ApiGateway::ApiKey",
        Properties: { Name: "stacked", Enabled: true, Tags: [{ Key: "team", Value: "a" }] },
      },
      Plan: {
        Type: "AWS::ApiGateway::UsagePlan",
        Properties: {
          UsagePlanName: "stacked",
          ApiStages: [{ ApiId: Api, Stage: { Ref: "Stage" }, Throttle: { "/GET": rate } }],
          ...(quota === undefined ? {} : { Quota: quota }),
        },
      },
      PlanKey: {
        Type: "AWS::ApiGateway::UsagePlanKey",
        Properties: { KeyId: { Ref: "Key" }, KeyType: "API_KEY", UsagePlanId: { Ref: "Plan" } },
      },
    },
    Outputs: {
      Api: { Value: Api },
      Key: { Value: { "Fn::GetAtt": ["Key", "APIKeyId"] } },
      Plan: { Value: { "Fn::GetAtt": ["Plan", "Id"] } },
      PlanKey: { Value: { Ref: "PlanKey" } },
    },
  });
}

test("a stack makes a key, a usage plan and a stage's settings, changes them and takes them away", async () => {
  const StackName = "usage";
  const first = template(
    { RateLimit: 0.001, BurstLimit: 1 },
    { MethodSettings: [{ ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 50, ThrottlingBurstLimit: 20 }] },
  );
  await stacks.send(new CreateStackCommand({ StackName, TemplateBody: first }));
  await waitUntilStackCreateComplete({ client: stacks, ...waiting }, { StackName });
  const { Api, Key, Plan, PlanKey } = await outputs(StackName);
  expect(PlanKey).toBe(`${Key}:${Plan}`);
  const { items } = await gateway.send(new GetApiKeysCommand({ nameQuery: "stacked", includeValues: true }));
  expect(items).toHaveLength(1);
  expect(items?.[0]).toMatchObject({ id: Key, tags: { team: "a", "aws:cloudformation:logical-id": "Key" } });
  const value = items?.[0]?.value ?? "";
  expect([await status(Api, "/dev"), await status(Api, "/dev", value), await status(Api, "/dev", value)]).toEqual([
    403, 200, 429,
  ]);

  const second = template(
    { RateLimit: 100, BurstLimit: 100 },
    { MethodSettings: [{ ResourcePath: "/", HttpMethod: "GET", CachingEnabled: true }], CacheClusterEnabled: true },
    { Limit: 2, Period: "MONTH" },
  );
  await stacks.send(new UpdateStackCommand({ StackName, TemplateBody: second }));
  await waitUntilStackUpdateComplete({ client: stacks, ...waiting }, { StackName });
  const stage = await gateway.send(new GetStageCommand({ restApiId: Api, stageName: "dev" }));
  expect(stage).toMatchObject({ cacheClusterEnabled: true, cacheClusterSize: "0.5", cacheClusterStatus: "AVAILABLE" });
  expect(Object.keys(stage.methodSettings ?? {})).toEqual(["/GET"]);
  const plan = await gateway.send(new GetUsagePlanCommand({ usagePlanId: Plan }));
  expect(plan.quota).toEqual({ limit: 2, offset: 0, period: "MONTH" });
  expect(plan.apiStages?.[0]?.throttle).toEqual({ "/GET": { rateLimit: 100, burstLimit: 100 } });

  await stacks.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete({ client: stacks, ...waiting }, { StackName });
  const left = await gateway.send(new GetApiKeysCommand({ nameQuery: "stacked" }));
  expect(left.items ?? []).toEqual([]);
});

test("SAM: ApiKeyRequired with a usage plan of the API's own asks for its key", async () => {
  const StackName = "sam-usage";
  const TemplateBody = JSON.stringify({
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Api: {
        Type: "AWS::Serverless::Api",
        Properties: {
          StageName: "dev",
          Auth: {
            ApiKeyRequired: true,
            UsagePlan: { CreateUsagePlan: "PER_API", Quota: { Limit: 1, Period: "DAY" } },
          },
        },
      },
      Hello: {
        Type: "AWS::Serverless::Function",
        Properties: {
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          InlineCode: "exports.handler = async () => ({ statusCode: 200, body: 'hi' })",
          Events: { Get: { Type: "Api", Properties: { RestApiId: { Ref: "Api" }, Path: "/hello", Method: "get" } } },
        },
      },
    },
    Outputs: { Api: { Value: { Ref: "Api" } } },
  });
  const change = { StackName, ChangeSetName: "first" };
  await stacks.send(
    new CreateChangeSetCommand({
      ...change,
      ChangeSetType: "CREATE",
      TemplateBody,
      Capabilities: ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }),
  );
  await waitUntilChangeSetCreateComplete({ client: stacks, ...waiting }, change);
  await stacks.send(new ExecuteChangeSetCommand(change));
  await waitUntilStackCreateComplete({ client: stacks, ...waiting }, { StackName });
  const { Api } = await outputs(StackName);
  const { items } = await gateway.send(new GetApiKeysCommand({ includeValues: true }));
  const value = items?.[0]?.value ?? "";
  expect(await status(Api, "/dev/hello")).toBe(403);
  expect(await status(Api, "/dev/hello", value)).toBe(200);
  expect(await status(Api, "/dev/hello", value)).toBe(429);
}, 60_000);
