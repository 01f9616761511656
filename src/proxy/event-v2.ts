import { forwardedPort, sourceIp } from "./client-address.ts";
import { type Exchange, forwardedFor, forwardedProto } from "./exchange.ts";
import { quote } from "./json-text.ts";
import { isTextMediaType, mediaType } from "./media-types.ts";
import { decodePercent } from "./percent-decoding.ts";
import { joinedQuery, parseQuery } from "./query-string.ts";
import { cookieList, joinedHeaders } from "./request-headers.ts";

/** What is the same in every event of a route. */
export interface EventV2Constants {
  readonly account: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly routeKey: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Names of the path's variables, in order. */
  readonly pathVariables: readonly string[];
}

/** Facts about one request that are not the exchange's. */
export interface EventV2Facts {
  readonly parameters: readonly string[];
  readonly body: Buffer;
  readonly logTime: string;
  readonly domainName: string;
  /** The `authorizer` of the request context, as JSON text; empty when the route has none. */
  readonly authorizer: string;
}

/**
 * Writes events in payload format 2.0 as JSON text. What a route's events have in common is written once; the rest is
 * joined by hand, since a general serializer of the whole event costs more than everything else the gateway does.
 *
 * AWS: members without content are absent; `rawPath` is percent-decoded although its name says otherwise.
 */
export function compileEventV2(constants: EventV2Constants): (exchange: Exchange, facts: EventV2Facts) => string {
  const routeKey = quote(constants.routeKey);
  const start = `{"version":"2.0","routeKey":${routeKey},"rawPath":`;
  const context = `"requestContext":{"accountId":${quote(constants.account)},"apiId":${quote(constants.apiId)},`;
  const afterDomain = `,"domainPrefix":`;
  const afterRequestId = `,"routeKey":${routeKey},"stage":${quote(constants.stageName)},"time":"`;
  const variableKeys = constants.pathVariables.map((name) => `${quote(name)}:`);
  const stageVariables =
    Object.keys(constants.variables).length === 0 ? "" : `,"stageVariables":${JSON.stringify(constants.variables)}`;

  return (exchange, facts) => {
    const { headers, query, request } = exchange;
    const ip = sourceIp(request);
    const path = quote(decodePercent(exchange.fullPath));
    const bodyBytes = facts.body.length;
    // AWS: a request without a body arrives with a Content-Length of 0.
    const added =
      `"content-length":"${bodyBytes}","x-amzn-trace-id":${quote(`Root=${exchange.trace}`)},` +
      `"x-forwarded-for":${quote(forwardedFor(headers, ip))},"x-forwarded-port":"${forwardedPort(request)}",` +
      `"x-forwarded-proto":"${forwardedProto(request)}"}`;
    let json = `${start}${path},"rawQueryString":${quote(query)}`;
    if (headers.cookie !== "") json += `,"cookies":${cookieList(headers.cookie)}`;
    json += `,"headers":{${joinedHeaders(headers)}${added}`;
    if (query !== "") json += `,"queryStringParameters":${joinedQuery(parseQuery(query))}`;
    json += `,${context}`;
    const certificate = exchange.domain?.clientCertificate;
    if (certificate !== undefined) json += `"authentication":{"clientCert":${JSON.stringify(certificate)}},`;
    if (facts.authorizer !== "") json += `"authorizer":${facts.authorizer},`;
    const dot = facts.domainName.indexOf(".");
    json +=
      `"domainName":${quote(facts.domainName)}${afterDomain}` +
      `${quote(dot === -1 ? facts.domainName : facts.domainName.slice(0, dot))},"http":{"method":"${exchange.method}",` +
      `"path":${path},"protocol":"HTTP/${request.httpVersion}","sourceIp":${quote(ip)},` +
      `"userAgent":${quote(headers.userAgent)}},"requestId":"${exchange.extendedId}"${afterRequestId}` +
      `${facts.logTime}","timeEpoch":${exchange.now}}`;
    if (variableKeys.length > 0) {
      json += `,"pathParameters":{`;
      for (let index = 0; index < variableKeys.length; index++) {
        json += `${index === 0 ? "" : ","}${variableKeys[index] ?? ""}${quote(facts.parameters[index] ?? "")}`;
      }
      json += "}";
    }
    json += stageVariables;
    if (bodyBytes === 0) return `${json},"isBase64Encoded":false}`;
    const text = isTextMediaType(mediaType(headers.contentType));
    return text
      ? `${json},"body":${JSON.stringify(facts.body.toString("utf8"))},"isBase64Encoded":false}`
      : `${json},"body":"${facts.body.toString("base64")}","isBase64Encoded":true}`;
  };
}
