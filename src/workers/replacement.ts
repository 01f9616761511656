import { workerLimits } from "./limits.ts";

/** When a worker that has ended is replaced. */
export interface Replacement {
  /** @returns the pause before the next is started, in milliseconds; undefined when it is time to give up */
  pauseAfter(livedMs: number): number | undefined;
}

/**
 * One that has served for a while is replaced at once. When they end as soon as they start, each further one waits
 * longer, and in the end there is none: what ends them will not go away by itself.
 */
export function createReplacement(): Replacement {
  let early = 0;
  return {
    pauseAfter(livedMs) {
      if (livedMs >= workerLimits.earlyMs) {
        early = 0;
        return 0;
      }
      early += 1;
      if (early > workerLimits.earlyEndsMax) return undefined;
      return Math.min(workerLimits.pauseMsMax, workerLimits.pauseMs * 2 ** (early - 1));
    },
  };
}
