import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { once } from "node:events";
import { connect } from "node:net";
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
