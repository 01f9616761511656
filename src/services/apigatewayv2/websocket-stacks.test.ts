import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy, inlineFunction } from "../../testing/stacks.ts";
import { connectClient } from "../execute-api/websocket/client.ts";
import { refusedHandshake } from "../execute-api/websocket/fake-stage.ts";

let platform: TestPlatform;
let cloudformation: CloudFormationClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  cloudformation = new CloudFormationClient(platform.settings);
});
afterAll(() => platform.stop());

const source = `exports.handler = async ({ requestContext, body }) =>
  ({ statusCode: 200, body: requestContext.routeKey + " " + body });`;
const chat = inlineFunction("chat", source);

async function talk(apiId: string | undefined, stage: string, message: object): Promise<string> {
  const client = await connectClient(`ws://127.0.0.1:${platform.port}/_cumulet/api/${apiId}/${stage}`);
  client.send(message);
  const answer = await client.next();
  client.socket.terminate();
  return answer;
}

/** As the Serverless Framework writes `websocket` events. */
function serverless(routeResponse: object): object {
  const target = { "Fn::Join": ["/", ["integrations", { Ref: "ChatIntegration" }]] };
  const lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions";
  return {
    Resources: {
      ...chat,
      WebsocketsApi: {
        Type: "AWS::ApiGatewayV2::Api",
        Properties: {
          Name: "dev-chat-websockets",
          RouteSelectionExpression: "$request.body.action",
          Description: "Serverless Websockets",
          ProtocolType: "WEBSOCKET",
        },
      },
      ChatIntegration: {
        Type: "AWS::ApiGatewayV2::Integration",
        Properties: {
          ApiId: { Ref: "WebsocketsApi" },
          IntegrationType: "AWS_PROXY",
          IntegrationUri: { "Fn::Join": ["", [`${lambda}/`, { "Fn::GetAtt": ["Function", "Arn"] }, "/invocations"]] },
        },
      },
      Permission: {
        Type: "AWS::Lambda::Permission",
        DependsOn: ["WebsocketsApi", "Function"],
        Properties: {
          FunctionName: { "Fn::GetAtt": ["Function", "Arn"] },
          Action: "lambda:InvokeFunction",
          Principal: "apigateway.amazonaws.com",
        },
      },
      SechoRoute: {
        Type: "AWS::ApiGatewayV2::Route",
        Properties: {
          ApiId: { Ref: "WebsocketsApi" },
          RouteKey: "echo",
          AuthorizationType: "NONE",
          Target: target,
          RouteResponseSelectionExpression: "$default",
        },
      },
      SechoRouteResponse: {
        Type: "AWS::ApiGatewayV2::RouteResponse",
        Properties: { ApiId: { Ref: "WebsocketsApi" }, RouteId: { Ref: "SechoRoute" }, ...routeResponse },
      },
      WebsocketsDeploymentStage: {
        Type: "AWS::ApiGatewayV2::Stage",
        Properties: {
          ApiId: { Ref: "WebsocketsApi" },
          StageName: "dev",
          Description: "Serverless Websockets",
          DeploymentId: { Ref: "WebsocketsDeployment" },
        },
      },
      WebsocketsDeployment: {
        Type: "AWS::ApiGatewayV2::Deployment",
        DependsOn: ["SechoRoute", "SechoRouteResponse"],
        Properties: { ApiId: { Ref: "WebsocketsApi" }, Description: "Serverless Websockets" },
      },
    },
    Outputs: {
      Id: { Value: { Ref: "WebsocketsApi" } },
      Url: { Value: { "Fn::GetAtt": ["WebsocketsApi", "ApiEndpoint"] } },
    },
  };
}

describe("A stack", () => {
  test("as the Serverless Framework generates it talks both ways, and goes again", async () => {
    const deployed = await deploy(cloudformation, "serverless", serverless({ RouteResponseKey: "$default" }));
    expect(deployed).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
    expect(await talk(deployed.outputs["Id"], "dev", { action: "echo" })).toBe('echo {"action":"echo"}');
    expect(deployed.outputs["Url"]).toMatch(/^ws:\/\//);
    expect(await deploy(cloudformation, "serverless", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
  });

  test("with a route response of another key fails, and leaves nothing", async () => {
    const deployed = await deploy(cloudformation, "wrong", serverless({ RouteResponseKey: "other" }));
    expect(deployed.failures.join()).toContain("RouteResponseKey must be $default");
    expect(deployed.status).toMatch(/ROLLBACK_COMPLETE$/);
  });

  test("with SAM's WebSocketApi talks", async () => {
    const template = {
      Transform: "AWS::Serverless-2016-10-31",
      Resources: {
        ...inlineFunction("sam-chat", source),
        Chat: {
          Type: "AWS::Serverless::WebSocketApi",
          Properties: {
            RouteSelectionExpression: "$request.body.action",
            StageName: "prod",
            Routes: {
              $connect: { FunctionArn: { "Fn::GetAtt": ["Function", "Arn"] } },
              echo: {
                FunctionArn: { "Fn::GetAtt": ["Function", "Arn"] },
                RouteResponseSelectionExpression: "$default",
              },
            },
          },
        },
        Response: {
          Type: "AWS::ApiGatewayV2::RouteResponse",
          Properties: { ApiId: { Ref: "Chat" }, RouteId: { Ref: "ChatEchoRoute" }, RouteResponseKey: "$default" },
        },
      },
      Outputs: { Id: { Value: { Ref: "Chat" } } },
    };
    const deployed = await deploy(cloudformation, "sam", template);
    expect(deployed).toMatchObject({ failures: [] });
    expect(await talk(deployed.outputs["Id"], "prod", { action: "echo" })).toBe('echo {"action":"echo"}');
    await deploy(cloudformation, "sam", undefined);
  });
});

/** Every property of WebSocket APIs' resources that acts, and some that it is then changed to. */
function complete(changed: boolean): object {
  const lambda = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions";
  const ApiId = { Ref: "Api" };
  return {
    Resources: {
      ...inlineFunction(
        "gate",
        `exports.handler = async ({ methodArn, queryStringParameters: { who } }) => {
          const Effect = who === "friend" ? "Allow" : "Deny";
          const Statement = [{ Action: "execute-api:Invoke", Effect, Resource: methodArn }];
          return { principalId: who, policyDocument: { Version: "2012-10-17", Statement } };
        };`,
      ),
      Api: {
        Type: "AWS::ApiGatewayV2::Api",
        Properties: {
          Name: "complete",
          ProtocolType: "WEBSOCKET",
          RouteSelectionExpression: "$request.body.action",
          ApiKeySelectionExpression: "$context.authorizer.usageIdentifierKey",
          DisableSchemaValidation: true,
        },
      },
      Permission: {
        Type: "AWS::Lambda::Permission",
        Properties: {
          FunctionName: { Ref: "Function" },
          Action: "lambda:InvokeFunction",
          Principal: "apigateway.amazonaws.com",
        },
      },
      Authorizer: {
        Type: "AWS::ApiGatewayV2::Authorizer",
        Properties: {
          ApiId,
          Name: "gate",
          AuthorizerType: "REQUEST",
          AuthorizerUri: { "Fn::Join": ["", [`${lambda}/`, { "Fn::GetAtt": ["Function", "Arn"] }, "/invocations"]] },
          IdentitySource: ["route.request.querystring.who"],
        },
      },
      Model: {
        Type: "AWS::ApiGatewayV2::Model",
        Properties: { ApiId, Name: "Join", ContentType: "application/json", Schema: { required: ["room"] } },
      },
      Connect: {
        Type: "AWS::ApiGatewayV2::Route",
        Properties: {
          ApiId,
          RouteKey: "$connect",
          AuthorizationType: "CUSTOM",
          AuthorizerId: { Ref: "Authorizer" },
          RequestParameters: { "route.request.querystring.who": { Required: true } },
        },
      },
      Mock: {
        Type: "AWS::ApiGatewayV2::Integration",
        Properties: {
          ApiId,
          IntegrationType: "MOCK",
          PassthroughBehavior: "NEVER",
          RequestTemplates: { "200": '{"statusCode": 200}' },
          TemplateSelectionExpression: "200",
          TimeoutInMillis: 1000,
        },
      },
      Answer: {
        Type: "AWS::ApiGatewayV2::IntegrationResponse",
        Properties: {
          ApiId,
          IntegrationId: { Ref: "Mock" },
          IntegrationResponseKey: "/2\\d\\d/",
          ResponseTemplates: { "200": "$context.authorizer.principalId joins" },
          TemplateSelectionExpression: "${integration.response.statuscode}",
          ResponseParameters: { "route.response.header.X": "'y'" },
        },
      },
      Join: {
        Type: "AWS::ApiGatewayV2::Route",
        DependsOn: "Model",
        Properties: {
          ApiId,
          RouteKey: "join",
          OperationName: "join",
          ...(changed ? {} : { ModelSelectionExpression: "$default", RequestModels: { $default: "Join" } }),
          RouteResponseSelectionExpression: "$default",
          Target: { "Fn::Join": ["/", ["integrations", { Ref: "Mock" }]] },
        },
      },
      JoinResponse: {
        Type: "AWS::ApiGatewayV2::RouteResponse",
        Properties: { ApiId, RouteId: { Ref: "Join" }, RouteResponseKey: "$default" },
      },
      Stage: {
        Type: "AWS::ApiGatewayV2::Stage",
        Properties: {
          ApiId,
          StageName: "prod",
          AutoDeploy: true,
          DefaultRouteSettings: { ThrottlingBurstLimit: 50, ThrottlingRateLimit: 100, LoggingLevel: "OFF" },
          RouteSettings: { join: { DetailedMetricsEnabled: true, DataTraceEnabled: false } },
        },
      },
    },
    Outputs: { Id: { Value: ApiId } },
  };
}

test("A stack with authorizers, models, mappings and settings acts as it says, and as it says after an update", async () => {
  const first = await deploy(cloudformation, "complete", complete(false));
  expect(first).toMatchObject({ status: "CREATE_COMPLETE", failures: [] });
  const url = `ws://127.0.0.1:${platform.port}/_cumulet/api/${first.outputs["Id"]}/prod`;
  expect((await refusedHandshake(connectClient(url))).status).toBe(401);
  expect((await refusedHandshake(connectClient(`${url}?who=foe`))).status).toBe(403);
  const client = await connectClient(`${url}?who=friend`);
  client.send({ action: "join", room: "r" });
  expect(await client.next()).toBe("friend joins");
  client.send({ action: "join" });
  expect(JSON.parse(await client.next()).message).toBe("Invalid request body");
  expect(await deploy(cloudformation, "complete", complete(true))).toMatchObject({ status: "UPDATE_COMPLETE" });
  client.send({ action: "join" });
  expect(await client.next()).toBe("friend joins");
  client.socket.terminate();
  expect(await deploy(cloudformation, "complete", undefined)).toMatchObject({ status: "DELETE_COMPLETE" });
});

test("SAM's WebSocketApi has its authorizer, settings acted upon", async () => {
  const gate = `exports.handler = async ({ type, methodArn, requestContext }) => type === "REQUEST"
    ? { principalId: "p", policyDocument: { Version: "2012-10-17",
        Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: methodArn }] } }
    : { statusCode: 200, body: requestContext.authorizer.principalId };`;
  const FunctionArn = { "Fn::GetAtt": ["Function", "Arn"] };
  const template = {
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      ...inlineFunction("sam-gate", gate),
      Chat: {
        Type: "AWS::Serverless::WebSocketApi",
        Properties: {
          RouteSelectionExpression: "$request.body.action",
          ApiKeySelectionExpression: "$request.header.x-api-key",
          StageName: "prod",
          Auth: { AuthType: "CUSTOM", AuthArn: FunctionArn, IdentitySource: ["route.request.header.Auth"] },
          DefaultRouteSettings: { ThrottlingBurstLimit: 50, ThrottlingRateLimit: 100 },
          RouteSettings: { echo: { DetailedMetricsEnabled: true } },
          Routes: {
            $connect: { FunctionArn, RequestParameters: { "route.request.header.Auth": { Required: true } } },
            echo: { FunctionArn, IntegrationTimeout: 5000, RouteResponseSelectionExpression: "$default" },
          },
        },
      },
      Response: {
        Type: "AWS::ApiGatewayV2::RouteResponse",
        Properties: { ApiId: { Ref: "Chat" }, RouteId: { Ref: "ChatEchoRoute" }, RouteResponseKey: "$default" },
      },
    },
    Outputs: { Id: { Value: { Ref: "Chat" } } },
  };
  const deployed = await deploy(cloudformation, "sam-gate", template);
  expect(deployed).toMatchObject({ failures: [] });
  const url = `ws://127.0.0.1:${platform.port}/_cumulet/api/${deployed.outputs["Id"]}/prod`;
  expect((await refusedHandshake(connectClient(url))).status).toBe(401);
  const client = await connectClient(url, { headers: { Auth: "x" } });
  client.send({ action: "echo" });
  expect(await client.next()).toBe("p");
  client.socket.terminate();
  await deploy(cloudformation, "sam-gate", undefined);
});
