import { notImplemented } from "../../../aws/error.ts";
import { badRequest } from "../errors.ts";
import type { WebSocketRouteRecord } from "./records.ts";

/** Check a route key of a WebSocket API. */
export function parseWebSocketRouteKey(routeKey: string): string {
  if (routeKey.startsWith("$") && !predefined.has(routeKey)) {
    throw badRequest(
      "Route key must not start with $ unless it is one of the predefined routes: $connect, $disconnect, $default",
    );
  }
  if (routeKey === "") throw badRequest("Route key must not be empty");
  return routeKey;
}

const predefined = new Set(["$connect", "$disconnect", "$default"]);

/** Whether the data plane can evaluate an expression that chooses a route, or what maps a message or an answer. */
export type IsExpression = (expression: string, of: "route" | "message" | "answer") => boolean;

export function parseRouteSelectionExpression(expression: string | undefined, isExpression: IsExpression): string {
  if (expression === undefined || expression === "") {
    throw badRequest("RouteSelectionExpression is required for WEBSOCKET protocol APIs");
  }
  if (isExpression(expression, "route")) return expression;
  if (/^\$\{?request\.body/.test(expression)) {
    throw notImplemented(`The JSONPath of the RouteSelectionExpression ${expression}`);
  }
  throw badRequest("RouteSelectionExpression must be of the form $request.body.{path_to_body_element}");
}

export function parseApiKeySelectionExpression(expression: string | undefined): string {
  if (expression === undefined || expression === "") return defaultApiKeySelectionExpression;
  if (expression === defaultApiKeySelectionExpression || expression === "$context.authorizer.usageIdentifierKey") {
    return expression;
  }
  throw badRequest(
    "ApiKeySelectionExpression must be $request.header.x-api-key or $context.authorizer.usageIdentifierKey",
  );
}

const defaultApiKeySelectionExpression = "$request.header.x-api-key";

/** AWS: `$default` is all that selects a route response. */
export function parseResponseSelection(expression: string | undefined): string | undefined {
  if (expression === undefined || expression === "") return undefined;
  if (expression === "$default") return expression;
  throw badRequest("RouteResponseSelectionExpression must be $default");
}

/** AWS: who may connect is decided at `$connect`, and nowhere else. */
export function parseWebSocketAuthorization(
  type: string | undefined,
  routeKey: string,
): WebSocketRouteRecord["authorizationType"] {
  if (type === undefined || type === "NONE") return "NONE";
  if (routeKey !== "$connect") throw badRequest("Authorization is only supported on the $connect route");
  if (type === "AWS_IAM" || type === "CUSTOM") return type;
  throw badRequest("JWT authorizers are only supported for HTTP protocol APIs");
}

/** The end of a connection is told whoever it was: nobody could be refused. */
export function parseApiKeyRequired(required: boolean | undefined, routeKey: string): boolean {
  if (required === true && routeKey === "$disconnect") throw notImplemented("ApiKeyRequired of the route $disconnect");
  return required ?? false;
}

/** Source: "Quotas for configuring and running a WebSocket API in API Gateway": 50 ms to 29 s. */
export function parseWebSocketTimeout(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return timeoutMsMax;
  if (timeoutMs < 50 || timeoutMs > timeoutMsMax) {
    throw badRequest(`Timeout should be between 50 ms and ${timeoutMsMax} ms`);
  }
  return timeoutMs;
}

const timeoutMsMax = 29_000;

/** Source: "Maximum mapping template size" of the same quotas: 300 KB. */
export function parseTemplates(templates: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const given = { ...templates };
  for (const [name, text] of Object.entries(given)) {
    if (Buffer.byteLength(text) > 300 * 1024) throw badRequest(`The template ${name} is larger than 300 KB`);
  }
  return given;
}

/** A key of an integration response: `$default`, or a regular expression between slashes. */
export function parseIntegrationResponseKey(key: string): string {
  if (key === "$default") return key;
  if (!/^\/.+\/$/s.test(key)) throw badRequest("IntegrationResponseKey must be $default or of the form /<pattern>/");
  return key;
}

/** A key as it is, or an expression for one: of the template or model of a message, or of the template of an answer. */
export function parseKeySelection(
  name: string,
  expression: string | undefined,
  isExpression: IsExpression,
  of: "message" | "answer",
): string | undefined {
  if (expression === undefined || expression === "") return undefined;
  if (isExpression(expression, of)) return expression;
  throw notImplemented(`The ${name} ${expression}`);
}

/** Source: "Add request models": names of models by key. */
export function parseModelNames(
  models: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  return models === undefined || Object.keys(models).length === 0 ? undefined : { ...models };
}
