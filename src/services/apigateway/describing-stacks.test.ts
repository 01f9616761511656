import {
  APIGatewayClient,
  GetDocumentationVersionsCommand,
  GetModelsCommand,
  GetRestApisCommand,
  GetStageCommand,
} from "@aws-sdk/client-api-gateway";
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { petStore } from "./pet-store.fixture.ts";

let platform: TestPlatform;
let client: CloudFormationClient;
let gateway: APIGatewayClient;
const waiting = { minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 30 };

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new CloudFormationClient(platform.settings);
  gateway = new APIGatewayClient(platform.settings);
});
afterAll(() => platform.stop());

const RestApiId = { Ref: "Api" };
const resource = (Type: string, Properties: object, more: object = {}) => ({
  Type: `AWS::ApiGateway::${Type}`,
  Properties: { RestApiId, ...Properties },
  ...more,
});

async function create(StackName: string, Resources: object): Promise<string> {
  const TemplateBody = JSON.stringify({ Resources, Outputs: { Api: { Value: RestApiId } } });
  await client.send(new CreateStackCommand({ StackName, TemplateBody }));
  try {
    await waitUntilStackCreateComplete({ client, ...waiting }, { StackName });
  } catch {
    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
    throw new Error(StackEvents.map((event) => event.ResourceStatusReason ?? "").join("\n"));
  }
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
  return Stacks[0]?.Outputs?.[0]?.OutputValue ?? "";
}

test("A template's models, validators, documentation and certificates make a validated API, and go with it", async () => {
  const restApiId = await create("described", {
    Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "described" } },
    Certificate: { Type: "AWS::ApiGateway::ClientCertificate", Properties: { Description: "c" } },
    Pet: resource("Model", { Name: "Pet", ContentType: "application/json", Schema: { required: ["name"] } }),
    Validator: resource("RequestValidator", { Name: "v", ValidateRequestBody: true, ValidateRequestParameters: true }),
    Part: resource("DocumentationPart", { Location: { Type: "API" }, Properties: '{"description":"d"}' }),
    Documentation: resource("DocumentationVersion", { DocumentationVersion: "1" }, { DependsOn: "Part" }),
    Method: resource("Method", {
      ResourceId: { "Fn::GetAtt": ["Api", "RootResourceId"] },
      HttpMethod: "POST",
      AuthorizationType: "NONE",
      RequestValidatorId: { Ref: "Validator" },
      RequestModels: { "application/json": { Ref: "Pet" } },
      RequestParameters: { "method.request.querystring.q": true },
      MethodResponses: [{ StatusCode: "200", ResponseModels: { "application/json": { Ref: "Pet" } } }],
      Integration: {
        Type: "MOCK",
        RequestTemplates: { "application/json": '{"statusCode": 200}' },
        IntegrationResponses: [{ StatusCode: "200" }],
      },
    }),
    Deployment: resource("Deployment", {}, { DependsOn: "Method" }),
    Stage: resource("Stage", {
      StageName: "s",
      DeploymentId: { Ref: "Deployment" },
      DocumentationVersion: { Ref: "Documentation" },
      ClientCertificateId: { Ref: "Certificate" },
    }),
  });
  const post = (path: string, body: object) =>
    fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/s${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    });
  expect(await (await post("/", {})).json()).toEqual({ message: "Missing required request parameters: [q]" });
  expect(await (await post("/?q=1", {})).json()).toEqual({ message: "Invalid request body" });
  expect((await post("/?q=1", { name: "n" })).status).toBe(200);
  const { items: models } = await gateway.send(new GetModelsCommand({ restApiId }));
  expect(models?.map(({ name }) => name)).toEqual(["Empty", "Error", "Pet"]);
  const { items: versions } = await gateway.send(new GetDocumentationVersionsCommand({ restApiId }));
  expect(versions).toMatchObject([{ version: "1" }]);
  expect(await gateway.send(new GetStageCommand({ restApiId, stageName: "s" }))).toMatchObject({
    documentationVersion: "1",
    clientCertificateId: expect.any(String),
  });
  await client.send(new DeleteStackCommand({ StackName: "described" }));
  await waitUntilStackDeleteComplete({ client, ...waiting }, { StackName: "described" });
});

test("A template's body is imported, validated and documented like any definition", async () => {
  const restApiId = await create("shop", {
    Api: {
      Type: "AWS::ApiGateway::RestApi",
      Properties: { Body: petStore(), Parameters: { basepath: "prepend" }, FailOnWarnings: true },
    },
    Deployment: resource("Deployment", { StageName: "s" }),
  });
  const answer = await fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/s/shop/v1/pets`);
  expect(await answer.json()).toEqual({ message: "Missing required request parameters: [page]" });
  const { items } = await gateway.send(new GetRestApisCommand({}));
  expect(items?.map(({ name }) => name)).toEqual(["PetStore"]);
});
