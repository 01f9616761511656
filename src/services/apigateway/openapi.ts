import { notImplemented } from "../../aws/error.ts";
import { asMembers, endpointConfigurationOf, type Members } from "../../aws/open-api.ts";
import type { PublishedGatewayResponse } from "../execute-api/port.ts";
import { checkGatewayResponse, parseResponseType } from "./gateway-response-rules.ts";
import { badRequest } from "./errors.ts";
import { checkMapped, readIntegration } from "./openapi-integration.ts";
import type { MethodRecord } from "./model.ts";
import { parseDocument, readTexts, refuseExtensions } from "./openapi-document.ts";
import { readValidators, type ValidatorDefinition, validatorOf } from "./openapi-describing.ts";
import { readDocumentation } from "./openapi-documentation.ts";
import { type AuthorizerDefinition, readAuthorizers, readSecurity } from "./openapi-security.ts";
import { type ModelDefinition, type ModelReader, readModels, readRequest, readResponses } from "./openapi-models.ts";
import { asksForSomething, checkPathPart } from "./rules.ts";

/** A Swagger 2 or OpenAPI 3 definition of a REST API, read. */
export interface ApiDefinition {
  readonly name: string;
  readonly description?: string;
  readonly apiVersion?: string;
  readonly binaryMediaTypes: readonly string[];
  readonly apiKeySource: "HEADER" | "AUTHORIZER";
  /** Undefined where the definition does not say. */
  readonly disableExecuteApiEndpoint: boolean | undefined;
  readonly minimumCompressionSize: number | undefined;
  readonly gatewayResponses: readonly PublishedGatewayResponse[];
  /** By path, `/` for the root. */
  readonly methods: ReadonlyMap<string, Readonly<Record<string, MethodDefinition>>>;
  readonly models: ReadonlyMap<string, ModelDefinition>;
  /** By name. */
  readonly validators: ReadonlyMap<string, ValidatorDefinition>;
  /** By name. */
  readonly authorizers: ReadonlyMap<string, AuthorizerDefinition>;
  /** The resource policy, as it is written. */
  readonly policy?: string;
  readonly documentation: ReturnType<typeof readDocumentation>;
  /** What was read but does nothing. */
  readonly warnings: readonly string[];
}

/** A method whose validator is known by name. */
export interface MethodDefinition extends MethodRecord {
  readonly authorizer?: string;
  readonly requestValidator?: string;
}

/** What becomes of a definition's base path: nothing, all of it before each path, or all but its first segment. */
export type BasePathMode = "ignore" | "prepend" | "split";

const httpMethods = new Map([
  ["get", "GET"],
  ["put", "PUT"],
  ["post", "POST"],
  ["delete", "DELETE"],
  ["options", "OPTIONS"],
  ["head", "HEAD"],
  ["patch", "PATCH"],
  ["x-amazon-apigateway-any-method", "ANY"],
]);
const documentExtensions = new Set([
  "x-amazon-apigateway-api-key-source",
  "x-amazon-apigateway-binary-media-types",
  "x-amazon-apigateway-documentation",
  "x-amazon-apigateway-endpoint-configuration",
  "x-amazon-apigateway-gateway-responses",
  "x-amazon-apigateway-importexport-version",
  "x-amazon-apigateway-minimum-compression-size",
  "x-amazon-apigateway-policy",
  "x-amazon-apigateway-request-validator",
  "x-amazon-apigateway-request-validators",
]);
const operationExtensions = new Set([
  "x-amazon-apigateway-auth",
  "x-amazon-apigateway-integration",
  "x-amazon-apigateway-request-validator",
]);

/**
 * Read a definition to import. Extensions of AWS that nothing here acts on are refused by name; what
 * only documents has no effect, as on AWS.
 */
export function parseApiDefinition(
  body: Uint8Array,
  basePathMode: BasePathMode = "ignore",
  ignoresDocumentation = false,
): ApiDefinition {
  const document = parseDocument(body);
  if (document["swagger"] === undefined && document["openapi"] === undefined) {
    throw badRequest("Invalid OpenAPI input: the definition names neither a swagger nor an openapi version");
  }
  refuseExtensions(document, documentExtensions, "the definition");
  const info = asMembers(document["info"]);
  const title = info["title"];
  const endpoint = endpointConfigurationOf(document);
  if (asksForSomething(endpoint["vpcEndpointIds"]))
    throw notImplemented("An endpoint configuration with vpcEndpointIds");
  const disabled = endpoint["disableExecuteApiEndpoint"];
  const types = document["x-amazon-apigateway-binary-media-types"];
  const size = document["x-amazon-apigateway-minimum-compression-size"];
  const warnings: string[] = [];
  const models = readModels(document, warnings);
  const validators = readValidators(document);
  const items = pathItems(document, basePathOf(document, basePathMode));
  const methods = readPaths({ document, models, validators, warnings }, items);
  return {
    name: typeof title === "string" && title !== "" ? title : "",
    ...(typeof info["description"] === "string" ? { description: info["description"] } : {}),
    ...(info["version"] === undefined ? {} : { apiVersion: String(info["version"]) }),
    binaryMediaTypes: Array.isArray(types) ? types.map(String) : [],
    apiKeySource: document["x-amazon-apigateway-api-key-source"] === "AUTHORIZER" ? "AUTHORIZER" : "HEADER",
    disableExecuteApiEndpoint: disabled === undefined ? undefined : String(disabled) === "true",
    minimumCompressionSize: size === undefined || size === null ? undefined : Number(size),
    gatewayResponses: readGatewayResponses(asMembers(document["x-amazon-apigateway-gateway-responses"])),
    methods,
    models: models.models,
    validators,
    authorizers: readAuthorizers(document),
    ...(document["x-amazon-apigateway-policy"] === undefined
      ? {}
      : { policy: JSON.stringify(document["x-amazon-apigateway-policy"]) }),
    documentation: ignoresDocumentation ? { parts: [] } : readDocumentation(document, items, warnings),
    warnings,
  };
}

/** What methods are read with. */
interface Reading {
  readonly document: Members;
  readonly models: ModelReader;
  readonly validators: ReadonlyMap<string, ValidatorDefinition>;
  readonly warnings: string[];
}

/** `basePath` of Swagger 2; the path of the first server of OpenAPI 3, with the default of its variable. */
function basePathOf(document: Members, mode: BasePathMode): string {
  if (mode === "ignore") return "";
  const server = asMembers(Array.isArray(document["servers"]) ? document["servers"][0] : undefined);
  const variables = asMembers(server["variables"]);
  const url = String(server["url"] ?? "").replaceAll(/\{([^}]*)\}/g, (_all, name: string) =>
    String(asMembers(variables[name])["default"] ?? ""),
  );
  const written = String(document["basePath"] ?? url.replace(/^[a-z]+:\/\/[^/]*/i, ""));
  const parts = written.split("/").filter((part) => part !== "");
  const kept = mode === "split" ? parts.slice(1) : parts;
  return kept.map((part) => `/${part}`).join("");
}

/** What a definition has by path, in the order that it has it. Throws BadRequestException for what is no path. */
export function pathItems(document: Members, basePath: string): [path: string, item: Members][] {
  const items: [string, Members][] = [];
  for (const [relative, item] of Object.entries(asMembers(document["paths"]))) {
    if (relative.startsWith("x-")) continue;
    const written = basePath === "" ? relative : `${basePath}${relative}`;
    const path = written.length > 1 ? written.replace(/\/+$/, "") : written;
    if (!path.startsWith("/")) throw badRequest(`Invalid path ${written}: paths must begin with a slash`);
    if (path !== "/") for (const part of path.slice(1).split("/")) checkPathPart(part);
    items.push([path, asMembers(item)]);
  }
  return items;
}

function readPaths(
  reading: Reading,
  items: readonly (readonly [path: string, item: Members])[],
): Map<string, Record<string, MethodDefinition>> {
  const paths = new Map<string, Record<string, MethodDefinition>>();
  for (const [path, members] of items) {
    refuseExtensions(members, new Set(httpMethods.keys()), path);
    const methods = paths.get(path) ?? {};
    for (const [member, operation] of Object.entries(members)) {
      const httpMethod = httpMethods.get(member.toLowerCase());
      if (httpMethod !== undefined)
        methods[httpMethod] = readMethod(reading, path, httpMethod, members, asMembers(operation));
    }
    paths.set(path, methods);
  }
  return paths;
}

function readMethod(
  { document, models, validators, warnings }: Reading,
  path: string,
  httpMethod: string,
  pathItem: Members,
  operation: Members,
): MethodDefinition {
  const where = `${httpMethod} ${path}`;
  refuseExtensions(operation, operationExtensions, where);
  const { requestParameters, requestModels } = readRequest(document, pathItem, operation, models, where, warnings);
  const methodResponses = readResponses(document, operation, models, where, warnings);
  const requestValidator = validatorOf(document, operation, validators, where);
  const integration = operation["x-amazon-apigateway-integration"];
  const method: MethodDefinition = {
    httpMethod,
    ...readSecurity(document, operation, where),
    ...(typeof operation["operationId"] === "string" ? { operationName: operation["operationId"] } : {}),
    ...(Object.keys(requestParameters).length === 0 ? {} : { requestParameters }),
    ...(Object.keys(requestModels).length === 0 ? {} : { requestModels }),
    ...(requestValidator === undefined ? {} : { requestValidator }),
    ...(Object.keys(methodResponses).length === 0 ? {} : { methodResponses }),
    ...(integration === undefined ? {} : { integration: readIntegration(asMembers(integration), where) }),
  };
  checkMapped(method);
  return method;
}

function readGatewayResponses(members: Members): PublishedGatewayResponse[] {
  const responses: PublishedGatewayResponse[] = [];
  for (const [responseType, value] of Object.entries(members)) {
    const { statusCode, responseParameters, responseTemplates } = asMembers(value);
    const response: PublishedGatewayResponse = {
      responseType: parseResponseType(responseType),
      ...(statusCode === undefined ? {} : { statusCode: String(statusCode) }),
      responseParameters: readTexts(responseParameters),
      responseTemplates: readTexts(responseTemplates),
    };
    responses.push(checkGatewayResponse(response));
  }
  return responses;
}
