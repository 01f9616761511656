import { setTimeout as delay } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CheckpointDurableExecutionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  PublishVersionCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  UpdateFunctionConfigurationCommand,
  type OperationUpdate,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction, zipOf } from "../../../testing/functions.ts";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

/** Answers what its input says; before it does, it can hold still, so that a test may checkpoint in its place. */
const source = `
let held = 0;
export const handler = async (event, context) => {
  const input = JSON.parse(event.InitialExecutionState.Operations[0].ExecutionDetails.InputPayload);
  console.log("INPUT " + JSON.stringify(event));
  if (input.holdMs && event.InitialExecutionState.Operations.length === 1) {
    await new Promise((resolve) => setTimeout(resolve, input.holdMs));
    return { Status: "PENDING" };
  }
  return input.answer ?? { Status: "SUCCEEDED", Result: JSON.stringify(context.functionVersion) };
};`;

const DurableConfig = { ExecutionTimeout: 60, RetentionPeriodInDays: 3 };

let platform: TestPlatform;
let lambda: LambdaClient;
let Role = "";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  Role = await createFunctionRole(platform.settings, "durable");
  await createNodeFunction(platform.settings, { FunctionName: "durable", Role, source, Timeout: 20, DurableConfig });
  await createNodeFunction(platform.settings, {
    FunctionName: "plain",
    Role,
    source: "export const handler = async () => 1",
  });
});
afterAll(() => platform.stop());

async function until<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 15_000; Date.now() < end; await delay(20)) {
    const value = await read();
    if (value !== undefined) return value;
  }
  throw new Error("It did not happen");
}

interface HandedEvent {
  readonly DurableExecutionArn: string;
  readonly CheckpointToken: string;
}

/** Start an execution whose function holds still; what it was handed. */
async function hold(FunctionName = "durable:$LATEST", holdMs = 8000): Promise<HandedEvent> {
  const Payload = JSON.stringify({ holdMs });
  const answer = await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
  const logs = new CloudWatchLogsClient(platform.settings);
  const filterPattern = `INPUT "${answer.DurableExecutionArn}"`;
  return until(async () => {
    const logGroupName = "/aws/lambda/durable";
    const { events } = await logs
      .send(new FilterLogEventsCommand({ logGroupName, filterPattern }))
      .catch(() => ({ events: [] }));
    const line = events?.[0]?.message;
    return line && JSON.parse(line.slice(line.indexOf("INPUT ") + 6));
  });
}

const checkpoint = (event: HandedEvent, Updates: OperationUpdate[], more: { ClientToken?: string } = {}) =>
  lambda.send(
    new CheckpointDurableExecutionCommand({
      DurableExecutionArn: event.DurableExecutionArn,
      CheckpointToken: event.CheckpointToken,
      Updates,
      ...more,
    }),
  );

const stop = (DurableExecutionArn: string) => lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn }));

const invalid = (message: string) => ({ name: "InvalidParameterValueException", message });

describe("DurableConfig", () => {
  test("is shown with its defaults, and an update changes what it names", async () => {
    const shown = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "shown",
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role,
        Code: { ZipFile: zipOf({ "index.mjs": source }) },
        DurableConfig: { ExecutionTimeout: 31_622_400 },
      }),
    );
    expect(shown.DurableConfig).toEqual({ ExecutionTimeout: 31_622_400, RetentionPeriodInDays: 14 });
    const update = { FunctionName: "shown", DurableConfig: { RetentionPeriodInDays: 90 } };
    await lambda.send(new UpdateFunctionConfigurationCommand(update));
    const { DurableConfig: changed } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: "shown" }),
    );
    expect(changed).toEqual({ ExecutionTimeout: 31_622_400, RetentionPeriodInDays: 90 });
    const tooLong = lambda.send(new InvokeCommand({ FunctionName: "shown:$LATEST" }));
    await expect(tooLong).rejects.toMatchObject(
      invalid("You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes."),
    );
  });

  test.each([
    [{ RetentionPeriodInDays: 7 }, "InvalidParameterValueException", "without an executionTimeout"],
    [{ ExecutionTimeout: 0 }, "ValidationException", "greater than or equal to 1"],
    [{ ExecutionTimeout: 31_622_401 }, "ValidationException", "less than or equal to 31622400"],
    [{ ExecutionTimeout: 1, RetentionPeriodInDays: 91 }, "ValidationException", "less than or equal to 90"],
    [{ ExecutionTimeout: 1, KMSKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }, "NotImplemented", "KMSKeyArn"],
  ])("CreateFunction refuses %j", async (config, name, message) => {
    const refused = createNodeFunction(platform.settings, { FunctionName: "no", Role, source, DurableConfig: config });
    await expect(refused).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  test("UpdateFunctionConfiguration cannot make a function durable", async () => {
    const refused = lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "plain", DurableConfig }));
    await expect(refused).rejects.toMatchObject(
      invalid(
        "You cannot add a durable configuration to a function that was originally created with no durable configuration",
      ),
    );
  });
});

describe("Invoke", () => {
  test.each(["RequestResponse", "Event", "DryRun"] as const)("of type %s needs a qualifier", async (InvocationType) => {
    const refused = lambda.send(new InvokeCommand({ FunctionName: "durable", InvocationType }));
    await expect(refused).rejects.toMatchObject(
      invalid("You cannot invoke a durable function using an unqualified ARN."),
    );
  });

  test("refuses DurableExecutionName for a function that is not durable, and one with other characters", async () => {
    const plain = lambda.send(new InvokeCommand({ FunctionName: "plain", DurableExecutionName: "x" }));
    await expect(plain).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    const odd = lambda.send(new InvokeCommand({ FunctionName: "durable:$LATEST", DurableExecutionName: "a b" }));
    await expect(odd).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("DryRun starts nothing", async () => {
    const FunctionName = "durable:$LATEST";
    const answer = await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "DryRun" }));
    expect(answer.StatusCode).toBe(204);
    expect(answer.DurableExecutionArn).toBeUndefined();
  });

  test("of an alias runs the version that it stood for at the start", async () => {
    const published = await lambda.send(new PublishVersionCommand({ FunctionName: "durable" }));
    const FunctionVersion = published.Version ?? "";
    await lambda.send(new CreateAliasCommand({ FunctionName: "durable", Name: "live", FunctionVersion }));
    const answer = await lambda.send(new InvokeCommand({ FunctionName: "durable:live", LogType: "Tail" }));
    expect(answer.Payload?.transformToString()).toBe(JSON.stringify(FunctionVersion));
    expect(answer.ExecutedVersion).toBe(FunctionVersion);
    expect(Buffer.from(answer.LogResult ?? "", "base64").toString()).toContain("REPORT RequestId");
    expect(answer.DurableExecutionArn).toContain(`:function:durable:${FunctionVersion}/durable-execution/`);
  });

  test.each([
    [{ Status: "DONE" }, "Invalid Status in invocation output."],
    [{ Status: "SUCCEEDED", Error: {} }, "Cannot provide an Error for SUCCEEDED status."],
    [{ Status: "FAILED", Result: "1" }, "Cannot provide a Result for FAILED status."],
    [{ Status: "PENDING" }, "Cannot return PENDING status with no pending operations."],
  ])("fails the execution when the function answers %j", async (answer, errorMessage) => {
    const Payload = JSON.stringify({ answer });
    const { FunctionError, Payload: document } = await lambda.send(
      new InvokeCommand({ FunctionName: "durable:$LATEST", Payload }),
    );
    expect(FunctionError).toBe("Unhandled");
    expect(JSON.parse(document?.transformToString() ?? "")).toEqual({
      errorMessage,
      errorType: "InvalidParameterValueException",
    });
  });
});

describe("CheckpointDurableExecution", () => {
  let event: HandedEvent;
  beforeAll(async () => {
    event = await hold();
  });
  afterAll(() => stop(event.DurableExecutionArn));

  test("hands out a token for each checkpoint, and answers the same checkpoint again", async () => {
    const start: OperationUpdate = { Id: "wait", Type: "WAIT", Action: "START", WaitOptions: { WaitSeconds: 3600 } };
    const first = await checkpoint(event, [start], { ClientToken: "one" });
    expect(first.NewExecutionState?.Operations).toMatchObject([{ Id: "wait", Type: "WAIT", Status: "STARTED" }]);
    const again = await checkpoint(event, [start], { ClientToken: "one" });
    expect(again.CheckpointToken).toBe(first.CheckpointToken);
    expect(again.NewExecutionState).toEqual(first.NewExecutionState);
    await expect(checkpoint(event, [start], { ClientToken: "two" })).rejects.toMatchObject(
      invalid("Invalid checkpoint token"),
    );
    event = { ...event, CheckpointToken: first.CheckpointToken ?? "" };
  });

  test("leaves everything as it was when one update is refused", async () => {
    const good: OperationUpdate = { Id: "good", Type: "STEP", Action: "START" };
    const bad: OperationUpdate = { Id: "bad", Type: "CALLBACK", Action: "SUCCEED" };
    await expect(checkpoint(event, [good, bad])).rejects.toMatchObject(
      invalid("Invalid action for the given operation type."),
    );
    const state = await lambda.send(new GetDurableExecutionStateCommand(event));
    expect(state.Operations?.map(({ Id }) => Id)).not.toContain("good");
  });

  test("refuses the token of another execution, and what is no token", async () => {
    const other = await hold();
    const { DurableExecutionArn } = event;
    await expect(checkpoint({ ...other, DurableExecutionArn }, [])).rejects.toMatchObject(
      invalid("Checkpoint token is not valid for the durable execution ARN"),
    );
    await stop(other.DurableExecutionArn);
    await expect(checkpoint(other, [])).rejects.toMatchObject(invalid("Invalid checkpoint token"));
    const odd = checkpoint({ DurableExecutionArn, CheckpointToken: "!" }, []);
    await expect(odd).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("GetDurableExecutionState pages, and refuses other tokens and markers", async () => {
    const page = await lambda.send(new GetDurableExecutionStateCommand({ ...event, MaxItems: 1 }));
    expect(page.Operations).toMatchObject([{ Type: "EXECUTION", Status: "STARTED" }]);
    const next = await lambda.send(new GetDurableExecutionStateCommand({ ...event, Marker: page.NextMarker }));
    expect(next.Operations).toMatchObject([{ Id: "wait", WaitDetails: { ScheduledEndTimestamp: expect.any(Date) } }]);
    const odd = lambda.send(new GetDurableExecutionStateCommand({ ...event, Marker: "x" }));
    await expect(odd).rejects.toMatchObject(invalid("Invalid marker"));
    const stale = lambda.send(new GetDurableExecutionStateCommand({ ...event, CheckpointToken: "AAAA" }));
    await expect(stale).rejects.toMatchObject(invalid("Invalid checkpoint token"));
  });

  test("is denied to who may not", async () => {
    const iam = new IAMClient(platform.settings);
    await iam.send(new CreateUserCommand({ UserName: "nobody" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "nobody" }));
    const credentials = {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    };
    const nobody = new LambdaClient({ ...platform.settings, credentials });
    const denied = nobody.send(new CheckpointDurableExecutionCommand({ ...event, Updates: [] }));
    await expect(denied).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining(`lambda:CheckpointDurableExecution on resource: ${event.DurableExecutionArn}`),
    });
    await expect(nobody.send(new GetDurableExecutionCommand(event))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });

  test("a chained invoke that the execution role may not make fails at once", async () => {
    const answer = await checkpoint(event, [
      { Id: "call", Type: "CHAINED_INVOKE", Action: "START", ChainedInvokeOptions: { FunctionName: "plain" } },
    ]);
    const [operation] = answer.NewExecutionState?.Operations ?? [];
    expect(operation).toMatchObject({ Status: "FAILED" });
    expect(operation?.ChainedInvokeDetails?.Error?.ErrorType).toBe("AccessDeniedException");
    const elsewhere = { FunctionName: "arn:aws:lambda:us-east-1:111122223333:function:x:1" };
    const next = { ...event, CheckpointToken: answer.CheckpointToken ?? "" };
    const refused = checkpoint(next, [
      { Id: "far", Type: "CHAINED_INVOKE", Action: "START", ChainedInvokeOptions: elsewhere },
    ]);
    await expect(refused).rejects.toMatchObject(
      invalid("Cannot start a CHAINED_INVOKE on a function in another account."),
    );
    event = next;
  });

  test("EXECUTION SUCCEED ends the execution", async () => {
    const answer = await checkpoint(event, [{ Id: "end", Type: "EXECUTION", Action: "SUCCEED", Payload: '"large"' }]);
    expect(answer.CheckpointToken).toBeUndefined();
    const ended = await lambda.send(new GetDurableExecutionCommand(event));
    expect(ended).toMatchObject({ Status: "SUCCEEDED", Result: '"large"' });
    await expect(checkpoint(event, [])).rejects.toMatchObject(invalid("Invalid checkpoint token"));
  });
});

describe("executions and callbacks that are not there", () => {
  const arn = "arn:aws:lambda:us-east-1:000000000000:function:durable:$LATEST/durable-execution/none/none";
  const missing = { name: "ResourceNotFoundException", message: "Durable Execution does not exist" };

  test.each([
    new GetDurableExecutionCommand({ DurableExecutionArn: arn }),
    new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn }),
    new StopDurableExecutionCommand({ DurableExecutionArn: arn }),
  ])("are not found", async (command) => {
    // One command type after the other: the client's overloads want to know which.
    await expect(lambda.send(command as GetDurableExecutionCommand)).rejects.toMatchObject(missing);
  });

  test("an ARN of another form is refused", async () => {
    const refused = lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: "arn:aws:lambda:x" }));
    await expect(refused).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("callbacks are refused", async () => {
    const odd = lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId: "AAAA" }));
    await expect(odd).rejects.toMatchObject(invalid("Invalid callback id"));
    const parts = ["000000000000", "us-east-1", "durable", "none", "op", "secret"];
    const CallbackId = Buffer.from(parts.join("\n")).toString("base64");
    const gone = lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId }));
    await expect(gone).rejects.toMatchObject({
      name: "CallbackTimeoutException",
      message: "The callback is either timed out or already completed",
    });
  });
});

test("ListDurableExecutionsByFunction filters and pages, newest first", async () => {
  await createNodeFunction(platform.settings, { FunctionName: "listed", Role, source, DurableConfig });
  const arns: (string | undefined)[] = [];
  for (const answer of [{ Status: "SUCCEEDED" }, { Status: "FAILED" }, { Status: "SUCCEEDED" }]) {
    const Payload = JSON.stringify({ answer });
    arns.push((await lambda.send(new InvokeCommand({ FunctionName: "listed:$LATEST", Payload }))).DurableExecutionArn);
  }
  const list = async (more: { MaxItems?: number; Marker?: string; Statuses?: "FAILED"[]; ReverseOrder?: boolean }) => {
    const answer = await lambda.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: "listed", ...more }));
    return { arns: answer.DurableExecutions?.map((each) => each.DurableExecutionArn), marker: answer.NextMarker };
  };
  expect((await list({})).arns).toEqual(arns.toReversed());
  expect((await list({ ReverseOrder: true })).arns).toEqual(arns);
  expect((await list({ Statuses: ["FAILED"] })).arns).toEqual([arns[1]]);
  const first = await list({ MaxItems: 2 });
  expect(first.arns).toEqual([arns[2], arns[1]]);
  expect(await list({ MaxItems: 2, Marker: first.marker ?? "" })).toEqual({ arns: [arns[0]], marker: undefined });
  const history = await lambda.send(
    new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arns[0], IncludeExecutionData: false, MaxItems: 1 }),
  );
  expect(history.Events?.[0]?.ExecutionStartedDetails).toEqual({ Input: { Truncated: true }, ExecutionTimeout: 60 });
  expect(history.NextMarker).toBeDefined();
});

test("a function that is made anew knows nothing of the executions of the one before", async () => {
  const FunctionName = "reborn";
  const make = () => createNodeFunction(platform.settings, { FunctionName, Role, source, DurableConfig });
  await make();
  const invocation = { FunctionName: "reborn:$LATEST", DurableExecutionName: "same" };
  const first = await lambda.send(new InvokeCommand(invocation));
  await lambda.send(new DeleteFunctionCommand({ FunctionName }));
  await make();
  expect((await lambda.send(new ListDurableExecutionsByFunctionCommand({ FunctionName }))).DurableExecutions).toEqual(
    [],
  );
  const second = await lambda.send(new InvokeCommand({ ...invocation, Payload: '{"other":1}' }));
  expect(second.DurableExecutionArn).not.toBe(first.DurableExecutionArn);
});

test("an execution is kept for its retention period, and its name is free afterwards", async () => {
  const clock = createFakeClock(Date.now());
  const aging = await startTestPlatform({ sandbox: "process", clock });
  try {
    const role = await createFunctionRole(aging.settings, "durable");
    await createNodeFunction(aging.settings, { FunctionName: "aging", Role: role, source, DurableConfig });
    const invocation = { FunctionName: "aging:$LATEST", DurableExecutionName: "one" };
    const now = new LambdaClient(aging.settings);
    const { DurableExecutionArn } = await now.send(new InvokeCommand(invocation));
    // A client takes the time from the last answer's Date header, which is the real one: a client for each call.
    const at = (systemClockOffset: number) => new LambdaClient({ ...aging.settings, systemClockOffset });
    const kept = 3 * 86_400_000;
    clock.advance(kept - 60_000);
    const before = await at(kept - 60_000).send(new GetDurableExecutionCommand({ DurableExecutionArn }));
    expect(before.Status).toBe("SUCCEEDED");
    clock.advance(60_000);
    await until(() =>
      at(kept)
        .send(new GetDurableExecutionCommand({ DurableExecutionArn }))
        .then(
          () => undefined,
          (error: Error) => error.name === "ResourceNotFoundException" || undefined,
        ),
    );
    const again = await at(kept).send(new InvokeCommand({ ...invocation, Payload: '{"other":1}' }));
    expect(again.DurableExecutionArn).not.toBe(DurableExecutionArn);
  } finally {
    await aging.stop();
  }
});
