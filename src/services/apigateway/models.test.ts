import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateModelCommand,
  CreateRequestValidatorCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  DeleteModelCommand,
  DeleteRequestValidatorCommand,
  GetMethodCommand,
  GetModelCommand,
  GetModelsCommand,
  GetModelTemplateCommand,
  GetRequestValidatorsCommand,
  PutGatewayResponseCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
  PutMethodResponseCommand,
  UpdateModelCommand,
  UpdateRequestValidatorCommand,
} from "@aws-sdk/client-api-gateway";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let client: APIGatewayClient;

beforeAll(async () => {
  platform = await startTestPlatform({ durable: true, sandbox: "process" });
  client = new APIGatewayClient(platform.settings);
});
afterAll(() => platform.stop());

const refusal = (command: Promise<unknown>, name: string, message: string) =>
  expect(command).rejects.toMatchObject({ name, message: expect.stringContaining(message) });

async function createApi() {
  const { id: restApiId = "", rootResourceId = "" } = await client.send(new CreateRestApiCommand({ name: "models" }));
  return { restApiId, rootResourceId };
}

const urlOf = (restApiId: string, model: string) =>
  `https://apigateway.amazonaws.com/restapis/${restApiId}/models/${model}`;

const petSchema = (restApiId: string) =>
  JSON.stringify({
    type: "object",
    required: ["name", "price"],
    properties: {
      name: { type: "string", maxLength: 10 },
      price: { type: "number", minimum: 25, maximum: 500 },
      type: { type: "string", enum: ["dog", "cat", "fish"] },
      owner: { $ref: urlOf(restApiId, "Owner") },
    },
  });

describe("models", () => {
  test("CreateRestApi makes Empty and Error", async () => {
    const { restApiId } = await createApi();
    const { items } = await client.send(new GetModelsCommand({ restApiId }));
    expect(items?.map(({ name, contentType }) => ({ name, contentType }))).toEqual([
      { name: "Empty", contentType: "application/json" },
      { name: "Error", contentType: "application/json" },
    ]);
  });

  test("are made, told, flattened, changed and deleted", async () => {
    const { restApiId } = await createApi();
    const contentType = "application/json";
    const owner = { restApiId, name: "Owner", contentType, schema: '{"required":["id"]}' };
    await client.send(new CreateModelCommand(owner));
    const { $metadata, ...pet } = await client.send(
      new CreateModelCommand({ restApiId, name: "Pet", contentType, schema: petSchema(restApiId), description: "d" }),
    );
    expect($metadata.httpStatusCode).toBe(201);
    expect(pet).toEqual({
      id: expect.stringMatching(/^[a-z0-9]{6}$/),
      name: "Pet",
      description: "d",
      contentType,
      schema: petSchema(restApiId),
    });
    const flat = await client.send(new GetModelCommand({ restApiId, modelName: "Pet", flatten: true }));
    expect(JSON.parse(flat.schema ?? "")).toMatchObject({
      properties: { owner: { $ref: "#/definitions/Owner" } },
      definitions: { Owner: { required: ["id"] } },
    });
    const template = await client.send(new GetModelTemplateCommand({ restApiId, modelName: "Pet" }));
    expect(template.value).toContain("#set($inputRoot = $input.path('$'))");
    expect(template.value).toContain('"name" : "$inputRoot.name"');
    const patchOperations = [
      { op: "replace" as const, path: "/description", value: "other" },
      { op: "replace" as const, path: "/schema", value: '{"type":"object"}' },
    ];
    await refusal(
      client.send(new DeleteModelCommand({ restApiId, modelName: "Owner" })),
      "ConflictException",
      "Cannot delete model 'Owner', is referenced in model: Pet",
    );
    expect(await client.send(new UpdateModelCommand({ restApiId, modelName: "Pet", patchOperations }))).toMatchObject({
      description: "other",
      schema: '{"type":"object"}',
    });
    await client.send(new DeleteModelCommand({ restApiId, modelName: "Owner" }));
    await refusal(
      client.send(new GetModelCommand({ restApiId, modelName: "Owner" })),
      "NotFoundException",
      "Invalid model identifier specified",
    );
  });

  test.each([
    ["no JSON", "{", "Invalid model schema specified"],
    ["an unknown type", '{"type":"text"}', "Unknown type text"],
    [
      "a model that is not there",
      '{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/No"}',
      "Invalid model name",
    ],
    ["more than 400 KB", JSON.stringify({ title: "x".repeat(420_000) }), "400 KB"],
  ])("of %s are refused", async (_what, schema, message) => {
    const { restApiId } = await createApi();
    const input = { restApiId, name: "M", contentType: "application/json", schema };
    await refusal(client.send(new CreateModelCommand(input)), "BadRequestException", message);
  });

  test("have names of their own, of letters and digits", async () => {
    const { restApiId } = await createApi();
    const input = { restApiId, contentType: "application/json", schema: "{}" };
    await refusal(
      client.send(new CreateModelCommand({ ...input, name: "Empty" })),
      "ConflictException",
      "already exists",
    );
    await refusal(
      client.send(new CreateModelCommand({ ...input, name: "a-b" })),
      "BadRequestException",
      "alphanumeric",
    );
  });
});

async function deploy(validateRequestBody: boolean, validateRequestParameters: boolean) {
  const { restApiId, rootResourceId } = await createApi();
  const contentType = "application/json";
  await client.send(new CreateModelCommand({ restApiId, name: "Owner", contentType, schema: '{"required":["id"]}' }));
  await client.send(new CreateModelCommand({ restApiId, name: "Pet", contentType, schema: petSchema(restApiId) }));
  const { id: requestValidatorId } = await client.send(
    new CreateRequestValidatorCommand({ restApiId, name: "v", validateRequestBody, validateRequestParameters }),
  );
  const { id: resourceId } = await client.send(
    new CreateResourceCommand({ restApiId, parentId: rootResourceId, pathPart: "{id}" }),
  );
  const method = { restApiId, resourceId, httpMethod: "POST" };
  await client.send(
    new PutMethodCommand({
      ...method,
      authorizationType: "NONE",
      requestValidatorId,
      requestModels: { "application/json": "Pet" },
      requestParameters: {
        "method.request.path.id": true,
        "method.request.querystring.page": true,
        "method.request.querystring.type": false,
        "method.request.header.X-Request": true,
      },
    }),
  );
  await client.send(new PutMethodResponseCommand({ ...method, statusCode: "200" }));
  await client.send(
    new PutIntegrationCommand({
      ...method,
      type: "MOCK",
      passthroughBehavior: "WHEN_NO_MATCH",
      requestTemplates: { "application/json": '{"statusCode": 200}', "text/plain": '{"statusCode": 200}' },
    }),
  );
  await client.send(new PutIntegrationResponseCommand({ ...method, statusCode: "200" }));
  await client.send(
    new PutGatewayResponseCommand({
      restApiId,
      responseType: "BAD_REQUEST_BODY",
      responseTemplates: { "application/json": '{"message":$context.error.messageString}' },
    }),
  );
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "s" }));
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/s${path}`, { method: "POST", ...init });
  return { ask, method, requestValidatorId };
}

describe("a validated method", () => {
  const json = { "Content-Type": "application/json", "X-Request": "1" };
  const body = (pet: object) => ({ headers: json, body: JSON.stringify(pet) });

  test("refuses what lacks a required parameter", async () => {
    const { ask } = await deploy(false, true);
    const missing = await ask("/7");
    expect(missing.status).toBe(400);
    expect(missing.headers.get("x-amzn-errortype")).toBe("BadRequestException");
    expect(await missing.json()).toEqual({ message: "Missing required request parameters: [page, X-Request]" });
    const blank = await ask("/7?page=", { headers: { "X-Request": "1" } });
    expect(await blank.json()).toEqual({ message: "Missing required request parameters: [page]" });
    expect((await ask("/7?page=1", { headers: { "x-request": "1" } })).status).toBe(200);
  });

  test("refuses a body that is not as its model, with AWS's message", async () => {
    const { ask } = await deploy(true, false);
    for (const pet of [{}, { name: "n" }, { name: "n", price: 1 }, { name: "n", price: 30, owner: {} }]) {
      const refused = await ask("/7", body(pet));
      expect(refused.status).toBe(400);
      expect(await refused.json()).toEqual({ message: "Invalid request body" });
    }
    expect((await ask("/7", { headers: json, body: "{" })).status).toBe(400);
    expect((await ask("/7", { headers: json })).status).toBe(400);
    expect((await ask("/7", body({ name: "n", price: 30, owner: { id: 1 } }))).status).toBe(200);
    // A type without a model is not validated.
    expect((await ask("/7", { headers: { "Content-Type": "text/plain" }, body: "x" })).status).toBe(200);
  });

  test("is validated as it was deployed, also after a restart", async () => {
    const { ask, method, requestValidatorId } = await deploy(true, true);
    const patchOperations = [{ op: "replace" as const, path: "/validateRequestBody", value: "false" }];
    const { restApiId } = method;
    await client.send(new UpdateRequestValidatorCommand({ restApiId, requestValidatorId, patchOperations }));
    await platform.restart();
    expect((await ask("/7?page=1", body({}))).status).toBe(400);
    await client.send(new CreateDeploymentCommand({ restApiId, stageName: "s" }));
    expect((await ask("/7?page=1", body({}))).status).toBe(200);
  });

  test("tells its rules, and keeps what it uses", async () => {
    const { method, requestValidatorId } = await deploy(true, true);
    const { restApiId } = method;
    expect(await client.send(new GetMethodCommand(method))).toMatchObject({
      requestValidatorId,
      requestModels: { "application/json": "Pet" },
    });
    const { items } = await client.send(new GetRequestValidatorsCommand({ restApiId }));
    expect(items).toEqual([
      { id: requestValidatorId, name: "v", validateRequestBody: true, validateRequestParameters: true },
    ]);
    await refusal(
      client.send(new DeleteModelCommand({ restApiId, modelName: "Pet" })),
      "ConflictException",
      "Cannot delete model 'Pet', is referenced in method: /{id}/POST",
    );
    await refusal(
      client.send(new DeleteRequestValidatorCommand({ restApiId, requestValidatorId })),
      "BadRequestException",
      "Cannot delete request validator",
    );
  });

  test.each([
    ["a model that is not there", { requestModels: { "application/json": "No" } }, "Invalid model identifier"],
    ["a validator that is not there", { requestValidatorId: "nope" }, "Invalid Request Validator identifier"],
    [
      "a parameter of nowhere",
      { requestParameters: { "method.request.cookie.a": true } },
      "Invalid mapping expression",
    ],
  ])("cannot have %s", async (_what, more, message) => {
    const { restApiId, rootResourceId } = await createApi();
    const method = { restApiId, resourceId: rootResourceId, httpMethod: "POST", authorizationType: "NONE", ...more };
    await refusal(client.send(new PutMethodCommand(method)), "BadRequestException", message);
  });
});
