import { notImplemented } from "../../aws/error.ts";
import { badRequest } from "./errors.ts";
import { checkRequestParameters, checkResponse, parseContentHandling, parseIntegration } from "./integration-rules.ts";
import type { IntegrationRecord, IntegrationResponseRecord, MethodRecord } from "./model.ts";
import { asksForSomething } from "./rules.ts";

type Members = Readonly<Record<string, unknown>>;

const known = new Set([
  "cacheKeyParameters",
  "cacheNamespace",
  "connectionId",
  "connectionType",
  "contentHandling",
  "credentials",
  "httpMethod",
  "integrationTarget",
  "passthroughBehavior",
  "payloadFormatVersion",
  "requestParameters",
  "requestTemplates",
  "responses",
  "responseTransferMode",
  "timeoutInMillis",
  "tlsConfig",
  "type",
  "uri",
]);

/**
 * Read `x-amazon-apigateway-integration`.
 *
 * Source: "x-amazon-apigateway-integration object". Members that nothing here acts on are refused by name.
 */
export function readIntegration(integration: Members, where: string): IntegrationRecord {
  for (const [name, value] of Object.entries(integration)) {
    if (!known.has(name) && asksForSomething(value)) {
      throw notImplemented(`x-amazon-apigateway-integration with ${name} (${where})`);
    }
  }
  const type = textOf(integration["type"]);
  if (type === undefined) throw badRequest(`The integration of ${where} has no type`);
  const timeout = integration["timeoutInMillis"];
  const keys = integration["cacheKeyParameters"];
  const insecure = asMembers(integration["tlsConfig"])["insecureSkipVerification"];
  const parameters = readTexts(integration["requestParameters"]);
  const templates = readTexts(integration["requestTemplates"]);
  return {
    ...parseIntegration({
      type,
      httpMethod: textOf(integration["httpMethod"])?.toUpperCase().replace("X-AMAZON-APIGATEWAY-ANY-METHOD", "ANY"),
      uri: textOf(integration["uri"]),
      credentials: textOf(integration["credentials"]),
      connectionType: textOf(integration["connectionType"]),
      connectionId: textOf(integration["connectionId"]),
      integrationTarget: textOf(integration["integrationTarget"]),
      requestParameters: isEmpty(parameters) ? undefined : parameters,
      requestTemplates: isEmpty(templates) ? undefined : templates,
      passthroughBehavior: textOf(integration["passthroughBehavior"]),
      contentHandling: textOf(integration["contentHandling"]),
      timeoutInMillis: timeout === undefined ? undefined : Number(timeout),
      cacheNamespace: textOf(integration["cacheNamespace"]),
      cacheKeyParameters: Array.isArray(keys) ? keys.map(String) : undefined,
      insecureSkipVerification: String(insecure) === "true",
      responseTransferMode: textOf(integration["responseTransferMode"]),
    }),
    responses: readResponses(asMembers(integration["responses"])),
  };
}

/** What an integration may name of its method, checked when the method is whole. */
export function checkMapped(method: MappedMethod): void {
  const { integration } = method;
  if (integration === undefined) return;
  checkRequestParameters(method, integration);
  for (const response of Object.values(integration.responses)) checkResponse(method, response);
}

type MappedMethod = Pick<MethodRecord, "integration" | "methodResponses" | "requestParameters">;

function readResponses(members: Members): Record<string, IntegrationResponseRecord> {
  const responses: Record<string, IntegrationResponseRecord> = {};
  for (const [pattern, value] of Object.entries(members)) {
    const response = asMembers(value);
    const statusCode = String(response["statusCode"] ?? "200");
    if (!/^[1-5]\d\d$/.test(statusCode)) throw badRequest(`Invalid status code specified: ${statusCode}`);
    const responseParameters = readTexts(response["responseParameters"]);
    const responseTemplates = readTexts(response["responseTemplates"]);
    responses[statusCode] = {
      statusCode,
      ...(pattern === "default" ? {} : { selectionPattern: pattern }),
      ...(isEmpty(responseParameters) ? {} : { responseParameters }),
      ...(isEmpty(responseTemplates) ? {} : { responseTemplates }),
      ...parseContentHandling(textOf(response["contentHandling"])),
    };
  }
  return responses;
}

function isEmpty(texts: Readonly<Record<string, string>>): boolean {
  return Object.keys(texts).length === 0;
}

/** Scalars as text; what is not there, and null, is undefined. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function readTexts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asMembers(value)).map(([name, text]) => [name, String(text)]));
}

function asMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
