import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { UsageAddress } from "../port.ts";
import { throttlingLimits as limits } from "./limits.ts";
import { dayOf } from "./quota-period.ts";
import { noteDay } from "./quota-record.ts";
import type { QuotaCounter } from "./quotas.ts";

/**
 * Counts the requests of keys whose plan has no quota, for GetUsage alone: everything passes, also while the store is away.
 * What was counted since it was last told is lost with the process.
 */
export interface UsageCounts {
  of(address: UsageAddress): QuotaCounter;
  /** Tell the store what was counted. Never rejects: what could not be told is told later. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

interface Count {
  readonly address: UsageAddress;
  readonly day: string;
  used: number;
}

export function createUsageCounts({
  store,
  clock,
  log,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): UsageCounts {
  let counts = new Map<string, Count>();
  let telling: Promise<void> | undefined;
  let waiting = false;
  let stopped = false;

  const tell = async (): Promise<void> => {
    const told = counts;
    counts = new Map();
    if (told.size === 0) return;
    try {
      await store.transact(async (tx) => {
        for (const { address, day, used } of told.values()) await noteDay(tx, address, day, used, 0);
      });
    } catch (error) {
      log.warn("Usage could not be told", { error });
      for (const { address, day, used } of told.values()) add(address, day, used);
    }
  };
  /** One after the other. */
  const settle = async (): Promise<void> => {
    await telling;
    telling = tell();
    await telling;
  };
  const add = (address: UsageAddress, day: string, used: number) => {
    const name = `${address.account}/${address.region}/${address.planId}/${address.keyId}/${day}`;
    const count = counts.get(name);
    if (count !== undefined) count.used += used;
    // Plans, keys and days are the owner's to make: more than this many at once are not told.
    else if (counts.size < limits.bucketsMax) counts.set(name, { address, day, used });
    if (waiting || stopped) return;
    waiting = true;
    clock.after(limits.quotaIdleMs, () => {
      waiting = false;
      void settle();
    });
  };

  return {
    of: (address) => ({
      take: (now) => {
        add(address, dayOf(now), 1);
        return true;
      },
    }),
    settle,
    stop: () => {
      stopped = true;
      return settle();
    },
  };
}
