import { expect, test } from "vitest";
import { runConnections } from "../websocket/connections.ts";

/** Prints what `docs/evidence/websocket.md` keeps. */
test("5,000 connections echo, get a broadcast, and those of killed clients end in $disconnect and GoneException", async () => {
  const report = await runConnections(5_000, 500);
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  expect(report).toMatchObject({
    connections: 5_000,
    reached: 5_000,
    disconnected: 500,
    disconnectRuns: 500,
    gone: 500,
  });
});
