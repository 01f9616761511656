import {
  APIGatewayClient,
  CreateDocumentationPartCommand,
  CreateDocumentationVersionCommand,
  CreateDeploymentCommand,
  CreateModelCommand,
  CreateRequestValidatorCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  GetResourcesCommand,
  type PatchOperation,
  PutIntegrationCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  UpdateAccountCommand,
  UpdateDeploymentCommand,
  UpdateDocumentationPartCommand,
  UpdateDocumentationVersionCommand,
  UpdateMethodCommand,
  UpdateMethodResponseCommand,
  UpdateModelCommand,
  UpdateRequestValidatorCommand,
  UpdateResourceCommand,
  UpdateRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

// What infrastructure tools send when an argument of theirs changes: one table for all resources.

let platform: TestPlatform;
let client: APIGatewayClient;
let ids: Record<string, string>;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new APIGatewayClient(platform.settings);
  ids = await createEverything();
});
afterAll(() => platform.stop());

async function createEverything(): Promise<Record<string, string>> {
  const { id: restApiId = "", rootResourceId = "" } = await client.send(
    new CreateRestApiCommand({ name: "patched", binaryMediaTypes: ["image/png"] }),
  );
  const resource = { restApiId, parentId: rootResourceId };
  const { id: resourceId = "" } = await client.send(new CreateResourceCommand({ ...resource, pathPart: "a" }));
  const { id: otherId = "" } = await client.send(new CreateResourceCommand({ ...resource, pathPart: "b" }));
  await client.send(new CreateResourceCommand({ restApiId, parentId: resourceId, pathPart: "child" }));
  const contentType = "application/json";
  await client.send(new CreateModelCommand({ restApiId, name: "Pet", contentType, schema: "{}" }));
  const { id: requestValidatorId = "" } = await client.send(new CreateRequestValidatorCommand({ restApiId }));
  const method = { restApiId, resourceId, httpMethod: "GET" };
  await client.send(
    new PutMethodCommand({
      ...method,
      authorizationType: "NONE",
      requestParameters: { "method.request.header.Old": true },
    }),
  );
  await client.send(new PutMethodResponseCommand({ ...method, statusCode: "200" }));
  await client.send(
    new PutIntegrationCommand({
      ...method,
      type: "MOCK",
      requestTemplates: { "application/json": '{"statusCode": 200}' },
    }),
  );
  const { id: deploymentId = "" } = await client.send(new CreateDeploymentCommand({ restApiId }));
  const { id: documentationPartId = "" } = await client.send(
    new CreateDocumentationPartCommand({ restApiId, location: { type: "API" }, properties: "{}" }),
  );
  await client.send(new CreateDocumentationVersionCommand({ restApiId, documentationVersion: "v" }));
  return { restApiId, rootResourceId, resourceId, otherId, requestValidatorId, deploymentId, documentationPartId };
}

type Send = (patchOperations: PatchOperation[]) => Promise<object>;

const updates: Record<string, Send> = {
  RestApi: (patchOperations) => client.send(new UpdateRestApiCommand({ restApiId: ids["restApiId"], patchOperations })),
  Resource: (patchOperations) =>
    client.send(
      new UpdateResourceCommand({ restApiId: ids["restApiId"], resourceId: ids["resourceId"], patchOperations }),
    ),
  Method: (patchOperations) =>
    client.send(
      new UpdateMethodCommand({
        restApiId: ids["restApiId"],
        resourceId: ids["resourceId"],
        httpMethod: "GET",
        patchOperations,
      }),
    ),
  MethodResponse: (patchOperations) =>
    client.send(
      new UpdateMethodResponseCommand({
        restApiId: ids["restApiId"],
        resourceId: ids["resourceId"],
        httpMethod: "GET",
        statusCode: "200",
        patchOperations,
      }),
    ),
  Model: (patchOperations) =>
    client.send(new UpdateModelCommand({ restApiId: ids["restApiId"], modelName: "Pet", patchOperations })),
  RequestValidator: (patchOperations) =>
    client.send(
      new UpdateRequestValidatorCommand({
        restApiId: ids["restApiId"],
        requestValidatorId: ids["requestValidatorId"],
        patchOperations,
      }),
    ),
  Deployment: (patchOperations) =>
    client.send(
      new UpdateDeploymentCommand({ restApiId: ids["restApiId"], deploymentId: ids["deploymentId"], patchOperations }),
    ),
  DocumentationPart: (patchOperations) =>
    client.send(
      new UpdateDocumentationPartCommand({
        restApiId: ids["restApiId"],
        documentationPartId: ids["documentationPartId"],
        patchOperations,
      }),
    ),
  DocumentationVersion: (patchOperations) =>
    client.send(
      new UpdateDocumentationVersionCommand({
        restApiId: ids["restApiId"],
        documentationVersion: "v",
        patchOperations,
      }),
    ),
  Account: (patchOperations) => client.send(new UpdateAccountCommand({ patchOperations })),
};

const update = (of: string, patchOperations: PatchOperation[]) => updates[of]?.(patchOperations);

type Op = NonNullable<PatchOperation["op"]>;

describe("Patches that tools send", () => {
  test.each<[string, Op, string, string | undefined, object]>([
    ["RestApi", "replace", "/name", "renamed", { name: "renamed" }],
    ["RestApi", "replace", "/description", "d", { description: "d" }],
    ["RestApi", "replace", "/version", "2", { version: "2" }],
    ["RestApi", "replace", "/apiKeySource", "AUTHORIZER", { apiKeySource: "AUTHORIZER" }],
    ["RestApi", "replace", "/disableExecuteApiEndpoint", "true", { disableExecuteApiEndpoint: true }],
    ["RestApi", "add", "/binaryMediaTypes/image~1gif", undefined, { binaryMediaTypes: ["image/png", "image/gif"] }],
    ["RestApi", "remove", "/binaryMediaTypes/image~1png", undefined, { binaryMediaTypes: ["image/gif"] }],
    [
      "RestApi",
      "replace",
      "/endpointConfiguration/types/EDGE",
      "REGIONAL",
      { endpointConfiguration: { types: ["REGIONAL"], ipAddressType: "ipv4" } },
    ],
    [
      "RestApi",
      "replace",
      "/endpointConfiguration/ipAddressType",
      "dualstack",
      { endpointConfiguration: { types: ["REGIONAL"], ipAddressType: "dualstack" } },
    ],
    ["Resource", "replace", "/pathPart", "c", { pathPart: "c", path: "/c" }],
    ["Method", "replace", "/authorizationType", "AWS_IAM", { authorizationType: "AWS_IAM" }],
    ["Method", "replace", "/apiKeyRequired", "true", { apiKeyRequired: true }],
    ["Method", "replace", "/operationName", "Get", { operationName: "Get" }],
    [
      "Method",
      "add",
      "/requestParameters/method.request.querystring.q",
      "true",
      { requestParameters: { "method.request.header.Old": true, "method.request.querystring.q": true } },
    ],
    [
      "Method",
      "remove",
      "/requestParameters/method.request.header.Old",
      undefined,
      { requestParameters: { "method.request.querystring.q": true } },
    ],
    ["Method", "add", "/requestModels/application~1json", "Pet", { requestModels: { "application/json": "Pet" } }],
    [
      "Method",
      "replace",
      "/requestModels/application~1json",
      "Empty",
      { requestModels: { "application/json": "Empty" } },
    ],
    ["Method", "remove", "/requestModels/application~1json", undefined, { requestModels: {} }],
    [
      "MethodResponse",
      "add",
      "/responseParameters/method.response.header.X",
      "false",
      { responseParameters: { "method.response.header.X": false } },
    ],
    [
      "MethodResponse",
      "replace",
      "/responseModels/application~1json",
      "Error",
      { responseModels: { "application/json": "Error" } },
    ],
    ["MethodResponse", "remove", "/responseModels/application~1json", undefined, { responseModels: {} }],
    ["Model", "replace", "/description", "m", { description: "m" }],
    ["Model", "replace", "/schema", '{"type":"object"}', { schema: '{"type":"object"}' }],
    ["RequestValidator", "replace", "/name", "n", { name: "n" }],
    ["RequestValidator", "replace", "/validateRequestBody", "true", { validateRequestBody: true }],
    ["RequestValidator", "replace", "/validateRequestParameters", "true", { validateRequestParameters: true }],
    ["Deployment", "replace", "/description", "d", { description: "d" }],
    ["DocumentationPart", "replace", "/properties", '{"a":1}', { properties: '{"a":1}' }],
    ["DocumentationVersion", "replace", "/description", "d", { description: "d" }],
    ["Account", "replace", "/cloudwatchRoleArn", "", { apiKeyVersion: "4" }],
  ])("%s: %s %s", async (of, op, path, value, expected) => {
    expect(await update(of, [{ op, path, ...(value === undefined ? {} : { value }) }])).toMatchObject(expected);
  });

  test("UpdateMethod puts a validator to a method, and takes it away", async () => {
    const { requestValidatorId = "" } = ids;
    const path = "/requestValidatorId";
    expect(await update("Method", [{ op: "replace", path, value: requestValidatorId }])).toMatchObject({
      requestValidatorId,
    });
    expect(await update("Method", [{ op: "replace", path, value: "" }])).not.toHaveProperty("requestValidatorId");
  });

  test("UpdateResource moves a resource with what is below it", async () => {
    const { restApiId, otherId = "" } = ids;
    await update("Resource", [
      { op: "replace", path: "/parentId", value: otherId },
      { op: "replace", path: "/pathPart", value: "{id}" },
    ]);
    const { items } = await client.send(new GetResourcesCommand({ restApiId }));
    expect(items?.map(({ path }) => path).toSorted()).toEqual(["/", "/b", "/b/{id}", "/b/{id}/child"]);
  });

  test("are applied all or none", async () => {
    await expect(
      update("RestApi", [
        { op: "replace", path: "/name", value: "half" },
        { op: "replace", path: "/nonsense", value: "x" },
      ]),
    ).rejects.toThrow("Invalid patch path");
    expect(await update("RestApi", [])).toMatchObject({ name: "renamed" });
  });
});

describe("Patches that cannot be", () => {
  test.each<[string, Op, string, string, string]>([
    ["RestApi", "replace", "/nonsense", "x", "Invalid patch path"],
    ["RestApi", "remove", "/name", "", "not allowed on '/name'"],
    ["RestApi", "replace", "/name", "", "must not be empty"],
    ["RestApi", "replace", "/apiKeySource", "BODY", "must be HEADER or AUTHORIZER"],
    ["RestApi", "replace", "/disableExecuteApiEndpoint", "maybe", "Invalid boolean value"],
    ["Resource", "replace", "/path", "/x", "Must be one of: [/parentId, /pathPart]"],
    ["Resource", "replace", "/pathPart", "a b", "Resource's path part"],
    ["Resource", "replace", "/parentId", "none", "Invalid Resource identifier"],
    ["Method", "replace", "/httpMethod", "PUT", "Invalid patch path"],
    ["Method", "add", "/requestModels/application~1json", "None", "Invalid model identifier specified: None"],
    ["Method", "add", "/requestParameters/nowhere", "true", "Invalid mapping expression"],
    ["Method", "remove", "/requestParameters/method.request.header.None", "", "not there to be removed"],
    ["MethodResponse", "replace", "/statusCode", "201", "Invalid patch path"],
    ["MethodResponse", "add", "/responseModels/text~1plain", "None", "Invalid model identifier"],
    ["Model", "replace", "/name", "x", "Must be one of: [/description, /schema]"],
    ["Model", "replace", "/schema", "{", "Invalid model schema"],
    ["RequestValidator", "replace", "/validateRequestBody", "yes", "Invalid boolean value"],
    ["Deployment", "replace", "/id", "x", "Must be one of: [/description]"],
    ["DocumentationPart", "replace", "/properties", "{", "valid JSON"],
    ["DocumentationVersion", "replace", "/version", "x", "Invalid patch path"],
    ["Account", "replace", "/throttleSettings", "x", "Invalid patch path"],
  ])("%s: %s %s %j", async (of, op, path, value, message) => {
    await expect(update(of, [{ op, path, value }])).rejects.toMatchObject({
      $metadata: { httpStatusCode: expect.toSatisfy((status) => status === 400 || status === 404) },
      message: expect.stringContaining(message),
    });
  });
  test("and AWS has are refused by name", async () => {
    await expect(
      update("RestApi", [{ op: "replace", path: "/securityPolicy", value: "TLS_1_2" }]),
    ).rejects.toMatchObject({ name: "NotImplemented" });
  });
});
