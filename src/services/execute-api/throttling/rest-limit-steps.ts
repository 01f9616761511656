import { maskSecret } from "../logging/secrets.ts";
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
    request.journal?.info(verifying(request, grant === null ? "" : maskSecret(grant.facts.value)));
    if (grant === null) return refuse(request, "INVALID_API_KEY");
    request.apiKey = grant.facts;
    const throttle = grant.methods?.get(methodKey) ?? grant.throttle;
    const passes = throttle === undefined ? true : throttle.take(request.exchange.now);
    if (passes === true) return count(request, grant, next);
    whenTaken(request, passes, "THROTTLED", () => count(request, grant, next), "Key throttle limit");
  };
  return (request, next) => {
    const value = fromAuthorizer ? (request.authorizer?.usageIdentifierKey ?? "") : headerOf(request, "x-api-key");
    if (value === "" || value.length > limits.keyValueCharactersMax) {
      request.journal?.info(verifying(request, ""));
      return refuse(request, "INVALID_API_KEY");
    }
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
  const { journal, apiKey, stage } = request;
  const counted = () => {
    const { apiId, stageName } = stage.published;
    journal?.info(
      `Usage Plan check succeeded for API Key ${maskSecret(apiKey?.value ?? "")} and API Stage ${apiId}/${stageName}`,
    );
    next();
  };
  const told = journal === undefined ? next : counted;
  whenTaken(request, quota.take(request.exchange.now), "QUOTA_EXCEEDED", told, "Key quota limit");
}

function throttleStep(throttle: Throttle): RestStep {
  return (request, next) =>
    whenTaken(request, throttle.take(request.exchange.now), "THROTTLED", next, "Throttle limit");
}

function whenTaken(
  request: RestRequest,
  taken: Taken,
  refusal: "THROTTLED" | "QUOTA_EXCEEDED",
  next: () => void,
  limit: string,
): void {
  if (taken === true) return next();
  const exceeded = () => {
    const { apiId, stageName } = request.stage.published;
    const { resourceId, httpMethod } = request.method;
    request.journal?.error(
      `${limit} exceeded for RestApi ${apiId}, Stage ${stageName}, Resource ${resourceId}, HttpMethod ${httpMethod}`,
    );
    refuse(request, refusal);
  };
  if (taken === false) return exceeded();
  taken.then(
    (late) => (late ? next() : exceeded()),
    (error: unknown) => {
      request.stage.needs.log.error("A limit could not be looked up", { error });
      refuse(request, "API_CONFIGURATION_ERROR");
    },
  );
}

function verifying({ exchange, stage }: RestRequest, key: string): string {
  const { apiId, stageName } = stage.published;
  return `Verifying Usage Plan for request: ${exchange.requestId}. API Key: ${key} API Stage: ${apiId}/${stageName}`;
}

function headerOf({ exchange }: RestRequest, name: string): string {
  const value = exchange.request.headers[name];
  return typeof value === "string" ? value : "";
}
