import { expect, test } from "vitest";
import { runBurst } from "./burst.ts";

test("30 concurrent invocations over 3 functions are all answered, and leave no process behind", async () => {
  const burst = await runBurst(30, 3);
  expect(burst).toMatchObject({ answered: 30, processesLeft: 0 });
}, 60_000);
