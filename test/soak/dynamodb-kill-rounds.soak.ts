import { expect, test } from "vitest";
import { runKillRounds } from "../dynamodb/kill-rounds.ts";

const rounds = Number(process.env["CUMULET_SOAK_ROUNDS"] ?? 200);

test("kill -9 at random moments under writes of every kind", async () => {
  const { faults } = await runKillRounds(rounds, ({ faults: found, ...counts }) => {
    if (counts.rounds % 10 === 0 || counts.rounds === rounds) {
      process.stdout.write(`${new Date().toISOString()} ${JSON.stringify({ ...counts, faults: found.length })}\n`);
    }
  });
  expect(faults).toEqual([]);
});
