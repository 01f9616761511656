import type { JobRecord, LeaseRecord } from "../../src/kernel/jobs/job-record.ts";
import { jobLimits } from "../../src/kernel/limits.ts";
import type { Commit } from "../../src/kernel/store/driver.ts";
import { decodeKey, type EncodedKey } from "../../src/kernel/store/keys.ts";
import type { Key } from "../../src/kernel/store/store.ts";
import { decodeValue } from "../../src/kernel/store/values.ts";
import type { SimulatedProcess } from "./world.ts";

/** What a job of the simulation is asked to do. */
export interface Work {
  /** One for each time a job is scheduled. */
  readonly id: string;
  /** The next tick of a job that repeats. */
  readonly tick?: number;
}

export interface Holder {
  readonly process: SimulatedProcess;
  /** The platform was asked to stop. */
  stopping: boolean;
}

interface Lease {
  readonly by: string;
  /** When its last sign of life was written. */
  seenAt: number;
}

/** Looks at every commit as it is applied, and throws at the first that should not have been. */
export interface Oracle {
  onCommit(commit: Commit, by: string): void;
  /** Work that was scheduled and has neither been done nor been dropped. */
  readonly unsettled: ReadonlySet<string>;
  /** Keys of jobs that are still in the store, but for those given up. */
  readonly left: ReadonlySet<string>;
}

/** Clocks run at rates that differ by so much at the most. */
export const rateErrorMax = 0.02;

export function createOracle(options: {
  readonly now: () => number;
  readonly attemptsMax: (kind: string) => number;
  readonly holders: ReadonlyMap<string, Holder>;
  /** Whether processes learn at once that another has died. */
  readonly deathsAreSeen: boolean;
  /** What became of which job, for the story of a history. */
  readonly tell: (event: string) => void;
}): Oracle {
  const records = new Map<EncodedKey, JobRecord>();
  const leases = new Map<string, Lease>();
  /** Work by its id: how it ended. */
  const ends = new Map<string, "pending" | "done" | "dropped" | "given up">();
  const ticks = new Map<string, number>();
  const left = new Set<string>();
  const unsettled = new Set<string>();
  const decoded = new Map<EncodedKey, Key>();

  /** The same few keys come again and again. */
  function decode(encoded: EncodedKey): Key {
    const key = decoded.get(encoded) ?? decodeKey(encoded);
    decoded.set(encoded, key);
    return key;
  }

  function settle(id: string, end: "done" | "dropped" | "given up"): void {
    check(ends.get(id) === "pending", `${id} was ${end} after it was ${ends.get(id)}`);
    ends.set(id, end);
    unsettled.delete(id);
  }

  function onRecord(
    key: EncodedKey,
    name: string,
    kind: string,
    next: JobRecord | undefined,
    by: string,
    done: Set<string>,
  ): void {
    const before = records.get(key);
    if (next) records.set(key, next);
    else records.delete(key);
    options.tell(`${by}: ${name} ${next ? describe(next) : "ends"}`);
    const idBefore = before && workOf(before).id;
    const id = next && workOf(next).id;

    if (next && id !== undefined && id !== idBefore) {
      check(next.state === "waiting" && next.attempts === 0, `${name} began as ${describe(next)}`);
      ends.set(id, "pending");
      unsettled.add(id);
    }
    if (before && idBefore !== undefined && idBefore !== id) {
      // Done, given up (which the commit says elsewhere), replaced or cancelled.
      if (done.has(idBefore)) checkHolder(before, name, by);
      else if (ends.get(idBefore) === "pending") settle(idBefore, "dropped");
    }
    if (!before || !next || id !== idBefore) return;
    if (workOf(next).tick !== workOf(before).tick) {
      checkHolder(before, name, by);
      check(next.state === "waiting" && next.attempts === 0, `${name} repeats as ${describe(next)}`);
    } else if (next.state === "running") {
      check(before.state === "waiting", `${name} was leased while it ran`);
      check(next.attempts === before.attempts + 1, `${name} went from ${before.attempts} to ${next.attempts} attempts`);
      check(next.attempts <= options.attemptsMax(kind), `${name} runs ${next.attempts} times`);
      leases.set(next.lease, { by, seenAt: options.now() });
    } else if (before.state === "running") {
      onRelease(name, before, next, by);
    }
  }

  function onRelease(name: string, before: JobRecord & { state: "running" }, next: JobRecord, by: string): void {
    const lease = leases.get(before.lease);
    check(lease, `${name} had a lease that nobody drew`);
    if (lease.by === by) {
      const back = before.attempts - next.attempts;
      check(back === 0 || back === 1, `${name} went back with ${next.attempts} of ${before.attempts} attempts`);
      return;
    }
    check(
      next.attempts === before.attempts,
      `${name} was released with ${next.attempts} of ${before.attempts} attempts`,
    );
    const isDead = options.holders.get(lease.by)?.process.isDead() === true;
    const quietMs = options.now() - lease.seenAt;
    const leastMs = jobLimits.renewMs * jobLimits.unchangedLooks * (1 - rateErrorMax);
    check(
      quietMs >= leastMs || (isDead && options.deathsAreSeen),
      `${by} took ${name} from ${lease.by}, which gave a sign of life ${quietMs} ms ago`,
    );
  }

  /** Consequences may be committed by none but who holds the lease. */
  function checkHolder(before: JobRecord, name: string, by: string): void {
    check(before.state === "running", `${by} ended ${name}, which ${describe(before)}`);
    check(leases.get(before.lease)?.by === by, `${by} ended ${name}, which ${leases.get(before.lease)?.by} holds`);
  }

  return {
    left,
    unsettled,
    onCommit: (commit, by) => {
      const done = new Set<string>();
      for (const [encoded, bytes] of commit.writes) {
        const key = decode(encoded);
        const [first, second] = key;
        if (first === "done") {
          // The consequence of work: the value says whose attempt it was.
          check(bytes, "a consequence was taken back");
          done.add(String(second));
          settle(String(second), "done");
        } else if (first === "tick") {
          const name = key.join("/");
          const count = (ticks.get(name) ?? 0) + 1;
          ticks.set(name, count);
          check(count === 1, `${name} fired ${count} times`);
        } else if (second === "failed" && bytes) {
          const { payload, attempts } = decodeValue(bytes) as { payload: Work; attempts: number };
          settle(payload.id, "given up");
          check(
            attempts === options.attemptsMax(String(key[2])),
            `${payload.id} was given up after ${attempts} attempts`,
          );
        } else if (second === "leased" && bytes) {
          const { lease } = decodeValue(bytes) as LeaseRecord;
          const known = leases.get(lease);
          if (known) known.seenAt = options.now();
        }
        if (first === "jobs" && second !== "failed") {
          if (bytes) left.add(encoded);
          else left.delete(encoded);
        }
      }
      for (const [encoded, bytes] of commit.writes) {
        const key = decode(encoded);
        if (key[0] !== "jobs" || key[1] !== "job") continue;
        const next = bytes && (decodeValue(bytes) as JobRecord);
        onRecord(encoded, key.slice(2).join("/"), String(key[2]), next, by, done);
      }
    },
  };
}

function workOf(record: JobRecord): Work {
  return record.payload as Work;
}

function describe(record: JobRecord): string {
  const { id, tick } = workOf(record);
  return `${id}${tick === undefined ? "" : `#${tick}`} ${record.state} (${record.attempts})`;
}

export function check(holds: unknown, message: string): asserts holds {
  if (!holds) throw new Error(message);
}
