import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  type InvokeCommandInput,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, zipOf } from "../../testing/functions.ts";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

// Stands still but for what tests move it: the minutes and hours between retries pass at once.
const clock = createFakeClock(Date.now());
let platform: TestPlatform;
let lambda: LambdaClient;
let logs: CloudWatchLogsClient;
let role: string;
let name = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  lambda = withoutDates(new LambdaClient(platform.settings));
  logs = withoutDates(new CloudWatchLogsClient(platform.settings));
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());
beforeEach(() => {
  name = `f${(count += 1)}`;
});

/** Clients set their clock by the server's Date header, which knows the real time; ours are set by `advance`. */
function withoutDates<T extends LambdaClient | CloudWatchLogsClient>(client: T): T {
  const stack: Pick<LambdaClient["middlewareStack"], "add"> = client.middlewareStack;
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (typeof response === "object" && response !== null && "headers" in response) {
        Reflect.deleteProperty(Object(response.headers), "date");
      }
      return result;
    },
    { step: "deserialize", name: "withoutDates" },
  );
  return client;
}

/** Time passes, for the platform and for the clients that sign. */
function advance(ms: number): void {
  clock.advance(ms);
  lambda.config.systemClockOffset += ms;
  logs.config.systemClockOffset += ms;
}

function create(source: string) {
  return lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zipOf({ "index.mjs": source }) },
    }),
  );
}

function invoke(more: Partial<InvokeCommandInput> = {}) {
  return lambda.send(new InvokeCommand({ FunctionName: name, ...more }));
}

function reserve(ReservedConcurrentExecutions: number) {
  return lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions }));
}

async function logged(): Promise<string[]> {
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }));
  return (events ?? []).map(({ message }) => message ?? "");
}

test("an event is accepted with 202 and run once when it succeeds", async () => {
  await create("export const handler = async (event) => console.log('event', event.n)");
  expect((await invoke({ InvocationType: "Event", Payload: '{"n":7}' })).StatusCode).toBe(202);
  await platform.platform.jobs.drain();
  expect((await logged()).filter((line) => line.includes("event 7"))).toHaveLength(1);
});

test("an event that fails is run again after one and two minutes under the same request id, then dropped", async () => {
  await create("export const handler = async () => { throw new Error('no') }");
  const { $metadata } = await invoke({ InvocationType: "Event" });
  const runs = async () => {
    await platform.platform.jobs.drain();
    return (await logged()).filter((line) => line.startsWith(`START RequestId: ${$metadata.requestId}`)).length;
  };
  expect(await runs()).toBe(1);
  advance(59_000);
  expect(await runs()).toBe(1);
  advance(1000);
  expect(await runs()).toBe(2);
  advance(120_000);
  expect(await runs()).toBe(3);
  advance(3_600_000 * 6);
  expect(await runs()).toBe(3);
});

test("MaximumRetryAttempts=0 runs a failing event once", async () => {
  await create("export const handler = async () => { throw new Error('no') }");
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: name, MaximumRetryAttempts: 0 }));
  await invoke({ InvocationType: "Event" });
  await platform.platform.jobs.drain();
  advance(600_000);
  await platform.platform.jobs.drain();
  expect((await logged()).filter((line) => line.startsWith("START"))).toHaveLength(1);
});

test("a throttled event waits until it may run, and does not lose an attempt", async () => {
  await create("export const handler = async () => console.log('ran')");
  await reserve(0);
  await invoke({ InvocationType: "Event" });
  for (let i = 0; i < 5; i += 1) {
    await platform.platform.jobs.drain();
    advance(20_000);
  }
  await reserve(1);
  advance(300_000);
  await platform.platform.jobs.drain();
  expect((await logged()).filter((line) => line.includes("ran"))).toHaveLength(1);
});

test("an event whose function is deleted meanwhile is dropped", async () => {
  await create("export const handler = async () => console.log('ran')");
  await reserve(0);
  await invoke({ InvocationType: "Event" });
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  advance(300_000);
  await platform.platform.jobs.drain();
  await expect(logged()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});
