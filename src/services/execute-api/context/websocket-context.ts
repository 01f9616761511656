import type { WebSocketRequest } from "../websocket/request.ts";
import { accessVariables, factVariables, type Variables } from "./shared-variables.ts";

/**
 * A `$context` variable of a WebSocket API. What does not exist is undefined.
 *
 * Source: "WebSocket API mapping template reference for API Gateway", and "Variables for access logging for API Gateway" for what
 * logs have beside it.
 */
export function webSocketVariable(request: WebSocketRequest, name: string): unknown {
  const [member, below] = splitAtDot(name);
  // What an authorizer returned goes before what access logs tell of it under the same name.
  if (member === "authorizer" && below !== undefined) {
    const value = own(parseMembers(request.connection.authorizer), below);
    if (value !== undefined) return value;
  }
  const read = readers.get(name);
  if (read !== undefined) return read(request);
  if (member !== "identity" || below === undefined) return undefined;
  return own(parseMembers(`{${request.connection.identity}}`), below);
}

const variables: Variables<WebSocketRequest> = {
  ...factVariables,
  ...accessVariables,
  accountId: ({ stage }) => stage.published.account,
  apiId: ({ stage }) => stage.published.apiId,
  connectedAt: ({ connection }) => connection.connectedAt,
  connectionId: ({ connection }) => connection.connectionId,
  domainName: ({ connection }) => connection.domainName,
  eventType: ({ event }) => event.type,
  extendedRequestId: ({ requestId }) => requestId,
  domainPrefix: ({ connection }) => connection.domainName.split(".", 1)[0],
  "identity.apiKey": ({ apiKey }) => apiKey?.value,
  "identity.apiKeyId": ({ apiKey }) => apiKey?.id,
  "identity.sourceIp": ({ connection }) => connection.sourceIp,
  "identity.userAgent": ({ connection }) => connection.userAgent || undefined,
  messageDirection: () => "IN",
  messageId: ({ event }) => (event.type === "MESSAGE" ? event.messageId : undefined),
  requestId: ({ requestId }) => requestId,
  requestTime: ({ now, stage }) => stage.needs.identities.logTime(now),
  requestTimeEpoch: ({ now }) => now,
  routeKey: ({ route }) => route.routeKey || undefined,
  stage: ({ stage }) => stage.published.stageName,
  xrayTraceId: ({ trace }) => trace,
};
const readers = new Map(Object.entries(variables));

/** Every name with a value of its own; an authorizer's context and a signer's identity come on top. */
export const webSocketVariableNames: readonly string[] = Object.keys(variables);

function splitAtDot(name: string): readonly [string, string | undefined] {
  const dot = name.indexOf(".");
  return dot === -1 ? [name, undefined] : [name.slice(0, dot), name.slice(dot + 1)];
}

function own(members: object, name: string): unknown {
  return Object.hasOwn(members, name) ? (Reflect.get(members, name) ?? undefined) : undefined;
}

/** Written by this gateway: JSON, or nothing. */
function parseMembers(text: string): object {
  const value: unknown = text === "" ? undefined : JSON.parse(text);
  return typeof value === "object" && value !== null ? value : {};
}
