import type { Clock } from "../kernel/clock.ts";
import type { Store } from "../kernel/store/store.ts";
import { frontLimits } from "./limits.ts";

/** Whether requests should be sent to this node. Asked by load balancers; whoever may reach the listener may ask. */
export interface Readiness {
  check(): Promise<ReadinessAnswer>;
  /** From now on this node is not ready: it is about to stop. */
  drain(): void;
  readonly draining: boolean;
}

export type ReadinessAnswer =
  | { readonly status: "ready" }
  /** Stopping. */
  | { readonly status: "draining" }
  /** The store did not answer in time, or this node has lost its lease: others may have taken over what it held. */
  | { readonly status: "unavailable"; readonly reason: "store" | "lease" };

export interface ReadinessNeeds {
  /** Absent: it is not asked. */
  readonly store?: Store;
  readonly clock: Clock;
  /** Whether this node's own lease is held. Absent where there is only one node. */
  readonly isLive?: () => boolean;
}

export function createReadiness({ store, clock, isLive }: ReadinessNeeds): Readiness {
  let draining = false;
  let asked: { readonly until: number; readonly answer: Promise<boolean> } | undefined;

  /** However often it is asked, the store is looked at a few times a second. */
  function storeAnswers(): Promise<boolean> {
    const now = clock.now();
    if (!asked || asked.until <= now || asked.until > now + frontLimits.readinessKeptMs) {
      asked = { until: now + frontLimits.readinessKeptMs, answer: lookAtStore() };
    }
    return asked.answer;
  }

  function lookAtStore(): Promise<boolean> {
    if (!store) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = clock.after(frontLimits.readinessMsMax, () => resolve(false));
      store
        .read((reader) => reader.get(["blobs", "collection"]))
        .then(
          () => resolve(true),
          () => resolve(false),
        )
        .finally(cancel);
    });
  }

  return {
    check: async () => {
      if (draining) return { status: "draining" };
      if (isLive?.() === false) return { status: "unavailable", reason: "lease" };
      return (await storeAnswers()) ? { status: "ready" } : { status: "unavailable", reason: "store" };
    },
    drain: () => {
      draining = true;
    },
    get draining() {
      return draining;
    },
  };
}
