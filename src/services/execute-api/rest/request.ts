import type { Principal } from "../../../aws/principal.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import { send } from "../../../proxy/send.ts";
import type { RequestFacts } from "../context/request-facts.ts";
import type { ExecutionJournal } from "../logging/execution-journal.ts";
import type { RestAuthorizers } from "../authorizers/rest-authorizers.ts";
import type { PublishedMethod, PublishedRestStage } from "../port.ts";
import type { StageNeeds } from "../stage-needs.ts";
import type { Overrides } from "../vtl/context-object.ts";
import { type GatewayResponseType, spokenType } from "./gateway-response-types.ts";
import type { GatewayResponses } from "./gateway-responses.ts";

/** What all requests to a stage of a REST API have in common, made once. */
export interface RestStage {
  readonly needs: StageNeeds;
  readonly published: PublishedRestStage;
  readonly gatewayResponses: GatewayResponses;
  /** In lower case. */
  readonly binaryMediaTypes: readonly string[];
  readonly authorizers: RestAuthorizers;
  /** What HTTP endpoints are shown, in PEM. */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined;
}

/** A request to a method of a REST API, on its way through the method's steps to its integration. */
export interface RestRequest extends RequestFacts {
  readonly stage: RestStage;
  readonly method: PublishedMethod;
  readonly exchange: Exchange;
  /** Values of the path's variables, decoded, in the template's order. */
  readonly parameters: readonly string[];
  /** As the client sent it; decompressed, once it was let through to an API that compresses. */
  body: Buffer;
  /** Who signed the request, where the method is authorized by IAM. */
  caller: Principal | undefined;
  /** What mapping templates have set of the request to the integration and of the answer; undefined before any was rendered. */
  overrides: Overrides | undefined;
  /** Takes down what is done; undefined where nobody follows the request. */
  journal: ExecutionJournal | undefined;
}

/** A request as it sets out: nothing is known of it but what the client sent. */
export function createRestRequest(
  stage: RestStage,
  method: PublishedMethod,
  exchange: Exchange,
  parameters: readonly string[],
  body: Buffer,
): RestRequest {
  return {
    stage,
    method,
    exchange,
    parameters,
    body,
    caller: undefined,
    authorizer: undefined,
    apiKey: undefined,
    access: undefined,
    failure: undefined,
    integration: undefined,
    answered: undefined,
    overrides: undefined,
    journal: undefined,
  };
}

/**
 * What a method does with a request before its integration: authorize, throttle, validate. It answers or refuses the request,
 * or calls `next`, once. A method has only the steps that it needs: one that is open and unlimited pays for none.
 */
export type RestStep = (request: RestRequest, next: () => void) => void;

/** Answers a request that has been let through, once. */
export type RestIntegration = (request: RestRequest) => void;

/**
 * Answer with a gateway response.
 *
 * @param message `$context.error.message`, where it is not the type's own
 * @param validationError `$context.error.validationErrorString`, where a body was not valid
 */
export function refuse(
  request: RestRequest,
  type: GatewayResponseType,
  message?: string,
  validationError?: string,
): void {
  const { exchange, stage } = request;
  const configured = stage.gatewayResponses[type];
  request.failure = {
    type: spokenType(type),
    message: message ?? configured.message,
    ...(validationError === undefined ? {} : { validationError }),
  };
  const headers = configured.headers(request);
  headers.push("x-amzn-ErrorType", configured.errorType);
  // What was not read of a refused body would be taken for the next request.
  if (type === "REQUEST_TOO_LARGE") headers.push("Connection", "close");
  // What the gateway answers by itself is not kept.
  exchange.capture = undefined;
  exchange.encode = undefined;
  answer(exchange, configured.status, headers, configured.body(request));
}

/** A request that no method of the API is for, and of which no body was read. */
export function createUnmatchedRequest(stage: RestStage, exchange: Exchange): RestRequest {
  return createRestRequest(stage, unmatched, exchange, [], noBody);
}

const noBody = Buffer.alloc(0);
const unmatched: PublishedMethod = {
  resourceId: "",
  path: "",
  httpMethod: "",
  authorizationType: "NONE",
  integration: { type: "MOCK", requestTemplates: {}, passthroughBehavior: "NEVER", responses: [] },
};

/** What every answer says of the request, names and values in turn. */
export function answerHeaders({ requestId, extendedId, trace }: Exchange): string[] {
  return ["x-amzn-RequestId", requestId, "x-amz-apigw-id", extendedId, "X-Amzn-Trace-Id", `Root=${trace}`];
}

/** @param headers names and values in turn; it is added to */
export function answer(
  { response, requestId, extendedId, trace, meter, now, capture, encode }: Exchange,
  status: number,
  headers: string[],
  body: string | Buffer,
): void {
  capture?.(status, headers, body);
  headers.push("x-amzn-RequestId", requestId, "x-amz-apigw-id", extendedId, "X-Amzn-Trace-Id", `Root=${trace}`);
  if (encode === undefined) {
    send(response, status, headers, body);
    meter?.answered(status, now);
    return;
  }
  encode(status, headers, body, (encoded) => {
    send(response, status, headers, encoded);
    meter?.answered(status, now);
  });
}
