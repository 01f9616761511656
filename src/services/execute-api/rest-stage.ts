import { AwsError } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import { identityOf, unknownIdentity } from "../../proxy/caller-identity.ts";
import { compileEventV1 } from "./event-v1.ts";
import { type Exchange, startExchange } from "../../proxy/exchange.ts";
import { compileGatewayResponses, type GatewayResponses, type GatewayResponseType } from "./gateway-responses.ts";
import { compileLambdaCall, type LambdaCallOutcome, sourceArn } from "./lambda-call.ts";
import { parseRestResponse } from "../../proxy/lambda-response.ts";
import { firstMediaType, isBinaryMediaType, mediaType } from "../../proxy/media-types.ts";
import { compileMock, type MockOutcome } from "./mock-integration.ts";
import type { PublishedMethod, PublishedRestStage } from "./port.ts";
import { readBody } from "../../proxy/request-body.ts";
import { createRouter, pathVariables } from "./router.ts";
import { send } from "../../proxy/send.ts";
import { executeApiLimits } from "./limits.ts";
import { type CompiledStage, domainNameOf, type StageNeeds } from "./stage-needs.ts";

interface CompiledMethod {
  readonly method: PublishedMethod;
  /** Answers once everything about the request is settled. */
  run(exchange: Exchange, parameters: readonly string[], body: Buffer, caller: Principal | undefined): void;
}

interface Refusal {
  refuse(exchange: Exchange, type: GatewayResponseType, message?: string): void;
}

/**
 * Make a stage of a REST API ready to answer.
 *
 * AWS: a path or method that the API lacks is answered 403 `Missing Authentication Token`; a function that fails or
 * answers malformed, 502; one that may not be called, 500; one that is late, 504.
 */
export function compileRestStage(needs: StageNeeds, stage: PublishedRestStage): CompiledStage {
  const gatewayResponses = compileGatewayResponses(stage.gatewayResponses);
  const refusal: Refusal = {
    refuse: (exchange, type, message) => refuse(exchange, gatewayResponses, type, message),
  };
  const router = createRouter(
    stage.methods.map((method) => ({
      method: method.httpMethod,
      path: method.path,
      value: compileMethod(needs, stage, method, refusal),
    })),
    "resource-first",
  );

  return {
    answer: (request, response, paths) => {
      const exchange = startExchange(needs, request, response, paths);
      const { path } = exchange;
      // AWS: a slash at the end leads to the same resource.
      const match = router.match(exchange.method, path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
      if (match === undefined) {
        refusal.refuse(exchange, "MISSING_AUTHENTICATION_TOKEN");
        return;
      }
      readBody(request, exchange.headers.hasBody, executeApiLimits.bodyBytesMax, (body) => {
        if (body === undefined) {
          refusal.refuse(exchange, "REQUEST_TOO_LARGE");
          return;
        }
        const { method, run } = match.value;
        if (method.authorizationType === "NONE") {
          run(exchange, match.parameters, body, undefined);
          return;
        }
        const arn = sourceArn(stage, exchange.method, path);
        needs.access.check(exchange, body, { account: stage.account, region: stage.region, arn }).then(
          (caller) => run(exchange, match.parameters, body, caller),
          (error: unknown) => {
            if (!(error instanceof AwsError)) needs.log.error("Authorizing a request broke", { error });
            refuseAccess(refusal, exchange, error);
          },
        );
      });
    },
  };
}

function compileMethod(
  needs: StageNeeds,
  stage: PublishedRestStage,
  method: PublishedMethod,
  refusal: Refusal,
): CompiledMethod {
  const { integration } = method;
  if (integration.type === "MOCK") {
    const mock = compileMock(integration);
    return {
      method,
      run: (exchange) => answerMock(exchange, refusal, mock(exchange.headers.contentType, exchange.headers.accept)),
    };
  }
  const call = compileLambdaCall(needs, stage, integration, method.path);
  const declared = stage.binaryMediaTypes.map((type) => type.toLowerCase());
  const write = compileEventV1({
    ...stage,
    kind: "rest",
    resourceId: method.resourceId,
    resourcePath: method.path,
    ...(method.operationName === undefined ? {} : { operationName: method.operationName }),
    pathVariables: pathVariables(method.path),
  });
  return {
    method,
    run: (exchange, parameters, body, caller) => {
      const { headers } = exchange;
      const type = headers.contentType === "" ? "application/json" : mediaType(headers.contentType);
      const event = write(exchange, {
        path: exchange.path,
        contextPath: `/${stage.stageName}${exchange.path}`,
        parameters,
        body,
        bodyIsBinary: isBinaryMediaType(declared, type),
        logTime: needs.identities.logTime(exchange.now),
        domainName: domainNameOf(stage, headers.host),
        identity: caller === undefined ? unknownIdentity : identityOf(caller),
      });
      call(exchange.method, event, needs.identities.uuid(), exchange.trace, caller, (outcome) =>
        answerOutcome(exchange, refusal, declared, outcome),
      );
    },
  };
}

function answerOutcome(
  exchange: Exchange,
  refusal: Refusal,
  binaryMediaTypes: readonly string[],
  outcome: LambdaCallOutcome,
): void {
  if (outcome.outcome === "late") return refusal.refuse(exchange, "INTEGRATION_TIMEOUT");
  if (outcome.outcome === "refused") {
    return refusal.refuse(exchange, outcome.status === 413 ? "REQUEST_TOO_LARGE" : "INTEGRATION_FAILURE");
  }
  const parsed = outcome.outcome === "answered" ? parseRestResponse(outcome.payload) : undefined;
  if (parsed === undefined) return refusal.refuse(exchange, "MALFORMED_RESPONSE");
  // AWS: base 64 is turned into bytes only for a client whose first accepted type is among the API's binary ones.
  const decode = parsed.isBase64Encoded && isBinaryMediaType(binaryMediaTypes, firstMediaType(exchange.headers.accept));
  const headers = parsed.headers;
  if (!parsed.hasContentType) headers.push("Content-Type", "application/json");
  answer(exchange, parsed.statusCode, headers, decode ? Buffer.from(parsed.body, "base64") : parsed.body);
}

function answerMock(exchange: Exchange, refusal: Refusal, outcome: MockOutcome): void {
  if (outcome === "unsupported-media-type") return refusal.refuse(exchange, "UNSUPPORTED_MEDIA_TYPE");
  if (outcome === "no-status") return refusal.refuse(exchange, "INTEGRATION_FAILURE");
  const headers = [...outcome.headers];
  if (!headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === "content-type")) {
    headers.push("Content-Type", outcome.contentType);
  }
  answer(exchange, outcome.status, headers, outcome.body);
}

function refuseAccess(refusal: Refusal, exchange: Exchange, error: unknown): void {
  if (!(error instanceof AwsError) || error.status >= 500) return refusal.refuse(exchange, "API_CONFIGURATION_ERROR");
  if (error.code.startsWith("AccessDenied")) return refusal.refuse(exchange, "ACCESS_DENIED", error.message);
  if (error.code.startsWith("MissingAuthenticationToken")) {
    return refusal.refuse(exchange, "MISSING_AUTHENTICATION_TOKEN");
  }
  if (error.code.startsWith("ExpiredToken")) return refusal.refuse(exchange, "EXPIRED_TOKEN", error.message);
  return refusal.refuse(exchange, "INVALID_SIGNATURE", error.message);
}

function refuse(exchange: Exchange, responses: GatewayResponses, type: GatewayResponseType, message?: string): void {
  const configured = responses[type];
  const { contentType, errorType } = configured;
  const headers = [...configured.headers, "Content-Type", contentType, "x-amzn-ErrorType", errorType];
  // What was not read of a refused body would be taken for the next request.
  if (type === "REQUEST_TOO_LARGE") headers.push("Connection", "close");
  answer(exchange, configured.status, headers, configured.body(message, exchange.requestId));
}

function answer(
  { response, requestId, extendedId, trace, meter, now }: Exchange,
  status: number,
  headers: string[],
  body: string | Buffer,
): void {
  headers.push("x-amzn-RequestId", requestId, "x-amz-apigw-id", extendedId, "X-Amzn-Trace-Id", `Root=${trace}`);
  send(response, status, headers, body);
  meter?.answered(status, now);
}
