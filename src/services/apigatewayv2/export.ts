import { type AuthorizerRecord, describeAuthorizer } from "./authorizer-record.ts";
import type { ApiRecord, FrozenDefinition, IntegrationRecord, RouteRecord } from "./model.ts";

type Members = Record<string, unknown>;

/**
 * An HTTP API as a definition of OpenAPI 3.
 *
 * @param server the API's address, and its stage where one is exported
 */
export function exportApi(
  { api, routes, integrations, authorizers }: FrozenDefinition,
  server: { readonly url: string; readonly stageName?: string },
  withExtensions: boolean,
): Members {
  const paths: Record<string, Members> = {};
  const schemes: Members = {};
  for (const route of routes.toSorted((one, other) => (one.routeKey < other.routeKey ? -1 : 1))) {
    const [method = "", path = ""] = route.routeKey === "$default" ? ["ANY", "/$default"] : route.routeKey.split(" ");
    const integration = integrations.find(({ integrationId }) => integrationId === route.integrationId);
    const variables = [...path.matchAll(/\{([^}+]+)\+?\}/g)].map(([, name]) => name);
    const security = exportSecurity(route, authorizers, schemes, withExtensions);
    const item = (paths[path] ??= {});
    item[method === "ANY" ? "x-amazon-apigateway-any-method" : method.toLowerCase()] = {
      ...(route.operationName === undefined ? {} : { operationId: route.operationName }),
      ...(variables.length === 0
        ? {}
        : {
            parameters: variables.map((name) => ({
              name,
              in: "path",
              description: `Generated path parameter for ${name}`,
              required: true,
              schema: { type: "string" },
            })),
          }),
      responses: { default: { description: `Default response for ${route.routeKey}` } },
      ...(security === undefined ? {} : { security: [security] }),
      ...(withExtensions && route.routeKey === "$default" ? { isDefaultRoute: true } : {}),
      ...(withExtensions && integration !== undefined
        ? { "x-amazon-apigateway-integration": exportIntegration(integration) }
        : {}),
    };
  }
  const { cors } = api;
  const tags = Object.entries(api.tags).map(([name, value]) => ({ name, "x-amazon-apigateway-tag-value": value }));
  return {
    openapi: "3.0.1",
    info: {
      title: api.name,
      ...(api.description === undefined ? {} : { description: api.description }),
      version: api.apiVersion ?? new Date(api.createdAt).toISOString().replace(/\.\d+Z$/, "Z"),
    },
    servers: [
      server.stageName === undefined || server.stageName === "$default"
        ? { url: server.url }
        : { url: `${server.url}/{basePath}`, variables: { basePath: { default: server.stageName } } },
    ],
    ...(tags.length === 0 || !withExtensions ? {} : { tags }),
    paths,
    ...(Object.keys(schemes).length === 0 ? {} : { components: { securitySchemes: schemes } }),
    ...(withExtensions
      ? {
          ...(cors === undefined ? {} : { "x-amazon-apigateway-cors": exportCors(cors) }),
          ...(api.disableExecuteApiEndpoint
            ? { "x-amazon-apigateway-endpoint-configuration": { disableExecuteApiEndpoint: true } }
            : {}),
          "x-amazon-apigateway-importexport-version": "1.0",
        }
      : {}),
  };
}

function exportIntegration(integration: IntegrationRecord): Members {
  const { serverName, requestParameters, responseParameters } = integration;
  const type = (integration.type ?? "AWS_PROXY").toLowerCase();
  const isFunction = type === "aws_proxy" && integration.subtype === undefined;
  return {
    ...(integration.credentials === undefined ? {} : { credentials: integration.credentials }),
    ...(integration.description === undefined ? {} : { description: integration.description }),
    ...(integration.subtype === undefined ? {} : { integrationSubtype: integration.subtype }),
    ...(requestParameters === undefined ? {} : { requestParameters }),
    ...(responseParameters === undefined ? {} : { responseParameters }),
    ...(serverName === undefined ? {} : { tlsConfig: { serverNameToVerify: serverName } }),
    payloadFormatVersion: integration.payloadFormatVersion,
    type,
    ...(integration.method === undefined
      ? isFunction
        ? { httpMethod: "POST" }
        : {}
      : { httpMethod: integration.method === "ANY" ? "ANY" : integration.method }),
    ...(integration.uri === "" ? {} : { uri: integration.uri }),
    connectionType: "INTERNET",
    timeoutInMillis: integration.timeoutMs,
  };
}

/** Adds the scheme that a route is secured by. */
function exportSecurity(
  route: RouteRecord,
  authorizers: readonly AuthorizerRecord[],
  schemes: Members,
  withExtensions: boolean,
): Members | undefined {
  if (route.authorizationType === "AWS_IAM") {
    schemes["sigv4"] = {
      type: "apiKey",
      name: "Authorization",
      in: "header",
      "x-amazon-apigateway-authtype": "awsSigv4",
    };
    return { sigv4: [] };
  }
  const authorizer = authorizers.find(({ authorizerId }) => authorizerId === route.authorizerId);
  if (authorizer === undefined) return undefined;
  schemes[authorizer.name] = {
    ...(authorizer.type === "JWT" ? { type: "oauth2" } : { type: "apiKey", name: "Authorization", in: "header" }),
    ...(withExtensions ? { "x-amazon-apigateway-authorizer": exportAuthorizer(authorizer) } : {}),
  };
  return { [authorizer.name]: [...(route.authorizationScopes ?? [])] };
}

/** As the operations tell it, under the names that definitions have. */
function exportAuthorizer(authorizer: AuthorizerRecord): Members {
  const exported: Members = {};
  for (const [member, value] of Object.entries(describeAuthorizer(authorizer))) {
    const name = authorizerMembers.get(member);
    if (name !== undefined) exported[name] = value;
  }
  exported["type"] = authorizer.type.toLowerCase();
  exported["identitySource"] = authorizer.identitySource.join(",");
  if (authorizer.type === "JWT") {
    exported["jwtConfiguration"] = { issuer: authorizer.issuer, audience: [...authorizer.audience] };
  }
  return exported;
}

const authorizerMembers = new Map([
  ["AuthorizerCredentialsArn", "authorizerCredentials"],
  ["AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion"],
  ["AuthorizerResultTtlInSeconds", "authorizerResultTtlInSeconds"],
  ["AuthorizerUri", "authorizerUri"],
  ["EnableSimpleResponses", "enableSimpleResponses"],
]);

function exportCors({ maxAgeSeconds, ...cors }: NonNullable<ApiRecord["cors"]>): Members {
  return { ...cors, ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }) };
}
