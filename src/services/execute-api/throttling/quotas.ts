import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { PublishedQuota, UsageAddress } from "../port.ts";
import type { LeaseJournal, LeaseSlot } from "./lease-journal.ts";
import { throttlingLimits as limits } from "./limits.ts";
import { dayOf, quotaLimitIn, quotaPeriodOf, type QuotaPeriod } from "./quota-period.ts";
import { readQuota, settleLease, writeLease, writeQuota } from "./quota-record.ts";
import type { Taken } from "./throttles.ts";

/**
 * Quotas of API keys, exact over all nodes and restarts. A node takes a part of what is left in one transaction and counts
 * down from it in memory; parts become smaller as the end comes near. What is taken counts as used until it is settled, so
 * that no quota is ever exceeded; what a process had used of its parts when it was killed stands in its journal, and the
 * rest is given back when another finds that.
 */
export interface Quotas {
  of(address: UsageAddress, quota: PublishedQuota): QuotaCounter;
  /** Tell the store everything that was used, and give back the rest. */
  settle(): Promise<void>;
  /** A key or plan has changed: what was used up is looked at again. */
  refresh(): void;
  stop(): Promise<void>;
}

export interface QuotaCounter {
  /** Whether one more request is within the quota; it is counted. */
  take(now: number): Taken;
}

export interface QuotasNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly journal: LeaseJournal;
  /** How many nodes let requests through, this one included. */
  readonly nodes: () => number;
}

interface Lease {
  readonly id: string;
  readonly slot: LeaseSlot;
  readonly period: QuotaPeriod;
  readonly amount: number;
  used: number;
  lastAt: number;
}

interface Counter extends QuotaCounter {
  /** Never rejects. */
  readonly settle: () => Promise<void>;
  /** When it was taken from last, where something is taken that is not settled. */
  readonly unsettledSince: () => number | undefined;
  readonly refresh: () => void;
}

export function createQuotas(needs: QuotasNeeds): Quotas {
  const counters = new Map<string, Counter>();
  let ticking = false;
  let stopped = false;

  /** @param before epoch milliseconds: what has been used since then stays taken */
  const settleUnused = async (before: number): Promise<void> => {
    const idle = [...counters.values()].filter((counter) => (counter.unsettledSince() ?? Infinity) <= before);
    await Promise.all(idle.map((counter) => counter.settle()));
  };
  /** From the first part that is taken until all are settled. */
  const tick = () => {
    if (ticking || stopped) return;
    ticking = true;
    needs.clock.after(limits.quotaIdleMs, () => {
      void settleUnused(needs.clock.now() - limits.quotaIdleMs).then(() => {
        ticking = false;
        if ([...counters.values()].some((counter) => counter.unsettledSince() !== undefined)) tick();
      });
    });
  };

  const forgetSettled = () => {
    for (const [key, counter] of counters) if (counter.unsettledSince() === undefined) counters.delete(key);
  };

  return {
    of(address, quota) {
      const { limit, offset, period, since } = quota;
      const key = [address.account, address.region, address.planId, address.keyId, limit, offset, period, since].join(
        "/",
      );
      let counter = counters.get(key);
      if (counter === undefined) {
        if (counters.size >= limits.bucketsMax) forgetSettled();
        counter = createCounter(needs, address, quota, tick);
        counters.set(key, counter);
      }
      return counter;
    },
    settle: () => settleUnused(Infinity),
    refresh() {
      for (const counter of counters.values()) counter.refresh();
    },
    async stop() {
      stopped = true;
      await settleUnused(Infinity);
      needs.journal.stop();
    },
  };
}

function createCounter(needs: QuotasNeeds, address: UsageAddress, quota: PublishedQuota, tick: () => void): Counter {
  const { store, clock, ids, log, journal, nodes } = needs;
  let lease: Lease | undefined;
  let usedUpUntil = 0;
  let busy: Promise<void> | undefined;

  const takeHeld = (now: number): boolean => {
    if (lease === undefined || lease.used >= lease.amount || now >= lease.period.end) return false;
    // First the journal: a request that it does not know of must not go on.
    lease.slot.write(lease.used + 1);
    lease.used += 1;
    lease.lastAt = now;
    return true;
  };

  /** Settle what was taken, and take more. */
  const exchange = async (takesMore: boolean): Promise<void> => {
    const before = lease;
    lease = undefined;
    const now = clock.now();
    const period = quotaPeriodOf(quota.period, now);
    const limit = quotaLimitIn(quota, period);
    const id = ids.uuid();
    const slot = takesMore ? journal.open(id) : undefined;
    let amount = 0;
    try {
      amount = await store.transact(async (tx) => {
        if (before !== undefined) {
          const usedLimit = quotaLimitIn(quota, before.period);
          await settleLease(tx, before.id, before.used, dayOf(before.lastAt), usedLimit);
        }
        if (!takesMore) return 0;
        const record = await readQuota(tx, address, period.id);
        const left = limit + record.extra - record.used - record.taken;
        const part = Math.floor(left / limits.quotaBlockShare / nodes());
        const taken = Math.min(Math.max(left, 0), Math.max(part, 1, 0), limits.quotaBlockMax);
        if (taken === 0) return 0;
        writeQuota(tx, address, period.id, { ...record, taken: record.taken + taken });
        writeLease(tx, id, { v: 1, ...address, period: period.id, end: period.end, amount: taken });
        return taken;
      });
      before?.slot.close();
    } catch (error) {
      // Perhaps it is settled: nothing more is taken of it. Else that is done with the next one, or by whoever finds the journal.
      if (before !== undefined) lease = { ...before, amount: before.used };
      slot?.close();
      throw error;
    }
    if (slot === undefined) return;
    if (amount === 0) {
      slot.close();
      usedUpUntil = Math.min(now + limits.quotaDeniedMs, period.end);
      return;
    }
    lease = { id, slot, period, amount, used: 0, lastAt: now };
    tick();
  };

  /** One exchange after the other. Never rejects. */
  const begin = (takesMore: boolean): Promise<void> => {
    busy = exchange(takesMore)
      .catch((error: unknown) => {
        // Whoever cannot know whether something is left lets nobody pass.
        log.warn("A quota could not be asked for", { planId: address.planId, keyId: address.keyId, error });
        usedUpUntil = clock.now() + limits.quotaDeniedMs;
      })
      .finally(() => (busy = undefined));
    return busy;
  };

  const takeSoon = async (): Promise<boolean> => {
    for (;;) {
      await (busy ?? begin(true));
      const now = clock.now();
      if (takeHeld(now)) return true;
      if (now < usedUpUntil) return false;
    }
  };

  const settle = async (): Promise<void> => {
    if (busy !== undefined) {
      await busy;
      // It may have taken more.
      return settle();
    }
    if (lease !== undefined) await begin(false);
  };

  return {
    take(now) {
      if (busy === undefined && takeHeld(now)) return true;
      if (busy === undefined && now < usedUpUntil) return false;
      return takeSoon();
    },
    settle,
    unsettledSince: () => lease?.lastAt,
    refresh() {
      usedUpUntil = 0;
    },
  };
}
