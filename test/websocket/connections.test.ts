import { expect, test } from "vitest";
import { runConnections } from "./connections.ts";

test("300 connections echo, get a broadcast, and those of killed clients end in $disconnect and GoneException", async () => {
  const report = await runConnections(300, 50);
  expect(report).toMatchObject({ connections: 300, reached: 300, disconnected: 50, disconnectRuns: 50, gone: 50 });
}, 120_000);
