import { notImplemented } from "../../aws/error.ts";
import type { PublishedGatewayResponse } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import type { IntegrationRecord, IntegrationResponseRecord, MethodRecord, MethodResponseRecord } from "./model.ts";
import { asMembers, type Members, parseDocument, readTexts, refuseExtensions, resolve } from "./openapi-document.ts";
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
  readonly methods: ReadonlyMap<string, Readonly<Record<string, MethodRecord>>>;
}

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
  "x-amazon-apigateway-endpoint-configuration",
  "x-amazon-apigateway-gateway-responses",
  "x-amazon-apigateway-importexport-version",
]);
const operationExtensions = new Set(["x-amazon-apigateway-auth", "x-amazon-apigateway-integration"]);

/**
 * Read a definition to import. Extensions of AWS that nothing here acts on are refused by name; what only documents
 * (schemas, parameters, responses) has no effect without a request validator, as on AWS.
 */
export function parseApiDefinition(body: Uint8Array): ApiDefinition {
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
  return {
    name: typeof title === "string" && title !== "" ? title : "",
    ...(typeof info["description"] === "string" ? { description: info["description"] } : {}),
    ...(info["version"] === undefined ? {} : { apiVersion: String(info["version"]) }),
    binaryMediaTypes: Array.isArray(types) ? types.map(String) : [],
    apiKeySource: document["x-amazon-apigateway-api-key-source"] === "AUTHORIZER" ? "AUTHORIZER" : "HEADER",
    disableExecuteApiEndpoint: disabled === undefined ? undefined : String(disabled) === "true",
    gatewayResponses: readGatewayResponses(asMembers(document["x-amazon-apigateway-gateway-responses"])),
    methods: readPaths(document),
  };
}

function readPaths(document: Members): Map<string, Record<string, MethodRecord>> {
  const paths = new Map<string, Record<string, MethodRecord>>();
  for (const [written, item] of Object.entries(asMembers(document["paths"]))) {
    const path = written.length > 1 ? written.replace(/\/+$/, "") : written;
    if (!path.startsWith("/")) throw badRequest(`Invalid path ${written}: paths must begin with a slash`);
    if (path !== "/") for (const part of path.slice(1).split("/")) checkPathPart(part);
    const members = asMembers(item);
    refuseExtensions(members, new Set(httpMethods.keys()), path);
    const methods = paths.get(path) ?? {};
    for (const [member, operation] of Object.entries(members)) {
      const httpMethod = httpMethods.get(member.toLowerCase());
      if (httpMethod !== undefined) methods[httpMethod] = readMethod(document, path, httpMethod, asMembers(operation));
    }
    paths.set(path, methods);
  }
  return paths;
}

function readMethod(document: Members, path: string, httpMethod: string, operation: Members): MethodRecord {
  const where = `${httpMethod} ${path}`;
  refuseExtensions(operation, operationExtensions, where);
  const requestParameters = readParameters(document, operation["parameters"]);
  const methodResponses = readResponses(operation["responses"]);
  const integration = operation["x-amazon-apigateway-integration"];
  return {
    httpMethod,
    authorizationType: readAuthorization(document, operation),
    ...(typeof operation["operationId"] === "string" ? { operationName: operation["operationId"] } : {}),
    ...(Object.keys(requestParameters).length === 0 ? {} : { requestParameters }),
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

function readParameters(document: Members, parameters: unknown): Record<string, boolean> {
  const read: Record<string, boolean> = {};
  if (!Array.isArray(parameters)) return read;
  for (const item of parameters) {
    const parameter = resolve(document, item);
    const place = new Map([
      ["header", "header"],
      ["query", "querystring"],
      ["path", "path"],
    ]).get(String(parameter["in"]));
    if (place !== undefined)
      read[`method.request.${place}.${String(parameter["name"])}`] = parameter["required"] === true;
  }
  return read;
}

function readResponses(responses: unknown): Record<string, MethodResponseRecord> {
  const read: Record<string, MethodResponseRecord> = {};
  for (const [statusCode, response] of Object.entries(asMembers(responses))) {
    if (!/^\d{3}$/.test(statusCode)) continue;
    const headers = Object.keys(asMembers(asMembers(response)["headers"]));
    const responseParameters = Object.fromEntries(headers.map((name) => [`method.response.header.${name}`, false]));
    read[statusCode] = { statusCode, ...(headers.length === 0 ? {} : { responseParameters }) };
  }
  return read;
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
