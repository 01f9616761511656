import { setTimeout as delay } from "node:timers/promises";
import {
  GetDurableExecutionCommand,
  LambdaClient,
  SendDurableExecutionCallbackSuccessCommand,
} from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { clientSettings, createFunctionRole } from "../../../src/testing/functions.ts";
import { startTestServer } from "../../../src/testing/server.ts";
import { createWorkflows, durableActions, until } from "./harness.ts";
import { buildJavaScript } from "./workflows.ts";

const built = await buildJavaScript();
if ("missing" in built) process.stderr.write(`skipped: ${built.missing}\n`);

test.skipIf("missing" in built)(
  "executions go on after kill -9: in a wait, at a callback, in the middle of a step",
  async () => {
    const server = await startTestServer();
    try {
      const settings = clientSettings(server.environment);
      const lambda = new LambdaClient(settings);
      const statement = { Effect: "Allow", Action: durableActions, Resource: "*" };
      const role = await createFunctionRole(settings, "durable", [statement]);
      const zip = "zip" in built ? built.zip : new Uint8Array();
      const workflows = createWorkflows(lambda, { runtime: "nodejs24.x", module: "index", role, zip });

      const sleeping = await workflows.start(await workflows.given("sleeps"), { seconds: 3 });
      const asking = await workflows.start(await workflows.given("callbacks"), {});
      const CallbackId = await workflows.callback(asking);
      await until(async () => {
        const types = await workflows.types(sleeping);
        return types.at(-1) === "InvocationCompleted" ? types : undefined;
      });
      const working = await workflows.start(await workflows.given("works"), { ms: 1500 });
      await until(async () => ((await workflows.types(working)).includes("StepSucceeded") ? true : undefined));
      await delay(300);
      await server.killAndRestart();

      const running = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: asking }));
      expect(running.Status).toBe("RUNNING");
      await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"late"') }));
      expect(await workflows.ended(asking)).toMatchObject({ Status: "SUCCEEDED" });

      const slept = await workflows.ended(sleeping);
      expect(slept.Status).toBe("SUCCEEDED");
      const { first, second } = JSON.parse(slept.Result ?? "");
      expect(second - first).toBeGreaterThanOrEqual(3000);

      // The invocation that died with the server is made again when its lease is over; what it had checkpointed stays.
      const worked = await workflows.ended(working);
      expect(worked).toMatchObject({ Status: "SUCCEEDED", Result: '"first, second"' });
      const events = await workflows.history(working);
      expect(events.filter(({ EventType, Name }) => EventType === "StepSucceeded" && Name === "first")).toHaveLength(1);
    } finally {
      await server.stop();
    }
  },
  90_000,
);
