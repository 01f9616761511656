import type { PublishedRoute } from "../port.ts";
import { type HttpRequest, type HttpStage, type HttpStep, refuse } from "../http/request.ts";
import type { Throttle } from "./throttles.ts";

/** How often a route may be called: by the stage's settings of the route, then by the account. */
export function limitSteps(stage: HttpStage, { routeKey }: PublishedRoute): HttpStep[] {
  const { throttles, accountRate } = stage.needs.limits;
  const { account, region, apiId, stageName, throttling } = stage.published;
  const rate = throttling?.routes[routeKey] ?? throttling?.default;
  const steps: HttpStep[] = [];
  if (rate !== undefined) {
    steps.push(throttleStep(throttles.of(`${account}/${region}/stage/${apiId}/${stageName}/${routeKey}`, rate)));
  }
  if (accountRate !== undefined) steps.push(throttleStep(throttles.evenly(`${account}/${region}`, accountRate)));
  return steps;
}

function throttleStep(throttle: Throttle): HttpStep {
  return (request, next) => {
    const taken = throttle.take(request.exchange.now);
    if (taken === true) return next();
    if (taken === false) return refuseThrottled(request);
    taken.then(
      (late) => (late ? next() : refuseThrottled(request)),
      (error: unknown) => {
        request.stage.needs.log.error("A limit could not be looked up", { error });
        refuse(request, 500, "Internal Server Error");
      },
    );
  };
}

function refuseThrottled(request: HttpRequest): void {
  refuse(request, 429, "Too Many Requests");
}
