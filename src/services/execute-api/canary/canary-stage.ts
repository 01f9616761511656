import type { PublishedRestStage } from "../port.ts";
import type { CompiledStage } from "../stage-needs.ts";

/**
 * A stage with a canary: each request is drawn once, and goes to the canary's deployment with its variables or to the stage's
 * own.
 *
 * @param random even in [0, 1)
 */
export function compileCanaryStage(
  published: PublishedRestStage,
  compile: (stage: PublishedRestStage) => CompiledStage,
  random: () => number,
): CompiledStage {
  const { canary, ...own } = published;
  if (canary === undefined) return compile(own);
  const stage = compile({ ...own, isCanary: false });
  const { percentTraffic, useStageCache, snapshot, deploymentId, variables } = canary;
  const name = `${own.apiId}/${own.stageName}`;
  const drawn = compile({
    ...own,
    ...snapshot,
    deploymentId,
    variables,
    isCanary: true,
    cacheName: useStageCache ? name : `${name} canary`,
  });
  const share = percentTraffic / 100;
  return {
    answer: (request, response, paths) => (random() < share ? drawn : stage).answer(request, response, paths),
  };
}
