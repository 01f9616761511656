import { connectAuthorization } from "./authorization.ts";
import { fail } from "./failures.ts";
import { apiKeyStep, throttleSteps } from "./limit-steps.ts";
import type { PublishedWebSocketRoute } from "./published.ts";
import type { WebSocketIntegration, WebSocketRequest, WebSocketStage, WebSocketStep } from "./request.ts";
import { modelStep, parameterStep } from "./validation-steps.ts";

/** The steps of a route, in AWS's order: who may connect, how often, and what. */
export function stepsOf(stage: WebSocketStage, route: PublishedWebSocketRoute): WebSocketStep[] {
  const steps: WebSocketStep[] = [];
  if (route.routeKey === "$connect") {
    steps.push(...connectAuthorization(stage, route));
    if (route.apiKeyRequired === true) steps.push(apiKeyStep(stage));
    const { requiredParameters = [] } = route;
    steps.push(...throttleSteps(stage, route));
    if (requiredParameters.length > 0) steps.push(parameterStep(requiredParameters));
    return steps;
  }
  // The end of a connection is told whatever the limits say: nobody could tell it later.
  if (route.routeKey !== "$disconnect") {
    if (route.apiKeyRequired === true) steps.push(apiKeyStep(stage));
    steps.push(...throttleSteps(stage, route));
  }
  const validation = modelStep(stage, route);
  if (validation !== undefined) steps.push(validation);
  return steps;
}

/** One after the other, and the integration at the end. */
export function inOrder(steps: readonly WebSocketStep[], integration: WebSocketIntegration): WebSocketIntegration {
  return steps.reduceRight<WebSocketIntegration>(
    (next, step) => (request, done) => step(request, () => guardedNext(next, request, done), done),
    integration,
  );
}

/** What throws, which it should not, when a step has waited for something, ends this event and none but this. */
function guardedNext(next: WebSocketIntegration, request: WebSocketRequest, done: Parameters<WebSocketIntegration>[1]) {
  try {
    next(request, done);
  } catch (error) {
    request.stage.needs.log.error("An event of a connection failed", { error });
    fail(request, done, "API_CONFIGURATION_ERROR");
  }
}
