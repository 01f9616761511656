import type { PublishedMethod } from "../port.ts";
import { iamStep } from "./iam-step.ts";
import type { RestIntegration, RestStage, RestStep } from "./request.ts";

/** The steps of a method, in AWS's order: who may call, how often, and what. */
export function stepsOf(_stage: RestStage, method: PublishedMethod): RestStep[] {
  const steps: RestStep[] = [];
  if (method.authorizationType === "AWS_IAM") steps.push(iamStep);
  return steps;
}

/** One after the other, and the integration at the end. */
export function inOrder(steps: readonly RestStep[], integration: RestIntegration): RestIntegration {
  return steps.reduceRight<RestIntegration>(
    (next, step) => (request) => step(request, () => next(request)),
    integration,
  );
}
