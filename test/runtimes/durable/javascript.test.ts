import {
  CreateFunctionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFunctionRole } from "../../../src/testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { buildJavaScript } from "./workflows.ts";

const built = await buildJavaScript();
let platform: TestPlatform;
let lambda: LambdaClient;
let Role = "";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  const actions = ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState", "lambda:InvokeFunction"];
  Role = await createFunctionRole(platform.settings, "durable", [{ Effect: "Allow", Action: actions, Resource: "*" }]);
});
afterAll(() => platform.stop());

async function create(handler: string, durable = true) {
  if ("missing" in built) return;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: handler,
      Runtime: "nodejs24.x",
      Handler: `index.${handler}`,
      Role,
      Timeout: 20,
      MemorySize: 256,
      Code: { ZipFile: built.zip },
      ...(durable && { DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1 } }),
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName: handler });
}

test("steps run once, and a wait in between ends by itself", async () => {
  await create("steps");
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: "steps:$LATEST", Payload: JSON.stringify({ name: "Ann" }) }),
  );
  console.log(answer.Payload?.transformToString(), answer.FunctionError);
  const { Events } = await lambda.send(
    new GetDurableExecutionHistoryCommand({ DurableExecutionArn: answer.DurableExecutionArn }),
  );
  console.log(JSON.stringify(Events, null, 1));
  console.log(await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: answer.DurableExecutionArn })));
  expect(JSON.parse(answer.Payload?.transformToString() ?? "")).toEqual({
    greeting: "Hello, Ann 1",
    again: "HELLO, ANN 1",
  });
});
