import { expect, test } from "vitest";
import { runLoad } from "./load.ts";

test("of 40 invocations at once over 4 functions that have reserved 3, exactly 12 run; without a limit all do", async () => {
  const load = await runLoad({ invocations: 40, functions: 4, reserved: 3, holdMs: 5_000, restMs: 100 });
  expect(load.limited).toEqual(Array.from({ length: 4 }, () => ({ ran: 3, throttled: 7 })));
  expect(load.answered).toBe(40);
  expect(load.afterMb - load.beforeMb).toBeLessThan(64);
}, 60_000);
