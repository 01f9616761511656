import * as rest from "@aws-sdk/client-api-gateway";
import * as http from "@aws-sdk/client-apigatewayv2";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { deploy } from "../../src/testing/stacks.ts";

/** Each property of SAM's `Api` and `HttpApi`, deployed: it acts, or the deployment is refused and names it. */
const account = "000000000000";
const DestinationArn = `arn:aws:logs:us-east-1:${account}:log-group:sam`;
let platform: TestPlatform;
let cloudformation: CloudFormationClient;
let v1: rest.APIGatewayClient;
let v2: http.ApiGatewayV2Client;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  const { settings } = platform;
  cloudformation = new CloudFormationClient(settings);
  v1 = new rest.APIGatewayClient(settings);
  v2 = new http.ApiGatewayV2Client(settings);
  logs = new CloudWatchLogsClient(settings);
  await logs.send(new CreateLogGroupCommand({ logGroupName: "sam" }));
  const value = `arn:aws:iam::${account}:role/logs`;
  await v1.send(
    new rest.UpdateAccountCommand({ patchOperations: [{ op: "replace", path: "/cloudwatchRoleArn", value }] }),
  );
});
afterAll(() => platform.stop());

/** A mock that says what a template makes. */
const mock = (template: string, more: object = {}) => ({
  responses: { "200": { description: "ok" } },
  "x-amazon-apigateway-integration": {
    type: "mock",
    requestTemplates: { "application/json": '{"statusCode": 200}' },
    responses: { default: { statusCode: "200", responseTemplates: { "application/json": template } } },
  },
  ...more,
});
const swagger = (paths: object) => ({ swagger: "2.0", info: { title: "sam", version: "1" }, paths });
const api = (properties: object, paths: object = { "/": { get: mock('"$stageVariables.v"') } }) => ({
  Type: "AWS::Serverless::Api",
  Properties: { StageName: "prod", DefinitionBody: swagger(paths), ...properties },
});
const template = (resources: Readonly<Record<string, object>>, more: object = {}) => ({
  Transform: "AWS::Serverless-2016-10-31",
  Resources: resources,
  Outputs: Object.fromEntries(
    Object.entries(resources)
      .filter(([, resource]) => String(Reflect.get(resource, "Type")).endsWith("Api"))
      .map(([name]) => [name, { Value: { Ref: name } }]),
  ),
  ...more,
});
async function created(name: string, wanted: object): Promise<Readonly<Record<string, string | undefined>>> {
  const { status, failures, outputs } = await deploy(cloudformation, name, wanted);
  expect([status, failures]).toEqual([expect.stringMatching(/^(CREATE|UPDATE)_COMPLETE$/), []]);
  return outputs;
}
const ask = (id: string | undefined, path: string, init: RequestInit = {}) =>
  fetch(`${platform.endpoint}/_cumulet/api/${id}${path}`, init);
const statusOf = async (id: string | undefined, key?: string) =>
  (await ask(id, "/prod/", { headers: key === undefined ? {} : { "x-api-key": key } })).status;

const plan = (CreateUsagePlan: string, more: object = {}) => ({
  Auth: { ApiKeyRequired: true, UsagePlan: { CreateUsagePlan, ...more } },
});
const httpApi = (properties: object) => ({
  Type: "AWS::Serverless::HttpApi",
  Properties: {
    DefinitionBody: {
      openapi: "3.0.1",
      info: { title: "sam", version: "1" },
      paths: {
        "/": {
          get: {
            responses: {},
            "x-amazon-apigateway-integration": {
              type: "http_proxy",
              httpMethod: "GET",
              uri: `${platform.endpoint}/\${stageVariables.v}`,
              payloadFormatVersion: "1.0",
            },
          },
        },
      },
    },
    ...properties,
  },
});

test("CreateUsagePlan: PER_API and SHARED make plans and keys that let in, NONE makes none", async () => {
  const quota = { Quota: { Limit: 3, Period: "DAY" } };
  const outputs = await created(
    "plans",
    template({
      OwnApi: api(plan("PER_API", { UsagePlanName: "own", Throttle: { BurstLimit: 1, RateLimit: 0.001 } })),
      OneApi: api(plan("SHARED", quota)),
      OtherApi: api(plan("SHARED", quota)),
      BareApi: api(plan("NONE")),
    }),
  );
  const { items: keys = [] } = await v1.send(new rest.GetApiKeysCommand({ includeValues: true }));
  const { items: plans = [] } = await v1.send(new rest.GetUsagePlansCommand({}));
  expect(plans.map(({ apiStages = [] }) => apiStages.length).toSorted()).toEqual([1, 2]);
  expect(keys).toHaveLength(2);
  const keyOf = async (stages: number) => {
    const usagePlanId = plans.find(({ apiStages = [] }) => apiStages.length === stages)?.id;
    const { items = [] } = await v1.send(new rest.GetUsagePlanKeysCommand({ usagePlanId }));
    return keys.find(({ id }) => id === items[0]?.id)?.value;
  };
  const [own, shared] = [await keyOf(1), await keyOf(2)];
  const { OwnApi, OneApi, OtherApi, BareApi } = outputs;
  expect([await statusOf(OwnApi), await statusOf(OwnApi, own), await statusOf(OwnApi, own)]).toEqual([403, 200, 429]);
  // A shared plan's quota is of the key, whichever of the APIs it calls.
  expect([await statusOf(OneApi, shared), await statusOf(OtherApi, shared), await statusOf(OneApi, shared)]).toEqual([
    200, 200, 200,
  ]);
  expect([await statusOf(OtherApi, shared), await statusOf(OwnApi, shared), await statusOf(OneApi, own)]).toEqual([
    429, 403, 403,
  ]);
  expect([await statusOf(BareApi), await statusOf(BareApi, own), await statusOf(BareApi, shared)]).toEqual([
    403, 403, 403,
  ]);
  expect((await deploy(cloudformation, "plans", undefined)).status).toBe("DELETE_COMPLETE");
  expect((await v1.send(new rest.GetUsagePlansCommand({}))).items ?? []).toEqual([]);
});

describe("AWS::Serverless::Api", () => {
  test("what is said of the stage: log, canary, variables, cache, method settings, tags", async () => {
    const Format = "$context.requestId $context.stage $context.httpMethod";
    const { Api } = await created(
      "stage",
      template({
        Api: api({
          AccessLogSetting: { DestinationArn, Format },
          CanarySetting: { PercentTraffic: 100, StageVariableOverrides: { v: "canary" } },
          Variables: { v: "main" },
          CacheClusterEnabled: true,
          CacheClusterSize: "0.5",
          MethodSettings: [
            { HttpMethod: "*", ResourcePath: "/*", ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 },
          ],
          Tags: { team: "a" },
          PropagateTags: true,
          Name: "named",
          Description: "told",
          AlwaysDeploy: true,
        }),
      }),
    );
    const answered = await ask(Api, "/prod/");
    expect([answered.status, await answered.json()]).toEqual([200, "canary"]);
    expect(await statusOf(Api)).toBe(429);
    const stage = await v1.send(new rest.GetStageCommand({ restApiId: Api, stageName: "prod" }));
    expect(stage).toMatchObject({
      cacheClusterEnabled: true,
      cacheClusterSize: "0.5",
      tags: { team: "a" },
      variables: { v: "main" },
      canarySettings: { percentTraffic: 100 },
    });
    const described = await v1.send(new rest.GetRestApiCommand({ restApiId: Api }));
    expect(described).toMatchObject({ name: "named", description: "told", tags: { team: "a" } });
    await expect
      .poll(async () => {
        const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "sam" }));
        return events.map(({ message = "" }) => message.split(" ").slice(1).join(" "));
      })
      .toContain("prod GET");
  });

  test("what is said of the API: CORS, gateway responses, models, media types, compression, where keys come from", async () => {
    // AWS: SAM writes a model's name in lower case.
    const model = { type: "object", required: ["name"], properties: { name: { type: "string" } } };
    const body = { in: "body", name: "body", schema: { $ref: "#/definitions/named" } };
    const validated = { parameters: [body], "x-amazon-apigateway-request-validator": "body" };
    const { Api } = await created(
      "definition",
      template({
        Api: {
          Type: "AWS::Serverless::Api",
          Properties: {
            StageName: "prod",
            DefinitionBody: {
              ...swagger({ "/": { get: mock("{}"), post: mock("{}", validated) } }),
              "x-amazon-apigateway-request-validators": { body: { validateRequestBody: true } },
            },
            Cors: {
              AllowOrigin: "'https://a.example'",
              AllowHeaders: "'X-A'",
              AllowMethods: "'GET,POST'",
              MaxAge: "'60'",
            },
            GatewayResponses: {
              BAD_REQUEST_BODY: {
                StatusCode: 422,
                ResponseParameters: { Headers: { "x-why": "'invalid'" } },
                ResponseTemplates: { "application/json": '{"why":$context.error.messageString}' },
              },
            },
            Models: { Named: model },
            BinaryMediaTypes: ["image~1png"],
            MinimumCompressionSize: 0,
            ApiKeySourceType: "AUTHORIZER",
            FailOnWarnings: true,
            EndpointConfiguration: { Type: "REGIONAL" },
          },
        },
      }),
    );
    const preflight = await ask(Api, "/prod/", { method: "OPTIONS", headers: { origin: "https://a.example" } });
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-headers": "X-A",
      "access-control-allow-methods": "GET,POST",
      "access-control-allow-origin": "https://a.example",
      "access-control-max-age": "60",
    });
    const refused = await ask(Api, "/prod/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([refused.status, refused.headers.get("x-why"), await refused.json()]).toEqual([
      422,
      "invalid",
      { why: "Invalid request body" },
    ]);
    const named = await ask(Api, "/prod/", {
      method: "POST",
      headers: { "content-type": "application/json", "accept-encoding": "gzip" },
      body: '{"name":"a"}',
    });
    expect([named.status, named.headers.get("content-encoding")]).toEqual([200, "gzip"]);
    expect(await v1.send(new rest.GetRestApiCommand({ restApiId: Api }))).toMatchObject({
      apiKeySource: "AUTHORIZER",
      binaryMediaTypes: ["image/png"],
      endpointConfiguration: { types: ["REGIONAL"] },
      minimumCompressionSize: 0,
    });
  });

  test("resource policies deny by address, CustomStatements by what they say; an endpoint may be disabled", async () => {
    const custom = {
      Effect: "Deny",
      Principal: "*",
      Action: "execute-api:Invoke",
      Resource: ["execute-api:/prod/GET/shut"],
    };
    const outputs = await created(
      "policies",
      template({
        DeniedApi: api({ Auth: { ResourcePolicy: { IpRangeBlacklist: ["127.0.0.1"] } } }),
        AllowedApi: api({ Auth: { ResourcePolicy: { IpRangeWhitelist: ["127.0.0.0/8"] } } }),
        CustomApi: api(
          { Auth: { ResourcePolicy: { CustomStatements: [allowAll, custom] } } },
          { "/": { get: mock("{}") }, "/shut": { get: mock("{}") } },
        ),
        SignedApi: api({ Auth: { DefaultAuthorizer: "AWS_IAM" } }),
        DisabledApi: api({ DisableExecuteApiEndpoint: true }),
      }),
    );
    const { AllowedApi, CustomApi, DeniedApi, DisabledApi, SignedApi } = outputs;
    expect([await statusOf(DeniedApi), await statusOf(AllowedApi), await statusOf(CustomApi)]).toEqual([403, 200, 200]);
    expect((await ask(CustomApi, "/prod/shut")).status).toBe(403);
    expect([await statusOf(SignedApi), await statusOf(DisabledApi)]).toEqual([403, 403]);
  });

  test("OpenApiVersion makes the definition OpenAPI 3 without a stage called Stage; MergeDefinitions merges events into it", async () => {
    const { Api } = await created(
      "versions",
      template({ Api: api({ OpenApiVersion: "3.0.1", Variables: { v: "three" } }) }),
    );
    const { item = [] } = await v1.send(new rest.GetStagesCommand({ restApiId: Api }));
    expect(item.map(({ stageName }) => stageName)).toEqual(["prod"]);
    expect(await (await ask(Api, "/prod/")).json()).toBe("three");
    const merged = {
      Api: api({ MergeDefinitions: true }, { "/own": { get: mock('"own"') } }),
      Function: {
        Type: "AWS::Serverless::Function",
        Properties: {
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          InlineCode: "exports.handler = async () => ({ statusCode: 200, body: 'event' });",
          Events: { Get: { Type: "Api", Properties: { Path: "/event", Method: "get", RestApiId: { Ref: "Api" } } } },
        },
      },
    };
    const { Api: both } = await created("merged", template(merged));
    expect(await (await ask(both, "/prod/own")).json()).toBe("own");
    expect(await (await ask(both, "/prod/event")).text()).toBe("event");
  });

  test.each<[string, object, string]>([
    ["TracingEnabled", { TracingEnabled: true }, "tracingEnabled"],
    ["EndpointConfiguration PRIVATE", { EndpointConfiguration: { Type: "PRIVATE" } }, "PRIVATE"],
    ["VPCEndpointIds", { EndpointConfiguration: { Type: "REGIONAL", VPCEndpointIds: ["vpce-1"] } }, "VpcEndpointIds"],
    ["SecurityPolicy", { SecurityPolicy: "SecurityPolicy_TLS13_1_3_2025_09" }, "SecurityPolicy"],
    ["EndpointAccessMode", { EndpointAccessMode: "STRICT" }, "EndpointAccessMode"],
    [
      "Domain.Route53",
      {
        Domain: {
          DomainName: "api.example.com",
          CertificateArn: `arn:aws:acm:us-east-1:${account}:certificate/api`,
          Route53: { HostedZoneId: "Z1" },
        },
      },
      "AWS::Route53::RecordSetGroup",
    ],
    ["ResourcePolicy of VPCs", { Auth: { ResourcePolicy: { SourceVpcWhitelist: ["vpc-1"] } } }, "aws:sourcevpc"],
  ])("%s is refused by name", async (name, properties, word) => {
    const stack = name.replaceAll(/\W/g, "-");
    const outcome = await deploy(cloudformation, stack, template({ Api: api(properties) })).catch(
      (error: unknown) => error,
    );
    expect(JSON.stringify(outcome instanceof Error ? outcome.message : outcome)).toContain(word);
    expect(outcome).not.toMatchObject({ status: "CREATE_COMPLETE" });
  });
});

const allowAll = { Effect: "Allow", Principal: "*", Action: "execute-api:Invoke", Resource: ["execute-api:/*"] };

describe("AWS::Serverless::HttpApi", () => {
  test("what is said of API and stage acts: CORS, log, settings of routes, variables, tags, names", async () => {
    const { Api } = await created(
      "http",
      template({
        Api: httpApi({
          StageName: "live",
          StageVariables: { v: "_cumulet/health" },
          CorsConfiguration: { AllowOrigins: ["https://a.example"], AllowMethods: ["GET"], MaxAge: 60 },
          AccessLogSettings: { DestinationArn, Format: "$context.requestId http $context.routeKey" },
          DefaultRouteSettings: { ThrottlingBurstLimit: 100, ThrottlingRateLimit: 100 },
          RouteSettings: { "GET /": { ThrottlingBurstLimit: 1, ThrottlingRateLimit: 0.001 } },
          Tags: { team: "a" },
          PropagateTags: true,
          Description: "told",
          FailOnWarnings: true,
        }),
      }),
    );
    const preflight = await ask(Api, "/live/", {
      method: "OPTIONS",
      headers: { origin: "https://a.example", "access-control-request-method": "GET" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://a.example",
    ]);
    expect((await ask(Api, "/live/")).status).not.toBe(429);
    expect((await ask(Api, "/live/")).status).toBe(429);
    const described = await v2.send(new http.GetApiCommand({ ApiId: Api }));
    expect(described).toMatchObject({
      Name: "sam",
      Description: "told",
      Tags: { team: "a", "httpapi:createdBy": "SAM" },
    });
    const stage = await v2.send(new http.GetStageCommand({ ApiId: Api, StageName: "live" }));
    expect(stage).toMatchObject({ Tags: { team: "a" }, StageVariables: { v: "_cumulet/health" } });
  });

  test("Auth: IAM by default, a JWT authorizer with scopes; an endpoint may be disabled", async () => {
    const outputs = await created(
      "http-auth",
      template({
        IamApi: httpApi({ Auth: { EnableIamAuthorizer: true, DefaultAuthorizer: "AWS_IAM" } }),
        JwtApi: httpApi({
          Auth: {
            DefaultAuthorizer: "Jwt",
            Authorizers: {
              Jwt: {
                AuthorizationScopes: ["read"],
                IdentitySource: "$request.header.Authorization",
                JwtConfiguration: { issuer: "https://issuer.example", audience: ["a"] },
              },
            },
          },
        }),
        DisabledApi: httpApi({ DisableExecuteApiEndpoint: true }),
      }),
    );
    const statuses = await Promise.all(
      [outputs["IamApi"], outputs["JwtApi"], outputs["DisabledApi"]].map(async (id) => (await ask(id, "/")).status),
    );
    expect(statuses).toEqual([403, 401, 404]);
    const { Items = [] } = await v2.send(new http.GetRoutesCommand({ ApiId: outputs["JwtApi"] }));
    expect(Items).toMatchObject([{ AuthorizationType: "JWT", AuthorizationScopes: ["read"] }]);
  });
});
