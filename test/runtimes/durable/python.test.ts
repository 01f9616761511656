import { LambdaClient, SendDurableExecutionCallbackSuccessCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFunctionRole } from "../../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { createWorkflows, durableActions, type Workflows } from "./harness.ts";
import { buildPython } from "./workflows.ts";

const built = await buildPython();
if ("missing" in built) process.stderr.write(`skipped: ${built.missing}\n`);
const durable = test.skipIf("missing" in built).concurrent;

let platform: TestPlatform;
let lambda: LambdaClient;
let workflows: Workflows;

beforeAll(async () => {
  platform = await startTestPlatform();
  lambda = new LambdaClient(platform.settings);
  const statement = { Effect: "Allow", Action: durableActions, Resource: "*" };
  const role = await createFunctionRole(platform.settings, "durable", [statement]);
  const zip = "zip" in built ? built.zip : new Uint8Array();
  workflows = createWorkflows(lambda, { runtime: "python3.13", module: "app", role, zip });
});
afterAll(() => platform.stop());

durable("steps run once, and a wait suspends the function", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("steps"), { name: "Ann" });
  expect(document).toEqual({ greeting: "Hello, Ann", again: "HELLO, ANN" });
  const types = await workflows.types(arn);
  expect(types.filter((type) => type === "StepSucceeded")).toHaveLength(2);
  expect(types.filter((type) => type === "InvocationCompleted")).toHaveLength(2);
});

durable("a failed step is retried after its delay", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("retries"), { seconds: 0.9 });
  expect(document).toBe("at last");
  expect(await workflows.types(arn)).toContain("StepFailed");
});

durable("a callback waits for SendDurableExecutionCallbackSuccess", async () => {
  const arn = await workflows.start(await workflows.given("callbacks"), {});
  const CallbackId = await workflows.callback(arn);
  await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"yes"') }));
  expect(await workflows.ended(arn)).toMatchObject({ Status: "SUCCEEDED", Result: expect.stringContaining("yes") });
});

durable("parallel branches, map and child contexts keep their own operations", async () => {
  const { document } = await workflows.invoke(await workflows.given("branches"), { numbers: [1, 2, 3] });
  expect(document).toEqual({ parallel: ["l", "r"], map: [1, 4, 9], child: 3 });
});

durable("context.invoke of a durable function is an execution of its own", async () => {
  const target = await workflows.given("steps");
  const { arn, document } = await workflows.invoke(await workflows.given("invokes"), {
    target,
    payload: { name: "B" },
  });
  expect(document).toMatchObject({ answer: { again: "HELLO, B" } });
  expect(await workflows.types(arn)).toContain("ChainedInvokeSucceeded");
});

durable("a result that is too large for an answer is checkpointed", async () => {
  const { document } = await workflows.invoke(await workflows.given("shouts"), { length: 6_291_420 });
  expect(document).toHaveLength(6_291_420);
});

durable("what a handler raises fails the execution", async () => {
  const { failed, document } = await workflows.invoke(await workflows.given("fails"), {});
  expect(failed).toBe("Unhandled");
  expect(document).toMatchObject({ errorType: "ValueError", errorMessage: "It cannot be done" });
});
