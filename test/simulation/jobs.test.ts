import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { replayJobs, simulateJobs } from "./job-scenario.ts";

const seeds = 10_000;

test("SEED names one history of jobs to be replayed", { skip: process.env["SEED"] === undefined }, async () => {
  const story = await replayJobs(Number(process.env["SEED"]));
  process.stdout.write(`${story.join("\n")}\n`);
});

test(`${seeds} histories of processes that share jobs keep what jobs promise`, { timeout: 300_000 }, async () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    await simulateJobs(seed);
    if (seed % 100 === 0) await setImmediate();
  }
});

test("a history is the same each time it is simulated", async () => {
  for (const seed of [3, 14, 159]) expect(await replayJobs(seed)).toEqual(await replayJobs(seed));
});
