import type { Store } from "../../../kernel/store/store.ts";
import { findLeases } from "./lease-journal.ts";
import { dayOf } from "./quota-period.ts";
import { readLease, settleLease } from "./quota-record.ts";

/**
 * Settle what processes of this machine that have ended had taken of quotas and not told. What a process elsewhere left stays
 * counted as used until its period ends: nobody else can know how much of it was.
 */
export async function recoverQuotas(needs: {
  readonly store: Store;
  readonly folder: string;
  readonly now: () => number;
  readonly isGone: (owner: string) => boolean;
}): Promise<void> {
  for (const { leases, remove } of findLeases(needs.folder, needs.isGone)) {
    await needs.store.transact(async (tx) => {
      for (const { id, used } of leases) {
        const lease = await readLease(tx, id);
        if (lease !== undefined) {
          await settleLease(tx, id, Math.min(used, lease.amount), dayOf(needs.now()), undefined);
        }
      }
    });
    remove();
  }
}
