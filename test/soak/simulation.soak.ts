import { setImmediate } from "node:timers/promises";
import { test } from "vitest";
import { simulateJobs } from "../simulation/job-scenario.ts";
import { simulateNodes } from "../simulation/node-scenario.ts";

/** Other histories each day: those that fail are printed with their seed, and `SEED=n` or `NODES_SEED=n` replays them in the ordinary suite. */
const first = Math.floor(Date.now() / 86_400_000) * 1_000_000;
const seeds = Number(process.env["CUMULET_SOAK_SEEDS"] ?? 200_000);

test(`${seeds} histories of processes that share jobs keep what jobs promise`, async () => {
  for (let seed = first; seed < first + seeds; seed += 1) {
    await simulateJobs(seed);
    if (seed % 100 === 0) await setImmediate();
  }
});

test(`${seeds / 10} histories of nodes that share a store keep what nodes promise`, async () => {
  for (let seed = first; seed < first + seeds / 10; seed += 1) {
    await simulateNodes(seed);
    if (seed % 20 === 0) await setImmediate();
  }
});
