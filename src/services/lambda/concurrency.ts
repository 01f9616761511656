import { tooManyRequests } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";

/** Counts invocations that run now, and refuses what is over a function's or the account's limit. */
export interface Concurrency {
  /**
   * Take a place, or throw TooManyRequestsException.
   *
   * @param reserved the function's own reserved concurrency; without it, it shares what no function has reserved
   * @param reservedTotal what all functions of the account and region have reserved
   */
  enter(accountKey: string, functionKey: string, reserved: number | undefined, reservedTotal: number): () => void;
}

export function createConcurrency(): Concurrency {
  const byFunction = new Map<string, number>();
  const shared = new Map<string, number>();
  return {
    enter(accountKey, functionKey, reserved, reservedTotal) {
      const [counts, key] = reserved === undefined ? [shared, accountKey] : [byFunction, functionKey];
      const most = reserved ?? lambdaLimits.concurrentExecutions - reservedTotal;
      const running = counts.get(key) ?? 0;
      if (running >= most) {
        throw tooManyRequests(
          reserved === undefined
            ? "ConcurrentInvocationLimitExceeded"
            : "ReservedFunctionConcurrentInvocationLimitExceeded",
        );
      }
      counts.set(key, running + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const now = (counts.get(key) ?? 1) - 1;
        if (now <= 0) counts.delete(key);
        else counts.set(key, now);
      };
    },
  };
}
