import type { Key, Transaction } from "../store/store.ts";

/**
 * Durable work: written in the caller's transaction, run later at least once, on whichever process leases it. A job
 * that fails is tried again with backoff until it has been tried `attemptsMax` times; it is then kept as failed.
 */
export interface Jobs {
  /**
   * Write a job. One of the same `kind` and `key` is replaced; when it is running already, that run loses its lease:
   * it can commit nothing more, and the new job runs beside its remains.
   */
  schedule(tx: Transaction, job: NewJob): void;
  /** Remove a job that has not finished; without effect when there is none. A run under way loses its lease. */
  cancel(tx: Transaction, kind: string, key: Key): void;
  /** Say who runs a kind. Once per kind, before `start`. */
  handle(kind: string, handler: JobHandler): void;
  /** Begin leasing and running. */
  start(): void;
  /** Stop leasing; resolves when the running ones have ended or `graceMs` have passed (their leases then expire). */
  stop(graceMs: number): Promise<void>;
  /** For tests: run everything due at the clock's time, and what that schedules for no later, until nothing is due. */
  drain(): Promise<void>;
  /** Jobs of a kind that were given up, oldest key first; for diagnosis. */
  failed(kind: string, limit: number): Promise<readonly FailedJob[]>;
  /** How each kind does that this process runs; for numbers to watch. */
  report(): Promise<readonly KindReport[]>;
}

export interface KindReport {
  readonly kind: string;
  /** How long the one that has waited longest is overdue, in any process, milliseconds. */
  readonly overdueMs: number;
  /** What this process runs now. */
  readonly running: number;
  /** Attempts that have failed in this process, and jobs it has given up, since its start. */
  readonly failures: number;
  readonly givenUp: number;
}

export interface NewJob {
  /** `slice.verb`, as `lambda.asyncInvoke`. */
  readonly kind: string;
  /** Identifies the job within its kind. */
  readonly key: Key;
  /** Not before this time, epoch milliseconds. */
  readonly at: number;
  readonly payload?: unknown;
}

export interface FailedJob {
  readonly kind: string;
  readonly key: Key;
  readonly payload: unknown;
  readonly attempts: number;
  /** The last attempt's error, as text. */
  readonly error: string;
}

export interface Job {
  readonly kind: string;
  readonly key: Key;
  readonly payload: unknown;
  /** When it was due, epoch milliseconds. */
  readonly at: number;
  /** 1 on the first run. A run that was taken over from a process that is gone counts; one that a stop handed over does not. */
  readonly attempt: number;
  /** Commit consequences while the job goes on. Throws `LeaseLostError` when another process has taken it over. */
  commit<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Commit consequences and the end of the job together. Throws `LeaseLostError` when another process has taken it over. */
  finish<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * As `finish`, but the job runs again at `at`, as attempt 1 with this payload. What fires at set times reckons the next
   * from the job's own `at`: the clocks of processes differ.
   */
  repeat<T>(at: number, payload: unknown, body: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Aborted when the lease is lost or the platform stops. */
  readonly signal: AbortSignal;
}

export interface JobHandler {
  /** How many run at once in this process. */
  readonly concurrency: number;
  /** Tries before the job is given up. Default 10. */
  readonly attemptsMax?: number;
  /** Do the work. Returning without `finish` or `repeat` finishes the job; throwing tries it again later. */
  run(job: Job): Promise<void>;
}

/** The job was replaced, cancelled, or taken over by another process. */
export class LeaseLostError extends Error {
  constructor(kind: string, key: Key) {
    super(`The lease of job ${kind} ${key.join("/")} is lost`);
    this.name = "LeaseLostError";
  }
}
