import { guarded } from "../guard.ts";
import { identityOf, unknownIdentity } from "../../../proxy/caller-identity.ts";
import { parseRestResponse } from "../../../proxy/lambda-response.ts";
import { firstMediaType, isBinaryMediaType, mediaType } from "../../../proxy/media-types.ts";
import { compileEventV1 } from "../event-v1.ts";
import { compileLambdaCall, type LambdaCallOutcome } from "../lambda-call.ts";
import type { PublishedLambdaIntegration, PublishedMethod } from "../port.ts";
import { pathVariables } from "../router.ts";
import { noteFunction, noteReturned } from "../integrations/note-function.ts";
import { contextPathOf, domainNameOf } from "../stage-needs.ts";
import { compileFunctionTelling } from "./tell-function.ts";
import { createStreamedAnswer } from "./streamed-answer.ts";
import { answer, refuse, type RestIntegration, type RestRequest, type RestStage } from "./request.ts";

/**
 * `AWS_PROXY` with a function.
 *
 * AWS: a function that fails or answers malformed is 502; one that may not be called, 500; one that is late, 504.
 */
export function compileLambdaProxy(
  stage: RestStage,
  method: PublishedMethod,
  integration: PublishedLambdaIntegration,
): RestIntegration {
  const { needs, published, binaryMediaTypes } = stage;
  const call = compileLambdaCall(needs, published, integration, method.path);
  const telling = compileFunctionTelling(published, integration.uri, method.path);
  const write = compileEventV1({
    ...published,
    kind: "rest",
    resourceId: method.resourceId,
    resourcePath: method.path,
    ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
    pathVariables: pathVariables(method.path),
  });
  return (request) => {
    const { exchange, parameters, body, caller } = request;
    const { headers } = exchange;
    const type = headers.contentType === "" ? "application/json" : mediaType(headers.contentType);
    const event = write(exchange, {
      path: exchange.domain === undefined ? exchange.path : exchange.fullPath,
      contextPath: contextPathOf(published, exchange),
      parameters,
      body,
      bodyIsBinary: isBinaryMediaType(binaryMediaTypes, type),
      logTime: needs.identities.logTime(exchange.now),
      domainName: domainNameOf(published, exchange),
      identity: caller === undefined ? unknownIdentity : identityOf(caller),
      authorizer: request.authorizer?.eventText,
      apiKey: request.apiKey,
    });
    const id = needs.identities.uuid();
    const sentAt = needs.clock.now();
    const streamed = integration.streams === true ? createStreamedAnswer(request) : undefined;
    const done = guarded(request, (outcome: LambdaCallOutcome) => {
      const latencyMs = needs.clock.now() - sentAt;
      noteFunction(request, outcome, id, latencyMs);
      if (request.journal !== undefined) telling.ended(request, outcome, id, latencyMs);
      if (streamed === undefined) answerOutcome(request, outcome);
      else streamed.finish(outcome);
    });
    if (request.journal !== undefined) telling.sent(request, event);
    call(exchange.method, event, id, exchange.trace, caller, done, streamed?.sink);
  };
}

function answerOutcome(request: RestRequest, outcome: LambdaCallOutcome): void {
  if (outcome.outcome === "late") return refuse(request, "INTEGRATION_TIMEOUT");
  if (outcome.outcome === "refused") {
    return refuse(request, outcome.status === 413 ? "REQUEST_TOO_LARGE" : "API_CONFIGURATION_ERROR");
  }
  const parsed = outcome.outcome === "answered" ? parseRestResponse(outcome.payload) : undefined;
  if (parsed === undefined) {
    if (outcome.outcome === "answered") {
      request.journal?.error("Execution failed due to configuration error: Malformed Lambda proxy response");
    }
    return refuse(request, "MALFORMED_RESPONSE");
  }
  noteReturned(request, parsed.statusCode);
  const { exchange, stage } = request;
  // AWS: base 64 is turned into bytes only for a client whose first accepted type is among the API's binary ones.
  const decode =
    parsed.isBase64Encoded && isBinaryMediaType(stage.binaryMediaTypes, firstMediaType(exchange.headers.accept));
  const headers = parsed.headers;
  if (!parsed.hasContentType) headers.push("Content-Type", "application/json");
  answer(exchange, parsed.statusCode, headers, decode ? Buffer.from(parsed.body, "base64") : parsed.body);
}
