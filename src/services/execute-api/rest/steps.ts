import type { PublishedMethod } from "../port.ts";
import { authorizationSteps } from "../authorizers/rest-authorizers.ts";
import { cacheSteps } from "../caching/cache-step.ts";
import { limitSteps } from "../throttling/rest-limit-steps.ts";
import { validationStep } from "../validation/validation-step.ts";
import type { RestIntegration, RestStage, RestStep } from "./request.ts";

/** The steps of a method, in AWS's order: who may call, how often, and what. */
export function stepsOf(stage: RestStage, method: PublishedMethod): RestStep[] {
  const steps: RestStep[] = authorizationSteps(stage, method);
  steps.push(...limitSteps(stage, method));
  if (method.validation !== undefined) steps.push(validationStep(stage, method, method.validation));
  steps.push(...cacheSteps(stage, method));
  return steps;
}

/** One after the other, and the integration at the end. */
export function inOrder(steps: readonly RestStep[], integration: RestIntegration): RestIntegration {
  return steps.reduceRight<RestIntegration>(
    (next, step) => (request) => step(request, () => next(request)),
    integration,
  );
}
