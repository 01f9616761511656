import {
  GetFunctionRecursionConfigCommand,
  GetRuntimeManagementConfigCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
} from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { lineageHash } from "./recursion.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let Role: string;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  const Action = "lambda:InvokeFunction";
  Role = await createFunctionRole(platform.settings, "runs", [{ Effect: "Allow", Action, Resource: "*" }]);
});
afterAll(() => platform.stop());

test("of 30 concurrent invocations of a function that has reserved 6, exactly 24 are throttled, with the reason and Retry-After", async () => {
  const FunctionName = "narrow";
  const folder = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  // Those that run wait for each other, so that all are under way at the same time.
  const source = `import { existsSync, writeFileSync } from "node:fs";
    export const handler = async (index) => {
      writeFileSync(${JSON.stringify(folder)} + "/" + index, "");
      while (!existsSync(${JSON.stringify(join(folder, "go"))})) await new Promise((resolve) => setTimeout(resolve, 5));
      return index;
    };`;
  await createNodeFunction(platform.settings, { FunctionName, Role, source, Timeout: 60 });
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 6 }));
  const refused: unknown[] = [];
  const answers = Array.from({ length: 30 }, (_, index) =>
    lambda
      .send(new InvokeCommand({ FunctionName, Payload: String(index) }))
      .catch((error: unknown) => void refused.push(error)),
  );
  await vi.waitFor(() => expect(refused).toHaveLength(24), { timeout: 20_000 });
  await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(6), { timeout: 20_000 });
  await writeFile(join(folder, "go"), "");
  expect((await Promise.all(answers)).filter((answer) => answer?.StatusCode === 200)).toHaveLength(6);
  expect(refused).toHaveLength(24);
  expect(refused[0]).toMatchObject({
    name: "TooManyRequestsException",
    message: "Rate Exceeded.",
    Type: "User",
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    retryAfterSeconds: "1",
    $metadata: { httpStatusCode: 429 },
  });
  await rm(folder, { recursive: true });
});

/** A client whose requests say where they come from, as an SDK inside a function does. */
function clientFrom(traceId: string): LambdaClient {
  const client = new LambdaClient(platform.settings);
  client.middlewareStack.add(
    (next) => (args) => {
      if (typeof args.request === "object" && args.request !== null && "headers" in args.request) {
        Object.assign(args.request.headers as object, { "X-Amzn-Trace-Id": traceId });
      }
      return next(args);
    },
    { step: "build" },
  );
  return client;
}

test("a function finds its lineage in its variables, and the 17th invocation in a chain is refused", async () => {
  const FunctionName = "chained";
  const source = "export const handler = async () => process.env._X_AMZN_TRACE_ID";
  await createNodeFunction(platform.settings, { FunctionName, Role, source });
  const hash = lineageHash(`arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}`);
  const traceAfter = async (client: LambdaClient) => {
    const { Payload } = await client.send(new InvokeCommand({ FunctionName }));
    return JSON.parse(Payload?.transformToString() ?? "") as string;
  };
  expect(await traceAfter(lambda)).toMatch(new RegExp(`^Root=1-.*;Parent=.*;Sampled=0;Lineage=1:${hash}:0$`));
  const root = "Root=1-5759e988-bd862e3fe1be46a994272793";
  expect(await traceAfter(clientFrom(`${root};Lineage=1:${hash}:14`))).toBe(`${root};Lineage=1:${hash}:15`);
  await expect(traceAfter(clientFrom(`${root};Lineage=1:${hash}:15`))).rejects.toMatchObject({
    name: "RecursiveInvocationException",
    $metadata: { httpStatusCode: 400 },
  });
  await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: "Allow" }));
  const { RecursiveLoop } = await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }));
  expect(RecursiveLoop).toBe("Allow");
  expect(await traceAfter(clientFrom(`${root};Lineage=1:${hash}:15`))).toBe(`${root};Lineage=1:${hash}:16`);
});

test("a function that invokes itself with events through the SDK is stopped after 16 times", async () => {
  const FunctionName = "loop";
  const sdk = createRequire(import.meta.url).resolve("@aws-sdk/client-lambda");
  const source = `import { createRequire } from "node:module";
    const { LambdaClient, InvokeCommand } = createRequire("/")(${JSON.stringify(sdk)});
    const lambda = new LambdaClient();
    export const handler = async (count) => {
      console.log("invocation " + count + ".");
      const FunctionName = process.env.AWS_LAMBDA_FUNCTION_NAME;
      await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: String(count + 1) }));
    };`;
  await createNodeFunction(platform.settings, { FunctionName, Role, source, Timeout: 30 });
  await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: "1" }));
  const logs = new CloudWatchLogsClient(platform.settings);
  const invocations = async () => {
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${FunctionName}` }));
    return (events ?? []).flatMap(({ message }) => /invocation (\d+)\./u.exec(message ?? "")?.[1] ?? []);
  };
  await vi.waitFor(async () => expect(await invocations()).toContain("16"), { timeout: 20_000, interval: 50 });
  await platform.platform.jobs.drain();
  expect(await invocations()).toHaveLength(16);
});

test("runtimes are updated with the host's: Auto is the answer, other modes are refused by name", async () => {
  const FunctionName = "managed";
  await createNodeFunction(platform.settings, { FunctionName, Role, source: "export const handler = () => {}" });
  const arn = `arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}:$LATEST`;
  const { $metadata: _metadata, ...config } = await lambda.send(
    new GetRuntimeManagementConfigCommand({ FunctionName }),
  );
  expect(config).toEqual({ UpdateRuntimeOn: "Auto", FunctionArn: arn });
  const put = (UpdateRuntimeOn: "Auto" | "Manual" | "FunctionUpdate", Qualifier?: string) =>
    lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn, Qualifier }));
  expect(await put("Auto")).toMatchObject({ UpdateRuntimeOn: "Auto", FunctionArn: arn });
  await expect(put("FunctionUpdate")).rejects.toMatchObject({ name: "NotImplemented" });
  await expect(put("Manual")).rejects.toThrow("The value Manual of UpdateRuntimeOn");
  await expect(put("Auto", "7")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});
