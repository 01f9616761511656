import { expect, test } from "vitest";
import { fuzzGateway } from "../gateway/fuzz/fuzz-gateway.ts";

test("ten minutes of nonsense: no 500 of the gateway's own, no torn answer, no hang", async () => {
  let answers = 0;
  for (let round = 0; round < 10; round++) {
    const report = await fuzzGateway(60_000);
    process.stdout.write(`${JSON.stringify(report)}\n`);
    answers += report.answers;
  }
  expect(answers).toBeGreaterThan(1_000);
});
