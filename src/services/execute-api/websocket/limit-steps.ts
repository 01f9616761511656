import { throttlingLimits as limits } from "../throttling/limits.ts";
import type { Taken, Throttle } from "../throttling/throttles.ts";
import type { Grant } from "../throttling/usage-plans.ts";
import { type FailureType, fail } from "./failures.ts";
import type { PublishedWebSocketRoute } from "./published.ts";
import type { RouteOutcome, WebSocketRequest, WebSocketStage, WebSocketStep } from "./request.ts";
import { settingsOf } from "./route-settings.ts";

type Done = (outcome: RouteOutcome) => void;

/**
 * How often a route may be used: by the stage's settings of the route, then by the account.
 *
 * Source: "Throttle requests to your REST APIs …": the account's quota is of all APIs together, WebSocket APIs among them.
 */
export function throttleSteps(
  { needs, published }: WebSocketStage,
  { routeKey }: PublishedWebSocketRoute,
): WebSocketStep[] {
  const { throttles, accountRate } = needs.limits;
  const { account, region, apiId, stageName, settings } = published;
  const rate = settingsOf(settings, routeKey).throttling;
  const steps: WebSocketStep[] = [];
  if (rate !== undefined) {
    steps.push(throttleStep(throttles.of(`${account}/${region}/stage/${apiId}/${stageName}/${routeKey}`, rate)));
  }
  if (accountRate !== undefined) steps.push(throttleStep(throttles.evenly(`${account}/${region}`, accountRate)));
  return steps;
}

/**
 * The client must have shown an API key in its handshake, which a usage plan lets in at this stage: by its rate, or that of the
 * route, then by its quota.
 */
export function apiKeyStep({ needs, published }: WebSocketStage): WebSocketStep {
  const { plans } = needs.limits;
  return (request, next, done) => {
    const value = request.event.type === "CONNECT" ? shownKeyOf(request) : request.shownKey;
    if (value === "" || value.length > limits.keyValueCharactersMax) return fail(request, done, "INVALID_API_KEY");
    const grant = plans.find(published, value);
    if (grant !== undefined) return grantTo(request, grant, next, done);
    plans.load(published, value).then(
      (loaded) => grantTo(request, loaded, next, done),
      (error: unknown) => {
        needs.log.error("An API key could not be looked up", { apiId: published.apiId, error });
        fail(request, done, "API_CONFIGURATION_ERROR");
      },
    );
  };
}

function grantTo(request: WebSocketRequest, grant: Grant | null, next: () => void, done: Done): void {
  if (grant === null) return fail(request, done, "INVALID_API_KEY");
  request.apiKey = grant.facts;
  const count = () => whenTaken(request, grant.quota.take(request.now), "QUOTA_EXCEEDED", next, done);
  const throttle = grant.methods?.get(request.route.routeKey) ?? grant.throttle;
  if (throttle === undefined) count();
  else whenTaken(request, throttle.take(request.now), "THROTTLED", count, done);
}

/** The API key of a handshake, from where the API has its keys; empty for none. */
export function shownKeyOf(request: WebSocketRequest): string {
  const fromAuthorizer = request.stage.published.apiKeySource === "AUTHORIZER";
  return fromAuthorizer ? (request.authorizer?.usageIdentifierKey ?? "") : headerOf(request, "x-api-key");
}

function throttleStep(throttle: Throttle): WebSocketStep {
  return (request, next, done) => whenTaken(request, throttle.take(request.now), "THROTTLED", next, done);
}

function whenTaken(request: WebSocketRequest, taken: Taken, refusal: FailureType, next: () => void, done: Done): void {
  if (taken === true) return next();
  if (taken === false) return fail(request, done, refusal);
  taken.then(
    (late) => (late ? next() : fail(request, done, refusal)),
    (error: unknown) => {
      request.stage.needs.log.error("A limit could not be looked up", { error });
      fail(request, done, "API_CONFIGURATION_ERROR");
    },
  );
}

function headerOf({ event }: WebSocketRequest, lower: string): string {
  const value = event.type === "CONNECT" ? event.exchange.request.headers[lower] : undefined;
  return typeof value === "string" ? value : "";
}
