import { expect, test } from "vitest";
import { runKillRounds } from "../s3/kill-rounds.ts";

const rounds = Number(process.env["CUMULET_SOAK_ROUNDS"] ?? 200);

test("kill -9 at random moments under writes of objects of every kind", async () => {
  const { faults, ...counts } = await runKillRounds(rounds);
  process.stdout.write(`${JSON.stringify({ ...counts, faults: faults.length })}\n`);
  expect(faults).toEqual([]);
});
