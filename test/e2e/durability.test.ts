import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runKillLoop } from "../../src/testing/kill-loop.ts";
import { startTestServer } from "../../src/testing/server.ts";

test("kill -9 under writes loses nothing that was acknowledged", { timeout: 120_000 }, async () => {
  const result = await runKillLoop(4);
  expect(result.lost).toEqual([]);
  expect(result.acknowledged).toBeGreaterThanOrEqual(4 * 8);
});

test("nor does that of the process that supervises workers", { timeout: 120_000 }, async () => {
  const result = await runKillLoop(2, ["--workers", "2"]);
  expect(result.lost).toEqual([]);
  expect(result.acknowledged).toBeGreaterThanOrEqual(2 * 8);
});

test("a deployed API answers at once after kill -9 and restart", { timeout: 120_000 }, async () => {
  const server = await startTestServer();
  try {
    const cumulet = join(import.meta.dirname, "../../bin/cumulet");
    const app = join(import.meta.dirname, "apps/plain");
    const args = ["deploy", app, "--parameter", "Greeting=Hello", "--data", server.dataDir];
    const { stdout } = await promisify(execFile)(cumulet, args);
    const apiId = /ApiId: (\w+)/.exec(stdout)?.[1];
    const url = `${server.endpoint}/_cumulet/api/${apiId}/greet/ada`;
    expect(await (await fetch(url)).text()).toBe("Hello, ada");
    await server.killAndRestart();
    const again = await fetch(url);
    expect({ status: again.status, body: await again.text() }).toEqual({ status: 200, body: "Hello, ada" });
  } finally {
    await server.stop();
  }
});
