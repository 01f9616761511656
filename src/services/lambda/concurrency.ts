import type { Clock } from "../../kernel/clock.ts";
import { createShares } from "../../kernel/nodes/create-shares.ts";
import type { Shares } from "../../kernel/nodes/shares.ts";
import { tooManyRequests, type ThrottleReason } from "./errors.ts";
import { lambdaLimits } from "./limits.ts";

/** Counts invocations that run now, and refuses what is over a function's or the account's limit. */
export interface Concurrency {
  /**
   * Take a place, and give it back by calling what is returned; or throw TooManyRequestsException. A promise of it where
   * other nodes must be asked for what they do not use.
   *
   * @param synchronous asynchronous invocations are not limited in their rate
   */
  enter(share: Share, synchronous: boolean): Leave | Promise<Leave>;
}

export type Leave = () => void;

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

/** @param shares what this node may use of each limit */
export function createConcurrency(clock: Pick<Clock, "now">, shares: Shares = createShares()): Concurrency {
  const byVersion = createCounts();
  const rates = new Map<string, Rate>();

  /**
   * AWS: ten requests a second for each unit of concurrency. Source: developer guide, "Lambda quotas", invocation requests.
   * A node has the rate of what it holds.
   */
  const isWithinRate = (functionKey: string, reserved: number): boolean => {
    let rate = rates.get(functionKey);
    if (rate === undefined) {
      rate = createRate(clock.now());
      if (rates.size >= lambdaLimits.countersMax) rates.clear();
      rates.set(functionKey, rate);
    }
    const units = shares.held(functionKey, reserved);
    return rate.take(clock.now(), units * lambdaLimits.requestsPerSecondOfConcurrency);
  };

  const useProvisioned = ({ specId, provisioned, told }: Share): (() => void) | undefined => {
    const all = provisioned?.() ?? 0;
    if (all === 0) return undefined;
    const used = byVersion.of(specId) + 1;
    told?.(used <= all ? used : undefined, all);
    return used <= all ? byVersion.take(specId) : undefined;
  };

  /** A place among what the function has reserved is had; the rate may still be too high. */
  const enterReserved = (
    share: Share,
    reserved: number,
    synchronous: boolean,
    leave: Leave,
  ): Leave | Promise<Leave> => {
    if (synchronous && !isWithinRate(share.functionKey, reserved)) {
      if (!shares.isDivided()) {
        leave();
        throw tooManyRequests("ReservedFunctionInvocationRateLimitExceeded");
      }
      return shares.gather(share.functionKey, reserved).then(() => {
        if (isWithinRate(share.functionKey, reserved)) return withProvisioned(share, leave);
        leave();
        throw tooManyRequests("ReservedFunctionInvocationRateLimitExceeded");
      });
    }
    return withProvisioned(share, leave);
  };

  /** Provisioned environments are among what is reserved: only told of here. */
  const withProvisioned = (share: Share, leave: Leave): Leave => {
    const leaveVersion = useProvisioned(share);
    if (leaveVersion === undefined) return leave;
    return () => {
      leave();
      leaveVersion();
    };
  };

  return {
    enter(share, synchronous) {
      const { accountKey, functionKey, reserved, reservedTotal } = share;
      if (reserved !== undefined) {
        const reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        const leave = shares.take(functionKey, reserved);
        if (leave !== undefined || !shares.isDivided()) {
          return enterReserved(share, reserved, synchronous, orRefused(leave, reason));
        }
        return shares
          .takeSoon(functionKey, reserved)
          .then((had) => enterReserved(share, reserved, synchronous, orRefused(had, reason)));
      }
      // What is provisioned has been taken from what all share already; what goes beyond it is taken from there now.
      const leaveVersion = useProvisioned(share);
      if (leaveVersion !== undefined) return leaveVersion;
      const unreserved = lambdaLimits.concurrentExecutions - reservedTotal;
      const leave = shares.take(accountKey, unreserved);
      const reason = "ConcurrentInvocationLimitExceeded";
      if (leave !== undefined || !shares.isDivided()) return orRefused(leave, reason);
      return shares.takeSoon(accountKey, unreserved).then((had) => orRefused(had, reason));
    },
  };
}

function orRefused(leave: Leave | undefined, reason: ThrottleReason): Leave {
  if (leave === undefined) throw tooManyRequests(reason);
  return leave;
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
  take(now: number, perSecond: number): boolean;
}

/** A second's worth at once, and refilled evenly. */
function createRate(since: number): Rate {
  let left = Number.POSITIVE_INFINITY;
  let at = since;
  return {
    take(now, perSecond) {
      left = Math.min(perSecond, left + ((now - at) * perSecond) / 1000);
      at = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
