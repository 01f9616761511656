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
  const byFunction = createCounts();
  const byVersion = createCounts();
  const shared = createCounts();
  const rates = new Map<string, Rate>();

  /** AWS: ten requests a second for each unit of concurrency. Source: developer guide, "Lambda quotas", invocation requests. */
  const checkRate = (functionKey: string, reserved: number) => {
    let rate = rates.get(functionKey);
    if (rate?.perSecond !== reserved * lambdaLimits.requestsPerSecondOfConcurrency) {
      rate = createRate(reserved * lambdaLimits.requestsPerSecondOfConcurrency, clock.now());
      if (rates.size >= lambdaLimits.countersMax) rates.clear();
      rates.set(functionKey, rate);
    }
    if (!rate.take(clock.now())) throw tooManyRequests("ReservedFunctionInvocationRateLimitExceeded");
  };

  const useProvisioned = ({ specId, provisioned, told }: Share): (() => void) | undefined => {
    const all = provisioned?.() ?? 0;
    if (all === 0) return undefined;
    const used = byVersion.of(specId) + 1;
    told?.(used <= all ? used : undefined, all);
    return used <= all ? byVersion.take(specId) : undefined;
  };

  return {
    enter(share, synchronous) {
      const { accountKey, functionKey, reserved, reservedTotal } = share;
      if (reserved !== undefined) {
        if (byFunction.of(functionKey) >= reserved) {
          throw tooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded");
        }
        if (synchronous) checkRate(functionKey, reserved);
        // Provisioned environments are among what is reserved: only told of here.
        const leave = byFunction.take(functionKey);
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
      if (shared.of(accountKey) >= lambdaLimits.concurrentExecutions - reservedTotal) {
        throw tooManyRequests("ConcurrentInvocationLimitExceeded");
      }
      return shared.take(accountKey);
    },
  };
}

/** What runs now, by key. */
interface Counts {
  of(key: string): number;
  /** One more; what is returned takes it back, once. */
  take(key: string): () => void;
}

/** Counters stay when they are at zero: to remove and make them again for each invocation would cost more than they do. */
function createCounts(): Counts {
  const counters = new Map<string, { running: number }>();
  return {
    of: (key) => counters.get(key)?.running ?? 0,
    take(key) {
      let counter = counters.get(key);
      if (counter === undefined) {
        if (counters.size >= lambdaLimits.countersMax) {
          for (const [idle, { running }] of counters) if (running === 0) counters.delete(idle);
        }
        counter = { running: 0 };
        counters.set(key, counter);
      }
      counter.running += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        counter.running -= 1;
      };
    },
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
