import assert from "node:assert/strict";
import { type Clock, steadyClock } from "../clock.ts";
import type { Ids } from "../ids.ts";
import { jobLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { deleteJob, findFailed, writeWaiting } from "./job-record.ts";
import type { Jobs } from "./jobs.ts";
import { createKindRunner, type KindRunner } from "./kind-runner.ts";
import { createHeldLeases, createLeaseWatch, type JobOwners } from "./lease-watch.ts";

export interface JobNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Absent: nothing is known of other processes but their leases. */
  readonly owners?: JobOwners;
  /** Tells how long something took, whoever sets the clock. */
  readonly steady?: Pick<Clock, "now">;
}

/** Jobs in the store. Any number of processes may run them, and their clocks need not agree. */
export function createJobs(needs: JobNeeds): Jobs {
  const { store, clock, ids, log, steady = steadyClock } = needs;
  const owners = needs.owners ?? { id: ids.uuid(), hasEnded: () => false };
  const held = createHeldLeases();
  const watch = createLeaseWatch({ store, clock, log, owners, held });
  const kinds = new Map<string, KindRunner>();
  let state: "created" | "started" | "stopped" = "created";

  const allRuns = () => [...kinds.values()].flatMap((kind) => kind.runs());

  return {
    schedule: (tx, { kind, key, at, payload }) => {
      assert(key.length > 0, "A job has a key");
      writeWaiting(tx, { kind, key }, { at, when: at, attempts: 0, payload });
    },
    cancel: (tx, kind, key) => deleteJob(tx, { kind, key }),
    handle: (kind, handler) => {
      assert(state === "created" && !kinds.has(kind), `Jobs of kind ${kind} have one handler, named before the start`);
      kinds.set(kind, createKindRunner({ store, clock, ids, log, steady, owner: owners.id, held }, kind, handler));
    },
    start: () => {
      assert(state === "created", "Jobs start once");
      state = "started";
      for (const kind of kinds.values()) kind.start();
      watch.start();
    },
    stop: async (graceMs) => {
      state = "stopped";
      await Promise.all([watch.stop(), ...[...kinds.values()].map((kind) => kind.stop())]);
      const runs = allRuns();
      for (const run of runs) run.stop();
      let cancelGrace: (() => void) | undefined;
      const grace = new Promise<void>((resolve) => {
        cancelGrace = clock.after(graceMs, resolve);
      });
      await Promise.race([Promise.all(runs.map((run) => run.ended)), grace]);
      cancelGrace?.();
    },
    drain: async () => {
      for (let round = 0; round < jobLimits.drainRoundsMax; round += 1) {
        // Also those that end meanwhile: what they have scheduled may be of a kind that was looked at before.
        const runs = new Set(allRuns());
        for (const kind of kinds.values()) {
          await kind.look();
          for (const run of allRuns()) runs.add(run);
        }
        if (runs.size === 0) return;
        await Promise.all([...runs].map((run) => run.ended));
      }
      throw new Error("The jobs do not come to an end: they schedule each other for no later than now");
    },
    report: () => Promise.all([...kinds.values()].map((kind) => kind.report())),
    failed: (kind, limit) => store.read((reader) => findFailed(reader, kind, limit)),
  };
}
