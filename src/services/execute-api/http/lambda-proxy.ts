import { guarded } from "../guard.ts";
import { iamAuthorizer, identityOf, unknownIdentity } from "../../../proxy/caller-identity.ts";
import { compileEventV2 } from "../../../proxy/event-v2.ts";
import { parseResponseV1, parseResponseV2 } from "../../../proxy/lambda-response.ts";
import { isTextMediaType, mediaType } from "../../../proxy/media-types.ts";
import { decodePercent } from "../../../proxy/percent-decoding.ts";
import { compileEventV1 } from "../event-v1.ts";
import { compileLambdaCall, type LambdaCallOutcome } from "../lambda-call.ts";
import type { PublishedFunctionIntegration, PublishedRoute } from "../port.ts";
import { pathVariables } from "../router.ts";
import { noteFunction, noteReturned } from "../integrations/note-function.ts";
import { domainNameOf } from "../stage-needs.ts";
import { withoutCors } from "./cors.ts";
import { compileRequestParameters, compileResponseParameters, type MappedRequest } from "./parameter-mapping.ts";
import { answer, type HttpIntegration, type HttpRequest, type HttpStage, refuse } from "./request.ts";

/**
 * `AWS_PROXY` with a function, in payload format 1.0 or 2.0.
 *
 * AWS: `Service Unavailable` for a late function, `Internal Server Error` for whatever else it or its permissions do.
 */
export function compileLambdaProxy(
  stage: HttpStage,
  route: PublishedRoute,
  path: string,
  integration: PublishedFunctionIntegration,
): HttpIntegration {
  const { needs, published } = stage;
  const { routeKey } = route;
  const call = compileLambdaCall(needs, published, integration, routeKey === "$default" ? "/$default" : path);
  const event =
    integration.payloadFormatVersion === "2.0"
      ? compileVersion2(stage, route, path)
      : compileVersion1(stage, route, path);
  const mapRequest = compileRequestParameters(integration.requestParameters, path);
  const mapResponse = compileResponseParameters(integration.responseParameters, path);
  return (request) => {
    const { exchange } = request;
    const id = needs.identities.uuid();
    const sentAt = needs.clock.now();
    const told = event(mapRequest === undefined ? request : withMapped(request, mapRequest(request)));
    const done = guarded(request, (outcome: LambdaCallOutcome) => {
      noteFunction(request, outcome, id, needs.clock.now() - sentAt);
      answerOutcome(request, integration, outcome, mapResponse);
    });
    call(exchange.method, told, id, exchange.trace, request.caller, done);
  };
}

/** The request as its mapping makes it, for the event alone. */
function withMapped(request: HttpRequest, { exchange, path }: MappedRequest): HttpRequest {
  return { ...request, exchange: path === undefined ? exchange : { ...exchange, path, fullPath: path } };
}

function compileVersion2(
  { needs, published }: HttpStage,
  { routeKey }: PublishedRoute,
  path: string,
): (request: HttpRequest) => string {
  const write = compileEventV2({ ...published, routeKey, pathVariables: pathVariables(path) });
  return ({ exchange, parameters, body, caller, authorizer }) =>
    write(exchange, {
      parameters,
      body,
      logTime: needs.identities.logTime(exchange.now),
      domainName: domainNameOf(published, exchange),
      authorizer: authorizer?.eventText ?? (caller === undefined ? "" : iamAuthorizer(caller)),
    });
}

function compileVersion1(
  { needs, published }: HttpStage,
  { routeKey, operationName }: PublishedRoute,
  path: string,
): (request: HttpRequest) => string {
  const write = compileEventV1({
    ...published,
    kind: "http",
    resourceId: routeKey,
    resourcePath: path === "" ? "$default" : path,
    ...(operationName === undefined ? {} : { operationName }),
    pathVariables: pathVariables(path),
  });
  return ({ exchange, parameters, body, caller, authorizer }) => {
    const decoded = decodePercent(exchange.fullPath);
    return write(
      // AWS: HTTP APIs have one identifier for a request.
      { ...exchange, requestId: exchange.extendedId },
      {
        path: decoded,
        contextPath: decoded,
        parameters,
        body,
        bodyIsBinary: !isTextMediaType(mediaType(exchange.headers.contentType)),
        logTime: needs.identities.logTime(exchange.now),
        domainName: domainNameOf(published, exchange),
        identity: caller === undefined ? unknownIdentity : identityOf(caller),
        authorizer: authorizer?.eventText,
      },
    );
  };
}

function answerOutcome(
  request: HttpRequest,
  integration: PublishedFunctionIntegration,
  outcome: LambdaCallOutcome,
  mapResponse: ReturnType<typeof compileResponseParameters>,
): void {
  const { exchange, stage } = request;
  if (outcome.outcome === "late") return refuse(request, 503, "Service Unavailable");
  if (outcome.outcome === "refused" && outcome.status === 413) return refuse(request, 413, "Request Entity Too Large");
  const parsed =
    outcome.outcome !== "answered"
      ? undefined
      : integration.payloadFormatVersion === "2.0"
        ? parseResponseV2(outcome.payload)
        : parseResponseV1(outcome.payload);
  if (parsed === undefined) return refuse(request, 500, "Internal Server Error");
  noteReturned(request, parsed.statusCode);
  const body = parsed.isBase64Encoded ? Buffer.from(parsed.body, "base64") : parsed.body;
  const headers = stage.cors === undefined ? parsed.headers : withoutCors(parsed.headers);
  if (!parsed.hasContentType && body.length > 0) {
    headers.push("content-type", parsed.inferred ? "application/json" : "text/plain;charset=UTF-8");
  }
  if (mapResponse === undefined) return answer(exchange, stage, parsed.statusCode, headers, body);
  const answered = { headers, body: typeof body === "string" ? Buffer.from(body, "utf8") : body };
  const mapped = mapResponse(request, parsed.statusCode, answered);
  answer(exchange, stage, mapped.status, mapped.headers, body);
}
