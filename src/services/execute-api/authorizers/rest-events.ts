import { unknownIdentity } from "../../../proxy/caller-identity.ts";
import { pathVariables } from "../router.ts";
import { compileEventV1 } from "../event-v1.ts";
import type { PublishedMethod } from "../port.ts";
import type { RestRequest, RestStage } from "../rest/request.ts";
import { contextPathOf, domainNameOf } from "../stage-needs.ts";

/** The event of a TOKEN authorizer. Source: "Input to an API Gateway Lambda authorizer". */
export function tokenEvent(methodArn: string, authorizationToken: string): string {
  return JSON.stringify({ type: "TOKEN", methodArn, authorizationToken });
}

/**
 * Events of a REQUEST authorizer of a REST API: those of a Lambda proxy integration without the body.
 *
 * AWS: members without content are empty objects, where an integration's event has null.
 */
export function compileRestRequestEvent(
  stage: RestStage,
  method: PublishedMethod,
): (request: RestRequest, methodArn: string) => string {
  const { needs, published } = stage;
  const write = compileEventV1({
    ...published,
    kind: "rest",
    resourceId: method.resourceId,
    resourcePath: method.path,
    ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
    pathVariables: pathVariables(method.path),
  });
  return ({ exchange, parameters }, methodArn) => {
    const text = write(exchange, {
      path: exchange.domain === undefined ? exchange.path : exchange.fullPath,
      contextPath: contextPathOf(published, exchange),
      parameters,
      body: nothing,
      bodyIsBinary: false,
      logTime: needs.identities.logTime(exchange.now),
      domainName: domainNameOf(published, exchange),
      identity: unknownIdentity,
    });
    const parsed: Readonly<Record<string, unknown>> = JSON.parse(text);
    const { body: _body, isBase64Encoded: _flag, ...event } = parsed;
    return JSON.stringify({
      type: "REQUEST",
      methodArn,
      ...event,
      queryStringParameters: event["queryStringParameters"] ?? {},
      multiValueQueryStringParameters: event["multiValueQueryStringParameters"] ?? {},
      pathParameters: event["pathParameters"] ?? {},
      stageVariables: event["stageVariables"] ?? {},
    });
  };
}

const nothing = Buffer.alloc(0);
