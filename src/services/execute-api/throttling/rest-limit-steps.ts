import type { PublishedMethod, PublishedRate } from "../port.ts";
import { refuse, type RestRequest, type RestStage, type RestStep } from "../rest/request.ts";
import { throttlingLimits as limits } from "./limits.ts";
import type { Taken, Throttle } from "./throttles.ts";
import type { Grant } from "./usage-plans.ts";

/**
 * How often a method may be called, in AWS's order: by the caller's API key and its usage plan, where the method requires a
 * key; then by the stage's settings of the method; then by the account.
 */
export function limitSteps(stage: RestStage, method: PublishedMethod): RestStep[] {
  const { throttles, accountRate } = stage.needs.limits;
  const { account, region, apiId, stageName } = stage.published;
  const steps: RestStep[] = [];
  if (method.apiKeyRequired === true) steps.push(apiKeyStep(stage, method));
  const rate = rateOf(stage, method);
  if (rate !== undefined) {
    const name = `${account}/${region}/stage/${apiId}/${stageName}${method.path}/${method.httpMethod}`;
    steps.push(throttleStep(throttles.of(name, rate)));
  }
  if (accountRate !== undefined) steps.push(throttleStep(throttles.evenly(`${account}/${region}`, accountRate)));
  return steps;
}

/** A method's own settings, or the stage's for all others; each method has a bucket of its own. */
function rateOf({ published }: RestStage, method: PublishedMethod): PublishedRate | undefined {
  const settings = published.methodSettings ?? {};
  const own = settings[`${method.path.slice(1)}/${method.httpMethod}`];
  return own === undefined ? settings["*/*"]?.throttling : own.throttling;
}

function apiKeyStep(stage: RestStage, method: PublishedMethod): RestStep {
  const { plans } = stage.needs.limits;
  const { published } = stage;
  const fromAuthorizer = published.apiKeySource === "AUTHORIZER";
  const methodKey = `${method.path === "/" ? "" : method.path}/${method.httpMethod}`;
  const grantTo = (request: RestRequest, grant: Grant | null, next: () => void) => {
    if (grant === null) return refuse(request, "INVALID_API_KEY");
    request.apiKey = grant.facts;
    const throttle = grant.methods?.get(methodKey) ?? grant.throttle;
    const passes = throttle === undefined ? true : throttle.take(request.exchange.now);
    if (passes === true) return count(request, grant, next);
    whenTaken(request, passes, "THROTTLED", () => count(request, grant, next));
  };
  return (request, next) => {
    const value = fromAuthorizer ? (request.authorizer?.usageIdentifierKey ?? "") : headerOf(request, "x-api-key");
    if (value === "" || value.length > limits.keyValueCharactersMax) return refuse(request, "INVALID_API_KEY");
    const grant = plans.find(published, value);
    if (grant !== undefined) return grantTo(request, grant, next);
    plans.load(published, value).then(
      (loaded) => grantTo(request, loaded, next),
      (error: unknown) => {
        stage.needs.log.error("An API key could not be looked up", { apiId: published.apiId, error });
        refuse(request, "API_CONFIGURATION_ERROR");
      },
    );
  };
}

function count(request: RestRequest, { quota }: Grant, next: () => void): void {
  if (quota === undefined) return next();
  whenTaken(request, quota.take(request.exchange.now), "QUOTA_EXCEEDED", next);
}

function throttleStep(throttle: Throttle): RestStep {
  return (request, next) => whenTaken(request, throttle.take(request.exchange.now), "THROTTLED", next);
}

function whenTaken(
  request: RestRequest,
  taken: Taken,
  refusal: "THROTTLED" | "QUOTA_EXCEEDED",
  next: () => void,
): void {
  if (taken === true) return next();
  if (taken === false) return refuse(request, refusal);
  taken.then(
    (late) => (late ? next() : refuse(request, refusal)),
    (error: unknown) => {
      request.stage.needs.log.error("A limit could not be looked up", { error });
      refuse(request, "API_CONFIGURATION_ERROR");
    },
  );
}

function headerOf({ exchange }: RestRequest, name: string): string {
  const value = exchange.request.headers[name];
  return typeof value === "string" ? value : "";
}
