import type { WebSocketRequest } from "../websocket/request.ts";

/**
 * A `$context` variable of a WebSocket API. What does not exist is undefined.
 *
 * Source: "WebSocket API mapping template reference for API Gateway".
 */
export function webSocketVariable(request: WebSocketRequest, name: string): unknown {
  const read = variables[name];
  if (read !== undefined) return read(request);
  const [member, below] = splitAtDot(name);
  if (below === undefined) return undefined;
  if (member === "authorizer") return own(parseMembers(request.connection.authorizer), below);
  return member === "identity" ? own(parseMembers(`{${request.connection.identity}}`), below) : undefined;
}

type Read = (request: WebSocketRequest) => unknown;

const variables: Readonly<Record<string, Read | undefined>> = {
  apiId: ({ stage }) => stage.published.apiId,
  connectedAt: ({ connection }) => connection.connectedAt,
  connectionId: ({ connection }) => connection.connectionId,
  domainName: ({ connection }) => connection.domainName,
  eventType: ({ event }) => event.type,
  extendedRequestId: ({ requestId }) => requestId,
  "identity.sourceIp": ({ connection }) => connection.sourceIp,
  "identity.userAgent": ({ connection }) => connection.userAgent || undefined,
  messageDirection: () => "IN",
  messageId: ({ event }) => (event.type === "MESSAGE" ? event.messageId : undefined),
  requestId: ({ requestId }) => requestId,
  requestTime: ({ now, stage }) => stage.needs.identities.logTime(now),
  requestTimeEpoch: ({ now }) => now,
  routeKey: ({ route }) => route.routeKey,
  stage: ({ stage }) => stage.published.stageName,
};

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
