import type { Clock } from "../../kernel/clock.ts";
import { tooManyRequests } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";

/** Counts invocations that run now, and refuses what is over a function's or the account's limit. */
export interface Concurrency {
  /**
   * Take a place, and give it back by calling what is returned; or throw TooManyRequestsException.
   *
   * @param synchronous asynchronous invocations are not limited in their rate
   */
  enter(share: Share, synchronous: boolean): () => void;
}

/** What a version of a function may use. */
export interface Share {
  readonly accountKey: string;
  readonly functionKey: string;
  /** Of the version. */
  readonly specId: string;
  /** The function's own reserved concurrency; without it, it shares what no function has reserved. */
  readonly reserved: number | undefined;
  /** What all functions of the account and region have reserved, or have provisioned without reserving. */
  readonly reservedTotal: number;
  /** Environments of this version that are provisioned, and are initialised by now. */
  readonly provisioned?: () => number;
  /**
   * Told of each invocation of a version that has provisioned environments: how many of these are in use with it, or
   * `undefined` when all were and it gets another.
   */
  readonly told?: (used: number | undefined, provisioned: number) => void;
}

export function createConcurrency(clock: Pick<Clock, "now">): Concurrency {
  const byFunction = new Map<string, number>();
  const byVersion = new Map<string, number>();
  const shared = new Map<string, number>();
  const rates = new Map<string, Rate>();

  /** AWS: ten requests a second for each unit of concurrency. Source: developer guide, "Lambda quotas", invocation requests. */
  const checkRate = (functionKey: string, reserved: number) => {
    let rate = rates.get(functionKey);
    if (rate?.perSecond !== reserved * lambdaLimits.requestsPerSecondOfConcurrency) {
      rate = createRate(reserved * lambdaLimits.requestsPerSecondOfConcurrency, clock.now());
      rates.set(functionKey, rate);
    }
    if (!rate.take(clock.now())) throw tooManyRequests("ReservedFunctionInvocationRateLimitExceeded");
  };

  const useProvisioned = ({ specId, provisioned, told }: Share): (() => void) | undefined => {
    const all = provisioned?.() ?? 0;
    if (all === 0) return undefined;
    const used = (byVersion.get(specId) ?? 0) + 1;
    told?.(used <= all ? used : undefined, all);
    return used <= all ? take(byVersion, specId) : undefined;
  };

  return {
    enter(share, synchronous) {
      const { accountKey, functionKey, reserved, reservedTotal } = share;
      if (reserved !== undefined) {
        if ((byFunction.get(functionKey) ?? 0) >= reserved) {
          throw tooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded");
        }
        if (synchronous) checkRate(functionKey, reserved);
        // Provisioned environments are among what is reserved: only told of here.
        const leave = take(byFunction, functionKey);
        const leaveVersion = useProvisioned(share);
        if (leaveVersion === undefined) return leave;
        return () => {
          leave();
          leaveVersion();
        };
      }
      // What is provisioned has been taken from what all share already; what goes beyond it is taken from there now.
      const leave = useProvisioned(share);
      if (leave !== undefined) return leave;
      if ((shared.get(accountKey) ?? 0) >= lambdaLimits.concurrentExecutions - reservedTotal) {
        throw tooManyRequests("ConcurrentInvocationLimitExceeded");
      }
      return take(shared, accountKey);
    },
  };
}

function take(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
  let left = false;
  return () => {
    if (left) return;
    left = true;
    const now = (counts.get(key) ?? 1) - 1;
    if (now <= 0) counts.delete(key);
    else counts.set(key, now);
  };
}

interface Rate {
  readonly perSecond: number;
  take(now: number): boolean;
}

/** A second's worth at once, and refilled evenly. */
function createRate(perSecond: number, since: number): Rate {
  let left = perSecond;
  let at = since;
  return {
    perSecond,
    take(now) {
      left = Math.min(perSecond, left + ((now - at) * perSecond) / 1000);
      at = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
