import { expect, test } from "vitest";
import { runKillRounds } from "./kill-rounds.ts";

test("kill -9 under writes of every kind loses nothing, tears no transaction, and leaves indexes and stream agreeing", async () => {
  const { faults, acknowledged, streamed } = await runKillRounds(2);
  expect(faults).toEqual([]);
  expect(acknowledged).toBeGreaterThan(40);
  expect(streamed).toBeGreaterThan(40);
}, 60_000);
