import type { Principal } from "../../../aws/principal.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import { send } from "../../../proxy/send.ts";
import type { HttpAuthorizers } from "../authorizers/http-authorizers.ts";
import type { RequestFacts } from "../context/request-facts.ts";
import type { PublishedHttpStage, PublishedRoute } from "../port.ts";
import type { StageNeeds } from "../stage-needs.ts";
import type { Cors } from "./cors.ts";

/** What all requests to a stage of an HTTP API have in common, made once. */
export interface HttpStage {
  readonly needs: StageNeeds;
  readonly published: PublishedHttpStage;
  readonly cors: Cors | undefined;
  readonly authorizers: HttpAuthorizers;
}

/** A request to a route of an HTTP API, on its way through the route's steps to its integration. */
export interface HttpRequest extends RequestFacts {
  readonly stage: HttpStage;
  readonly route: PublishedRoute;
  readonly exchange: Exchange;
  /** Values of the path's variables, decoded, in the template's order. */
  readonly parameters: readonly string[];
  readonly body: Buffer;
  /** Who signed the request, where the route is authorized by IAM. */
  caller: Principal | undefined;
}

/** A request as it sets out: nothing is known of it but what the client sent. */
export function createHttpRequest(
  stage: HttpStage,
  route: PublishedRoute,
  exchange: Exchange,
  parameters: readonly string[],
  body: Buffer,
): HttpRequest {
  return {
    stage,
    route,
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
  };
}

/**
 * What a route does with a request before its integration: authorize, throttle. It answers the request or calls `next`, once. A
 * route has only the steps that it needs.
 */
export type HttpStep = (request: HttpRequest, next: () => void) => void;

/** Answers a request that has been let through, once. */
export type HttpIntegration = (request: HttpRequest) => void;

/** Answer with AWS's `message` alone. */
export function refuse(request: HttpRequest, status: number, message: string): void {
  const { exchange, stage } = request;
  request.failure ??= { message };
  refuseExchange(exchange, stage, status, message);
}

/** Answer with AWS's `message` alone, before a route was found. */
export function refuseExchange(exchange: Exchange, stage: HttpStage, status: number, message: string): void {
  const headers = ["content-type", "application/json"];
  // What was not read of a refused body would be taken for the next request.
  if (status === 413) headers.push("connection", "close");
  answer(exchange, stage, status, headers, `{"message":"${message}"}`);
}

/** @param responseHeaders names and values in turn; it is added to */
export function answer(
  { request, response, headers, extendedId, meter, now }: Exchange,
  { cors }: HttpStage,
  status: number,
  responseHeaders: string[],
  body: string | Buffer,
): void {
  responseHeaders.push("apigw-requestid", extendedId);
  if (cors !== undefined) responseHeaders.push(...cors.headers(headers.origin));
  send(response, status, responseHeaders, body);
  if (meter !== undefined) {
    meter.answered(status, now);
    const sent = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    meter.processed?.(sent + (headers.hasBody ? Number(request.headers["content-length"] ?? 0) : 0));
  }
}
