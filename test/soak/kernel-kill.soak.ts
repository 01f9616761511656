import { expect, test } from "vitest";
import { killRounds } from "../kernel/kill-rounds.ts";

test("200 processes killed under writes lose nothing acknowledged", async () => {
  const report = await killRounds(200, Math.random);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  expect(report).toMatchObject({ lost: 0, halves: 0, miscounted: 0 });
});
