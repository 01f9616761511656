import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  const iam = new IAMClient(platform.settings);
  const made = await iam.send(new CreateRoleCommand({ RoleName: "runs", AssumeRolePolicyDocument: trust }));
  role = made.Role?.Arn ?? "";
});

afterAll(() => platform.stop());

test("Invoke answers what the function returns", async () => {
  const zip = zipOf({ "index.js": "exports.handler = async (event) => ({ got: event })" });
  const made = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: "echo",
      Role: role,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Code: { ZipFile: zip },
    }),
  );
  console.log(made);
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 5 }, { FunctionName: "echo" });
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 5 }, { FunctionName: "echo" });
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: "echo", Payload: JSON.stringify({ a: 1 }), LogType: "Tail" }),
  );
  console.log(answer, Buffer.from(answer.LogResult ?? "", "base64").toString());
  expect(answer.Payload?.transformToString()).toBe(JSON.stringify({ got: { a: 1 } }));
  console.log(await lambda.send(new GetFunctionCommand({ FunctionName: "echo" })));
  console.log(await lambda.send(new ListFunctionsCommand({})));
  console.log(await lambda.send(new DeleteFunctionCommand({ FunctionName: "echo" })));
  await expect(lambda.send(new GetFunctionCommand({ FunctionName: "echo" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});
