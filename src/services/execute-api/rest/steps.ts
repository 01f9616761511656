import { guardedNext } from "../guard.ts";
import type { PublishedMethod } from "../port.ts";
import { authorizationSteps } from "../authorizers/rest-authorizers.ts";
import { cacheSteps } from "../caching/cache-step.ts";
import { tellNoPlan, tellStart } from "../logging/execution-log.ts";
import { settingsOf } from "../logging/method-settings.ts";
import { limitSteps } from "../throttling/rest-limit-steps.ts";
import { validationStep } from "../validation/validation-step.ts";
import { compressionStep } from "./compression.ts";
import type { RestIntegration, RestStage, RestStep } from "./request.ts";

/** The steps of a method, in AWS's order: who may call, how often, and what. */
export function stepsOf(stage: RestStage, method: PublishedMethod): RestStep[] {
  const isTold =
    stage.needs.logs !== undefined && settingsOf(stage.published.methodSettings, method)?.loggingLevel === "INFO";
  const steps: RestStep[] = authorizationSteps(stage, method);
  if (isTold && method.apiKeyRequired !== true) steps.push(tellNoPlan);
  steps.push(...limitSteps(stage, method));
  const { minimumCompressionSize } = stage.published;
  if (minimumCompressionSize !== undefined) steps.push(compressionStep(minimumCompressionSize));
  if (isTold) steps.push(tellStart);
  if (method.validation !== undefined) steps.push(validationStep(stage, method, method.validation));
  steps.push(...cacheSteps(stage, method));
  return steps;
}

/** One after the other, and the integration at the end. */
export function inOrder(steps: readonly RestStep[], integration: RestIntegration): RestIntegration {
  return steps.reduceRight<RestIntegration>(
    (next, step) => (request) => step(request, () => guardedNext(next, request)),
    integration,
  );
}
