import type { AuthorizerRecord } from "./authorizer-record.ts";
import type { IntegrationRecord, MethodRecord, ResourceRecord } from "./model.ts";
import type { DocumentationPartRecord, FrozenApiRecord, ModelRecord } from "./records.ts";

/** What an export is to have besides the plain definition. */
export interface ExportOptions {
  readonly format: "swagger" | "oas30";
  readonly integrations: boolean;
  readonly authorizers: boolean;
  /** Of the stage's documentation version; absent where it is not asked for. */
  readonly documentation?: { readonly version: string; readonly parts: readonly DocumentationPartRecord[] };
}

export interface ExportedStage {
  readonly stageName: string;
  /** Of the API, with its scheme and without a path: `https://abc.execute-api.us-east-1.localhost`. */
  readonly endpoint: URL;
  /** What a method's integration is told as: the operation's own way. */
  readonly describeIntegration: (integration: IntegrationRecord, resourceId: string) => object;
}

type Members = Record<string, unknown>;

/** A deployed API as a definition of Swagger 2 or OpenAPI 3, in the order and with the members that AWS writes. */
export function exportApi(frozen: FrozenApiRecord, stage: ExportedStage, options: ExportOptions): Members {
  const { api } = frozen;
  const isSwagger = options.format === "swagger";
  const schemes = new Map<string, Members>();
  const paths: Members = {};
  for (const resource of frozen.resources.toSorted((one, other) => (one.path < other.path ? -1 : 1))) {
    const methods = Object.values(resource.methods);
    if (methods.length === 0) continue;
    const item: Members = {};
    for (const method of methods) {
      const name = method.httpMethod === "ANY" ? "x-amazon-apigateway-any-method" : method.httpMethod.toLowerCase();
      item[name] = exportMethod(frozen, resource, method, stage, options, schemes);
    }
    paths[resource.path] = item;
  }
  const definitions = Object.fromEntries(
    frozen.models
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map((model) => [model.name, exportSchema(model, isSwagger)]),
  );
  const info = {
    ...(api.description === undefined ? {} : { description: api.description }),
    version: api.apiVersion ?? new Date(api.createdAt).toISOString().replace(/\.\d+Z$/, "Z"),
    title: api.name,
  };
  const { protocol, host } = stage.endpoint;
  const extensions = exportExtensions(frozen, options);
  if (isSwagger) {
    return {
      swagger: "2.0",
      info,
      host,
      basePath: `/${stage.stageName}`,
      schemes: [protocol.replace(":", "")],
      paths,
      ...(schemes.size === 0 ? {} : { securityDefinitions: Object.fromEntries(schemes) }),
      ...(frozen.models.length === 0 ? {} : { definitions }),
      ...extensions,
    };
  }
  const components = {
    ...(frozen.models.length === 0 ? {} : { schemas: definitions }),
    ...(schemes.size === 0 ? {} : { securitySchemes: Object.fromEntries(schemes) }),
  };
  return {
    openapi: "3.0.1",
    info,
    servers: [{ url: `${protocol}//${host}/{basePath}`, variables: { basePath: { default: stage.stageName } } }],
    paths,
    components,
    ...extensions,
  };
}

function exportMethod(
  frozen: FrozenApiRecord,
  resource: ResourceRecord,
  method: MethodRecord,
  stage: ExportedStage,
  { format, integrations, authorizers }: ExportOptions,
  schemes: Map<string, Members>,
): Members {
  const isSwagger = format === "swagger";
  const parameters = exportParameters(method, isSwagger);
  const requestTypes = Object.keys(method.requestModels ?? {});
  const responses = Object.values(method.methodResponses ?? {});
  const responseTypes = [...new Set(responses.flatMap((response) => Object.keys(response.responseModels ?? {})))];
  const validator = frozen.validators.find(({ id }) => id === method.requestValidatorId);
  const security = exportSecurity(frozen, method, authorizers, schemes);
  return {
    ...(method.operationName === undefined ? {} : { operationId: method.operationName }),
    ...(isSwagger && requestTypes.length > 0 ? { consumes: requestTypes } : {}),
    ...(isSwagger && responseTypes.length > 0 ? { produces: responseTypes } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isSwagger || requestTypes.length === 0
      ? {}
      : { requestBody: { content: exportContent(method.requestModels), required: true } }),
    responses: Object.fromEntries(
      responses.map((response) => {
        const headers = Object.keys(response.responseParameters ?? {}).map((name) => [
          name.replace("method.response.header.", ""),
          isSwagger ? { type: "string" } : { schema: { type: "string" } },
        ]);
        const models = Object.values(response.responseModels ?? {});
        return [
          response.statusCode,
          {
            description: `${response.statusCode} response`,
            ...(isSwagger && models[0] !== undefined ? { schema: { $ref: `#/definitions/${models[0]}` } } : {}),
            ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
            content: isSwagger ? undefined : exportContent(response.responseModels),
          },
        ];
      }),
    ),
    ...(security.length === 0 ? {} : { security }),
    ...(validator?.name === undefined ? {} : { "x-amazon-apigateway-request-validator": validator.name }),
    ...(integrations && method.integration !== undefined
      ? {
          "x-amazon-apigateway-integration": exportIntegration(
            stage.describeIntegration(method.integration, resource.id),
            resource.id,
          ),
        }
      : {}),
  };
}

function exportParameters(method: MethodRecord, isSwagger: boolean): Members[] {
  const parameters: Members[] = [];
  for (const [key, required] of Object.entries(method.requestParameters ?? {})) {
    const [, place, name] = /^method\.request\.(\w+)\.(.+)$/.exec(key) ?? [];
    if (place === undefined || place.startsWith("multivalue")) continue;
    parameters.push({
      name,
      in: place === "querystring" ? "query" : place,
      // A definition cannot have it otherwise.
      required: place === "path" || required,
      ...(isSwagger ? { type: "string" } : { schema: { type: "string" } }),
    });
  }
  const [model] = Object.values(method.requestModels ?? {});
  if (isSwagger && model !== undefined) {
    parameters.push({ in: "body", name: model, required: true, schema: { $ref: `#/definitions/${model}` } });
  }
  return parameters;
}

function exportContent(models: Readonly<Record<string, string>> | undefined): Members {
  return Object.fromEntries(
    Object.entries(models ?? {}).map(([type, model]) => [type, { schema: { $ref: `#/components/schemas/${model}` } }]),
  );
}

/** Adds the schemes that a method is secured by. */
function exportSecurity(
  frozen: FrozenApiRecord,
  method: MethodRecord,
  withAuthorizers: boolean,
  schemes: Map<string, Members>,
): Members[] {
  const security: Members[] = [];
  if (method.apiKeyRequired === true) {
    schemes.set("api_key", { type: "apiKey", name: "x-api-key", in: "header" });
    security.push({ api_key: [] });
  }
  if (method.authorizationType === "AWS_IAM") {
    schemes.set("sigv4", {
      type: "apiKey",
      name: "Authorization",
      in: "header",
      "x-amazon-apigateway-authtype": "awsSigv4",
    });
    security.push({ sigv4: [] });
  }
  const authorizer = frozen.authorizers?.find(({ id }) => id === method.authorizerId);
  if (authorizer !== undefined) {
    schemes.set(authorizer.name, exportAuthorizer(authorizer, withAuthorizers));
    security.push({ [authorizer.name]: [...(method.authorizationScopes ?? [])] });
  }
  return security;
}

function exportAuthorizer(authorizer: AuthorizerRecord, isWhole: boolean): Members {
  const { identitySource = "", authorizerUri, authorizerCredentials, identityValidationExpression } = authorizer;
  const header = /^method\.request\.header\.([^,]+)$/.exec(identitySource)?.[1];
  return {
    type: "apiKey",
    name: header ?? "Unused",
    in: "header",
    "x-amazon-apigateway-authtype": authorizer.authType,
    ...(isWhole
      ? {
          "x-amazon-apigateway-authorizer": {
            type: authorizer.type.toLowerCase(),
            ...(authorizer.providerArns === undefined ? {} : { providerARNs: [...authorizer.providerArns] }),
            ...(authorizerUri ? { authorizerUri } : {}),
            ...(authorizerCredentials ? { authorizerCredentials } : {}),
            ...(identitySource ? { identitySource } : {}),
            ...(identityValidationExpression ? { identityValidationExpression } : {}),
            authorizerResultTtlInSeconds: authorizer.ttlSeconds,
          },
        }
      : {}),
  };
}

/** The members of an integration as definitions name them, whatever its type has. */
function exportIntegration(described: object, resourceId: string): Members {
  const integration: Members = {};
  for (const [member, value] of Object.entries(described)) {
    if (member === "integrationResponses") {
      integration["responses"] = exportIntegrationResponses(Object.values<object>({ ...value }));
    } else if (member === "type" || member === "passthroughBehavior") {
      integration[member] = String(value).toLowerCase();
    } else if (member === "cacheNamespace" ? value !== resourceId : !isEmpty(value)) {
      integration[member] = value;
    }
  }
  return integration;
}

function exportIntegrationResponses(responses: readonly object[]): Members {
  const exported: Members = {};
  for (const response of responses) {
    const members = new Map<string, unknown>(Object.entries(response));
    const pattern = members.get("selectionPattern");
    members.delete("selectionPattern");
    exported[typeof pattern === "string" && pattern !== "" ? pattern : "default"] = Object.fromEntries(members);
  }
  return exported;
}

function exportExtensions(frozen: FrozenApiRecord, { integrations, documentation }: ExportOptions): Members {
  const { api } = frozen;
  const policy = api.policy === undefined || !integrations ? undefined : parseJson(api.policy);
  const responses = frozen.gatewayResponses.map(({ responseType, ...response }) => [responseType, response]);
  const validators = frozen.validators.flatMap(({ id: _id, creationToken: _token, name, ...validator }) =>
    name === undefined ? [] : [[name, validator]],
  );
  return {
    ...(documentation === undefined
      ? {}
      : {
          "x-amazon-apigateway-documentation": {
            version: documentation.version,
            documentationParts: documentation.parts.map(({ location, properties }) => ({
              location,
              properties: parseJson(properties),
            })),
          },
        }),
    ...(!integrations || responses.length === 0
      ? {}
      : { "x-amazon-apigateway-gateway-responses": Object.fromEntries(responses) }),
    ...(validators.length === 0 ? {} : { "x-amazon-apigateway-request-validators": Object.fromEntries(validators) }),
    ...(api.binaryMediaTypes.length === 0
      ? {}
      : { "x-amazon-apigateway-binary-media-types": [...api.binaryMediaTypes] }),
    ...(api.minimumCompressionSize === undefined
      ? {}
      : { "x-amazon-apigateway-minimum-compression-size": api.minimumCompressionSize }),
    ...(policy === undefined ? {} : { "x-amazon-apigateway-policy": policy }),
    ...(api.apiKeySource === "HEADER" ? {} : { "x-amazon-apigateway-api-key-source": api.apiKeySource }),
  };
}

function exportSchema(model: ModelRecord, isSwagger: boolean): unknown {
  const place = isSwagger ? "#/definitions/" : "#/components/schemas/";
  const schema: unknown = JSON.parse(model.schema === "" ? "{}" : model.schema, (member, value: unknown) =>
    member === "$ref" && typeof value === "string"
      ? value.replace(/^https?:\/\/[^/]+\/restapis\/[^/]+\/models\/([A-Za-z0-9]+)$/, `${place}$1`)
      : value,
  );
  if (typeof schema !== "object" || schema === null) return schema;
  const members = new Map<string, unknown>(Object.entries(schema));
  members.delete("$schema");
  return Object.fromEntries(members);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}
