import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestPlatform } from "../../src/testing/platform.ts";
import { descendants } from "../compute/burst.ts";

test("200 functions that nobody invokes cost no processes, and hardly any processor time", async () => {
  const platform = await startTestPlatform({ durable: true });
  const Role = await createFunctionRole(platform.settings, "runs");
  for (let index = 0; index < 200; index += 1) {
    const source = `export const handler = async () => ${index}`;
    await createNodeFunction(platform.settings, { FunctionName: `f${index}`, Role, source, Publish: true });
  }
  await platform.restart();
  await delay(2_000);
  const before = process.cpuUsage();
  await delay(10_000);
  const used = process.cpuUsage(before);
  process.stdout.write(`${Math.round((used.user + used.system) / 1000)} ms in 10 s\n`);
  expect(descendants(process.pid)).toBe(0);
  expect((used.user + used.system) / 10_000_000).toBeLessThan(0.02);
  await platform.stop();
}, 300_000);
