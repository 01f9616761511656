import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { InputOf } from "../../../wire/service.ts";
import { badRequest } from "../errors.ts";
import { checkCredentials, checkFunctionUri, integrationMethods, isHttpUri } from "../integration-rules.ts";
import { parseContentHandling, parseRequestParameters } from "./parameter-rules.ts";
import type { WebSocketIntegrationRecord } from "./records.ts";
import { type IsExpression, parseKeySelection, parseTemplates, parseWebSocketTimeout } from "./rules.ts";

export type WebSocketIntegrationInput = Omit<InputOf<typeof sdk, "UpdateIntegration">, "ApiId" | "IntegrationId">;

type Type = WebSocketIntegrationRecord["type"];

/** Source: the API reference of CreateIntegration, which says of each member which protocol has it. */
const httpOnly = ["IntegrationSubtype", "ResponseParameters", "TlsConfig"] as const;

/** Throws BadRequestException for what AWS refuses, and the 501 for what is not built. */
export function toIntegration(
  integrationId: string,
  input: WebSocketIntegrationInput,
  isExpression: IsExpression,
): WebSocketIntegrationRecord {
  for (const name of httpOnly) {
    if (input[name] !== undefined) throw badRequest(`${name} is only supported for HTTP protocol APIs`);
  }
  const { ConnectionId, ConnectionType, PayloadFormatVersion } = input;
  if (ConnectionId !== undefined || (ConnectionType !== undefined && ConnectionType !== "INTERNET")) {
    throw notImplemented("An integration with ConnectionType VPC_LINK");
  }
  if (PayloadFormatVersion !== undefined && PayloadFormatVersion !== "1.0") {
    throw badRequest("PayloadFormatVersion 2.0 is only supported for HTTP APIs");
  }
  const type = input.IntegrationType;
  if (type === undefined) throw badRequest("IntegrationType is required");
  checkProxy(type, input);
  const name = "TemplateSelectionExpression";
  const selection = parseKeySelection(name, input.TemplateSelectionExpression, isExpression, "message");
  const parameters = parseRequestParameters(input.RequestParameters);
  const contentHandling = parseContentHandling(input.ContentHandlingStrategy);
  const credentials = parseCredentials(type, input.CredentialsArn);
  const method = parseMethod(type, input.IntegrationMethod);
  return {
    integrationId,
    type,
    ...(type === "MOCK" ? {} : { uri: parseUri(type, input.IntegrationUri) }),
    ...(method === undefined ? {} : { method }),
    ...(credentials === undefined ? {} : { credentials }),
    timeoutMs: parseWebSocketTimeout(input.TimeoutInMillis),
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(parameters === undefined ? {} : { requestParameters: parameters }),
    requestTemplates: parseTemplates(input.RequestTemplates),
    ...(selection === undefined ? {} : { templateSelectionExpression: selection }),
    passthroughBehavior: parsePassthrough(input.PassthroughBehavior),
    ...(contentHandling === undefined ? {} : { contentHandling }),
  };
}

/** A proxy gets what came, as it came: nothing may be mapped for it that it would not see. */
function checkProxy(type: Type, input: WebSocketIntegrationInput): void {
  if ((type === "AWS_PROXY" || type === "HTTP_PROXY") && isMapped(input.RequestTemplates)) {
    throw badRequest(`RequestTemplates are not supported for ${type} integrations`);
  }
  if ((type === "AWS_PROXY" || type === "MOCK") && isMapped(input.RequestParameters)) {
    throw badRequest(`RequestParameters are not supported for ${type} integrations`);
  }
  if ((type === "AWS_PROXY" || type === "MOCK") && input.ContentHandlingStrategy) {
    throw badRequest(`ContentHandlingStrategy is not supported for ${type} integrations`);
  }
}

function isMapped(value: object | undefined): boolean {
  return Object.keys(value ?? {}).length > 0;
}

function parseUri(type: Exclude<Type, "MOCK">, uri: string | undefined): string {
  if (uri === undefined || uri === "") throw badRequest("IntegrationUri should be a valid integration uri");
  switch (type) {
    case "AWS_PROXY":
      checkFunctionUri(uri);
      return uri;
    case "HTTP":
    case "HTTP_PROXY":
      if (isHttpUri(uri)) return uri;
      throw badRequest("HTTP endpoint for integration must be a valid URL");
    case "AWS": {
      if (/^arn:[\w-]+:lambda:/.test(uri)) return uri;
      const arn = parseArn(uri);
      if (arn?.service === "apigateway" && arn.account !== "" && /^(?:action|path)\//.test(arn.resource)) return uri;
      throw badRequest("AWS ARN for integration must contain path or action");
    }
  }
}

function parseMethod(type: Type, method: string | undefined): string | undefined {
  if (type === "MOCK") return undefined;
  if (method === undefined) {
    if (type === "HTTP" || type === "HTTP_PROXY") {
      throw badRequest(`IntegrationMethod must be set for ${type} integrations`);
    }
    return "POST";
  }
  if (!integrationMethods.has(method)) throw badRequest(`Invalid HTTP method specified: ${method}`);
  // AWS: functions are always called with POST.
  if (type === "AWS_PROXY" && method !== "POST" && method !== "ANY") {
    throw badRequest("HttpMethod must be POST for AWS_PROXY IntegrationType");
  }
  return type === "AWS_PROXY" ? "POST" : method;
}

function parseCredentials(type: Type, credentials: string | undefined): string | undefined {
  if (credentials === undefined || credentials === "") return undefined;
  if (type !== "AWS" && type !== "AWS_PROXY") {
    throw badRequest(`CredentialsArn is not supported for ${type} integrations`);
  }
  checkCredentials(credentials);
  return credentials;
}

function parsePassthrough(behavior: string | undefined): WebSocketIntegrationRecord["passthroughBehavior"] {
  switch (behavior) {
    case undefined:
      return "WHEN_NO_MATCH";
    case "WHEN_NO_MATCH":
    case "WHEN_NO_TEMPLATES":
    case "NEVER":
      return behavior;
    default:
      throw badRequest("PassthroughBehavior must be one of WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER");
  }
}
