import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateDeploymentCommand,
  CreateModelCommand,
  CreateRouteCommand,
  CreateStageCommand,
  DeleteModelCommand,
  ExportApiCommand,
  GetIntegrationsCommand,
  GetModelTemplateCommand,
  GetModelsCommand,
  GetRoutesCommand,
  ImportApiCommand,
  UpdateApiCommand,
  UpdateModelCommand,
} from "@aws-sdk/client-apigatewayv2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: ApiGatewayV2Client;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new ApiGatewayV2Client(platform.settings);
});
afterAll(() => platform.stop());

const uri = "arn:aws:lambda:us-east-1:000000000000:function:f";
const refusal = (command: Promise<unknown>, name: string, message: string) =>
  expect(command).rejects.toMatchObject({ name, message: expect.stringContaining(message) });

const definition = {
  openapi: "3.0.1",
  info: { title: "pets", version: "1", description: "d" },
  servers: [{ url: "https://example.com/{base}", variables: { base: { default: "shop/v1" } } }],
  "x-amazon-apigateway-cors": { allowOrigins: ["https://a.example"], maxAge: 60, allowCredentials: true },
  tags: [{ name: "team", "x-amazon-apigateway-tag-value": "pets" }],
  paths: {
    "/pets/{id}": {
      get: {
        operationId: "GetPet",
        security: [{ jwt: ["pets:read"] }],
        "x-amazon-apigateway-integration": { type: "aws_proxy", uri, payloadFormatVersion: "2.0" },
      },
      "x-amazon-apigateway-any-method": {
        security: [{ sigv4: [] }],
        "x-amazon-apigateway-integration": {
          type: "aws_proxy",
          uri,
          payloadFormatVersion: "1.0",
          timeoutInMillis: 500,
        },
      },
    },
    "/$default": {
      "x-amazon-apigateway-any-method": {
        isDefaultRoute: true,
        "x-amazon-apigateway-integration": { type: "aws_proxy", uri, payloadFormatVersion: "2.0" },
      },
    },
  },
  components: {
    securitySchemes: {
      sigv4: { type: "apiKey", name: "Authorization", in: "header", "x-amazon-apigateway-authtype": "awsSigv4" },
      jwt: {
        type: "oauth2",
        "x-amazon-apigateway-authorizer": {
          type: "jwt",
          identitySource: "$request.header.Authorization",
          jwtConfiguration: { issuer: "https://issuer.example/", audience: ["pets"] },
        },
      },
    },
  },
};

async function importApi(document: object, Basepath = "ignore"): Promise<string> {
  const { ApiId = "" } = await client.send(new ImportApiCommand({ Body: JSON.stringify(document), Basepath }));
  return ApiId;
}

async function exportApi(
  ApiId: string,
  more: { OutputType?: string; IncludeExtensions?: boolean; StageName?: string } = {},
) {
  const { body } = await client.send(
    new ExportApiCommand({ ApiId, Specification: "OAS30", OutputType: "JSON", ...more }),
  );
  return Buffer.from(body ?? []).toString("utf8");
}

describe("ExportApi", () => {
  test("gives what imports as the same API", async () => {
    const first = await exportApi(await importApi(definition));
    const document: { servers: unknown } & Record<string, unknown> = JSON.parse(first);
    const again: Record<string, unknown> = JSON.parse(await exportApi(await importApi(document)));
    expect({ ...again, servers: [] }).toEqual({ ...document, servers: [] });
    expect(document).toMatchObject({
      info: { title: "pets", description: "d", version: "1" },
      "x-amazon-apigateway-cors": definition["x-amazon-apigateway-cors"],
      tags: definition.tags,
      paths: {
        "/pets/{id}": { get: { operationId: "GetPet", security: [{ jwt: ["pets:read"] }] } },
        "/$default": { "x-amazon-apigateway-any-method": { isDefaultRoute: true } },
      },
    });
  });
  test("leaves out AWS's extensions where they are not wanted, and writes YAML", async () => {
    const ApiId = await importApi(definition);
    expect(await exportApi(ApiId, { IncludeExtensions: false })).not.toContain("x-amazon-apigateway-integration");
    expect(await exportApi(ApiId, { OutputType: "YAML" })).toContain("openapi: 3.0.1");
  });
  test("tells what a stage has deployed, whatever the API has become since", async () => {
    const ApiId = await importApi(definition);
    await client.send(new CreateStageCommand({ ApiId, StageName: "s" }));
    await refusal(exportApi(ApiId, { StageName: "s" }), "BadRequestException", "no deployment");
    await client.send(new CreateDeploymentCommand({ ApiId, StageName: "s" }));
    await client.send(new UpdateApiCommand({ ApiId, Name: "another" }));
    await client.send(new CreateRouteCommand({ ApiId, RouteKey: "GET /later" }));
    const deployed = await exportApi(ApiId, { StageName: "s" });
    expect(deployed).not.toContain("/later");
    expect(deployed).not.toContain("another");
    expect(deployed).toContain("/pets/{id}");
    expect(await exportApi(ApiId)).toContain("/later");
  });
  test("refuses other specifications", async () => {
    const ApiId = await importApi(definition);
    await refusal(
      client.send(new ExportApiCommand({ ApiId, Specification: "OAS20", OutputType: "JSON" })),
      "BadRequestException",
      "OAS30",
    );
  });
});

test.each([
  ["prepend", "GET /shop/v1/pets/{id}"],
  ["split", "GET /v1/pets/{id}"],
])("Base paths: %s", async (mode, routeKey) => {
  const { Items } = await client.send(new GetRoutesCommand({ ApiId: await importApi(definition, mode) }));
  expect(Items?.map(({ RouteKey }) => RouteKey)).toContain(routeKey);
});

describe("UpdateApi of quick create", () => {
  test("moves the target and the route that quick create has made", async () => {
    const { ApiId } = await client.send(new CreateApiCommand({ Name: "q", ProtocolType: "HTTP", Target: uri }));
    await client.send(new UpdateApiCommand({ ApiId, Target: `${uri}2`, RouteKey: "GET /x" }));
    const { Items: integrations } = await client.send(new GetIntegrationsCommand({ ApiId }));
    expect(integrations).toMatchObject([{ IntegrationUri: `${uri}2`, ApiGatewayManaged: true }]);
    const { Items: routes } = await client.send(new GetRoutesCommand({ ApiId }));
    expect(routes).toMatchObject([{ RouteKey: "GET /x", ApiGatewayManaged: true }]);
  });
  test("is refused for other APIs", async () => {
    const ApiId = await importApi(definition);
    await refusal(client.send(new UpdateApiCommand({ ApiId, Target: uri })), "BadRequestException", "quick create");
  });
});

describe("models", () => {
  test("of WebSocket APIs are made, changed, told and deleted", async () => {
    const { ApiId } = await client.send(
      new CreateApiCommand({ Name: "w", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action" }),
    );
    const model = { ApiId, Name: "M", ContentType: "application/json", Schema: '{"properties":{"a":{}}}' };
    const { ModelId } = await client.send(new CreateModelCommand(model));
    await refusal(client.send(new CreateModelCommand(model)), "ConflictException", "already exists");
    expect(await client.send(new UpdateModelCommand({ ApiId, ModelId, Description: "d" }))).toMatchObject({
      Description: "d",
      Schema: model.Schema,
    });
    const { Value } = await client.send(new GetModelTemplateCommand({ ApiId, ModelId }));
    expect(Value).toContain('"a" : "$inputRoot.a"');
    await client.send(new DeleteModelCommand({ ApiId, ModelId }));
    expect((await client.send(new GetModelsCommand({ ApiId }))).Items).toEqual([]);
    await refusal(
      client.send(new CreateModelCommand({ ...model, Schema: '{"type":"x"}' })),
      "BadRequestException",
      "Unknown type",
    );
  });
  test("of HTTP APIs are refused", async () => {
    const ApiId = await importApi(definition);
    await refusal(
      client.send(new CreateModelCommand({ ApiId, Name: "M", Schema: "{}" })),
      "BadRequestException",
      "WEBSOCKET",
    );
  });
});
