import { unknownIdentity } from "../../../proxy/caller-identity.ts";
import { compileEventV2 } from "../../../proxy/event-v2.ts";
import { decodePercent } from "../../../proxy/percent-decoding.ts";
import { compileEventV1 } from "../event-v1.ts";
import type { HttpRequest, HttpStage } from "../http/request.ts";
import type { PublishedRoute } from "../port.ts";
import { pathVariables } from "../router.ts";
import { domainNameOf } from "../stage-needs.ts";

/** Writes the event that an authorizer of an HTTP API is asked with. */
export type WriteHttpEvent = (request: HttpRequest, routeArn: string, identity: readonly string[]) => string;

/** Events are those of integrations without the body. Source: "Control access to HTTP APIs with AWS Lambda authorizers". */
export function compileHttpEvent(stage: HttpStage, route: PublishedRoute, version: "1.0" | "2.0"): WriteHttpEvent {
  return version === "2.0" ? compileVersion2(stage, route) : compileVersion1(stage, route);
}

function compileVersion2({ needs, published }: HttpStage, route: PublishedRoute): WriteHttpEvent {
  const { routeKey } = route;
  const write = compileEventV2({ ...published, routeKey, pathVariables: pathVariables(pathOf(route)) });
  return ({ exchange, parameters }, routeArn, identity) => {
    const text = write(exchange, {
      parameters,
      body: nothing,
      logTime: needs.identities.logTime(exchange.now),
      domainName: domainNameOf(published, exchange),
      authorizer: "",
    });
    const parsed: Readonly<Record<string, unknown>> = JSON.parse(text);
    const { version, isBase64Encoded: _flag, ...event } = parsed;
    const identitySource = identity.length === 0 ? null : identity;
    return JSON.stringify({ version, type: "REQUEST", routeArn, identitySource, ...event });
  };
}

function compileVersion1({ needs, published }: HttpStage, route: PublishedRoute): WriteHttpEvent {
  const path = pathOf(route);
  const write = compileEventV1({
    ...published,
    kind: "http",
    resourceId: route.routeKey,
    resourcePath: path === "" ? "$default" : path,
    ...(route.operationName === undefined ? {} : { operationName: route.operationName }),
    pathVariables: pathVariables(path),
  });
  return ({ exchange, parameters }, methodArn, identity) => {
    const decoded = decodePercent(exchange.fullPath);
    const text = write(
      { ...exchange, requestId: exchange.extendedId },
      {
        path: decoded,
        contextPath: decoded,
        parameters,
        body: nothing,
        bodyIsBinary: false,
        logTime: needs.identities.logTime(exchange.now),
        domainName: domainNameOf(published, exchange),
        identity: unknownIdentity,
      },
    );
    const parsed: Readonly<Record<string, unknown>> = JSON.parse(text);
    // AWS's documents have no query parameters with several values here.
    const { version, multiValueQueryStringParameters: _query, body: _body, isBase64Encoded: _flag, ...event } = parsed;
    const joined = identity.length === 0 ? null : identity.join(",");
    return JSON.stringify({
      version,
      type: "REQUEST",
      methodArn,
      identitySource: joined,
      authorizationToken: joined,
      ...event,
      queryStringParameters: event["queryStringParameters"] ?? {},
      pathParameters: event["pathParameters"] ?? {},
      stageVariables: event["stageVariables"] ?? {},
    });
  };
}

function pathOf({ routeKey }: PublishedRoute): string {
  return routeKey === "$default" ? "" : routeKey.slice(routeKey.indexOf(" ") + 1);
}

const nothing = Buffer.alloc(0);
