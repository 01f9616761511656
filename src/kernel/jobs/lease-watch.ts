import type { Clock } from "../clock.ts";
import { jobLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { deleteLease, findLeases, type FoundLease, readJob, readLease, writeWaiting } from "./job-record.ts";

/** Who runs jobs besides this process, as far as it is known without watching their leases. */
export interface JobOwners {
  /** The name of this process: never used twice. */
  readonly id: string;
  /** Whether this owner has certainly ended. Its leases are released at once then. */
  hasEnded(id: string): boolean;
}

/** The leases that this process holds or may hold, by their tokens. */
export interface HeldLeases {
  add(lease: string): void;
  drop(lease: string): void;
  /** The run has ended, but the store could not be told. */
  dropUnsettled(lease: string): void;
  /** Held, or once begun and not settled, or `unknown`: drawn by a transaction whose answer was lost. */
  stateOf(lease: string): "held" | "unsettled" | "unknown";
}

export function createHeldLeases(): HeldLeases {
  const states = new Map<string, "held" | "unsettled">();
  return {
    add: (lease) => void states.set(lease, "held"),
    drop: (lease) => void states.delete(lease),
    dropUnsettled: (lease) => void states.set(lease, "unsettled"),
    stateOf: (lease) => states.get(lease) ?? "unknown",
  };
}

/**
 * Looks at all leases every few seconds and releases those whose holder is gone: its process has ended, or its sign of
 * life has not changed for as long as a lease lasts. That time is counted in looks of this process, each a timer after
 * the other: no process's clock is ever compared with another's, and none is read (decision 0009). A released job waits
 * again, so that any process with room may run it; the attempt counts.
 */
export interface LeaseWatch {
  start(): void;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

/** By lease. */
interface Seen {
  readonly beat: number;
  readonly looks: number;
}

export function createLeaseWatch(needs: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly owners: JobOwners;
  readonly held: HeldLeases;
}): LeaseWatch {
  const { store, clock, log, owners, held } = needs;
  let seen = new Map<string, Seen>();
  let cancel: (() => void) | undefined;
  let looking = Promise.resolve();
  let stopped = false;

  async function look(): Promise<void> {
    try {
      await lookAtAll();
    } catch (error) {
      log.error("Looking for leases whose holders are gone failed", { error });
    }
    if (!stopped) cancel = clock.after(jobLimits.renewMs, begin);
  }

  function begin(): void {
    looking = look();
  }

  async function lookAtAll(): Promise<void> {
    const now = new Map<string, Seen>();
    let after: FoundLease | undefined;
    for (;;) {
      const page = await store.read((reader) => findLeases(reader, after?.name, jobLimits.leasesPage));
      for (const found of page) {
        if (!stopped && isDead(found, now)) await release(found);
      }
      after = page.at(-1);
      if (page.length < jobLimits.leasesPage) break;
    }
    seen = now;
  }

  function isDead(found: FoundLease, now: Map<string, Seen>): boolean {
    const { lease, beat, owner } = found;
    if (owner === owners.id) return held.stateOf(lease) !== "held";
    const before = seen.get(lease);
    const looks = before?.beat === beat ? before.looks + 1 : 0;
    now.set(lease, { beat, looks });
    return looks >= jobLimits.unchangedLooks || owners.hasEnded(owner);
  }

  async function release({ name, lease, beat, owner }: FoundLease): Promise<void> {
    const released = await store.transact(async (tx) => {
      const current = await readLease(tx, name);
      if (current?.lease !== lease || current.beat !== beat) return false;
      deleteLease(tx, name);
      tx.afterCommit(() => held.drop(lease));
      const record = await readJob(tx, name);
      // What is left of a run whose job was replaced or cancelled.
      if (record?.state !== "running" || record.lease !== lease) return false;
      const { at, payload } = record;
      // Leased by a transaction of ours that committed though we were told that it failed: it never ran.
      const ran = owner !== owners.id || held.stateOf(lease) === "unsettled";
      const attempts = ran ? record.attempts : record.attempts - 1;
      // Due as it was, or now if our clock is behind.
      writeWaiting(tx, name, { at, when: Math.min(at, clock.now()), attempts, payload });
      return true;
    });
    if (released) log.warn("A job was taken from a process that is gone", { job: name, owner });
  }

  return {
    start: begin,
    stop: () => {
      stopped = true;
      cancel?.();
      return looking;
    },
  };
}
