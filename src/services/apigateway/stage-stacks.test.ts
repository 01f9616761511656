import {
  APIGatewayClient,
  GetDeploymentsCommand,
  GetRestApiCommand,
  GetStageCommand,
  UpdateAccountCommand,
} from "@aws-sdk/client-api-gateway";
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: CloudFormationClient;
let gateway: APIGatewayClient;
const waiting = { minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 30 };
const RestApiId = { Ref: "Api" };

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new CloudFormationClient(platform.settings);
  gateway = new APIGatewayClient(platform.settings);
  const cloudwatchRoleArn = "arn:aws:iam::000000000000:role/gateway-logs";
  await gateway.send(
    new UpdateAccountCommand({
      patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value: cloudwatchRoleArn }],
    }),
  );
});
afterAll(() => platform.stop());

const method = {
  Type: "AWS::ApiGateway::Method",
  Properties: {
    RestApiId,
    ResourceId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
    HttpMethod: "GET",
    AuthorizationType: "NONE",
    MethodResponses: [{ StatusCode: "200" }],
    Integration: {
      Type: "MOCK",
      RequestTemplates: { "application/json": '{"statusCode": 200}' },
      IntegrationResponses: [
        {
          StatusCode: "200",
          ResponseTemplates: { "application/json": '"$stageVariables.v $context.isCanaryRequest"' },
        },
      ],
    },
  },
};

function template(api: object, deployments: Record<string, object>): string {
  const Resources: Record<string, object> = {
    Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "staged", ...api } },
    Method: method,
  };
  let before = "Method";
  for (const [name, properties] of Object.entries(deployments)) {
    Resources[name] = {
      Type: "AWS::ApiGateway::Deployment",
      DependsOn: before,
      Properties: { RestApiId, StageName: "s", ...properties },
    };
    before = name;
  }
  return JSON.stringify({ Resources, Outputs: { Api: { Value: RestApiId } } });
}

async function reasonsOf(StackName: string): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.map((event) => event.ResourceStatusReason ?? "").join("\n");
}

async function create(StackName: string, TemplateBody: string): Promise<string> {
  await client.send(new CreateStackCommand({ StackName, TemplateBody }));
  await waitUntilStackCreateComplete({ client, ...waiting }, { StackName }).catch(async () => {
    throw new Error(await reasonsOf(StackName));
  });
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
  return Stacks[0]?.Outputs?.[0]?.OutputValue ?? "";
}

async function update(StackName: string, TemplateBody: string): Promise<void> {
  await client.send(new UpdateStackCommand({ StackName, TemplateBody }));
  await waitUntilStackUpdateComplete({ client, ...waiting }, { StackName }).catch(async () => {
    throw new Error(await reasonsOf(StackName));
  });
}

describe("AWS::ApiGateway::Deployment", () => {
  test("makes a stage as its StageDescription says, and changes it in place", async () => {
    const description = {
      Description: "first",
      Variables: { v: "1", old: "o" },
      LoggingLevel: "INFO",
      ThrottlingRateLimit: 50,
      ThrottlingBurstLimit: 20,
      MetricsEnabled: true,
      MethodSettings: [{ HttpMethod: "GET", ResourcePath: "/", ThrottlingRateLimit: 5, ThrottlingBurstLimit: 2 }],
      AccessLogSetting: {
        DestinationArn: "arn:aws:logs:us-east-1:000000000000:log-group:access",
        Format: "$context.requestId $context.status",
      },
      Tags: [{ Key: "team", Value: "a" }],
    };
    const restApiId = await create("described-stage", template({}, { First: { StageDescription: description } }));
    const stage = await gateway.send(new GetStageCommand({ restApiId, stageName: "s" }));
    expect(stage).toMatchObject({
      description: "first",
      variables: { v: "1", old: "o" },
      accessLogSettings: { format: "$context.requestId $context.status" },
      tags: { team: "a" },
      methodSettings: {
        "*/*": { loggingLevel: "INFO", throttlingRateLimit: 50, throttlingBurstLimit: 20, metricsEnabled: true },
        "/GET": { throttlingRateLimit: 5, throttlingBurstLimit: 2 },
      },
    });
    const { AccessLogSetting: _log, MethodSettings: _settings, ...rest } = description;
    const changed = { ...rest, Description: "second", Variables: { v: "2" }, Tags: [{ Key: "team", Value: "b" }] };
    await update("described-stage", template({}, { First: { StageDescription: changed } }));
    const after = await gateway.send(new GetStageCommand({ restApiId, stageName: "s" }));
    expect(after).toMatchObject({ description: "second", variables: { v: "2" }, tags: { team: "b" } });
    expect(after.variables).not.toHaveProperty("old");
    expect(after).not.toHaveProperty("accessLogSettings");
    expect(Object.keys(after.methodSettings ?? {})).toEqual(["*/*"]);
    expect((await gateway.send(new GetDeploymentsCommand({ restApiId }))).items).toHaveLength(1);
  });

  test("with a StageDescription is refused for a stage that is there already, and leaves nothing behind", async () => {
    const deployments = { First: {}, Second: { StageDescription: { Description: "no" } } };
    await expect(create("described-twice", template({}, deployments))).rejects.toThrow(
      "StageDescription cannot be specified when stage referenced by StageName already exists",
    );
    const refused = template(
      {},
      { First: { StageName: { Ref: "AWS::NoValue" }, StageDescription: { Description: "no" } } },
    );
    await expect(create("described-none", refused)).rejects.toThrow("StageName must be specified");
  });

  test("is a canary of the stage that an earlier deployment made, where it says so", async () => {
    const canary = { PercentTraffic: 100, StageVariableOverrides: { v: "canary" }, UseStageCache: false };
    const first = { First: { StageDescription: { Variables: { v: "stage" } } } };
    const restApiId = await create("canary", template({ MinimumCompressionSize: 0 }, first));
    const ask = async () => (await fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/s/`)).text();
    expect(await ask()).toBe('"stage false"');
    expect(await gateway.send(new GetRestApiCommand({ restApiId }))).toMatchObject({ minimumCompressionSize: 0 });
    await update("canary", template({}, { ...first, Second: { DeploymentCanarySettings: canary } }));
    expect(await ask()).toBe('"canary true"');
    expect(await gateway.send(new GetRestApiCommand({ restApiId }))).not.toHaveProperty("minimumCompressionSize");
    const stage = await gateway.send(new GetStageCommand({ restApiId, stageName: "s" }));
    expect(stage.canarySettings).toMatchObject({ percentTraffic: 100, stageVariableOverrides: { v: "canary" } });
    expect(stage.canarySettings?.deploymentId).not.toBe(stage.deploymentId);
  });
});
