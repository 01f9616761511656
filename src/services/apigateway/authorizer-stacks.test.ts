import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy } from "../../testing/stacks.ts";
import { startTestIssuer, type TestIssuer } from "../execute-api/authorizers/test-issuer.ts";

let platform: TestPlatform;
let client: CloudFormationClient;
let issuer: TestIssuer;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new CloudFormationClient(platform.settings);
  issuer = await startTestIssuer(() => Math.floor(Date.now() / 1000));
});
afterAll(async () => {
  await issuer.stop();
  await platform.stop();
});

const ask = (apiId: string | undefined, path: string, headers: Record<string, string> = {}) =>
  fetch(`${platform.endpoint}/_cumulet/api/${apiId}${path}`, { headers });

const authorize = `exports.handler = async (event) => {
  const who = event.authorizationToken ?? event.headers.who;
  if (event.version === "2.0") return { isAuthorized: who === "good" };
  return { principalId: who, policyDocument: { Version: "2012-10-17", Statement: [
    { Effect: who === "good" ? "Allow" : "Deny", Action: "execute-api:Invoke", Resource: "*" } ] } };
};`;
const hello = `exports.handler = async () => ({ statusCode: 200, body: "through" });`;

function samFunction(InlineCode: string, Events: object = {}) {
  return {
    Type: "AWS::Serverless::Function",
    Properties: { Runtime: "nodejs24.x", Handler: "index.handler", InlineCode, Events },
  };
}

const event = (Path: string, Auth?: object) => ({
  Type: "Api",
  Properties: { RestApiId: { Ref: "Rest" }, Path, Method: "GET", ...(Auth && { Auth }) },
});

const httpEvent = (Path: string, Auth?: object) => ({
  Type: "HttpApi",
  Properties: { ApiId: { Ref: "Http" }, Path, Method: "GET", ...(Auth && { Auth }) },
});

test("SAM's Auth protects events of REST and HTTP APIs, by default and each for itself", async () => {
  const template = {
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Authorize: samFunction(authorize),
      Hello: samFunction(hello, {
        ByDefault: event("/default"),
        Open: event("/open", { Authorizer: "NONE" }),
        HttpDefault: httpEvent("/default"),
        HttpAsked: httpEvent("/asked", { Authorizer: "Asked" }),
        HttpScoped: httpEvent("/scoped", { Authorizer: "Tokens", AuthorizationScopes: ["read"] }),
        HttpOpen: httpEvent("/open", { Authorizer: "NONE" }),
      }),
      Rest: {
        Type: "AWS::Serverless::Api",
        Properties: {
          StageName: "prod",
          Auth: {
            DefaultAuthorizer: "Token",
            Authorizers: {
              Token: {
                FunctionArn: { "Fn::GetAtt": ["Authorize", "Arn"] },
                Identity: { Header: "Who", ValidationExpression: "[a-z]+", ReauthorizeEvery: 60 },
              },
            },
            ResourcePolicy: { IpRangeBlacklist: ["192.0.2.0/24"] },
          },
        },
      },
      Http: {
        Type: "AWS::Serverless::HttpApi",
        Properties: {
          Auth: {
            DefaultAuthorizer: "Tokens",
            Authorizers: {
              Tokens: {
                IdentitySource: "$request.header.Authorization",
                JwtConfiguration: { issuer: issuer.url, audience: ["app"] },
              },
              Asked: {
                FunctionArn: { "Fn::GetAtt": ["Authorize", "Arn"] },
                AuthorizerPayloadFormatVersion: "2.0",
                EnableSimpleResponses: true,
                EnableFunctionDefaultPermissions: true,
                Identity: { Headers: ["Who"] },
              },
            },
          },
        },
      },
    },
    Outputs: { Rest: { Value: { Ref: "Rest" } }, Http: { Value: { Ref: "Http" } } },
  };
  const { status, failures, outputs } = await deploy(client, "sam", template);
  expect([status, failures]).toEqual(["CREATE_COMPLETE", []]);
  const { Rest, Http } = outputs;
  expect((await ask(Rest, "/prod/default", { Who: "good" })).status).toBe(200);
  expect((await ask(Rest, "/prod/default", { Who: "bad" })).status).toBe(403);
  expect((await ask(Rest, "/prod/default", { Who: "1" })).status).toBe(401);
  expect((await ask(Rest, "/prod/default")).status).toBe(401);
  expect((await ask(Rest, "/prod/open")).status).toBe(200);
  const Authorization = `Bearer ${issuer.sign()}`;
  expect((await ask(Http, "/default", { Authorization })).status).toBe(200);
  expect((await ask(Http, "/default")).status).toBe(401);
  expect((await ask(Http, "/scoped", { Authorization })).status).toBe(403);
  expect((await ask(Http, "/scoped", { Authorization: issuer.sign({ scope: "read" }) })).status).toBe(200);
  expect((await ask(Http, "/asked", { Who: "good" })).status).toBe(200);
  expect((await ask(Http, "/asked", { Who: "bad" })).status).toBe(403);
  expect((await ask(Http, "/open")).status).toBe(200);
  expect((await deploy(client, "sam", undefined)).status).toBe("DELETE_COMPLETE");
}, 20_000);

test("AWS::ApiGateway::Authorizer and AWS::ApiGatewayV2::Authorizer are made, changed and deleted with their stack", async () => {
  const uri = {
    "Fn::Sub":
      "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Authorize.Arn}/invocations",
  };
  const template = (header: string, deployment: string) => ({
    Transform: "AWS::Serverless-2016-10-31",
    Resources: {
      Authorize: samFunction(authorize),
      Permission: {
        Type: "AWS::Lambda::Permission",
        Properties: {
          Action: "lambda:InvokeFunction",
          FunctionName: { Ref: "Authorize" },
          Principal: "apigateway.amazonaws.com",
        },
      },
      Rest: {
        Type: "AWS::ApiGateway::RestApi",
        Properties: {
          Name: "rest",
          Policy: {
            Version: "2012-10-17",
            Statement: { Effect: "Allow", Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*" },
          },
        },
      },
      RestAuthorizer: {
        Type: "AWS::ApiGateway::Authorizer",
        Properties: {
          RestApiId: { Ref: "Rest" },
          Name: "token",
          Type: "TOKEN",
          AuthorizerUri: uri,
          AuthorizerResultTtlInSeconds: "0",
          IdentitySource: `method.request.header.${header}`,
        },
      },
      Method: {
        Type: "AWS::ApiGateway::Method",
        Properties: {
          RestApiId: { Ref: "Rest" },
          ResourceId: { "Fn::GetAtt": ["Rest", "RootResourceId"] },
          HttpMethod: "GET",
          AuthorizationType: "CUSTOM",
          AuthorizerId: { "Fn::GetAtt": ["RestAuthorizer", "AuthorizerId"] },
          Integration: {
            Type: "MOCK",
            RequestTemplates: { "application/json": '{"statusCode": 200}' },
            IntegrationResponses: [{ StatusCode: "200" }],
          },
          MethodResponses: [{ StatusCode: "200" }],
        },
      },
      [deployment]: {
        Type: "AWS::ApiGateway::Deployment",
        DependsOn: ["Method", "RestAuthorizer"],
        Properties: { RestApiId: { Ref: "Rest" } },
      },
      Stage: {
        Type: "AWS::ApiGateway::Stage",
        Properties: { RestApiId: { Ref: "Rest" }, StageName: "prod", DeploymentId: { Ref: deployment } },
      },
      Http: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: "http", ProtocolType: "HTTP" } },
      HttpAuthorizer: {
        Type: "AWS::ApiGatewayV2::Authorizer",
        Properties: {
          ApiId: { Ref: "Http" },
          Name: "asked",
          AuthorizerType: "REQUEST",
          AuthorizerUri: uri,
          AuthorizerPayloadFormatVersion: "2.0",
          EnableSimpleResponses: true,
          IdentitySource: [`$request.header.${header}`],
        },
      },
      Integration: {
        Type: "AWS::ApiGatewayV2::Integration",
        Properties: {
          ApiId: { Ref: "Http" },
          IntegrationType: "AWS_PROXY",
          IntegrationUri: { "Fn::GetAtt": ["Authorize", "Arn"] },
          PayloadFormatVersion: "2.0",
        },
      },
      Route: {
        Type: "AWS::ApiGatewayV2::Route",
        Properties: {
          ApiId: { Ref: "Http" },
          RouteKey: "GET /a",
          Target: { "Fn::Sub": "integrations/${Integration}" },
          AuthorizationType: "CUSTOM",
          AuthorizerId: { Ref: "HttpAuthorizer" },
        },
      },
      HttpStage: {
        Type: "AWS::ApiGatewayV2::Stage",
        Properties: { ApiId: { Ref: "Http" }, StageName: "$default", AutoDeploy: true },
      },
    },
    Outputs: { Rest: { Value: { Ref: "Rest" } }, Http: { Value: { Ref: "Http" } } },
  });
  const created = await deploy(client, "hand", template("Who", "One"));
  expect([created.status, created.failures]).toEqual(["CREATE_COMPLETE", []]);
  const { Rest, Http } = created.outputs;
  expect((await ask(Rest, "/prod/", { Who: "good" })).status).toBe(200);
  expect((await ask(Rest, "/prod/", { Who: "bad" })).status).toBe(403);
  expect((await ask(Http, "/a", { Who: "good" })).status).toBe(200);
  expect((await ask(Http, "/a")).status).toBe(401);
  const updated = await deploy(client, "hand", template("Other", "Two"));
  expect([updated.status, updated.failures]).toEqual(["UPDATE_COMPLETE", []]);
  expect((await ask(Rest, "/prod/", { Who: "good" })).status).toBe(401);
  expect((await ask(Http, "/a", { Who: "good" })).status).toBe(401);
  expect((await deploy(client, "hand", undefined)).status).toBe("DELETE_COMPLETE");
}, 20_000);
