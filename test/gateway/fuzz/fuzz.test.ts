import { expect, test } from "vitest";
import { fuzzGateway } from "./fuzz-gateway.ts";

test("whatever clients send, stages answer as AWS does or refuse it: no 500 of our own, no torn answer, no hang", async () => {
  const { answers } = await fuzzGateway(3_000);
  expect(answers).toBeGreaterThan(0);
}, 60_000);
