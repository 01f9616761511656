import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFunctionRole } from "../../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { createWorkflows, durableActions, until, type Workflows } from "./harness.ts";
import { buildJavaScript } from "./workflows.ts";

const built = await buildJavaScript();
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
  workflows = createWorkflows(lambda, { runtime: "nodejs24.x", module: "index", role, zip });
});
afterAll(() => platform.stop());

durable("steps run once, a wait suspends the function, and the history says so", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("steps"), { name: "Ann" });
  expect(document).toEqual({ greeting: "Hello, Ann 1", again: "HELLO, ANN 1" });
  expect(arn).toMatch(
    /^arn:aws:lambda:us-east-1:000000000000:function:steps:\$LATEST\/durable-execution\/[^/]+\/[^/]+$/,
  );
  expect(await workflows.types(arn)).toEqual([
    "ExecutionStarted",
    "StepStarted",
    "StepSucceeded",
    "WaitStarted",
    "InvocationCompleted",
    "WaitSucceeded",
    "StepStarted",
    "StepSucceeded",
    "InvocationCompleted",
    "ExecutionSucceeded",
  ]);
});

durable("a failed step is retried after its delay", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("retries"), {});
  expect(document).toBe("at last");
  const events = (await workflows.history(arn)).filter(({ Name }) => Name === "flaky");
  const failed = events.find(({ EventType }) => EventType === "StepFailed")?.StepFailedDetails;
  expect(failed?.Error?.Payload).toMatchObject({ ErrorType: "RangeError", ErrorMessage: "not yet" });
  expect(failed?.RetryDetails).toEqual({ CurrentAttempt: 1, NextAttemptDelaySeconds: 1 });
  const succeeded = events.find(({ EventType }) => EventType === "StepSucceeded")?.StepSucceededDetails;
  expect(succeeded?.RetryDetails).toEqual({ CurrentAttempt: 2 });
});

durable("a step that fails at every attempt fails the execution with its error", async () => {
  const { arn, failed, document } = await workflows.invoke(await workflows.given("retries", { name: "never" }), {
    always: true,
  });
  expect(failed).toBe("Unhandled");
  expect(document).toMatchObject({ errorMessage: expect.stringContaining("not yet") });
  expect((await workflows.ended(arn)).Status).toBe("FAILED");
});

durable("what a handler throws fails the execution", async () => {
  const { arn, failed, document } = await workflows.invoke(await workflows.given("fails"), {});
  expect(failed).toBe("Unhandled");
  expect(document).toMatchObject({ errorType: "TypeError", errorMessage: "It cannot be done" });
  const execution = await workflows.ended(arn);
  expect(execution.Error).toMatchObject({ ErrorType: "TypeError", ErrorMessage: "It cannot be done" });
});

durable("a callback waits for SendDurableExecutionCallbackSuccess", async () => {
  const arn = await workflows.start(await workflows.given("callbacks"), {});
  const CallbackId = await workflows.callback(arn);
  await lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }));
  await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"yes"') }));
  expect((await workflows.ended(arn)).Result).toBe(JSON.stringify({ approved: '"yes"' }));
  const again = lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId }));
  await expect(again).rejects.toMatchObject({ name: "CallbackTimeoutException" });
});

durable("a callback fails with what SendDurableExecutionCallbackFailure says", async () => {
  const arn = await workflows.start(await workflows.given("callbacks"), {});
  const CallbackId = await workflows.callback(arn);
  const ErrorMessage = "not today";
  await lambda.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId, Error: { ErrorMessage } }));
  expect(JSON.parse((await workflows.ended(arn)).Result ?? "")).toMatchObject({
    refused: expect.stringContaining(ErrorMessage),
  });
});

durable.each([
  ["timeout", { timeout: { seconds: 1 } }, "Callback timed out"],
  ["heartbeat", { heartbeatTimeout: { seconds: 1 } }, "Callback timed out on heartbeat"],
])("a callback whose %s passes has timed out", async (_name, options, message) => {
  const { arn, document } = await workflows.invoke(await workflows.given("callbacks"), { options });
  expect(document).toMatchObject({ refused: expect.stringContaining(message) });
  expect(await workflows.types(arn)).toContain("CallbackTimedOut");
});

durable("parallel branches, map and child contexts keep their own operations", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("branches"), { numbers: [1, 2, 3, 4] });
  expect(document).toEqual({ parallel: ["l", "r"], map: [1, 4, 9, 16], child: 3 });
  const events = await workflows.history(arn);
  const both = events.find(({ EventType, Name }) => EventType === "ContextStarted" && Name === "both");
  const branches = events.filter(({ EventType, ParentId }) => EventType === "ContextStarted" && ParentId === both?.Id);
  expect(branches).toHaveLength(2);
});

durable("waitForCondition polls until it is content, keeping its state", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("polls"), { times: 3 });
  expect(document).toEqual({ seen: 3 });
  expect((await workflows.types(arn)).filter((type) => type === "StepSucceeded")).toHaveLength(3);
});

durable("context.invoke runs another function, and sees its answer and its error", async () => {
  await workflows.given("plain", { timeoutSeconds: 0 });
  const parent = await workflows.given("invokes");
  const good = await workflows.invoke(parent, { target: "plain", payload: { n: 21 } });
  expect(good.document).toEqual({ answer: { doubled: 42 } });
  expect(await workflows.types(good.arn)).toContain("ChainedInvokeSucceeded");
  const bad = await workflows.invoke(parent, { target: "plain", payload: { fail: true } });
  expect(bad.document).toMatchObject({ failed: expect.stringContaining("the other one failed") });
});

durable("context.invoke of a durable function is an execution of its own", async () => {
  const target = await workflows.given("steps");
  const { arn, document } = await workflows.invoke(await workflows.given("invokes"), {
    target,
    payload: { name: "Child" },
  });
  expect(document).toMatchObject({ answer: { again: "HELLO, CHILD 1" } });
  const started = (await workflows.history(arn)).find(({ EventType }) => EventType === "ChainedInvokeStarted");
  const child = started?.ChainedInvokeStartedDetails?.DurableExecutionArn ?? "";
  expect(await workflows.ended(child)).toMatchObject({
    Status: "SUCCEEDED",
    FunctionArn: expect.stringMatching(/steps:\$LATEST$/),
  });
});

durable.each([
  ["does not exist", "nowhere:1", "Function not found"],
  ["is durable and not qualified", "steps", "You cannot invoke a durable function using an unqualified ARN."],
])("context.invoke of a function that %s fails at once", async (_name, target, message) => {
  await workflows.given("steps");
  const { document } = await workflows.invoke(await workflows.given("invokes"), { target, payload: {} });
  expect(document).toMatchObject({ failed: expect.stringContaining(message) });
});

durable("a state of more than a page's size is replayed whole", async () => {
  expect((await workflows.invoke(await workflows.given("large"), {})).document).toEqual([
    200_000, 200_000, 200_000, 200_000,
  ]);
});

durable("a result that is too large for an answer is checkpointed", async () => {
  const { document } = await workflows.invoke(await workflows.given("shouts"), { length: 6_291_420 });
  expect(document).toHaveLength(6_291_420);
});

durable("an invocation that fails is made again, and steps that succeeded are not", async () => {
  const { arn, document } = await workflows.invoke(await workflows.given("dies"), {});
  expect(document).toBe("done");
  const types = await workflows.types(arn);
  expect(types.filter((type) => type === "StepSucceeded")).toHaveLength(1);
});

durable("an execution that takes longer than its ExecutionTimeout has timed out", async () => {
  const { arn, failed, document } = await workflows.invoke(
    await workflows.given("sleeps", { timeoutSeconds: 1, name: "short" }),
    { seconds: 30 },
  );
  expect(failed).toBe("Unhandled");
  expect(document).toEqual({ errorMessage: "Execution timed out after 1 seconds." });
  expect((await workflows.ended(arn)).Status).toBe("TIMED_OUT");
});

durable("StopDurableExecution ends a waiting execution, once", async () => {
  const name = await workflows.given("sleeps");
  const DurableExecutionArn = await workflows.start(name, { seconds: 50 });
  await until(async () => ((await workflows.types(DurableExecutionArn)).includes("WaitStarted") ? true : undefined));
  const Error = { ErrorType: "Enough", ErrorMessage: "stopped by a test" };
  const first = await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn, Error }));
  expect(await workflows.ended(DurableExecutionArn)).toMatchObject({ Status: "STOPPED", Error });
  const second = await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn }));
  expect(second.StopTimestamp).toEqual(first.StopTimestamp);
  expect((await workflows.types(DurableExecutionArn)).filter((type) => type === "ExecutionStopped")).toHaveLength(1);
});

durable("the same DurableExecutionName and payload is the same execution; another payload is refused", async () => {
  const name = await workflows.given("steps");
  const DurableExecutionName = "order-1";
  const [first, second] = await Promise.all([
    workflows.invoke(name, { name: "Named" }, { DurableExecutionName }),
    workflows.invoke(name, { name: "Named" }, { DurableExecutionName }),
  ]);
  expect(second).toEqual(first);
  expect(first.arn).toContain("/durable-execution/order-1/");
  expect(await workflows.invoke(name, { name: "Named" }, { DurableExecutionName })).toEqual(first);
  const Payload = JSON.stringify({ name: "Other" });
  const other = lambda.send(new InvokeCommand({ FunctionName: name, DurableExecutionName, Payload }));
  await expect(other).rejects.toMatchObject({ name: "DurableExecutionAlreadyStartedException" });
  const { DurableExecutions } = await lambda.send(
    new ListDurableExecutionsByFunctionCommand({ FunctionName: "steps", DurableExecutionName }),
  );
  expect(DurableExecutions).toHaveLength(1);
});

durable("a replayed function logs once, under its own requests", async () => {
  const arn = await workflows.start(await workflows.given("callbacks"), {});
  const CallbackId = await workflows.callback(arn);
  await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId }));
  await workflows.ended(arn);
  const logs = new CloudWatchLogsClient(platform.settings);
  const logGroupName = "/aws/lambda/callbacks";
  const filterPattern = `"callback=${CallbackId}"`;
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
  expect(events).toHaveLength(1);
});
