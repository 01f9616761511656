import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy, inlineFunction } from "../../testing/stacks.ts";
import { connectClient } from "../execute-api/websocket/client.ts";

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
