import { beforeEach, expect, test } from "vitest";
import { randomIds } from "../kernel/ids.ts";
import type { Jobs } from "../kernel/jobs/jobs.ts";
import { createJobs } from "../kernel/jobs/stored-jobs.ts";
import { createLog } from "../kernel/log.ts";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import type { Store } from "../kernel/store/store.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { collectJobs } from "./job-metrics.ts";

let clock: FakeClock;
let store: Store;
let jobs: Jobs;

beforeEach(() => {
  clock = createFakeClock(1_000_000);
  store = createMemoryStore();
  const log = createLog("silent", () => {}, Date.now);
  jobs = createJobs({ store, clock, ids: randomIds, log });
});

async function read(): Promise<Record<string, number | undefined>> {
  const families = await collectJobs(jobs)();
  return Object.fromEntries(families.map(({ name, values }) => [name.replace("cumulet_jobs_", ""), values[0]?.value]));
}

test("tells how long the job that has waited longest is overdue", async () => {
  jobs.handle("test.run", { concurrency: 1, run: async () => {} });
  expect(await read()).toMatchObject({ overdue_seconds: 0 });
  const schedule = (at: number) =>
    store.transact(async (tx) => jobs.schedule(tx, { kind: "test.run", key: [String(at)], at }));
  await schedule(clock.now() + 60_000);
  expect(await read()).toMatchObject({ overdue_seconds: 0 });
  await schedule(clock.now() - 5_000);
  await schedule(clock.now() - 2_000);
  expect(await read()).toMatchObject({ overdue_seconds: 5 });
  await jobs.drain();
  expect(await read()).toMatchObject({ overdue_seconds: 0, failures_total: 0, given_up_total: 0 });
});

test("counts attempts that fail, and jobs that are given up", async () => {
  jobs.handle("test.run", { concurrency: 1, attemptsMax: 2, run: () => Promise.reject(new Error("no")) });
  await store.transact(async (tx) => jobs.schedule(tx, { kind: "test.run", key: ["k"], at: clock.now() }));
  await jobs.drain();
  expect(await read()).toMatchObject({ failures_total: 1, given_up_total: 0 });
  clock.advance(60_000);
  await jobs.drain();
  expect(await read()).toMatchObject({ failures_total: 2, given_up_total: 1, overdue_seconds: 0 });
});

test("does not wait for a store that is away", async () => {
  const away: Pick<Jobs, "report"> = { report: () => new Promise(() => {}) };
  expect(await collectJobs(away, 10)()).toEqual([]);
  expect(await collectJobs({ report: () => Promise.reject(new Error("away")) })()).toEqual([]);
});
