import { forwardedPort } from "../../../proxy/client-address.ts";
import { forwardedFor, forwardedProto, type Exchange } from "../../../proxy/exchange.ts";
import { quote } from "../../../proxy/json-text.ts";
import { everyQuery, lastQuery, parseQuery } from "../../../proxy/query-string.ts";
import { everyHeader, lastHeaders } from "../../../proxy/request-headers.ts";
import type { WebSocketRequest } from "./request.ts";

/**
 * The event of a Lambda proxy integration, as JSON text.
 *
 * AWS: members without content are left out; `$disconnect` has empty headers beside the host. Source: captured events, as
 * the developer guide documents their request context only.
 */
export function writeEvent(request: WebSocketRequest): string {
  const { event, stage } = request;
  const { variables } = stage.published;
  const context = writeContext(request);
  const stageVariables = Object.keys(variables).length === 0 ? "" : `"stageVariables":${JSON.stringify(variables)},`;
  switch (event.type) {
    case "CONNECT":
      return `{${writeHandshake(event.exchange, request)}${stageVariables}"requestContext":${context},"isBase64Encoded":false}`;
    case "MESSAGE":
      return `{${stageVariables}"requestContext":${context},"body":${quote(event.body)},"isBase64Encoded":false}`;
    case "DISCONNECT": {
      const host = quote(request.connection.domainName);
      return (
        `{"headers":{"Host":${host},"x-api-key":"","X-Forwarded-For":"","x-restapi":""},` +
        `"multiValueHeaders":{"Host":[${host}],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},` +
        `${stageVariables}"requestContext":${context},"isBase64Encoded":false}`
      );
    }
    default:
      return event satisfies never;
  }
}

/**
 * The event that the authorizer of `$connect` is asked with.
 *
 * Source: "Control access to WebSocket APIs with AWS Lambda REQUEST authorizers", its example; members without content are there
 * and empty.
 */
export function writeAuthorizerEvent(request: WebSocketRequest, exchange: Exchange, methodArn: string): string {
  const { headers, multiValueHeaders, query, multiValueQuery } = handshakeParts(exchange, request);
  return (
    `{"type":"REQUEST","methodArn":${quote(methodArn)},` +
    `"headers":{"Connection":"upgrade","content-length":"0","Upgrade":"websocket",${headers}},` +
    `"multiValueHeaders":{"Connection":["upgrade"],"content-length":["0"],"Upgrade":["websocket"],${multiValueHeaders}},` +
    `"queryStringParameters":${query ?? "{}"},"multiValueQueryStringParameters":${multiValueQuery ?? "{}"},` +
    `"stageVariables":${JSON.stringify(request.stage.published.variables)},"requestContext":${writeContext(request)}}`
  );
}

function writeHandshake(exchange: Exchange, request: WebSocketRequest): string {
  const { headers, multiValueHeaders, query, multiValueQuery } = handshakeParts(exchange, request);
  const parameters =
    query === undefined ? "" : `"queryStringParameters":${query},"multiValueQueryStringParameters":${multiValueQuery},`;
  return `"headers":{${headers}},"multiValueHeaders":{${multiValueHeaders}},${parameters}`;
}

/** The members of a handshake's headers, and its query where it has one. */
function handshakeParts(exchange: Exchange, { connection }: WebSocketRequest) {
  const { headers, request } = exchange;
  const trace = quote(`Root=${exchange.trace}`);
  const through = quote(forwardedFor(headers, connection.sourceIp));
  const port = forwardedPort(request);
  const proto = forwardedProto(request);
  const query = exchange.query === "" ? undefined : parseQuery(exchange.query);
  return {
    headers:
      `${lastHeaders(headers)}"X-Amzn-Trace-Id":${trace},"X-Forwarded-For":${through},` +
      `"X-Forwarded-Port":"${port}","X-Forwarded-Proto":"${proto}"`,
    multiValueHeaders:
      `${everyHeader(headers)}"X-Amzn-Trace-Id":[${trace}],"X-Forwarded-For":[${through}],` +
      `"X-Forwarded-Port":["${port}"],"X-Forwarded-Proto":["${proto}"]`,
    query: query && lastQuery(query),
    multiValueQuery: query && everyQuery(query),
  };
}

function writeContext(request: WebSocketRequest): string {
  const { connection, event, route, stage } = request;
  const { needs, published } = stage;
  const ofEvent =
    event.type === "MESSAGE"
      ? `"messageId":${quote(event.messageId)},`
      : event.type === "DISCONNECT"
        ? `"disconnectStatusCode":${event.code},"disconnectReason":${quote(event.reason)},`
        : "";
  const authorizer = connection.authorizer === "" ? "" : `"authorizer":${connection.authorizer},`;
  const operation = route.operationName === undefined ? "" : `"operationName":${quote(route.operationName)},`;
  const agent = connection.userAgent === "" ? "" : `"userAgent":${quote(connection.userAgent)},`;
  const signer = connection.identity === "" ? "" : `${connection.identity},`;
  const { apiKey } = request;
  const key = apiKey === undefined ? "" : `"apiKey":${quote(apiKey.value)},"apiKeyId":${quote(apiKey.id)},`;
  return (
    `{"routeKey":${quote(route.routeKey)},${authorizer}${operation}${ofEvent}"eventType":"${event.type}",` +
    `"extendedRequestId":"${request.requestId}","requestTime":"${needs.identities.logTime(request.now)}",` +
    `"messageDirection":"IN","stage":${quote(published.stageName)},"connectedAt":${connection.connectedAt},` +
    `"requestTimeEpoch":${request.now},"identity":{${signer}${key}${agent}"sourceIp":${quote(connection.sourceIp)}},` +
    `"requestId":"${request.requestId}","domainName":${quote(connection.domainName)},` +
    `"connectionId":"${connection.connectionId}","apiId":"${published.apiId}"}`
  );
}
