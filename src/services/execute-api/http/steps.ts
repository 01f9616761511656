import { guardedNext } from "../guard.ts";
import type { PublishedRoute } from "../port.ts";
import { authorizationSteps } from "../authorizers/http-authorizers.ts";
import { limitSteps } from "../throttling/http-limit-steps.ts";
import type { HttpIntegration, HttpStage, HttpStep } from "./request.ts";

/** The steps of a route, in AWS's order: who may call, how often. */
export function stepsOf(stage: HttpStage, route: PublishedRoute): HttpStep[] {
  return [...authorizationSteps(stage, route), ...limitSteps(stage, route)];
}

/** One after the other, and the integration at the end. */
export function inOrder(steps: readonly HttpStep[], integration: HttpIntegration): HttpIntegration {
  return steps.reduceRight<HttpIntegration>(
    (next, step) => (request) => step(request, () => guardedNext(next, request)),
    integration,
  );
}
