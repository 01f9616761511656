import type { Clock } from "../clock.ts";
import type { Ids } from "../ids.ts";
import { jobLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Store, Transaction } from "../store/store.ts";
import { deleteDue, deleteJob, type JobName, type JobRecord, readJob, writeFailed, writeJob } from "./job-record.ts";
import { type Job, type JobHandler, LeaseLostError } from "./jobs.ts";

export interface JobNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface LeasedJob {
  readonly name: JobName;
  readonly record: Extract<JobRecord, { state: "running" }>;
}

/** A run of a leased job, from the lease to its end, whatever that is. `ended` never rejects. */
export interface JobRun {
  readonly ended: Promise<void>;
  /** The platform stops: the job goes back, and the attempt does not count. */
  stop(): void;
}

export function startRun(needs: JobNeeds, leased: LeasedJob, handler: JobHandler): JobRun {
  const { store, clock, log } = needs;
  const { name, record } = leased;
  const controller = new AbortController();
  let committed = false;
  let stopping = false;

  /** Run a transaction that holds only while the lease is ours. */
  const underLease = <T>(body: (tx: Transaction, when: number) => Promise<T>): Promise<T> =>
    store.transact(async (tx) => {
      const current = await readJob(tx, name);
      if (current?.state !== "running" || current.lease !== record.lease) throw new LeaseLostError(name.kind, name.key);
      deleteDue(tx, name, current.when);
      return body(tx, current.when);
    });

  async function commit<T>(body: (tx: Transaction) => Promise<T>, then?: JobRecord): Promise<T> {
    const result = await underLease(async (tx) => {
      deleteJob(tx, name);
      if (then) writeJob(tx, name, then);
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
    finish: (body) => commit(body),
    repeat: (at, payload, body) => commit(body, { state: "waiting", at, when: at, attempts: 0, payload }),
  };

  async function run(): Promise<void> {
    const cancelRenewal = keepLease();
    try {
      await handler.run(job);
      if (!committed) await commit(async () => {});
    } catch (error) {
      if (error instanceof LeaseLostError) log.info("A job's lease was lost", { job: name });
      else if (!committed) await giveBack(error);
      else log.error("A job failed after it had committed", { job: name, error });
    } finally {
      cancelRenewal();
    }
  }

  async function giveBack(error: unknown): Promise<void> {
    const { at, attempts, payload } = record;
    await underLease(async (tx) => {
      if (stopping) {
        writeJob(tx, name, { state: "waiting", at, when: clock.now(), attempts: attempts - 1, payload });
      } else if (attempts >= attemptsMaxOf(handler)) {
        writeFailed(tx, name, { payload, attempts, error: textOf(error) });
      } else {
        writeJob(tx, name, {
          state: "waiting",
          at,
          when: clock.now() + backoffMs(needs.ids, attempts),
          attempts,
          payload,
        });
      }
    });
    if (!stopping) log.warn("A job failed", { job: name, attempt: attempts, error });
  }

  function keepLease(): () => void {
    let cancel = clock.after(jobLimits.renewMs, renew);
    let over = false;
    function renew(): void {
      underLease(async (tx) => writeJob(tx, name, { ...record, when: clock.now() + jobLimits.leaseMs })).then(
        () => {
          if (!over) cancel = clock.after(jobLimits.renewMs, renew);
        },
        (error: unknown) => {
          if (over) return;
          log.warn("A job's lease could not be renewed", { job: name, error });
          controller.abort(error);
        },
      );
    }
    return () => {
      over = true;
      cancel();
    };
  }

  return {
    ended: run().catch((error: unknown) => {
      // The lease ends by itself, and the job runs again then.
      log.error("A job could not be given back", { job: name, error });
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

export function textOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, jobLimits.errorCharactersMax).toWellFormed();
}
