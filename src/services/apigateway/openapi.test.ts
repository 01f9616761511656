import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateDocumentationPartCommand,
  CreateDocumentationVersionCommand,
  GetDocumentationPartsCommand,
  GetDocumentationVersionsCommand,
  GetExportCommand,
  GetModelsCommand,
  GetRequestValidatorsCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  ImportDocumentationPartsCommand,
  ImportRestApiCommand,
  PutRestApiCommand,
  UpdateDocumentationPartCommand,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { AwsError } from "../../aws/error.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { parseApiDefinition } from "./openapi.ts";
import { petStore } from "./pet-store.fixture.ts";

let platform: TestPlatform;
let client: APIGatewayClient;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  client = new APIGatewayClient(platform.settings);
});
afterAll(() => platform.stop());

const bytes = (document: unknown) => Buffer.from(JSON.stringify(document));
const refusal = (command: Promise<unknown>, name: string, message: string) =>
  expect(command).rejects.toMatchObject({ name, message: expect.stringContaining(message) });

async function importApi(document: unknown, parameters: Record<string, string> = {}) {
  const { id: restApiId = "", ...api } = await client.send(
    new ImportRestApiCommand({ body: bytes(document), parameters }),
  );
  return { restApiId, api };
}

async function deploy(restApiId: string): Promise<void> {
  await client.send(new CreateDeploymentCommand({ restApiId, stageName: "s" }));
}

const ask = (restApiId: string, path: string, init: RequestInit = {}) =>
  fetch(`${platform.endpoint}/_cumulet/api/${restApiId}/s${path}`, init);

/** Everything that an API is, but for identifiers. */
async function apiAsTold(restApiId: string) {
  const { name, description, version, binaryMediaTypes, apiKeySource } = await client.send(
    new GetRestApiCommand({ restApiId }),
  );
  const { items: resources = [] } = await client.send(
    new GetResourcesCommand({ restApiId, embed: ["methods"], limit: 500 }),
  );
  const { items: models = [] } = await client.send(new GetModelsCommand({ restApiId }));
  const { items: validators = [] } = await client.send(new GetRequestValidatorsCommand({ restApiId }));
  const validatorNames = new Map(validators.map((validator) => [validator.id, validator.name]));
  const { items: parts = [] } = await client.send(new GetDocumentationPartsCommand({ restApiId }));
  return {
    api: { name, description, version, binaryMediaTypes, apiKeySource },
    resources: resources
      .map(({ path = "", resourceMethods }) => ({
        path,
        methods: Object.fromEntries(
          Object.entries(resourceMethods ?? {}).map(([method, { requestValidatorId, methodIntegration, ...rest }]) => [
            method,
            {
              ...rest,
              validator: validatorNames.get(requestValidatorId),
              integration: { ...methodIntegration, cacheNamespace: "" },
            },
          ]),
        ),
      }))
      .toSorted((one, other) => one.path.localeCompare(other.path)),
    models: models
      .map((model) => ({ name: model.name, schema: JSON.parse((model.schema ?? "").replaceAll(restApiId, "ID")) }))
      .toSorted((one, other) => (one.name ?? "").localeCompare(other.name ?? "")),
    validators: validators
      .map(({ id: _id, ...validator }) => validator)
      .toSorted((one, other) => (one.name ?? "").localeCompare(other.name ?? "")),
    parts: parts
      .map(({ location, properties }) => ({ location, properties: JSON.parse(properties ?? "") }))
      .toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other))),
  };
}

async function exported(restApiId: string, exportType: string, extensions: string, accepts = "application/json") {
  const answer = await client.send(
    new GetExportCommand({ restApiId, stageName: "s", exportType, parameters: { extensions }, accepts }),
  );
  return { ...answer, text: Buffer.from(answer.body ?? []).toString("utf8") };
}

describe("The shop for pets", () => {
  test("imports, serves, validates, exports, and is the same API when it is imported again", async () => {
    const { restApiId, api } = await importApi(petStore());
    expect(api.warnings).toBeUndefined();
    await deploy(restApiId);
    const welcome = await ask(restApiId, "/");
    expect(welcome.headers.get("content-type")).toBe("text/html");
    expect(await welcome.text()).toContain("Welcome");
    expect(await (await ask(restApiId, "/pets")).json()).toEqual({
      message: "Missing required request parameters: [page]",
    });
    expect(await (await ask(restApiId, "/pets?page=1")).json()).toEqual([{ id: 1, type: "dog", price: 249.99 }]);
    const post = (pet: object) =>
      ask(restApiId, "/pets", {
        method: "POST",
        body: JSON.stringify(pet),
        headers: { "Content-Type": "application/json" },
      });
    expect((await post({ type: "dog", price: 1 })).status).toBe(200);
    const cow = await post({ type: "cow", price: 1 });
    expect([cow.status, cow.headers.get("x-reason")]).toEqual([422, "body"]);
    expect(await cow.json()).toEqual({ reason: "Invalid request body" });
    expect((await ask(restApiId, "/pets/1")).status).toBe(403);
    const preflight = await ask(restApiId, "/pets/1", { method: "OPTIONS" });
    expect(preflight.headers.get("access-control-allow-methods")).toBe("POST,GET,OPTIONS");

    const told = await apiAsTold(restApiId);
    await client.send(
      new UpdateStageCommand({
        restApiId,
        stageName: "s",
        patchOperations: [{ op: "replace", path: "/documentationVersion", value: "1" }],
      }),
    );
    for (const format of ["swagger", "oas30"]) {
      for (const type of ["application/json", "application/yaml"]) {
        const { text, contentType, contentDisposition } = await exported(
          restApiId,
          format,
          "apigateway,documentation",
          type,
        );
        expect(contentType).toBe("application/octet-stream");
        expect(contentDisposition).toMatch(new RegExp(`^attachment; filename="${format}_.*"$`));
        const document: unknown = type === "application/json" ? JSON.parse(text) : parseYaml(text);
        const again = await importApi(document);
        expect(again.api.warnings).toBeUndefined();
        expect(await apiAsTold(again.restApiId)).toEqual(told);
      }
    }
  });

  test("exports without extensions what anyone's tools read", async () => {
    const { restApiId } = await importApi(petStore());
    await deploy(restApiId);
    const { text } = await exported(restApiId, "swagger", "integrations");
    expect(text).toContain("x-amazon-apigateway-integration");
    const plain = await client.send(new GetExportCommand({ restApiId, stageName: "s", exportType: "swagger" }));
    const document: Record<string, unknown> = JSON.parse(Buffer.from(plain.body ?? []).toString("utf8"));
    expect(Object.keys(document)).toEqual([
      "swagger",
      "info",
      "host",
      "basePath",
      "schemes",
      "paths",
      "securityDefinitions",
      "definitions",
      "x-amazon-apigateway-request-validators",
      "x-amazon-apigateway-binary-media-types",
    ]);
    expect(JSON.stringify(document)).not.toContain("x-amazon-apigateway-integration");
    expect(document["basePath"]).toBe("/s");
  });

  test("has the size from which payloads are compressed, until another definition leaves it out", async () => {
    const size = { "x-amazon-apigateway-minimum-compression-size": 1024 };
    const { restApiId, api } = await importApi({ ...petStore(), ...size });
    expect(api).toMatchObject({ minimumCompressionSize: 1024 });
    await deploy(restApiId);
    expect(JSON.parse((await exported(restApiId, "oas30", "apigateway")).text)).toMatchObject(size);
    const replaced = await client.send(
      new PutRestApiCommand({ restApiId, mode: "overwrite", body: bytes(petStore()) }),
    );
    expect(replaced).not.toHaveProperty("minimumCompressionSize");
    await refusal(
      importApi({ ...petStore(), "x-amazon-apigateway-minimum-compression-size": -1 }),
      "BadRequestException",
      "Invalid minimum compression size, must be between 0 - 10485760",
    );
  });

  test("exports what was deployed, whatever the API has become since", async () => {
    const { restApiId } = await importApi(petStore());
    await deploy(restApiId);
    await client.send(
      new PutRestApiCommand({ restApiId, mode: "overwrite", body: bytes({ ...petStore(), paths: {} }) }),
    );
    expect((await exported(restApiId, "oas30", "apigateway")).text).toContain("/pets/{petId}");
  });
});

describe("Base paths", () => {
  test.each([
    ["ignore", "/pets"],
    ["prepend", "/shop/v1/pets"],
    ["split", "/v1/pets"],
  ])("%s", async (basepath, path) => {
    const { restApiId } = await importApi(petStore(), { basepath });
    await deploy(restApiId);
    expect((await ask(restApiId, `${path}?page=1`)).status).toBe(200);
  });
  test("are servers in OpenAPI 3", async () => {
    const document = {
      openapi: "3.0.1",
      info: { title: "t", version: "1" },
      servers: [{ url: "https://example.com/{base}", variables: { base: { default: "/shop/v1" } } }],
      paths: { "/pets": petStore().paths["/"] },
    };
    const { restApiId } = await importApi(document, { basepath: "prepend" });
    const { items } = await client.send(new GetResourcesCommand({ restApiId }));
    expect(items?.map(({ path }) => path).toSorted()).toEqual(["/", "/shop", "/shop/v1", "/shop/v1/pets"]);
  });
  test("in another mode are refused", () =>
    refusal(importApi(petStore(), { basepath: "append" }), "BadRequestException", "basepath"));
});

describe("PutRestApi", () => {
  test("merges: what the definition does not have stays", async () => {
    const { restApiId } = await importApi(petStore());
    const { description: _description, ...info } = petStore().info;
    const more = {
      ...petStore(),
      info,
      paths: { "/pets": { put: petStore().paths["/"].get, get: petStore().paths["/"].get } },
      definitions: { Extra: { type: "object" } },
    };
    await client.send(new PutRestApiCommand({ restApiId, mode: "merge", body: bytes(more) }));
    const told = await apiAsTold(restApiId);
    expect(told.api.description).toBe("A shop for pets");
    expect(told.models.map(({ name }) => name)).toEqual([
      "Empty",
      "Extra",
      "NewPet",
      "NewPetResponse",
      "Pet",
      "Pets",
      "PetType",
    ]);
    const pets = told.resources.find(({ path }) => path === "/pets");
    expect(Object.keys(pets?.methods ?? {}).toSorted()).toEqual(["GET", "OPTIONS", "POST", "PUT"]);
    expect(pets?.methods["GET"]).not.toHaveProperty("operationName");
    expect(told.resources.map(({ path }) => path)).toContain("/pets/{petId}");
  });

  test("tells what it leaves out, and fails on it where that is asked for", async () => {
    const { restApiId } = await importApi(petStore());
    const get = petStore().paths["/"].get;
    const document = {
      ...petStore(),
      paths: {
        "/": {
          get: { ...get, parameters: [{ name: "f", in: "formData" }], responses: { default: {}, ...get.responses } },
        },
      },
    };
    const put = { restApiId, mode: "overwrite" as const, body: bytes(document) };
    const { warnings } = await client.send(new PutRestApiCommand(put));
    expect(warnings).toEqual([
      "Ignoring parameter 'f' in 'formData' of GET /: it is not supported",
      "Ignoring response 'default' of GET /: only responses with a status are supported",
    ]);
    await refusal(
      client.send(new PutRestApiCommand({ ...put, failOnWarnings: true })),
      "BadRequestException",
      "Warnings found during import",
    );
  });

  test.each([
    ["an unknown validator", { "x-amazon-apigateway-request-validator": "none" }, "'none' is not defined"],
    ["a schema that cannot be one", { definitions: { A: { type: "text" } } }, "Unable to create model 'A'"],
    ["a reference to nothing", { definitions: { A: { $ref: "#/definitions/B" } } }, "Unable to create model 'A'"],
  ])("refuses %s", async (_what, more, message) => {
    await refusal(importApi({ ...petStore(), ...more }), "BadRequestException", message);
  });
});

describe("Documentation", () => {
  test("has parts by place, and versions that keep them as they were", async () => {
    const { restApiId } = await importApi(petStore());
    const location = { type: "RESOURCE" as const, path: "/pets" };
    const part = { restApiId, location, properties: '{"description":"d"}' };
    const { id: documentationPartId } = await client.send(new CreateDocumentationPartCommand(part));
    await refusal(client.send(new CreateDocumentationPartCommand(part)), "ConflictException", "already exists");
    await client.send(new CreateDocumentationVersionCommand({ restApiId, documentationVersion: "2" }));
    const { items: versions } = await client.send(new GetDocumentationVersionsCommand({ restApiId }));
    expect(versions?.map(({ version }) => version)).toEqual(["1", "2"]);
    const patchOperations = [{ op: "replace" as const, path: "/properties", value: "{}" }];
    const updated = await client.send(
      new UpdateDocumentationPartCommand({ restApiId, documentationPartId, patchOperations }),
    );
    expect(updated).toMatchObject({ location: { type: "RESOURCE", path: "/pets" }, properties: "{}" });
    const { ids } = await client.send(
      new ImportDocumentationPartsCommand({ restApiId, mode: "overwrite", body: bytes(petStore()) }),
    );
    expect(ids).toHaveLength(3);
    const { items: parts } = await client.send(new GetDocumentationPartsCommand({ restApiId }));
    expect(parts).toHaveLength(3);
  });
  test("is what a definition describes, where it lists no part of its own, unless it is to be ignored", async () => {
    const document = {
      swagger: "2.0",
      info: { title: "t", version: "1", description: "All of it" },
      definitions: { Pet: { type: "object", title: "A pet" } },
      paths: {
        "/pets/{id}": {
          description: "One pet",
          parameters: [{ name: "id", in: "path", required: true, type: "string", description: "Its number" }],
          get: {
            summary: "Tell",
            tags: ["pets"],
            parameters: [{ name: "q", in: "query", type: "string", description: "What of it" }],
            responses: {
              "200": { description: "200 response", headers: { "X-A": { type: "string", description: "A" } } },
              "404": { description: "No such pet" },
            },
          },
        },
      },
      "x-amazon-apigateway-documentation": {
        documentationParts: [
          { location: { type: "RESOURCE", path: "/shop/pets/{id}" }, properties: { description: "Its own" } },
        ],
      },
      basePath: "/shop",
    };
    const { restApiId } = await importApi(document, { basepath: "prepend" });
    const { items = [] } = await client.send(new GetDocumentationPartsCommand({ restApiId, limit: 500 }));
    const at = { path: "/shop/pets/{id}", method: "GET" };
    const told = items.map(({ location, properties }) => [location, JSON.parse(properties ?? "")]);
    expect(told).toHaveLength(8);
    expect(told).toEqual(
      expect.arrayContaining([
        [{ type: "API" }, { info: { description: "All of it" } }],
        [{ type: "MODEL", name: "Pet" }, { title: "A pet" }],
        [{ type: "RESOURCE", path: at.path }, { description: "Its own" }],
        [
          { type: "METHOD", ...at },
          { summary: "Tell", tags: ["pets"] },
        ],
        [{ type: "PATH_PARAMETER", ...at, name: "id" }, { description: "Its number" }],
        [{ type: "QUERY_PARAMETER", ...at, name: "q" }, { description: "What of it" }],
        [{ type: "RESPONSE", ...at, statusCode: "404" }, { description: "No such pet" }],
        [{ type: "RESPONSE_HEADER", ...at, statusCode: "200", name: "X-A" }, { description: "A" }],
      ]),
    );
    const ignored = await importApi(document, { ignore: "documentation" });
    const none = await client.send(new GetDocumentationPartsCommand({ restApiId: ignored.restApiId }));
    expect(none.items).toEqual([]);
  });
  test.each([
    [{ type: "API" as const, path: "/" }, "path is not supported"],
    [{ type: "MODEL" as const }, "name is required"],
  ])("cannot be of %j", async (location, message) => {
    const { restApiId } = await importApi(petStore());
    await refusal(
      client.send(new CreateDocumentationPartCommand({ restApiId, location, properties: "{}" })),
      "BadRequestException",
      message,
    );
  });
});

test("GetExport refuses formats, extensions and types that it does not know", async () => {
  const { restApiId } = await importApi(petStore());
  await deploy(restApiId);
  await refusal(exported(restApiId, "raml", "apigateway"), "BadRequestException", "Invalid export type");
  await refusal(exported(restApiId, "oas30", "everything"), "BadRequestException", "Invalid export extension");
  await refusal(exported(restApiId, "oas30", "postman"), "NotImplemented", "postman");
  await refusal(exported(restApiId, "oas30", "apigateway", "text/html"), "BadRequestException", "Accept");
});

test("Any document is read or refused, with an answer that AWS would give", () => {
  const anything = fc.jsonValue({ maxDepth: 1 });
  const keys = fc.constantFrom(
    "get",
    "parameters",
    "responses",
    "x-amazon-apigateway-integration",
    "$ref",
    "in",
    "name",
    "schema",
    "properties",
    "200",
    "content",
    "requestTemplates",
    "security",
    "requestBody",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", maxDepth: 4 },
      anything,
      fc.dictionary(keys, tie("tree"), { maxKeys: 4 }),
      fc.array(tie("tree"), { maxLength: 2 }),
    ),
  }));
  const document = fc.record({
    swagger: fc.constant("2.0"),
    info: tree,
    paths: fc.oneof(tree, fc.dictionary(fc.constantFrom("/", "/a", "/{b+}", "x"), tree)),
    definitions: tree,
    "x-amazon-apigateway-documentation": tree,
    "x-amazon-apigateway-request-validators": tree,
    securityDefinitions: tree,
  });
  fc.assert(
    fc.property(document, fc.constantFrom("ignore" as const, "prepend" as const), (value, mode) => {
      try {
        parseApiDefinition(bytes(value), mode);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
      }
    }),
    { numRuns: 200 },
  );
});
