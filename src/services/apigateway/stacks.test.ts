import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { APIGatewayClient, GetRestApisCommand } from "@aws-sdk/client-api-gateway";
import { ApiGatewayV2Client, GetApisCommand } from "@aws-sdk/client-apigatewayv2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: CloudFormationClient;
const waiting = { minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 20 };

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new CloudFormationClient(platform.settings);
  const Role = await createFunctionRole(platform.settings, "hello");
  await createNodeFunction(platform.settings, {
    FunctionName: "hello",
    Role,
    source:
      "export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify({ stage: event.requestContext.stage, variables: event.stageVariables ?? null }) });",
  });
});
afterAll(() => platform.stop());

const functionArn = { "Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:hello" };
const uri = {
  "Fn::Sub":
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:hello/invocations",
};

function permission(logicalId: string, api: string) {
  return {
    [logicalId]: {
      Type: "AWS::Lambda::Permission",
      Properties: {
        Action: "lambda:InvokeFunction",
        FunctionName: functionArn,
        Principal: "apigateway.amazonaws.com",
        SourceArn: {
          "Fn::Sub": [
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/GET/*",
            { __ApiId__: { Ref: api }, __Stage__: "*" },
          ],
        },
      },
    },
  };
}

async function create(StackName: string, Resources: object): Promise<Record<string, string>> {
  const Outputs = Object.fromEntries(
    Object.entries<{ Type?: string }>({ ...Resources })
      .filter(([, resource]) => /::(?:RestApi|Api)$/.test(resource.Type ?? ""))
      .map(([logicalId]) => [logicalId, { Value: { Ref: logicalId } }]),
  );
  await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify({ Resources, Outputs }) }));
  await waitUntilStackCreateComplete({ client, ...waiting }, { StackName });
  return outputs(StackName);
}

async function outputs(StackName: string): Promise<Record<string, string>> {
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
  return Object.fromEntries((Stacks[0]?.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue ?? ""]));
}

function ask(apiId: string | undefined, path: string): Promise<Response> {
  return fetch(`${platform.endpoint}/_cumulet/api/${apiId}${path}`);
}

function samResources(path: string, deployment: string) {
  return {
    Api: {
      Type: "AWS::ApiGateway::RestApi",
      Properties: {
        Body: {
          swagger: "2.0",
          info: { version: "1.0", title: { Ref: "AWS::StackName" } },
          paths: {
            [path]: {
              get: {
                responses: {},
                "x-amazon-apigateway-integration": { httpMethod: "POST", type: "aws_proxy", uri },
              },
            },
          },
        },
        EndpointConfiguration: { Types: ["REGIONAL"] },
        Parameters: { endpointConfigurationTypes: "REGIONAL" },
      },
    },
    [deployment]: {
      Type: "AWS::ApiGateway::Deployment",
      Properties: { Description: "RestApi deployment id", RestApiId: { Ref: "Api" }, StageName: "Stage" },
    },
    ApiProdStage: {
      Type: "AWS::ApiGateway::Stage",
      Properties: {
        DeploymentId: { Ref: deployment },
        RestApiId: { Ref: "Api" },
        StageName: "Prod",
        Variables: { v: "1" },
      },
    },
    ...permission("Permission", "Api"),
  };
}

test("What SAM makes of an Api deploys, changes by a new deployment, and goes without a trace", async () => {
  const StackName = "sam-api";
  const { Api } = await create(StackName, samResources("/hello", "ApiDeployment1"));
  expect(await (await ask(Api, "/Prod/hello")).json()).toEqual({ stage: "Prod", variables: { v: "1" } });
  expect((await ask(Api, "/Stage/hello")).status).toBe(200);
  const { items } = await new APIGatewayClient(platform.settings).send(new GetRestApisCommand({}));
  expect(items?.find((api) => api.id === Api)).toMatchObject({
    name: "sam-api",
    endpointConfiguration: { types: ["REGIONAL"] },
    tags: { "aws:cloudformation:stack-name": "sam-api", "aws:cloudformation:logical-id": "Api" },
  });
  const TemplateBody = JSON.stringify({ Resources: samResources("/other", "ApiDeployment2") });
  await client.send(new UpdateStackCommand({ StackName, TemplateBody }));
  await waitUntilStackUpdateComplete({ client, ...waiting }, { StackName });
  expect((await ask(Api, "/Prod/hello")).status).toBe(403);
  expect((await ask(Api, "/Prod/other")).status).toBe(200);
  await client.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete({ client, ...waiting }, { StackName });
  expect((await ask(Api, "/Prod/other")).status).toBe(403);
});

test("What SAM makes of an HttpApi deploys", async () => {
  const { Http } = await create("sam-http", {
    Http: {
      Type: "AWS::ApiGatewayV2::Api",
      Properties: {
        Body: {
          openapi: "3.0.1",
          info: { title: { Ref: "AWS::StackName" }, version: "1.0" },
          paths: {
            "/hello": {
              get: {
                responses: {},
                "x-amazon-apigateway-integration": {
                  httpMethod: "POST",
                  payloadFormatVersion: "2.0",
                  type: "aws_proxy",
                  uri,
                },
              },
            },
          },
          tags: [{ name: "httpapi:createdBy", "x-amazon-apigateway-tag-value": "SAM" }],
        },
        CorsConfiguration: { AllowOrigins: ["https://a.example"], MaxAge: 5 },
      },
    },
    Stage: {
      Type: "AWS::ApiGatewayV2::Stage",
      Properties: {
        ApiId: { Ref: "Http" },
        AutoDeploy: true,
        StageName: "$default",
        Tags: { "httpapi:createdBy": "SAM" },
      },
    },
    ...permission("Permission", "Http"),
  });
  expect(await (await ask(Http, "/hello")).json()).toEqual({ stage: "$default", variables: null });
  const { Items } = await new ApiGatewayV2Client(platform.settings).send(new GetApisCommand({}));
  expect(Items?.find((api) => api.ApiId === Http)).toMatchObject({
    Name: "sam-http",
    CorsConfiguration: { AllowOrigins: ["https://a.example"], MaxAge: 5 },
    Tags: { "httpapi:createdBy": "SAM", "aws:cloudformation:stack-name": "sam-http" },
  });
});

test("APIs written resource by resource deploy", async () => {
  const { Rest, Http } = await create("by-hand", {
    Rest: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "by-hand", BinaryMediaTypes: ["image/png"] } },
    Users: {
      Type: "AWS::ApiGateway::Resource",
      Properties: {
        RestApiId: { Ref: "Rest" },
        ParentId: { "Fn::GetAtt": ["Rest", "RootResourceId"] },
        PathPart: "users",
      },
    },
    GetUsers: {
      Type: "AWS::ApiGateway::Method",
      Properties: {
        RestApiId: { Ref: "Rest" },
        ResourceId: { Ref: "Users" },
        HttpMethod: "GET",
        AuthorizationType: "NONE",
        Integration: { Type: "AWS_PROXY", IntegrationHttpMethod: "POST", Uri: uri },
      },
    },
    UsersCors: {
      Type: "AWS::ApiGateway::Method",
      Properties: {
        RestApiId: { Ref: "Rest" },
        ResourceId: { Ref: "Users" },
        HttpMethod: "OPTIONS",
        AuthorizationType: "NONE",
        Integration: {
          Type: "MOCK",
          RequestTemplates: { "application/json": "{ statusCode: 200 }" },
          IntegrationResponses: [
            {
              StatusCode: "204",
              ResponseParameters: { "method.response.header.Access-Control-Allow-Origin": "'*'" },
            },
          ],
        },
        MethodResponses: [
          { StatusCode: "204", ResponseParameters: { "method.response.header.Access-Control-Allow-Origin": true } },
        ],
      },
    },
    Deployment: {
      Type: "AWS::ApiGateway::Deployment",
      DependsOn: ["GetUsers", "UsersCors"],
      Properties: { RestApiId: { Ref: "Rest" }, StageName: "dev" },
    },
    Missing: {
      Type: "AWS::ApiGateway::GatewayResponse",
      Properties: { RestApiId: { Ref: "Rest" }, ResponseType: "DEFAULT_4XX", StatusCode: "400" },
    },
    ...permission("RestPermission", "Rest"),
    Http: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: "by-hand", ProtocolType: "HTTP" } },
    Integration: {
      Type: "AWS::ApiGatewayV2::Integration",
      Properties: {
        ApiId: { Ref: "Http" },
        IntegrationType: "AWS_PROXY",
        IntegrationUri: functionArn,
        PayloadFormatVersion: "2.0",
      },
    },
    Route: {
      Type: "AWS::ApiGatewayV2::Route",
      Properties: {
        ApiId: { Ref: "Http" },
        RouteKey: "GET /users",
        Target: { "Fn::Join": ["/", ["integrations", { Ref: "Integration" }]] },
      },
    },
    HttpDeployment: {
      Type: "AWS::ApiGatewayV2::Deployment",
      DependsOn: "Route",
      Properties: { ApiId: { Ref: "Http" } },
    },
    HttpStage: {
      Type: "AWS::ApiGatewayV2::Stage",
      Properties: { ApiId: { Ref: "Http" }, StageName: "dev", DeploymentId: { Ref: "HttpDeployment" } },
    },
    ...permission("HttpPermission", "Http"),
  });
  expect(await (await ask(Rest, "/dev/users")).json()).toMatchObject({ stage: "dev" });
  const preflight = await fetch(`${platform.endpoint}/_cumulet/api/${Rest}/dev/users`, { method: "OPTIONS" });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  expect(await (await ask(Http, "/dev/users")).json()).toMatchObject({ stage: "dev" });
  await client.send(new DeleteStackCommand({ StackName: "by-hand" }));
  await waitUntilStackDeleteComplete({ client, ...waiting }, { StackName: "by-hand" });
  expect((await ask(Rest, "/dev/users")).status).toBe(403);
});

test.each([
  [
    "a property that nothing acts on",
    { EndpointConfiguration: { VpcEndpointIds: ["vpce-1"] }, Name: "n" },
    /VpcEndpointIds/,
  ],
  [
    "an authorizer in the body",
    { Body: { swagger: "2.0", info: { title: "t" }, security: [{ a: [] }], paths: { "/": { get: {} } } } },
    /authorizer a/,
  ],
])("An API with %s is refused by name and leaves nothing behind", async (_what, Properties, reason) => {
  const StackName = `refused-${Object.keys(Properties)[0]}`;
  const TemplateBody = JSON.stringify({ Resources: { Api: { Type: "AWS::ApiGateway::RestApi", Properties } } });
  const said = await client.send(new CreateStackCommand({ StackName, TemplateBody })).then(
    async () => {
      await waitUntilStackCreateComplete({ client, ...waiting }, { StackName }).catch(() => undefined);
      const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
      return StackEvents.map((event) => event.ResourceStatusReason ?? "").join("\n");
    },
    (error: Error) => error.message,
  );
  expect(said).toMatch(reason);
  const { items = [] } = await new APIGatewayClient(platform.settings).send(new GetRestApisCommand({}));
  expect(items.filter((api) => api.tags?.["aws:cloudformation:stack-name"] === StackName)).toEqual([]);
});
