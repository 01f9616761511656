import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  CreateStageCommand,
  DeleteDeploymentCommand,
  DeleteMethodCommand,
  DeleteResourceCommand,
  DeleteRestApiCommand,
  GetAccountCommand,
  GetDeploymentCommand,
  GetMethodCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetRestApisCommand,
  GetStageCommand,
  GetStagesCommand,
  GetTagsCommand,
  ImportRestApiCommand,
  PutGatewayResponseCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  PutRestApiCommand,
  TagResourceCommand,
  UpdateRestApiCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: APIGatewayClient;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:echo";
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true, sandbox: "process" });
  client = new APIGatewayClient(platform.settings);
  const Role = await createFunctionRole(platform.settings, "echo");
  await createNodeFunction(platform.settings, {
    FunctionName: "echo",
    Role,
    source: "export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });",
  });
  await new LambdaClient(platform.settings).send(
    new AddPermissionCommand({
      FunctionName: "echo",
      StatementId: "gateway",
      Action: "lambda:InvokeFunction",
      Principal: "apigateway.amazonaws.com",
      SourceArn: "arn:aws:execute-api:us-east-1:000000000000:*/*/GET/*",
    }),
  );
});
afterAll(() => platform.stop());

function ask(restApiId: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${platform.endpoint}/_cumulet/api/${restApiId}${path}`, init);
}

function importApi(document: object) {
  return client.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(document)) }));
}

async function createApi(name: string): Promise<{ restApiId: string; rootId: string }> {
  const { id = "", rootResourceId = "" } = await client.send(new CreateRestApiCommand({ name }));
  return { restApiId: id, rootId: rootResourceId };
}

async function putProxy(restApiId: string, resourceId: string, httpMethod: string): Promise<void> {
  const method = { restApiId, resourceId, httpMethod };
  await client.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
  await client.send(new PutIntegrationCommand({ ...method, type: "AWS_PROXY", integrationHttpMethod: "POST", uri }));
}

const refusal = (command: Promise<unknown>, name: string, message?: string) =>
  expect(command).rejects.toMatchObject({ name, ...(message === undefined ? {} : { message }) });

test("CreateRestApi answers with the members AWS returns", async () => {
  const { $metadata, ...api } = await client.send(new CreateRestApiCommand({ name: "n", tags: { a: "1" } }));
  expect($metadata.httpStatusCode).toBe(201);
  expect(api).toEqual({
    id: expect.stringMatching(/^[a-z0-9]{10}$/),
    name: "n",
    createdDate: expect.any(Date),
    apiKeySource: "HEADER",
    endpointConfiguration: { types: ["EDGE"], ipAddressType: "ipv4" },
    tags: { a: "1" },
    disableExecuteApiEndpoint: false,
    rootResourceId: expect.stringMatching(/^[a-z0-9]{10}$/),
  });
});

describe("an API made piece by piece", () => {
  test("answers as it was deployed, whatever changes later, also after a restart", async () => {
    const { restApiId, rootId } = await createApi("pieces");
    const pets = await client.send(new CreateResourceCommand({ restApiId, parentId: rootId, pathPart: "pets" }));
    const pet = await client.send(new CreateResourceCommand({ restApiId, parentId: pets.id, pathPart: "{id}" }));
    expect(pet).toMatchObject({ path: "/pets/{id}", pathPart: "{id}", parentId: pets.id });
    await putProxy(restApiId, pet.id ?? "", "GET");
    const { id: deploymentId } = await client.send(
      new CreateDeploymentCommand({ restApiId, stageName: "Prod", variables: { v: "1" } }),
    );
    expect(await (await ask(restApiId, "/Prod/pets/7")).json()).toMatchObject({
      resource: "/pets/{id}",
      path: "/pets/7",
      pathParameters: { id: "7" },
      stageVariables: { v: "1" },
      requestContext: { stage: "Prod", deploymentId, resourceId: pet.id, path: "/Prod/pets/7" },
    });
    await client.send(new DeleteMethodCommand({ restApiId, resourceId: pet.id, httpMethod: "GET" }));
    await platform.restart();
    expect((await ask(restApiId, "/Prod/pets/7")).status).toBe(200);
    const deployment = await client.send(new GetDeploymentCommand({ restApiId, deploymentId, embed: ["apisummary"] }));
    expect(deployment.apiSummary).toEqual({
      "/pets/{id}": { GET: { authorizationType: "NONE", apiKeyRequired: false } },
    });
    await putProxy(restApiId, pets.id ?? "", "GET");
    expect((await ask(restApiId, "/Prod/pets")).status).toBe(403);
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "Prod" }));
    expect((await ask(restApiId, "/Prod/pets")).status).toBe(200);
    await client.send(new DeleteDeploymentCommand({ restApiId, deploymentId }));
    await client.send(new DeleteRestApiCommand({ restApiId }));
    expect((await ask(restApiId, "/Prod/pets")).status).toBe(403);
  });

  test("answers 500 where the function's policy does not allow the method", async () => {
    const { restApiId, rootId } = await createApi("denied");
    await putProxy(restApiId, rootId, "ANY");
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "Prod" }));
    expect((await ask(restApiId, "/Prod")).status).toBe(200);
    const denied = await ask(restApiId, "/Prod", { method: "POST" });
    expect(denied.status).toBe(500);
    expect(await denied.json()).toEqual({ message: "Internal server error" });
  });

  test("tells its resources with their methods when asked to embed them", async () => {
    const { restApiId, rootId } = await createApi("embedded");
    await putProxy(restApiId, rootId, "GET");
    const bare = await client.send(new GetResourcesCommand({ restApiId }));
    expect(bare.items).toEqual([{ id: rootId, path: "/", resourceMethods: { GET: {} } }]);
    const { items } = await client.send(new GetResourcesCommand({ restApiId, embed: ["methods"] }));
    expect(items?.[0]?.resourceMethods?.["GET"]).toEqual({
      httpMethod: "GET",
      authorizationType: "NONE",
      apiKeyRequired: false,
      methodIntegration: {
        type: "AWS_PROXY",
        httpMethod: "POST",
        uri,
        passthroughBehavior: "WHEN_NO_MATCH",
        timeoutInMillis: 29_000,
        cacheNamespace: rootId,
        cacheKeyParameters: [],
      },
    });
  });
});

test("A MOCK integration answers its CORS headers", async () => {
  const { restApiId, rootId } = await createApi("mock");
  const method = { restApiId, resourceId: rootId, httpMethod: "OPTIONS" };
  const header = "method.response.header.Access-Control-Allow-Origin";
  await client.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
  await client.send(
    new PutIntegrationCommand({
      ...method,
      type: "MOCK",
      requestTemplates: { "application/json": "{ statusCode: 204 }" },
    }),
  );
  const response = { ...method, statusCode: "204", responseParameters: { [header]: "'*'" } };
  await refusal(
    client.send(new PutIntegrationResponseCommand(response)),
    "NotFoundException",
    "Invalid Response status code specified",
  );
  await client.send(
    new PutMethodResponseCommand({ ...method, statusCode: "204", responseParameters: { [header]: true } }),
  );
  await client.send(new PutIntegrationResponseCommand(response));
  await client.send(
    new PutGatewayResponseCommand({
      restApiId,
      responseType: "MISSING_AUTHENTICATION_TOKEN",
      statusCode: "404",
      responseTemplates: { "application/json": '{"m":$context.error.messageString}' },
    }),
  );
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "Prod" }));
  const answer = await ask(restApiId, "/Prod", { method: "OPTIONS" });
  expect(answer.status).toBe(204);
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  const missing = await ask(restApiId, "/Prod/x");
  expect([missing.status, await missing.json()]).toEqual([404, { m: "Missing Authentication Token" }]);
});

describe("ImportRestApi", () => {
  const proxy = { type: "aws_proxy", httpMethod: "POST", uri };
  const definition = {
    swagger: "2.0",
    info: { title: "imported", version: "1.0" },
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    paths: {
      "/a/{id}": {
        get: {
          parameters: [{ name: "id", in: "path", required: true, type: "string" }],
          responses: {},
          "x-amazon-apigateway-integration": proxy,
        },
        options: {
          responses: { "200": { headers: { "Access-Control-Allow-Origin": { type: "string" } } } },
          "x-amazon-apigateway-integration": {
            type: "mock",
            requestTemplates: { "application/json": '{\n  "statusCode" : 200\n}\n' },
            responses: {
              default: {
                statusCode: "200",
                responseParameters: { "method.response.header.Access-Control-Allow-Origin": "'*'" },
                responseTemplates: { "application/json": "{}\n" },
              },
            },
          },
        },
      },
      "/{proxy+}": { "x-amazon-apigateway-any-method": { "x-amazon-apigateway-integration": proxy } },
    },
  };

  test("makes what SAM describes, and PutRestApi replaces it, keeping identifiers", async () => {
    const { id: restApiId = "", name } = await importApi(definition);
    expect(name).toBe("imported");
    const { items = [] } = await client.send(new GetResourcesCommand({ restApiId }));
    expect(items.map((item) => item.path).toSorted()).toEqual(["/", "/a", "/a/{id}", "/{proxy+}"]);
    const resourceId = items.find((item) => item.path === "/a/{id}")?.id;
    const method = await client.send(new GetMethodCommand({ restApiId, resourceId, httpMethod: "GET" }));
    expect(method.requestParameters).toEqual({ "method.request.path.id": true });
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "Prod" }));
    expect((await ask(restApiId, "/Prod/a/1", { method: "OPTIONS" })).headers.get("access-control-allow-origin")).toBe(
      "*",
    );
    expect(await (await ask(restApiId, "/Prod/x/y")).json()).toMatchObject({ pathParameters: { proxy: "x/y" } });
    const paths = { "/a/{id}": definition.paths["/a/{id}"] };
    await client.send(
      new PutRestApiCommand({
        restApiId,
        mode: "overwrite",
        body: Buffer.from(JSON.stringify({ ...definition, paths })),
      }),
    );
    const after = await client.send(new GetResourcesCommand({ restApiId }));
    expect(after.items?.find((item) => item.path === "/a/{id}")?.id).toBe(resourceId);
    expect((await ask(restApiId, "/Prod/x/y")).status).toBe(200);
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "Prod" }));
    expect((await ask(restApiId, "/Prod/x/y")).status).toBe(403);
  });

  test.each([
    ["text that is no definition", "[", 400],
    ["a document of no version", { info: { title: "t" } }, 400],
    [
      "a resource policy without statements",
      { ...definition, "x-amazon-apigateway-policy": { Version: "2012-10-17" } },
      400,
    ],
    [
      "a security scheme that is no authorizer",
      { ...definition, security: [{ auth: [] }], securityDefinitions: { auth: { type: "apiKey", name: "A" } } },
      501,
    ],
    [
      "an HTTP integration without a method",
      { ...definition, paths: { "/": { get: { "x-amazon-apigateway-integration": { type: "http_proxy" } } } } },
      400,
    ],
  ])("refuses %s", async (_what, document, status) => {
    const body = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
    await expect(client.send(new ImportRestApiCommand({ body }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: status },
    });
  });
});

describe("stages", () => {
  test("are made, patched and told as AWS does", async () => {
    const { restApiId, rootId } = await createApi("stages");
    await putProxy(restApiId, rootId, "GET");
    const { id: deploymentId } = await client.send(new CreateDeploymentCommand({ restApiId }));
    const { $metadata: _metadata, ...stage } = await client.send(
      new CreateStageCommand({ restApiId, stageName: "dev", deploymentId, variables: { a: "1", b: "2" } }),
    );
    expect(stage).toEqual({
      deploymentId,
      stageName: "dev",
      cacheClusterEnabled: false,
      cacheClusterStatus: "NOT_AVAILABLE",
      methodSettings: {},
      variables: { a: "1", b: "2" },
      tracingEnabled: false,
      createdDate: expect.any(Date),
      lastUpdatedDate: expect.any(Date),
    });
    const patched = await client.send(
      new UpdateStageCommand({
        restApiId,
        stageName: "dev",
        patchOperations: [
          { op: "replace", path: "/variables/a", value: "3" },
          { op: "remove", path: "/variables/b" },
          { op: "replace", path: "/description", value: "d" },
        ],
      }),
    );
    expect(patched).toMatchObject({ variables: { a: "3" }, description: "d" });
    expect(await (await ask(restApiId, "/dev")).json()).toMatchObject({ stageVariables: { a: "3" } });
    expect((await client.send(new GetStagesCommand({ restApiId }))).item).toHaveLength(1);
    await refusal(
      client.send(new DeleteDeploymentCommand({ restApiId, deploymentId })),
      "BadRequestException",
      "Active stages pointing to this deployment must be moved or deleted",
    );
    const settings = [{ op: "replace" as const, path: "/*/*/throttling/rateLimit", value: "fast" }];
    await refusal(
      client.send(new UpdateStageCommand({ restApiId, stageName: "dev", patchOperations: settings })),
      "BadRequestException",
    );
    await refusal(
      client.send(new CreateStageCommand({ restApiId, stageName: "x", deploymentId, tracingEnabled: true })),
      "NotImplemented",
    );
    const trace = (value: string) =>
      client.send(
        new UpdateStageCommand({
          restApiId,
          stageName: "dev",
          patchOperations: [{ op: "replace", path: "/tracingEnabled", value }],
        }),
      );
    expect(await trace("false")).toMatchObject({ tracingEnabled: false });
    await refusal(trace("true"), "NotImplemented");
    await refusal(
      client.send(new CreateStageCommand({ restApiId, stageName: "dev", deploymentId })),
      "ConflictException",
    );
    await refusal(
      client.send(new CreateStageCommand({ restApiId, stageName: "a b", deploymentId })),
      "BadRequestException",
    );
    await refusal(client.send(new GetStageCommand({ restApiId, stageName: "none" })), "NotFoundException");
  });
});

describe("refusals", () => {
  test("name what is wrong", async () => {
    const { restApiId, rootId } = await createApi("refusals");
    const method = { restApiId, resourceId: rootId, httpMethod: "GET" };
    await refusal(
      client.send(new GetRestApiCommand({ restApiId: "none" })),
      "NotFoundException",
      "Invalid API identifier specified 000000000000:none",
    );
    await refusal(
      client.send(new CreateDeploymentCommand({ restApiId })),
      "BadRequestException",
      "The REST API doesn't contain any methods",
    );
    await client.send(new PutMethodCommand({ ...method, authorizationType: "NONE" }));
    await refusal(
      client.send(new CreateDeploymentCommand({ restApiId })),
      "BadRequestException",
      "No integration defined for method",
    );
    await refusal(
      client.send(new PutMethodCommand({ ...method, authorizationType: "NONE" })),
      "ConflictException",
      "Method already exists for this resource",
    );
    await refusal(
      client.send(new PutMethodCommand({ ...method, httpMethod: "POST", authorizationType: "CUSTOM" })),
      "BadRequestException",
    );
    await refusal(client.send(new PutIntegrationCommand({ ...method, type: "HTTP_PROXY" })), "BadRequestException");
    await refusal(
      client.send(new PutIntegrationCommand({ ...method, type: "AWS_PROXY", uri })),
      "BadRequestException",
      "Enumeration value for HttpMethod must be non-empty",
    );
    await refusal(
      client.send(
        new PutIntegrationCommand({
          ...method,
          type: "AWS_PROXY",
          integrationHttpMethod: "POST",
          uri,
          timeoutInMillis: 49,
        }),
      ),
      "BadRequestException",
    );
    const child = { restApiId, parentId: rootId };
    await client.send(new CreateResourceCommand({ ...child, pathPart: "a" }));
    await refusal(
      client.send(new CreateResourceCommand({ ...child, pathPart: "a" })),
      "ConflictException",
      "Another resource with the same parent already has this name: a",
    );
    await refusal(client.send(new CreateResourceCommand({ ...child, pathPart: "a b" })), "BadRequestException");
    await client.send(new CreateResourceCommand({ ...child, pathPart: "{x}" }));
    await refusal(client.send(new CreateResourceCommand({ ...child, pathPart: "{y}" })), "BadRequestException");
    await refusal(client.send(new DeleteResourceCommand({ restApiId, resourceId: rootId })), "BadRequestException");
    await refusal(
      client.send(new CreateRestApiCommand({ name: "p", endpointConfiguration: { types: ["PRIVATE"] } })),
      "NotImplemented",
    );
    await refusal(client.send(new CreateRestApiCommand({ name: "p", policy: "{}" })), "BadRequestException");
  });
});

test("UpdateRestApi applies its patch operations", async () => {
  const { restApiId } = await createApi("patched");
  const api = await client.send(
    new UpdateRestApiCommand({
      restApiId,
      patchOperations: [
        { op: "replace", path: "/name", value: "renamed" },
        { op: "add", path: "/binaryMediaTypes/image~1png" },
        { op: "replace", path: "/endpointConfiguration/types/EDGE", value: "REGIONAL" },
      ],
    }),
  );
  expect(api).toMatchObject({
    name: "renamed",
    binaryMediaTypes: ["image/png"],
    endpointConfiguration: { types: ["REGIONAL"] },
  });
});

test("Lists come in pages to the end; tags are told", async () => {
  const { restApiId } = await createApi("last");
  const seen: string[] = [];
  let position: string | undefined;
  do {
    const page = await client.send(
      new GetRestApisCommand({ limit: 2, ...(position === undefined ? {} : { position }) }),
    );
    seen.push(...(page.items ?? []).map((api) => api.id ?? ""));
    position = page.position;
  } while (position !== undefined);
  expect(seen).toContain(restApiId);
  expect(new Set(seen).size).toBe(seen.length);
  const resourceArn = `arn:aws:apigateway:us-east-1::/restapis/${restApiId}`;
  await client.send(new TagResourceCommand({ resourceArn, tags: { a: "1" } }));
  expect((await client.send(new GetTagsCommand({ resourceArn }))).tags).toEqual({ a: "1" });
  expect(await client.send(new GetAccountCommand({}))).toMatchObject({ apiKeyVersion: "4" });
});
