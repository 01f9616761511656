import type { Clock } from "../clock.ts";
import { jobLimits } from "../limits.ts";
import {
  deleteDue,
  type DueJob,
  dueJobs,
  findDue,
  type JobName,
  readJobs,
  readLease,
  type RunningJob,
  writeFailed,
  writeLease,
  writeRunning,
} from "./job-record.ts";
import { attemptsMaxOf, type JobRun, type JobTally, type LeasedJob, type RunNeeds, startRun } from "./job-run.ts";
import type { JobHandler, KindReport } from "./jobs.ts";
import type { HeldLeases } from "./lease-watch.ts";
import type { Transaction } from "../store/store.ts";

/** Runs the jobs of one kind in this process: leases what is due and there is room for. */
export interface KindRunner {
  /** From now on look whenever a job of the kind is written, becomes due, or makes room. */
  start(): void;
  /** Lease no more; resolves when none is being leased. */
  stop(): Promise<void>;
  /** Lease and start whatever is due now and there is room for. */
  look(): Promise<void>;
  runs(): readonly JobRun[];
  report(): Promise<KindReport>;
}

export function createKindRunner(
  given: Omit<RunNeeds, "tally"> & { readonly held: HeldLeases; readonly steady: Pick<Clock, "now"> },
  kind: string,
  handler: JobHandler,
): KindRunner {
  const { store, clock, ids, log, held, steady } = given;
  const tally: JobTally = { failures: 0, givenUp: 0 };
  const needs: RunNeeds = { ...given, tally };
  const runs = new Set<JobRun>();
  let state: "created" | "started" | "stopped" = "created";
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  /** Whether the last look ended for lack of room. */
  let full = false;
  let cancelWake = nothing;
  let unwatch = nothing;

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
        const next = await leaseDue();
        cancelWake();
        if (state === "started") cancelWake = clock.after(Math.min(next - clock.now(), jobLimits.lookMsMax), wake);
      } while (lookAgain);
    } finally {
      looking = undefined;
    }
  }

  function wake(): void {
    if (state !== "started") return;
    look().catch((error: unknown) => {
      log.error("Looking for jobs failed", { kind, error });
      cancelWake();
      cancelWake = clock.after(jobLimits.backoffMs, wake);
    });
  }

  /** Start what is due; when the next is due (never, while a run that ends will make us look). */
  async function leaseDue(): Promise<number> {
    full = false;
    while (!isStopped()) {
      const room = Math.min(handler.concurrency - runs.size, jobLimits.pageMax);
      if (room <= 0) {
        full = true;
        break;
      }
      const found = await store.read((reader) => findDue(reader, kind, room));
      const due = found.filter((job) => job.when <= clock.now());
      if (due.length > 0) for (const job of await lease(due)) begin(job);
      if (due.length < found.length) return found[due.length]?.when ?? Number.POSITIVE_INFINITY;
      if (found.length < room) break;
    }
    return Number.POSITIVE_INFINITY;
  }

  async function lease(due: readonly DueJob[]): Promise<readonly LeasedJob[]> {
    /** Of every time the body ran: until the answer has come, any may be the one in the store. */
    const drawn: string[] = [];
    let givenUp = 0;
    let leased: readonly LeasedJob[] = [];
    const began = steady.now();
    try {
      leased = await store.transact(async (tx) => {
        const records = await readJobs(tx, due);
        const taken: LeasedJob[] = [];
        givenUp = 0;
        for (const [at, { when, ...name }] of due.entries()) {
          const record = records[at];
          deleteDue(tx, name, when);
          if (record?.state === "running") await noteUnseen(tx, name, record);
          // A due entry of a record that was replaced or is gone.
          if (record?.state !== "waiting" || record.when !== when) continue;
          const { attempts, payload } = record;
          if (attempts >= attemptsMaxOf(handler)) {
            // Each of its runs ended with the process it ran in.
            givenUp += 1;
            writeFailed(tx, name, { payload, attempts, error: "The process ended while the job was running" });
            continue;
          }
          const lease = ids.uuid();
          drawn.push(lease);
          held.add(lease);
          const running = { state: "running" as const, at: record.at, attempts: attempts + 1, payload, lease };
          writeRunning(tx, name, running, needs.owner);
          taken.push({ name, record: running });
        }
        return taken;
      });
      tally.givenUp += givenUp;
      // This process stood still while it waited: others may have these by now. Our watch of leases gives back the rest.
      if (steady.now() - began > jobLimits.leaseSureMs) leased = [];
      return leased;
    } finally {
      const kept = new Set(leased.map(({ record }) => record.lease));
      for (const lease of drawn) if (!kept.has(lease)) held.drop(lease);
    }
  }

  function begin(job: LeasedJob): void {
    const run = startRun(needs, job, handler);
    runs.add(run);
    void run.ended.then((settled) => {
      runs.delete(run);
      if (settled) held.drop(job.record.lease);
      else held.dropUnsettled(job.record.lease);
      if (full) wake();
    });
  }

  const isStopped = () => state === "stopped";

  return {
    start: () => {
      state = "started";
      unwatch = store.watch(dueJobs(kind), wake);
      wake();
    },
    stop: async () => {
      state = "stopped";
      unwatch();
      cancelWake();
      await looking?.catch(() => {});
    },
    look,
    runs: () => Array.from(runs),
    report: async () => {
      const [first] = await store.read((reader) => findDue(reader, kind, 1));
      const overdueMs = first === undefined ? 0 : Math.max(0, clock.now() - first.when);
      return { kind, overdueMs, running: runs.size, ...tally };
    },
  };
}

/** A store of an earlier version has no sign of life beside a running job: give it one that will not change. */
async function noteUnseen(tx: Transaction, name: JobName, { lease }: RunningJob): Promise<void> {
  if (!(await readLease(tx, name))) writeLease(tx, name, { lease, owner: "", beat: 0 });
}

function nothing(): void {}
