import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { replayNodes, simulateNodes } from "./node-scenario.ts";

const seeds = 500;

test(
  "NODES_SEED names one history of nodes to be replayed",
  { skip: process.env["NODES_SEED"] === undefined },
  async () => {
    const story = await replayNodes(Number(process.env["NODES_SEED"]));
    process.stdout.write(`${story.join("\n")}\n`);
  },
);

test(`${seeds} histories of nodes that share a store keep what nodes promise`, { timeout: 300_000 }, async () => {
  const total = { settled: 0, servedFromMemory: 0, taken: 0, givenUp: 0 };
  for (let seed = 1; seed <= seeds; seed += 1) {
    const outcome = await simulateNodes(seed);
    total.settled += outcome.settled;
    total.servedFromMemory += outcome.servedFromMemory;
    total.taken += outcome.taken;
    total.givenUp += outcome.givenUp;
    if (seed % 20 === 0) await setImmediate();
  }
  // They did something, and had trouble doing it.
  expect(total.settled).toBeGreaterThan(seeds);
  expect(total.servedFromMemory).toBeGreaterThan(seeds);
  expect(total.taken).toBeGreaterThan(seeds);
  expect(total.givenUp).toBeGreaterThan(seeds / 10);
});

test("a history of nodes is the same each time it is simulated", async () => {
  for (const seed of [3, 14, 159]) expect(await replayNodes(seed)).toEqual(await replayNodes(seed));
});
