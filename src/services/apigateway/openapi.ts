import { notImplemented } from "../../aws/error.ts";
import type { PublishedGatewayResponse } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import type { IntegrationRecord, IntegrationResponseRecord, MethodRecord } from "./model.ts";
import { asMembers, type Members, parseDocument, readTexts, refuseExtensions } from "./openapi-document.ts";
import { readDocumentation, readValidators, type ValidatorDefinition, validatorOf } from "./openapi-describing.ts";
import { type ModelDefinition, type ModelReader, readModels, readRequest, readResponses } from "./openapi-models.ts";
import {
  asksForSomething,
  checkGatewayTemplates,
  checkLiteralParameters,
  checkPathPart,
  checkStaticTemplates,
  parseAuthorizationType,
  parseCredentials,
  parsePassthrough,
  parseResponseType,
  parseProxyUri,
  parseTimeout,
} from "./rules.ts";

/** A Swagger 2 or OpenAPI 3 definition of a REST API, read. */
export interface ApiDefinition {
  readonly name: string;
  readonly description?: string;
  readonly apiVersion?: string;
  readonly binaryMediaTypes: readonly string[];
  readonly apiKeySource: "HEADER" | "AUTHORIZER";
  /** Undefined where the definition does not say. */
  readonly disableExecuteApiEndpoint: boolean | undefined;
  readonly gatewayResponses: readonly PublishedGatewayResponse[];
  /** By path, `/` for the root. */
  readonly methods: ReadonlyMap<string, Readonly<Record<string, MethodDefinition>>>;
  readonly models: ReadonlyMap<string, ModelDefinition>;
  /** By name. */
  readonly validators: ReadonlyMap<string, ValidatorDefinition>;
  readonly documentation: ReturnType<typeof readDocumentation>;
  /** What was read but does nothing. */
  readonly warnings: readonly string[];
}

/** A method whose validator is known by name. */
export interface MethodDefinition extends MethodRecord {
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
export function parseApiDefinition(body: Uint8Array, basePathMode: BasePathMode = "ignore"): ApiDefinition {
  const document = parseDocument(body);
  if (document["swagger"] === undefined && document["openapi"] === undefined) {
    throw badRequest("Invalid OpenAPI input: the definition names neither a swagger nor an openapi version");
  }
  refuseExtensions(document, documentExtensions, "the definition");
  const info = asMembers(document["info"]);
  const title = info["title"];
  const endpoint = asMembers(document["x-amazon-apigateway-endpoint-configuration"]);
  if (asksForSomething(endpoint["vpcEndpointIds"]))
    throw notImplemented("An endpoint configuration with vpcEndpointIds");
  const disabled = endpoint["disableExecuteApiEndpoint"];
  const types = document["x-amazon-apigateway-binary-media-types"];
  const warnings: string[] = [];
  const models = readModels(document, warnings);
  const validators = readValidators(document);
  const methods = readPaths({ document, models, validators, warnings }, basePathOf(document, basePathMode));
  return {
    name: typeof title === "string" && title !== "" ? title : "",
    ...(typeof info["description"] === "string" ? { description: info["description"] } : {}),
    ...(info["version"] === undefined ? {} : { apiVersion: String(info["version"]) }),
    binaryMediaTypes: Array.isArray(types) ? types.map(String) : [],
    apiKeySource: document["x-amazon-apigateway-api-key-source"] === "AUTHORIZER" ? "AUTHORIZER" : "HEADER",
    disableExecuteApiEndpoint: disabled === undefined ? undefined : String(disabled) === "true",
    gatewayResponses: readGatewayResponses(asMembers(document["x-amazon-apigateway-gateway-responses"])),
    methods,
    models: models.models,
    validators,
    documentation: readDocumentation(document),
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

function readPaths(reading: Reading, basePath: string): Map<string, Record<string, MethodDefinition>> {
  const paths = new Map<string, Record<string, MethodDefinition>>();
  for (const [relative, item] of Object.entries(asMembers(reading.document["paths"]))) {
    if (relative.startsWith("x-")) continue;
    const written = basePath === "" ? relative : `${basePath}${relative}`;
    const path = written.length > 1 ? written.replace(/\/+$/, "") : written;
    if (!path.startsWith("/")) throw badRequest(`Invalid path ${written}: paths must begin with a slash`);
    if (path !== "/") for (const part of path.slice(1).split("/")) checkPathPart(part);
    const members = asMembers(item);
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
  return {
    httpMethod,
    authorizationType: readAuthorization(document, operation),
    ...(typeof operation["operationId"] === "string" ? { operationName: operation["operationId"] } : {}),
    ...(Object.keys(requestParameters).length === 0 ? {} : { requestParameters }),
    ...(Object.keys(requestModels).length === 0 ? {} : { requestModels }),
    ...(requestValidator === undefined ? {} : { requestValidator }),
    ...(Object.keys(methodResponses).length === 0 ? {} : { methodResponses }),
    ...(integration === undefined ? {} : { integration: readIntegration(asMembers(integration), where) }),
  };
}

/** AWS_IAM where a scheme of SigV4 is asked for; every other scheme is refused by name. */
function readAuthorization(document: Members, operation: Members): "NONE" | "AWS_IAM" {
  const auth = asMembers(operation["x-amazon-apigateway-auth"])["type"];
  if (auth !== undefined) return parseAuthorizationType(String(auth).toUpperCase());
  const security = operation["security"] ?? document["security"];
  if (!Array.isArray(security)) return "NONE";
  const schemes = {
    ...asMembers(document["securityDefinitions"]),
    ...asMembers(asMembers(document["components"])["securitySchemes"]),
  };
  for (const requirement of security) {
    for (const name of Object.keys(asMembers(requirement))) {
      const scheme = asMembers(schemes[name]);
      if (scheme["x-amazon-apigateway-authtype"] === "awsSigv4") return "AWS_IAM";
      // SAM writes NONE for a method that opts out of the default authorizer.
      if (name === "NONE") continue;
      if (scheme["type"] === "apiKey" && String(scheme["name"]).toLowerCase() === "x-api-key") {
        throw notImplemented(`A method that requires an API key (${name})`);
      }
      throw notImplemented(`The authorizer ${name}`);
    }
  }
  return "NONE";
}

const proxyMembers = new Set([
  "cacheNamespace",
  "connectionType",
  "contentHandling",
  "credentials",
  "httpMethod",
  "passthroughBehavior",
  "payloadFormatVersion",
  "responses",
  "responseTransferMode",
  "timeoutInMillis",
  "type",
  "uri",
]);
const mockMembers = new Set([
  "cacheNamespace",
  "httpMethod",
  "passthroughBehavior",
  "requestTemplates",
  "responses",
  "timeoutInMillis",
  "type",
]);

function readIntegration(integration: Members, where: string): IntegrationRecord {
  const type = String(integration["type"] ?? "").toUpperCase();
  if (type === "") throw badRequest(`The integration of ${where} has no type`);
  if (type !== "AWS_PROXY" && type !== "MOCK") throw notImplemented(`An integration of type ${type} (${where})`);
  const known = type === "MOCK" ? mockMembers : proxyMembers;
  for (const [name, value] of Object.entries(integration)) {
    if (!known.has(name) && asksForSomething(value)) {
      throw notImplemented(`x-amazon-apigateway-integration with ${name} (${where})`);
    }
  }
  if (integration["responseTransferMode"] === "STREAM") throw notImplemented(`responseTransferMode STREAM (${where})`);
  if (asksForSomething(integration["connectionType"]) && integration["connectionType"] !== "INTERNET") {
    throw notImplemented(`connectionType ${String(integration["connectionType"])} (${where})`);
  }
  const timeout = integration["timeoutInMillis"];
  const handling = integration["contentHandling"];
  const requestTemplates = readTexts(integration["requestTemplates"]);
  const responses = readIntegrationResponses(asMembers(integration["responses"]));
  if (type === "MOCK") checkMock(requestTemplates, responses, where);
  return {
    type,
    ...(type === "AWS_PROXY"
      ? { uri: parseProxyUri(typeof integration["uri"] === "string" ? integration["uri"] : undefined) }
      : {}),
    ...parseCredentials(asksForSomething(integration["credentials"]) ? String(integration["credentials"]) : undefined),
    ...(Object.keys(requestTemplates).length === 0 ? {} : { requestTemplates }),
    passthroughBehavior: parsePassthrough(
      integration["passthroughBehavior"] === undefined ? undefined : String(integration["passthroughBehavior"]),
    ),
    ...(handling === "CONVERT_TO_TEXT" || handling === "CONVERT_TO_BINARY" ? { contentHandling: handling } : {}),
    timeoutMs: parseTimeout(timeout === undefined ? undefined : Number(timeout)),
    responses,
  };
}

function readIntegrationResponses(members: Members): Record<string, IntegrationResponseRecord> {
  const responses: Record<string, IntegrationResponseRecord> = {};
  for (const [pattern, value] of Object.entries(members)) {
    const response = asMembers(value);
    const statusCode = String(response["statusCode"] ?? "200");
    const responseParameters = readTexts(response["responseParameters"]);
    const responseTemplates = readTexts(response["responseTemplates"]);
    responses[statusCode] = {
      statusCode,
      ...(pattern === "default" ? {} : { selectionPattern: pattern }),
      ...(Object.keys(responseParameters).length === 0 ? {} : { responseParameters }),
      ...(Object.keys(responseTemplates).length === 0 ? {} : { responseTemplates }),
    };
  }
  return responses;
}

function checkMock(
  requestTemplates: Readonly<Record<string, string>>,
  responses: Readonly<Record<string, IntegrationResponseRecord>>,
  where: string,
): void {
  checkStaticTemplates(requestTemplates, where);
  for (const response of Object.values(responses)) {
    checkLiteralParameters(response.responseParameters, "method.response.header.");
    checkStaticTemplates(response.responseTemplates, where);
  }
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
    checkLiteralParameters(response.responseParameters, "gatewayresponse.header.");
    checkGatewayTemplates(response.responseTemplates, responseType);
    responses.push(response);
  }
  return responses;
}
