import assert from "node:assert/strict";
import { jobLimits } from "../limits.ts";
import {
  deleteDue,
  deleteJob,
  type DueJob,
  dueJobs,
  findDue,
  findFailed,
  readJob,
  writeFailed,
  writeJob,
} from "./job-record.ts";
import { attemptsMaxOf, type JobNeeds, type JobRun, type LeasedJob, startRun } from "./job-run.ts";
import type { JobHandler, Jobs } from "./jobs.ts";

/** Jobs in the store. Any number of processes may run them. */
export function createJobs(needs: JobNeeds): Jobs {
  const { store, clock, ids, log } = needs;
  const kinds = new Map<string, { readonly handler: JobHandler; readonly runs: Set<JobRun> }>();
  let state: "created" | "started" | "stopped" = "created";
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let cancelWake = nothing;
  let unwatch = nothing;

  /** Lease and start whatever is due and there is room for; then wait for what comes next. */
  function look(): Promise<void> {
    lookAgain = true;
    looking ??= lookUntilDone();
    return looking;
  }

  async function lookUntilDone(): Promise<void> {
    try {
      do {
        lookAgain = false;
        // At least one turn, so that `looking` is set before it is cleared.
        await Promise.resolve();
        await lookOnce();
      } while (lookAgain);
    } finally {
      looking = undefined;
    }
  }

  async function lookOnce(): Promise<void> {
    let next = clock.now() + jobLimits.lookMsMax;
    for (const kind of kinds.keys()) next = Math.min(next, await lookAt(kind));
    cancelWake();
    if (state === "started") cancelWake = clock.after(next - clock.now(), wake);
  }

  function wake(): void {
    if (state !== "started") return;
    look().catch((error: unknown) => {
      log.error("Looking for jobs failed", { error });
      cancelWake = clock.after(jobLimits.backoffMs, wake);
    });
  }

  /** Start what is due of a kind; when to look again at the latest (never, while a run that ends will make us look). */
  async function lookAt(kind: string): Promise<number> {
    const { handler, runs } = kinds.get(kind) ?? {};
    assert(handler && runs);
    while (runs.size < handler.concurrency && !isStopped()) {
      const room = Math.min(handler.concurrency - runs.size, jobLimits.pageMax);
      const found = await store.read((reader) => findDue(reader, kind, room));
      const due = found.filter((job) => job.when <= clock.now());
      const leased = due.length > 0 ? await lease(due, handler) : [];
      for (const job of leased) begin(job, handler, runs);
      if (due.length < found.length) return found[due.length]?.when ?? Number.POSITIVE_INFINITY;
      if (found.length < room) break;
    }
    return Number.POSITIVE_INFINITY;
  }

  function lease(due: readonly DueJob[], handler: JobHandler): Promise<readonly LeasedJob[]> {
    return store.transact(async (tx) => {
      const leased: LeasedJob[] = [];
      for (const name of due) {
        const record = await readJob(tx, name);
        deleteDue(tx, name, name.when);
        // A due entry of a record that was replaced or is gone.
        if (!record || record.when !== name.when) continue;
        const { at, attempts, payload } = record;
        if (attempts >= attemptsMaxOf(handler)) {
          // Each of its runs ended with the process it ran in.
          writeFailed(tx, name, { payload, attempts, error: "The process ended while the job was running" });
          continue;
        }
        const running = {
          state: "running" as const,
          at,
          when: clock.now() + jobLimits.leaseMs,
          attempts: attempts + 1,
          payload,
          lease: ids.uuid(),
        };
        writeJob(tx, name, running);
        leased.push({ name: { kind: name.kind, key: name.key }, record: running });
      }
      return leased;
    });
  }

  function begin(job: LeasedJob, handler: JobHandler, runs: Set<JobRun>): void {
    const run = startRun(needs, job, handler);
    runs.add(run);
    void run.ended.then(() => {
      runs.delete(run);
      wake();
    });
  }

  const isStopped = () => state === "stopped";
  const allRuns = () => [...kinds.values()].flatMap(({ runs }) => Array.from(runs));

  return {
    schedule: (tx, { kind, key, at, payload }) => {
      assert(key.length > 0, "A job has a key");
      writeJob(tx, { kind, key }, { state: "waiting", at, when: at, attempts: 0, payload });
    },
    cancel: (tx, kind, key) => deleteJob(tx, { kind, key }),
    handle: (kind, handler) => {
      assert(state === "created" && !kinds.has(kind), `Jobs of kind ${kind} have one handler, named before the start`);
      kinds.set(kind, { handler, runs: new Set() });
    },
    start: () => {
      assert(state === "created", "Jobs start once");
      state = "started";
      unwatch = store.watch(dueJobs, wake);
      wake();
    },
    stop: async (graceMs) => {
      state = "stopped";
      unwatch();
      cancelWake();
      await looking?.catch(() => {});
      const runs = allRuns();
      for (const run of runs) run.stop();
      let cancelGrace = nothing;
      const grace = new Promise<void>((resolve) => {
        cancelGrace = clock.after(graceMs, resolve);
      });
      await Promise.race([Promise.all(runs.map((run) => run.ended)), grace]);
      cancelGrace();
    },
    drain: async () => {
      for (let round = 0; round < jobLimits.drainRoundsMax; round += 1) {
        await look();
        const runs = allRuns();
        if (runs.length === 0) return;
        await Promise.all(runs.map((run) => run.ended));
      }
      throw new Error("The jobs do not come to an end: they schedule each other for no later than now");
    },
    failed: (kind, limit) => store.read((reader) => findFailed(reader, kind, limit)),
  };
}

function nothing(): void {}
