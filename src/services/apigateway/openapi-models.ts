import { asMembers, type Members } from "../../aws/open-api.ts";
import { createHash } from "node:crypto";
import { resolve } from "./openapi-document.ts";

/** A model of a definition: what it refers to is still written as the definition writes it. */
export interface ModelDefinition {
  readonly name: string;
  readonly schema: Members;
}

/** The models of a definition as methods ask for them. */
export interface ModelReader {
  /** The model that a schema names, or one made for a schema that is written in place. */
  modelOf(schema: unknown): string | undefined;
  /** All of them, once every method has been read. */
  readonly models: ReadonlyMap<string, ModelDefinition>;
}

/**
 * Models are the schemas of `definitions` (Swagger 2) or `components.schemas` (OpenAPI 3), under names of letters and digits alone.
 * AWS: a schema written in place becomes a model named `MODEL` and what nobody would choose.
 */
export function readModels(document: Members, warnings: string[]): ModelReader {
  const models = new Map<string, ModelDefinition>();
  const names = new Map<string, string>();
  for (const [place, schemas] of [
    ["#/definitions/", document["definitions"]],
    ["#/components/schemas/", asMembers(document["components"])["schemas"]],
  ] as const) {
    for (const [written, schema] of Object.entries(asMembers(schemas))) {
      const name = written.replaceAll(/[^A-Za-z0-9]/g, "");
      if (name === "" || models.has(name)) {
        warnings.push(`Ignoring the schema '${written}': a model's name has letters and digits alone, and is its own`);
        continue;
      }
      models.set(name, { name, schema: asMembers(schema) });
      names.set(`${place}${written}`, name);
    }
  }
  // What schemas refer to has the names of models; the API's address is added where they are written.
  for (const { name, schema } of models.values()) {
    models.set(name, { name, schema: asMembers(renamed(schema, names)) });
  }
  return {
    models,
    modelOf: (schema) => {
      const members = asMembers(schema);
      if (Object.keys(members).length === 0) return undefined;
      const reference = members["$ref"];
      const named = typeof reference === "string" ? names.get(decodeReference(reference)) : undefined;
      if (named !== undefined) return named;
      const text = JSON.stringify(members);
      // Named by what it is, so that importing it again makes no other.
      const name = `MODEL${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
      if (!models.has(name)) models.set(name, { name, schema: asMembers(renamed(members, names)) });
      return name;
    },
  };
}

/** A model's schema as text, with what it refers to by URL. */
export function schemaText({ schema }: ModelDefinition, apiId: string): string {
  return JSON.stringify({ $schema: "http://json-schema.org/draft-04/schema#", ...schema }, (member, value: unknown) =>
    member === "$ref" && typeof value === "string" && value.startsWith("model:")
      ? `https://apigateway.amazonaws.com/restapis/${apiId}/models/${value.slice("model:".length)}`
      : value,
  );
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== "object" || value === null) return value;
  const reference = new Map<string, unknown>(Object.entries(value)).get("$ref");
  if (typeof reference === "string") {
    const name = names.get(decodeReference(reference));
    return name === undefined ? value : { $ref: `model:${name}` };
  }
  const members = new Map<string, unknown>();
  for (const [member, child] of Object.entries(value)) {
    // OpenAPI's additions to schemas say nothing of what is valid, but for `nullable`.
    if (member.startsWith("x-") || openApiOnly.has(member)) continue;
    members.set(member, renamed(child, names));
  }
  return Object.fromEntries(members);
}

const openApiOnly = new Set(["discriminator", "xml", "externalDocs", "example", "readOnly", "writeOnly", "deprecated"]);

function decodeReference(reference: string): string {
  return reference.replaceAll("~1", "/").replaceAll("~0", "~").replaceAll("%20", " ");
}

export interface RequestDefinition {
  readonly requestParameters: Readonly<Record<string, boolean>>;
  readonly requestModels: Readonly<Record<string, string>>;
}

const places = new Map([
  ["header", "header"],
  ["query", "querystring"],
  ["path", "path"],
]);

/** What an operation says of its requests. Parameters of the path hold where the operation does not have its own. */
export function readRequest(
  document: Members,
  pathItem: Members,
  operation: Members,
  models: ModelReader,
  where: string,
  warnings: string[],
): RequestDefinition {
  const requestParameters: Record<string, boolean> = {};
  const requestModels: Record<string, string> = {};
  for (const item of [...listOf(pathItem["parameters"]), ...listOf(operation["parameters"])]) {
    const parameter = resolve(document, item);
    const kind = String(parameter["in"]);
    const place = places.get(kind);
    if (place !== undefined) {
      requestParameters[`method.request.${place}.${String(parameter["name"])}`] = parameter["required"] === true;
    } else if (kind === "body") {
      const model = models.modelOf(parameter["schema"]);
      if (model === undefined) continue;
      for (const type of mediaTypes(operation["consumes"] ?? document["consumes"])) requestModels[type] = model;
    } else {
      warnings.push(`Ignoring parameter '${String(parameter["name"])}' in '${kind}' of ${where}: it is not supported`);
    }
  }
  for (const [type, media] of Object.entries(asMembers(resolve(document, operation["requestBody"])["content"]))) {
    const model = models.modelOf(asMembers(media)["schema"]);
    if (model !== undefined) requestModels[type] = model;
  }
  return { requestParameters, requestModels };
}

export interface ResponseDefinition {
  readonly statusCode: string;
  readonly responseParameters?: Readonly<Record<string, boolean>>;
  readonly responseModels?: Readonly<Record<string, string>>;
}

/** What an operation says of its responses, by status. */
export function readResponses(
  document: Members,
  operation: Members,
  models: ModelReader,
  where: string,
  warnings: string[],
): Record<string, ResponseDefinition> {
  const read: Record<string, ResponseDefinition> = {};
  for (const [statusCode, value] of Object.entries(asMembers(operation["responses"]))) {
    if (!/^[1-5]\d\d$/.test(statusCode)) {
      if (!statusCode.startsWith("x-")) {
        warnings.push(`Ignoring response '${statusCode}' of ${where}: only responses with a status are supported`);
      }
      continue;
    }
    const response = resolve(document, value);
    const responseParameters = Object.fromEntries(
      Object.keys(asMembers(response["headers"])).map((name) => [`method.response.header.${name}`, false]),
    );
    const responseModels: Record<string, string> = {};
    const model = models.modelOf(response["schema"]);
    if (model !== undefined) {
      for (const type of mediaTypes(operation["produces"] ?? document["produces"])) responseModels[type] = model;
    }
    for (const [type, media] of Object.entries(asMembers(response["content"]))) {
      const typed = models.modelOf(asMembers(media)["schema"]);
      if (typed !== undefined) responseModels[type] = typed;
    }
    read[statusCode] = {
      statusCode,
      ...(Object.keys(responseParameters).length === 0 ? {} : { responseParameters }),
      ...(Object.keys(responseModels).length === 0 ? {} : { responseModels }),
    };
  }
  return read;
}

function mediaTypes(value: unknown): string[] {
  const types = listOf(value).map(String);
  return types.length === 0 ? ["application/json"] : types;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
