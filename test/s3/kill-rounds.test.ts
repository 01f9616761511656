import { expect, test } from "vitest";
import { runKillRounds } from "./kill-rounds.ts";

test("kill -9 under writes of every kind loses no object, tears none, and leaves no content that is nobody's", async () => {
  const { faults, acknowledged } = await runKillRounds(3);
  expect(faults).toEqual([]);
  expect(acknowledged).toBeGreaterThanOrEqual(36);
}, 120_000);
