import { expect, test } from "vitest";
import { runKillLoop } from "../../src/testing/kill-loop.ts";

test("kill -9 under writes, 100 rounds, loses nothing that was acknowledged", async () => {
  const result = await runKillLoop(100);
  process.stdout.write(
    `${result.rounds} kills, ${result.acknowledged} acknowledged changes, ${result.lost.length} lost\n`,
  );
  expect(result.lost).toEqual([]);
});
