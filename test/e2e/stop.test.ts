import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

// The server's own grace is ten seconds, and what waits for something that never comes waits for ever.
const soon = { timeout: 60_000 };

test("a connection on which nothing was asked does not hold the server up when it stops", soon, async () => {
  const server = await startTestServer();
  const idle = connect(server.port, "127.0.0.1");
  // Cut, not closed: that is an error to whoever holds it.
  idle.on("error", () => {});
  await once(idle, "connect");
  const closed = new Promise((resolve) => idle.once("close", resolve));
  const from = performance.now();
  await server.stop();
  await closed;
  expect(performance.now() - from).toBeLessThan(9_000);
});

test("environments that are just being started do not hold the server up when it stops", soon, async () => {
  const server = await startTestServer();
  const settings = clientSettings(server.environment);
  const lambda = new LambdaClient(settings);
  const Role = await createFunctionRole(settings, "stops");
  await createNodeFunction(settings, { FunctionName: "f", Role, source: "export const handler = async (n) => n;" });
  await lambda.send(new InvokeCommand({ FunctionName: "f", Payload: "1" }));
  // A burst, of which the first answer comes while others still have their environments started.
  const all = Array.from({ length: 40 }, (_, n) =>
    lambda.send(new InvokeCommand({ FunctionName: "f", Payload: String(n) })).catch(() => undefined),
  );
  await Promise.any(all);
  await server.stop();
  await Promise.all(all);
});

/** Processes of a session, zombies aside. */
function sessionOf(leader: number): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state !== "Z" && Number(session) === leader;
    } catch {
      return false;
    }
  });
}

test.each(["1", "2"])(
  "a start with %s workers on a port that is taken ends at once, says why, and leaves nothing",
  soon,
  async (workers) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const data = await mkdtemp(join(tmpdir(), "cumulet-taken-"));
    const args = ["start", "--workers", workers, "--port", String(port), "--data", data];
    const child = spawn(join(import.meta.dirname, "../../bin/cumulet"), args, {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let told = "";
    child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(told.trim()).toBe(
      `cumulet: Something listens on port ${port} of 127.0.0.1 already. Take another with --port; 0 takes one that is free.`,
    );
    expect(sessionOf(child.pid ?? 0)).toEqual([]);
    expect(existsSync(join(data, "server.lock"))).toBe(false);
    other.close();
    await rm(data, { recursive: true });
  },
);
