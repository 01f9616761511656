import type { PublishedRate, UsagePort } from "../port.ts";
import { dayOf, quotaLimitIn, quotaPeriodOf } from "./quota-period.ts";
import { readDays, readQuota, writeDay, writeQuota } from "./quota-record.ts";
import { usagePublisher } from "./usage-plans.ts";

/** What the control plane publishes keys and plans by, and reads what was used from. */
export function createUsagePort(flush: UsagePort["flush"], accountRate: PublishedRate | undefined): UsagePort {
  return {
    accountRate,
    ...usagePublisher,
    flush,
    readDays,
    async readRemaining(reader, address, quota, now) {
      const period = quotaPeriodOf(quota.period, now);
      const { used, taken, extra } = await readQuota(reader, address, period.id);
      return Math.max(0, quotaLimitIn(quota, period) + extra - used - taken);
    },
    async setRemaining(tx, address, quota, remaining, now) {
      const period = quotaPeriodOf(quota.period, now);
      const before = await readQuota(tx, address, period.id);
      const extra = remaining + before.used + before.taken - quotaLimitIn(quota, period);
      writeQuota(tx, address, period.id, { ...before, extra });
      await writeDay(tx, address, dayOf(now), remaining);
    },
  };
}
