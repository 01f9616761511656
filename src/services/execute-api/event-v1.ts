import { type EventIdentity, unknownIdentity } from "../../proxy/caller-identity.ts";
import { forwardedPort, sourceIp } from "../../proxy/client-address.ts";
import { type Exchange, forwardedFor, forwardedProto } from "../../proxy/exchange.ts";
import { quote } from "../../proxy/json-text.ts";
import type { ApiKeyFacts } from "./context/request-facts.ts";
import { everyQuery, lastQuery, parseQuery } from "../../proxy/query-string.ts";
import { everyHeader, lastHeaders } from "../../proxy/request-headers.ts";

/** What is the same in every event of a route or method. */
export interface EventV1Constants {
  /** REST APIs and HTTP APIs differ in a few members. */
  readonly kind: "rest" | "http";
  readonly account: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly deploymentId: string;
  readonly resourceId: string;
  readonly resourcePath: string;
  readonly operationName?: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly pathVariables: readonly string[];
}

export interface EventV1Facts {
  /** The event's `path`, and the request context's, which names the stage. */
  readonly path: string;
  readonly contextPath: string;
  readonly parameters: readonly string[];
  readonly body: Buffer;
  readonly bodyIsBinary: boolean;
  readonly logTime: string;
  readonly domainName: string;
  readonly identity: EventIdentity;
  /** The `authorizer` of the request context, as JSON text; absent when the method or route has none. */
  readonly authorizer?: string | undefined;
  /** The key that the request was counted for; absent unless the method requires one. */
  readonly apiKey?: ApiKeyFacts | undefined;
}

/**
 * Writes events in payload format 1.0 as JSON text, by hand as format 2.0 is.
 *
 * AWS: members without content are null; header names arrive as the client wrote them.
 */
export function compileEventV1(constants: EventV1Constants): (exchange: Exchange, facts: EventV1Facts) => string {
  const http = constants.kind === "http";
  const start = `{${http ? `"version":"1.0",` : ""}"resource":${quote(constants.resourcePath)},"path":`;
  const variableKeys = constants.pathVariables.map((name) => `${quote(name)}:`);
  const stageVariables = Object.keys(constants.variables).length === 0 ? "null" : JSON.stringify(constants.variables);
  const operation = constants.operationName === undefined ? "" : `,"operationName":${quote(constants.operationName)}`;
  const context =
    `"requestContext":{"resourceId":${quote(constants.resourceId)},"resourcePath":${quote(constants.resourcePath)}` +
    `${operation},"accountId":${quote(constants.account)},"apiId":${quote(constants.apiId)},` +
    `"stage":${quote(constants.stageName)},${http ? "" : `"deploymentId":${quote(constants.deploymentId)},`}"httpMethod":"`;
  const unknown = `"cognitoIdentityPoolId":null,"cognitoIdentityId":null,"principalOrgId":null,"cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null,${http ? `"cognitoAmr":null,` : ""}`;
  const nobody = writeIdentity(unknownIdentity);

  return (exchange, facts) => {
    const { headers, request } = exchange;
    const ip = sourceIp(request);
    const bodyBytes = facts.body.length;
    const trace = quote(`Root=${exchange.trace}`);
    const through = quote(forwardedFor(headers, ip));
    const port = forwardedPort(request);
    const proto = forwardedProto(request);
    // AWS: HTTP APIs tell the Content-Length, REST APIs drop it.
    let json =
      `${start}${quote(facts.path)},"httpMethod":"${exchange.method}","headers":{${lastHeaders(headers)}` +
      `${http ? `"Content-Length":"${bodyBytes}",` : ""}"X-Amzn-Trace-Id":${trace},"X-Forwarded-For":${through},` +
      `"X-Forwarded-Port":"${port}","X-Forwarded-Proto":"${proto}"},"multiValueHeaders":{${everyHeader(headers)}` +
      `${http ? `"Content-Length":["${bodyBytes}"],` : ""}"X-Amzn-Trace-Id":[${trace}],"X-Forwarded-For":[${through}],` +
      `"X-Forwarded-Port":["${port}"],"X-Forwarded-Proto":["${proto}"]},`;
    if (exchange.query === "") {
      json += `"queryStringParameters":null,"multiValueQueryStringParameters":null,`;
    } else {
      const query = parseQuery(exchange.query);
      json += `"queryStringParameters":${lastQuery(query)},"multiValueQueryStringParameters":${everyQuery(query)},`;
    }
    if (variableKeys.length === 0) {
      json += `"pathParameters":null`;
    } else {
      json += `"pathParameters":{`;
      for (let index = 0; index < variableKeys.length; index++) {
        json += `${index === 0 ? "" : ","}${variableKeys[index] ?? ""}${quote(facts.parameters[index] ?? "")}`;
      }
      json += "}";
    }
    const dot = facts.domainName.indexOf(".");
    json +=
      `,"stageVariables":${stageVariables},${context}${exchange.method}","extendedRequestId":"${exchange.extendedId}",` +
      `"requestTime":"${facts.logTime}","path":${quote(facts.contextPath)},"protocol":"HTTP/${request.httpVersion}",` +
      `"domainPrefix":${quote(dot === -1 ? facts.domainName : facts.domainName.slice(0, dot))},` +
      `"requestTimeEpoch":${exchange.now},"requestId":"${exchange.requestId}","identity":{${unknown}` +
      `${facts.identity === unknownIdentity ? nobody : writeIdentity(facts.identity)},"sourceIp":${quote(ip)},` +
      `"userAgent":${headers.userAgent === "" ? "null" : quote(headers.userAgent)}${writeApiKey(facts.apiKey)}${writeCertificate(exchange)}},` +
      `"domainName":${quote(facts.domainName)}` +
      `${facts.authorizer === undefined ? "" : `,"authorizer":${facts.authorizer}`}},"body":`;
    if (bodyBytes === 0) return `${json}null,"isBase64Encoded":false}`;
    return facts.bodyIsBinary
      ? `${json}"${facts.body.toString("base64")}","isBase64Encoded":true}`
      : `${json}${JSON.stringify(facts.body.toString("utf8"))},"isBase64Encoded":false}`;
  };
}

/** AWS: absent unless the method requires a key. */
function writeApiKey(key: ApiKeyFacts | undefined): string {
  return key === undefined ? "" : `,"apiKey":${quote(key.value)},"apiKeyId":${quote(key.id)}`;
}

/** AWS: absent unless the domain name demands certificates of clients. */
function writeCertificate({ domain }: Exchange): string {
  return domain?.clientCertificate === undefined ? "" : `,"clientCert":${JSON.stringify(domain.clientCertificate)}`;
}

function writeIdentity(identity: EventIdentity): string {
  const { accessKey, accountId, caller, user, userArn } = identity;
  return JSON.stringify({ accessKey, accountId, caller, user, userArn }).slice(1, -1);
}
