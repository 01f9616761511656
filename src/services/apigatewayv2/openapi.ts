import { parse as parseYaml } from "yaml";
import { notImplemented } from "../../aws/error.ts";
import { asMembers, endpointConfigurationOf, type Members } from "../../aws/open-api.ts";
import type { PublishedCors } from "../execute-api/port.ts";
import type { AuthorizerRecord } from "./authorizer-record.ts";
import { badRequest } from "./errors.ts";
import type { IntegrationInput } from "./integration-rules.ts";
import { apiGatewayV2Limits as limits } from "./limits.ts";
import { readAuthorizers, readSecurity } from "./openapi-security.ts";
import { parseCors, parseRouteKey } from "./rules.ts";

/** An OpenAPI 3 definition of an HTTP API, read. */
export interface ApiDefinition {
  readonly name: string;
  readonly description?: string;
  readonly apiVersion?: string;
  readonly disableExecuteApiEndpoint: boolean;
  readonly cors?: PublishedCors;
  readonly tags: Readonly<Record<string, string>>;
  readonly routes: readonly RouteDefinition[];
  /** By name; without identifiers. */
  readonly authorizers: ReadonlyMap<string, AuthorizerRecord>;
  /** What was read but does nothing, as AWS tells it. */
  readonly warnings: readonly string[];
}

/** What becomes of a definition's base path: nothing, all of it before each path, or all but its first segment. */
export type BasePathMode = "ignore" | "prepend" | "split";

export interface RouteDefinition {
  readonly routeKey: string;
  readonly operationName?: string;
  readonly authorizationType: "NONE" | "AWS_IAM" | "CUSTOM" | "JWT";
  /** By name. */
  readonly authorizer?: string;
  readonly authorizationScopes?: readonly string[];
  readonly integration?: IntegrationInput;
}

const methods = new Map([
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
  "x-amazon-apigateway-cors",
  "x-amazon-apigateway-endpoint-configuration",
  "x-amazon-apigateway-importexport-version",
]);
const operationExtensions = new Set(["x-amazon-apigateway-integration"]);

/**
 * Read a definition to import. Extensions of AWS that nothing here acts on are refused by name; what only documents
 * (schemas, parameters, responses) has no effect, as on AWS.
 */
export function parseApiDefinition(body: string, basePathMode: BasePathMode = "ignore"): ApiDefinition {
  const document = parseDocument(body);
  const openapi = document["openapi"];
  if (typeof openapi !== "string" || !openapi.startsWith("3.")) {
    throw badRequest("Unable to import the API: only OpenAPI 3.0 definitions are supported for HTTP APIs");
  }
  refuseExtensions(document, documentExtensions, "the definition");
  const info = asMembers(document["info"]);
  const name = info["title"];
  if (typeof name !== "string" || name === "") throw badRequest("Unable to import the API: info.title is required");
  const cors = asMembers(document["x-amazon-apigateway-cors"]);
  const parsedCors = document["x-amazon-apigateway-cors"] === undefined ? undefined : parseCors(readCors(cors));
  const endpoint = endpointConfigurationOf(document);
  const routes = readRoutes(document, basePathOf(document, basePathMode));
  return {
    name,
    ...(typeof info["description"] === "string" ? { description: info["description"] } : {}),
    ...(typeof info["version"] === "string" ? { apiVersion: info["version"] } : {}),
    disableExecuteApiEndpoint: endpoint["disableExecuteApiEndpoint"] === true,
    ...(parsedCors === undefined ? {} : { cors: parsedCors }),
    tags: readTags(document["tags"]),
    routes,
    authorizers: readAuthorizers(document),
    warnings: routes
      .filter((route) => route.integration === undefined)
      .map((route) => `No integration defined for route ${route.routeKey}`),
  };
}

function parseDocument(body: string): Members {
  if (Buffer.byteLength(body) > limits.definitionBytesMax) throw badRequest("The definition is larger than 6 MB");
  let value: unknown;
  try {
    value = body.trimStart().startsWith("{") ? JSON.parse(body) : parseYaml(body, { maxAliasCount: 100 });
  } catch {
    throw badRequest("Unable to import the API: the definition is neither JSON nor YAML");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("Unable to import the API: the definition is not an object");
  }
  return asMembers(value);
}

/** The path of the first server, with the defaults of its variables. */
function basePathOf(document: Members, mode: BasePathMode): string {
  if (mode === "ignore") return "";
  const servers = document["servers"];
  const server = asMembers(Array.isArray(servers) ? servers[0] : undefined);
  const variables = asMembers(server["variables"]);
  const url = String(server["url"] ?? "").replaceAll(/\{([^}]*)\}/g, (_all, name: string) =>
    String(asMembers(variables[name])["default"] ?? ""),
  );
  const parts = url
    .replace(/^[a-z]+:\/\/[^/]*/i, "")
    .split("/")
    .filter((part) => part !== "");
  return (mode === "split" ? parts.slice(1) : parts).map((part) => `/${part}`).join("");
}

function readRoutes(document: Members, basePath: string): RouteDefinition[] {
  const routes: RouteDefinition[] = [];
  for (const [path, item] of Object.entries(asMembers(document["paths"]))) {
    const members = asMembers(item);
    refuseExtensions(members, new Set(methods.keys()), path);
    for (const [member, operation] of Object.entries(members)) {
      const method = methods.get(member.toLowerCase());
      if (method === undefined) continue;
      const routeKey = path === "$default" || path === "/$default" ? "$default" : `${method} ${basePath}${path}`;
      routes.push(readRoute(document, parseRouteKey(routeKey), asMembers(operation)));
    }
  }
  if (routes.length > limits.routesPerApiMax) throw badRequest(`An API has at most ${limits.routesPerApiMax} routes`);
  return routes;
}

function readRoute(document: Members, routeKey: string, operation: Members): RouteDefinition {
  refuseExtensions(operation, operationExtensions, routeKey);
  const integration = resolve(document, operation["x-amazon-apigateway-integration"]);
  return {
    routeKey,
    ...(typeof operation["operationId"] === "string" ? { operationName: operation["operationId"] } : {}),
    ...readSecurity(document, operation["security"] ?? document["security"]),
    ...(integration === undefined ? {} : { integration: readIntegration(integration, routeKey) }),
  };
}

const integrationMembers = new Set([
  "connectionType",
  "credentials",
  "description",
  "httpMethod",
  "integrationSubtype",
  "payloadFormatVersion",
  "requestParameters",
  "responseParameters",
  "timeoutInMillis",
  "tlsConfig",
  "type",
  "uri",
]);

function readIntegration(integration: Members, routeKey: string): IntegrationInput {
  const type = integration["type"];
  if (typeof type !== "string") throw badRequest(`The integration of ${routeKey} has no type`);
  for (const name of Object.keys(integration)) {
    if (!integrationMembers.has(name))
      throw notImplemented(`x-amazon-apigateway-integration with ${name} (${routeKey})`);
  }
  const version = integration["payloadFormatVersion"];
  const timeout = integration["timeoutInMillis"];
  const responses = asMembers(integration["responseParameters"]);
  return {
    IntegrationType: type.toUpperCase(),
    ConnectionType: textOf(integration["connectionType"]),
    CredentialsArn: textOf(integration["credentials"]),
    Description: textOf(integration["description"]),
    IntegrationMethod: textOf(integration["httpMethod"])
      ?.toUpperCase()
      .replace("X-AMAZON-APIGATEWAY-ANY-METHOD", "ANY"),
    IntegrationSubtype: textOf(integration["integrationSubtype"]),
    IntegrationUri: textOf(integration["uri"]),
    // YAML reads an unquoted 2.0 as the number 2.
    PayloadFormatVersion: typeof version === "number" ? version.toFixed(1) : textOf(version),
    TimeoutInMillis: timeout === undefined ? undefined : Number(timeout),
    RequestParameters:
      integration["requestParameters"] === undefined ? undefined : readTexts(integration["requestParameters"]),
    ResponseParameters:
      integration["responseParameters"] === undefined
        ? undefined
        : Object.fromEntries(Object.entries(responses).map(([status, texts]) => [status, readTexts(texts)])),
    TlsConfig: { ServerNameToVerify: textOf(asMembers(integration["tlsConfig"])["serverNameToVerify"]) },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function readTexts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asMembers(value)).map(([name, text]) => [name, String(text)]));
}

function readCors(cors: Members) {
  return {
    AllowCredentials: typeof cors["allowCredentials"] === "boolean" ? cors["allowCredentials"] : undefined,
    AllowHeaders: readStrings(cors["allowHeaders"]),
    AllowMethods: readStrings(cors["allowMethods"]),
    AllowOrigins: readStrings(cors["allowOrigins"]),
    ExposeHeaders: readStrings(cors["exposeHeaders"]),
    MaxAge: cors["maxAge"] === undefined ? undefined : Number(cors["maxAge"]),
  };
}

function readStrings(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  return (Array.isArray(value) ? value : [value]).map(String);
}

function readTags(tags: unknown): Record<string, string> {
  const read: Record<string, string> = {};
  if (!Array.isArray(tags)) return read;
  for (const tag of tags) {
    const { name, "x-amazon-apigateway-tag-value": value } = asMembers(tag);
    if (typeof name === "string" && (typeof value === "string" || typeof value === "number"))
      read[name] = String(value);
  }
  return read;
}

function refuseExtensions(members: Members, known: ReadonlySet<string>, where: string): void {
  for (const name of Object.keys(members)) {
    if (name.startsWith("x-amazon-apigateway-") && !known.has(name)) throw notImplemented(`${name} (${where})`);
  }
}

/** Follow a `$ref` into the same document. */
function resolve(document: Members, value: unknown): Members | undefined {
  if (value === undefined || value === null) return undefined;
  const members = asMembers(value);
  const reference = members["$ref"];
  if (typeof reference !== "string") return members;
  let target: unknown = document;
  for (const part of reference.replace(/^#\//, "").split("/")) target = asMembers(target)[part];
  if (target === undefined) throw badRequest(`Unable to resolve the reference ${reference}`);
  return asMembers(target);
}
