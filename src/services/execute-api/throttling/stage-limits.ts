import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Log } from "../../../kernel/log.ts";
import { hasEnded } from "../../../kernel/process-identity.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { PublishedRate } from "../port.ts";
import { createLeaseJournal, createMemoryJournal } from "./lease-journal.ts";
import { createQuotas } from "./quotas.ts";
import { recoverQuotas } from "./recover-quotas.ts";
import { createThrottles, type Throttles } from "./throttles.ts";
import { createUsageCounts } from "./usage-counts.ts";
import { createUsagePlans, type UsagePlans } from "./usage-plans.ts";

/** What compiled stages limit requests with. */
export interface StageLimits {
  readonly throttles: Throttles;
  readonly plans: UsagePlans;
  /** Of each account and region together; absent: none. */
  readonly accountRate: PublishedRate | undefined;
}

export interface LimitsOwner {
  readonly limits: StageLimits;
  /** What was counted is in the store. */
  flush(): Promise<void>;
  /** Before requests come: settle what processes that were killed had taken of quotas. */
  recover(): Promise<void>;
  /** Give back what was taken of quotas. The store must still be open. */
  stop(): Promise<void>;
}

export interface LimitsNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Absent: one node, alone. */
  readonly nodes?: { readonly live: () => readonly unknown[]; readonly isDivided: () => boolean };
  /** Where this process tells others after it what it had used, and how they know it; absent: nobody comes after. */
  readonly remains?: { readonly dataDir: string; readonly machine: string; readonly identity: string };
  readonly accountRate?: PublishedRate | undefined;
}

export function createLimits(needs: LimitsNeeds): LimitsOwner {
  const { store, clock, nodes, remains } = needs;
  const folder = remains === undefined ? undefined : join(remains.dataDir, "quotas");
  // Processes of other machines that share the folder cannot be asked about.
  const machine = createHash("sha256")
    .update(remains?.machine ?? "")
    .digest("hex")
    .slice(0, 16);
  const liveNodes = () => Math.max(1, nodes?.live().length ?? 1);
  const prefix = `${machine}_`;
  const isGone = (owner: string) => owner.startsWith(prefix) && hasEnded(owner.slice(prefix.length));
  const throttles = createThrottles({ ...needs, isDivided: () => nodes?.isDivided() ?? false, nodes: liveNodes });
  const quotas = createQuotas({
    ...needs,
    journal:
      folder === undefined || remains === undefined
        ? createMemoryJournal()
        : createLeaseJournal(folder, `${prefix}${remains.identity}`),
    nodes: liveNodes,
  });
  const counts = createUsageCounts(needs);
  const plans = createUsagePlans({ store, throttles, quotas, counts });
  return {
    limits: { throttles, plans, accountRate: needs.accountRate },
    flush: async () => {
      await Promise.all([quotas.settle(), counts.settle()]);
    },
    recover: async () => {
      if (folder === undefined) return;
      await recoverQuotas({ store, folder, now: () => clock.now(), isGone });
    },
    stop: async () => {
      plans.stop();
      await Promise.all([quotas.stop(), counts.stop()]);
    },
  };
}
