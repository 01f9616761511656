import type { Clock } from "../clock.ts";
import type { Ids } from "../ids.ts";
import { jobLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Store, Transaction } from "../store/store.ts";
import {
  deleteJob,
  deleteLease,
  type JobName,
  readJob,
  type RunningJob,
  writeFailed,
  writeLease,
  writeWaiting,
} from "./job-record.ts";
import { type Job, type JobHandler, LeaseLostError } from "./jobs.ts";

export interface RunNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** The name of this process among those that share the store. */
  readonly owner: string;
  readonly tally: JobTally;
}

/** What one process counts of a kind. */
export interface JobTally {
  failures: number;
  givenUp: number;
}

export interface LeasedJob {
  readonly name: JobName;
  readonly record: RunningJob;
}

/** A run of a leased job, from the lease to its end, whatever that is. */
export interface JobRun {
  /** False when the end could not be written: the lease still stands in the store. Never rejects. */
  readonly ended: Promise<boolean>;
  /** The platform stops: the job goes back, and the attempt does not count. */
  stop(): void;
}

export function startRun(needs: RunNeeds, leased: LeasedJob, handler: JobHandler): JobRun {
  const { store, clock, log } = needs;
  const { name, record } = leased;
  const controller = new AbortController();
  let committed = false;
  let stopping = false;

  /** Run a transaction that holds only while the lease is ours. */
  const underLease = <T>(body: (tx: Transaction) => Promise<T>): Promise<T> =>
    store.transact(async (tx) => {
      const current = await readJob(tx, name);
      if (current?.state !== "running" || current.lease !== record.lease) throw new LeaseLostError(name.kind, name.key);
      return body(tx);
    });

  async function commit<T>(
    body: (tx: Transaction) => Promise<T>,
    again?: { readonly at: number; readonly payload: unknown },
  ): Promise<T> {
    const result = await underLease(async (tx) => {
      deleteLease(tx, name);
      deleteJob(tx, name);
      if (again) writeWaiting(tx, name, { ...again, when: again.at, attempts: 0 });
      return body(tx);
    });
    committed = true;
    return result;
  }

  const job: Job = {
    kind: name.kind,
    key: name.key,
    payload: record.payload,
    at: record.at,
    attempt: record.attempts,
    signal: controller.signal,
    commit: underLease,
    finish: (body) => commit(body),
    repeat: (at, payload, body) => commit(body, { at, payload }),
  };

  async function run(): Promise<boolean> {
    const cancelRenewal = keepLease();
    try {
      await handler.run(job);
      if (!committed) await commit(async () => {});
    } catch (error) {
      if (error instanceof LeaseLostError) log.info("A job's lease was lost", { job: name });
      else if (committed) log.error("A job failed after it had committed", { job: name, error });
      else return await giveBack(error);
    } finally {
      cancelRenewal();
    }
    return true;
  }

  /** The store may be out of reach when a run ends, and that may be why it ended: try for a while. */
  async function giveBack(error: unknown): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await writeBack(error);
        return true;
      } catch (problem) {
        if (problem instanceof LeaseLostError) {
          // Also when `finish` had committed and its answer was lost.
          log.info("A job that failed had been taken over, or had ended", { job: name, error });
          return true;
        }
        log.error("A job could not be given back", { job: name, tries, error: problem });
        if (stopping || tries >= jobLimits.giveBackTries) return false;
        await new Promise<void>((resolve) => void clock.after(jobLimits.backoffMs, resolve));
      }
    }
  }

  async function writeBack(error: unknown): Promise<void> {
    const { at, attempts, payload } = record;
    await underLease(async (tx) => {
      deleteLease(tx, name);
      if (stopping) {
        // Due as it was, and not "now": the next one's clock may be behind ours.
        writeWaiting(tx, name, { at, when: Math.min(at, clock.now()), attempts: attempts - 1, payload });
      } else if (attempts >= attemptsMaxOf(handler)) {
        writeFailed(tx, name, { payload, attempts, error: textOf(error) });
      } else {
        writeWaiting(tx, name, { at, when: clock.now() + backoffMs(needs.ids, attempts), attempts, payload });
      }
    });
    if (stopping) return;
    needs.tally.failures += 1;
    if (attempts >= attemptsMaxOf(handler)) needs.tally.givenUp += 1;
    log.warn("A job failed", { job: name, attempt: attempts, error });
  }

  /**
   * Show that the run lives. Time is counted in timers that are set one after the other, never read from a clock: a
   * clock that is set, or a process that stood still, counts as one step, and the next renewal tells what became of
   * the lease.
   */
  function keepLease(): () => void {
    let cancel = wait(jobLimits.renewMs);
    let over = false;
    let renewing = false;
    let beat = 0;
    /** Since the last renewal that succeeded was begun. */
    let unsureMs = 0;

    function wait(ms: number): () => void {
      return clock.after(ms, () => {
        unsureMs += ms;
        void step();
      });
    }

    async function step(): Promise<void> {
      if (unsureMs >= jobLimits.leaseSureMs) controller.abort(new LeaseLostError(name.kind, name.key));
      if (unsureMs >= jobLimits.renewMs && !renewing) void renew();
      await Promise.resolve();
      if (!over) cancel = wait(Math.max(jobLimits.renewStepMs, jobLimits.renewMs - unsureMs));
    }

    async function renew(): Promise<void> {
      const begunAt = unsureMs;
      renewing = true;
      // Another one also after a renewal that failed: it may have been written all the same.
      beat += 1;
      try {
        await underLease(async (tx) => writeLease(tx, name, { lease: record.lease, owner: needs.owner, beat }));
        unsureMs -= begunAt;
      } catch (error) {
        if (over) return;
        log.warn("A job's lease could not be renewed", { job: name, error });
        if (!(error instanceof LeaseLostError)) return;
        end();
        controller.abort(error);
      } finally {
        renewing = false;
      }
    }

    function end(): void {
      over = true;
      cancel();
    }
    return end;
  }

  return {
    ended: run().catch((error: unknown) => {
      log.error("The run of a job ended badly", { job: name, error });
      return false;
    }),
    stop: () => {
      stopping = true;
      controller.abort(new Error("The platform stops"));
    },
  };
}

export function attemptsMaxOf(handler: JobHandler): number {
  return handler.attemptsMax ?? jobLimits.attemptsMax;
}

/** Doubling, and somewhere between half of it and all of it, so that what failed together does not return together. */
function backoffMs(ids: Ids, attempts: number): number {
  const full = Math.min(jobLimits.backoffMsMax, jobLimits.backoffMs * 2 ** (attempts - 1));
  const fraction = (ids.bytes(1)[0] ?? 0) / 255;
  return Math.round(full * (0.5 + fraction / 2));
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, jobLimits.errorCharactersMax).toWellFormed();
}
