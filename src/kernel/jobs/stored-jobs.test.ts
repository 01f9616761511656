import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { randomIds } from "../ids.ts";
import { jobLimits } from "../limits.ts";
import { createLog } from "../log.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store, Transaction } from "../store/store.ts";
import { type Job, type Jobs, LeaseLostError, type NewJob } from "./jobs.ts";
import { createJobs } from "./stored-jobs.ts";

let clock: FakeClock;
let store: Store;
let jobs: Jobs;
const log = createLog(
  "silent",
  () => {},
  () => 0,
);
/** A process that shares the store. */
const newProcess = () => createJobs({ store, clock, ids: randomIds, log });
const schedule = (job: Partial<NewJob> = {}) =>
  store.transact(async (tx) => jobs.schedule(tx, { kind: "test.run", key: ["a"], at: clock.now(), ...job }));
const handle = (run: (job: Job) => Promise<void>, more: { concurrency?: number; attemptsMax?: number } = {}) =>
  jobs.handle("test.run", { concurrency: 4, ...more, run });
const nothing = async (_tx: Transaction) => {};

beforeEach(() => {
  clock = createFakeClock(1_000_000);
  store = createMemoryStore();
  jobs = newProcess();
});

describe("a job", () => {
  test("runs when it is due and not before, once, with its payload", async () => {
    const seen: unknown[] = [];
    handle(async (job) => {
      seen.push([job.key, job.payload, job.at, job.attempt]);
    });
    await schedule({ at: 1_000_100, payload: { n: 1 } });
    await jobs.drain();
    expect(seen).toEqual([]);
    clock.advance(100);
    await jobs.drain();
    await jobs.drain();
    expect(seen).toEqual([[["a"], { n: 1 }, 1_000_100, 1]]);
  });

  test("does not come to be when the transaction fails", async () => {
    handle(async () => expect.unreachable());
    const failing = store.transact(async (tx) => {
      jobs.schedule(tx, { kind: "test.run", key: ["a"], at: 0 });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await jobs.drain();
  });

  test("is replaced by one of the same kind and key", async () => {
    const seen: unknown[] = [];
    handle(async (job) => {
      seen.push(job.payload);
    });
    await schedule({ payload: "early" });
    await schedule({ at: clock.now() + 50, payload: "late" });
    await jobs.drain();
    expect(seen).toEqual([]);
    clock.advance(50);
    await jobs.drain();
    expect(seen).toEqual(["late"]);
  });

  test("does not run once it is cancelled", async () => {
    handle(async () => expect.unreachable());
    await schedule();
    await store.transact(async (tx) => jobs.cancel(tx, "test.run", ["a"]));
    await jobs.drain();
  });

  test("runs after those that were due before it", async () => {
    const seen: unknown[] = [];
    handle(
      async (job) => {
        seen.push(job.key[0]);
      },
      { concurrency: 1 },
    );
    for (const [key, at] of [
      ["c", 30],
      ["a", 10],
      ["b", 20],
    ] as const)
      await schedule({ key: [key], at });
    await jobs.drain();
    expect(seen).toEqual(["a", "b", "c"]);
  });

  test("is one of at most `concurrency` at once", async () => {
    let running = 0;
    let most = 0;
    handle(
      async () => {
        most = Math.max(most, (running += 1));
        await setImmediate();
        running -= 1;
      },
      { concurrency: 3 },
    );
    for (let n = 0; n < 10; n += 1) await schedule({ key: [n] });
    await jobs.drain();
    expect(most).toBe(3);
  });

  test("commits its consequences together with its end", async () => {
    handle((job) => job.finish(async (tx) => tx.set(["done"], job.attempt)));
    await schedule();
    await jobs.drain();
    expect(await store.read((reader) => reader.range({ prefix: [] }, { limit: 10 }))).toEqual([
      { key: ["done"], value: 1 },
    ]);
  });

  test("commits while it goes on, unless it was replaced meanwhile", async () => {
    const refused: unknown[] = [];
    handle(async (job) => {
      if (job.payload === "new") return;
      await job.commit(async (tx) => tx.set(["done"], "first"));
      await schedule({ payload: "new" });
      await job.commit(async (tx) => tx.set(["done"], "second")).catch((error: unknown) => refused.push(error));
    });
    await schedule({ payload: "old" });
    await jobs.drain();
    expect(refused).toEqual([expect.any(LeaseLostError)]);
    expect(await store.read((reader) => reader.get(["done"]))).toBe("first");
  });

  test("may schedule itself anew as it finishes", async () => {
    let runs = 0;
    handle((job) =>
      job.finish(async (tx) => {
        runs += 1;
        if (runs < 3) jobs.schedule(tx, { kind: "test.run", key: job.key, at: clock.now() });
      }),
    );
    await schedule();
    await jobs.drain();
    expect(runs).toBe(3);
  });

  test("repeats as its first attempt, with the payload it asked for", async () => {
    const seen: unknown[] = [];
    handle(async (job) => {
      seen.push([job.payload, job.attempt]);
      if (job.payload !== 2) await job.repeat(clock.now() + 10, Number(job.payload) + 1, nothing);
    });
    await schedule({ payload: 0 });
    for (let n = 0; n < 3; n += 1) {
      await jobs.drain();
      clock.advance(10);
    }
    expect(seen).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });
});

describe("a job that fails", () => {
  test("is tried again later, each time after a longer wait, and is kept when it is given up", async () => {
    const at: number[] = [];
    handle(
      async (job) => {
        at.push(clock.now());
        throw new Error(`attempt ${job.attempt} went wrong`);
      },
      { attemptsMax: 4 },
    );
    await schedule({ payload: "p" });
    for (let n = 0; n < 200; n += 1) {
      await jobs.drain();
      clock.advance(100);
    }
    const waits = at.slice(1).map((time, n) => time - (at[n] ?? 0));
    expect(waits).toHaveLength(3);
    waits.forEach((wait, n) => {
      expect(wait).toBeGreaterThanOrEqual((jobLimits.backoffMs * 2 ** n) / 2);
      expect(wait).toBeLessThanOrEqual(jobLimits.backoffMs * 2 ** n + 100);
    });
    const [failed] = await jobs.failed("test.run", 10);
    expect(failed).toMatchObject({ key: ["a"], payload: "p", attempts: 4 });
    expect(failed?.error).toContain("attempt 4 went wrong");
  });

  test("leaves nothing of what it wanted to commit", async () => {
    handle(async (job) => {
      if (job.attempt === 1) {
        await job.finish(async (tx) => {
          tx.set(["half"], 1);
          throw new Error("no");
        });
      }
    });
    await schedule();
    await jobs.drain();
    expect(await store.read((reader) => reader.get(["half"]))).toBeUndefined();
    clock.advance(jobLimits.backoffMs);
    await jobs.drain();
    expect(await jobs.failed("test.run", 10)).toEqual([]);
  });
});

describe("a lease", () => {
  test("of a process that stands still is taken over by another, and fences the first", async () => {
    const held = Promise.withResolvers<void>();
    const late = Promise.withResolvers<unknown>();
    handle(async (job) => {
      await held.promise;
      late.resolve(await job.finish(async (tx) => tx.set(["by"], "first")).catch((error: unknown) => error));
    });
    await schedule();
    const first = jobs.drain();
    await settle();
    // The first process's timers do not run. The other's clock is hours behind, which does not matter.
    const otherClock = createFakeClock(0);
    const second = createJobs({ store, clock: otherClock, ids: randomIds, log });
    const attempts: number[] = [];
    second.handle("test.run", {
      concurrency: 1,
      run: (job) => {
        attempts.push(job.attempt);
        return job.finish(async (tx) => tx.set(["by"], "second"));
      },
    });
    second.start();
    await lookOn(otherClock, jobLimits.unchangedLooks - 1);
    expect(attempts).toEqual([]);
    await lookOn(otherClock, 1);
    expect(attempts).toEqual([2]);
    held.resolve();
    expect(await late.promise).toBeInstanceOf(LeaseLostError);
    await first;
    expect(await store.read((reader) => reader.get(["by"]))).toBe("second");
    await second.stop(0);
  });

  test("is released at once when its process is known to have ended", async () => {
    handle(() => new Promise(() => {}));
    await schedule({ payload: "p" });
    void jobs.drain();
    await settle();
    const owners = { id: "next", hasEnded: () => true };
    const next = createJobs({ store, clock: createFakeClock(clock.now()), ids: randomIds, log, owners });
    const seen: unknown[] = [];
    next.handle("test.run", {
      concurrency: 1,
      run: async (job) => {
        seen.push([job.payload, job.attempt]);
      },
    });
    next.start();
    await settle();
    expect(seen).toEqual([["p", 2]]);
    await next.stop(0);
  });

  test("is renewed for as long as the job runs", async () => {
    const held = Promise.withResolvers<void>();
    handle(() => held.promise);
    await schedule();
    const first = jobs.drain();
    const second = newProcess();
    second.handle("test.run", { concurrency: 1, run: async () => expect.unreachable() });
    second.start();
    for (let n = 0; n < 10; n += 1) {
      await settle();
      clock.advance(jobLimits.renewMs);
    }
    await settle();
    held.resolve();
    await first;
    await second.stop(0);
    expect(await store.read((reader) => reader.range({ prefix: [] }, { limit: 10 }))).toEqual([]);
  });

  test("is lost when the job is replaced or cancelled, and the run is told", async () => {
    const held = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    handle(async (job) => {
      signals.push(job.signal);
      await held.promise;
    });
    await schedule();
    const draining = jobs.drain();
    await settle();
    await store.transact(async (tx) => jobs.cancel(tx, "test.run", ["a"]));
    clock.advance(jobLimits.renewMs);
    await settle();
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    held.resolve();
    await draining;
  });

  test("does not let one job run in two processes", async () => {
    const seen: unknown[] = [];
    const processes = [jobs, newProcess(), newProcess()];
    for (const each of processes) {
      each.handle("test.run", {
        concurrency: 5,
        run: async (job) => {
          seen.push(job.key[0]);
          await setImmediate();
        },
      });
    }
    for (let n = 0; n < 30; n += 1) await schedule({ key: [n] });
    await Promise.all(processes.map((each) => each.drain()));
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  test("is not taken by a process that has no room: work spreads", async () => {
    const running = [0, 0, 0];
    const processes = running.map((_, at) => {
      const each = newProcess();
      each.handle("test.run", {
        concurrency: at + 1,
        run: (job) => {
          running[at] = (running[at] ?? 0) + 1;
          return new Promise((_resolve, reject) => job.signal.addEventListener("abort", () => reject(new Error("no"))));
        },
      });
      each.start();
      return each;
    });
    for (let n = 0; n < 9; n += 1) await schedule({ key: [n] });
    await settle();
    expect(running).toEqual([1, 2, 3]);
    // What it hands over waits, for the others are full.
    await processes[2]?.stop(1_000);
    await settle();
    expect(running).toEqual([1, 2, 3]);
    const next = newProcess();
    const seen: number[] = [];
    next.handle("test.run", {
      concurrency: 9,
      run: async (job) => {
        seen.push(job.attempt);
      },
    });
    next.start();
    await settle();
    expect(seen).toEqual([1, 1, 1, 1, 1, 1]);
    await Promise.all([processes[0]?.stop(1_000), processes[1]?.stop(1_000)]);
    await settle();
    expect(seen).toHaveLength(9);
    await next.stop(0);
  });

  test("whose answer was lost is released by the process that drew it, and the attempt does not count", async () => {
    let lose = true;
    const losing: Store = {
      ...store,
      transact: async (body) => {
        const result = await store.transact(body);
        if (!lose) return result;
        lose = false;
        throw new Error("the answer was lost");
      },
    };
    await schedule();
    const alone = createJobs({ store: losing, clock, ids: randomIds, log });
    const attempts: number[] = [];
    alone.handle("test.run", {
      concurrency: 1,
      run: async (job) => {
        attempts.push(job.attempt);
      },
    });
    alone.start();
    await lookOn(clock, 1);
    expect(attempts).toEqual([1]);
    await alone.stop(0);
  });

  test("of a job that ends its process each time is not given without end", async () => {
    await schedule();
    for (let n = 0; n < 3; n += 1) {
      const doomedClock = createFakeClock(clock.now());
      const doomed = createJobs({ store, clock: doomedClock, ids: randomIds, log });
      doomed.handle("test.run", { concurrency: 1, attemptsMax: 2, run: () => new Promise(() => {}) });
      doomed.start();
      // It takes over from the one before it, and dies: its clock stands still.
      await lookOn(doomedClock, jobLimits.unchangedLooks + 1);
    }
    expect(await jobs.failed("test.run", 10)).toMatchObject([{ attempts: 2 }]);
  });
});

describe("started jobs", () => {
  test("run as soon as they are written, and at their time", async () => {
    const seen: unknown[] = [];
    handle(async (job) => {
      seen.push(job.key[0]);
    });
    jobs.start();
    await schedule({ key: ["now"] });
    await schedule({ key: ["later"], at: clock.now() + 500 });
    await settle();
    expect(seen).toEqual(["now"]);
    clock.advance(499);
    await settle();
    expect(seen).toEqual(["now"]);
    clock.advance(1);
    await settle();
    expect(seen).toEqual(["now", "later"]);
    await jobs.stop(0);
  });

  test("go back when the platform stops, without counting the attempt", async () => {
    handle(
      (job) =>
        new Promise((_resolve, reject) => {
          job.signal.addEventListener("abort", () => reject(new Error("stopped")));
        }),
    );
    jobs.start();
    await schedule();
    await settle();
    await jobs.stop(1_000);
    const next = newProcess();
    const attempts: number[] = [];
    next.handle("test.run", {
      concurrency: 1,
      run: async (job) => {
        attempts.push(job.attempt);
      },
    });
    await next.drain();
    expect(attempts).toEqual([1]);
  });

  test("are not waited for longer than the grace period", async () => {
    handle(() => new Promise(() => {}));
    jobs.start();
    await schedule();
    await settle();
    const stopped = jobs.stop(100);
    await settle();
    clock.advance(100);
    await stopped;
  });
});

/** Let a process look at the leases of the others so many times. */
async function lookOn(itsClock: FakeClock, looks: number): Promise<void> {
  await settle();
  for (let n = 0; n < looks; n += 1) {
    itsClock.advance(jobLimits.renewMs);
    await settle();
  }
}

/** Let everything that is ready to run, run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}
