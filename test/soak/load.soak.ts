import { expect, test } from "vitest";
import { runLoad } from "../compute/load.ts";

test("1,000 invocations at once over 20 functions by HTTP: limits are exact, none is lost, memory goes back to what it was", async () => {
  const load = await runLoad({ invocations: 1_000, functions: 20, reserved: 10, holdMs: 60_000, restMs: 10_000 });
  process.stdout.write(`${JSON.stringify(load)}\n`);
  expect(load.limited).toEqual(Array.from({ length: 20 }, () => ({ ran: 10, throttled: 40 })));
  expect(load.answered).toBe(1_000);
  expect(load.afterMb - load.beforeMb).toBeLessThan(64);
}, 600_000);
