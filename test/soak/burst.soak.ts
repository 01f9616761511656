import { expect, test } from "vitest";
import { runBurst } from "../compute/burst.ts";

test("1,000 concurrent invocations over 20 functions are all answered, and memory and processes go back to what they were", async () => {
  const burst = await runBurst(1_000, 20);
  process.stdout.write(`${JSON.stringify(burst)}\n`);
  expect(burst).toMatchObject({ answered: 1_000, processesLeft: 0 });
  expect(burst.grownMb).toBeLessThan(64);
}, 600_000);
