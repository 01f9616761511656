import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  type CreateFunctionCommandInput,
} from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createFunctionRole, zipOf } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "runs");
});
afterAll(() => platform.stop());

async function create(FunctionName: string, source: string, more: Partial<CreateFunctionCommandInput> = {}) {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: role,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zipOf({ "index.mjs": source }) },
      ...more,
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName });
}

async function invoke(FunctionName: string) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName, LogType: "Tail" }));
  return {
    answer: JSON.parse(answer.Payload?.transformToString() ?? "null") as unknown,
    log: Buffer.from(answer.LogResult ?? "", "base64").toString(),
  };
}

test("an extension of a layer runs beside the function", async () => {
  const extension = `#!/usr/bin/env node
    const http = require("node:http");
    const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
    const call = (method, path, headers, body, then) => http.request({ host, port, method, path: "/2020-01-01/extension" + path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk)).on("end", () => then(text, response.headers));
    }).end(body);
    call("POST", "/register", { "Lambda-Extension-Name": "beside" }, '{"events":["INVOKE"]}', (_, headers) => {
      const id = headers["lambda-extension-identifier"];
      const next = () => call("GET", "/event/next", { "Lambda-Extension-Identifier": id }, undefined, (text) => {
        console.log("beside", JSON.parse(text).eventType);
        setTimeout(next, 100);
      });
      next();
    });`;
  const file = strToU8(extension.trim());
  const ZipFile = zipSync({ "extensions/beside": [file, { os: 3, attrs: 0o755 << 16 }] });
  const layer = await lambda.send(new PublishLayerVersionCommand({ LayerName: "beside", Content: { ZipFile } }));
  await create("extended", "export const handler = async () => 1;", { Layers: [layer.LayerVersionArn ?? ""] });
  const { answer, log } = await invoke("extended");
  expect(answer).toBe(1);
  await vi.waitFor(
    async () => {
      const { Datapoints } = await new CloudWatchClient(platform.settings).send(
        new GetMetricStatisticsCommand({
          Namespace: "AWS/Lambda",
          MetricName: "PostRuntimeExtensionsDuration",
          Dimensions: [{ Name: "FunctionName", Value: "extended" }],
          StartTime: new Date(Date.now() - 600_000),
          EndTime: new Date(Date.now() + 600_000),
          Period: 60,
          Statistics: ["Sum"],
          Unit: "Milliseconds",
        }),
      );
      expect(Datapoints?.[0]?.Sum).toBeGreaterThan(0);
    },
    { timeout: 10_000 },
  );
  expect(log).toMatch(/^START .*\nbeside INVOKE\nEND .*\nREPORT .*\n$/);
});

function typesOf(log: string): readonly unknown[] {
  const lines = log.trim().split("\n");
  return lines.map((line) => {
    const { type, message } = JSON.parse(line) as { type?: string; message?: string };
    return type ?? message;
  });
}

async function update(FunctionName: string, LoggingConfig: CreateFunctionCommandInput["LoggingConfig"]) {
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, LoggingConfig }));
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 20, minDelay: 0.05 }, { FunctionName });
  return (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).LoggingConfig;
}

const logsAll = `export const handler = async () => {
  console.debug("debug"); console.info("info"); console.error("error");
};`;

test("with JSON, ApplicationLogLevel says what the function logs and SystemLogLevel what the platform logs", async () => {
  const levels = { LogFormat: "JSON", ApplicationLogLevel: "ERROR", SystemLogLevel: "DEBUG" } as const;
  await create("leveled", logsAll, { LoggingConfig: levels });
  expect(typesOf((await invoke("leveled")).log)).toEqual([
    "platform.start",
    "error",
    "platform.runtimeDone",
    "platform.report",
  ]);
  const LogGroup = "/aws/lambda/leveled";
  const quiet = { LogFormat: "JSON", ApplicationLogLevel: "DEBUG", SystemLogLevel: "WARN" } as const;
  expect(await update("leveled", quiet)).toEqual({ ...quiet, LogGroup });
  expect(typesOf((await invoke("leveled")).log)).toEqual(["debug", "info", "error"]);
  expect(await update("leveled", { LogFormat: "JSON" })).toEqual({
    LogFormat: "JSON",
    ApplicationLogLevel: "INFO",
    SystemLogLevel: "INFO",
    LogGroup,
  });
  expect(await update("leveled", { LogFormat: "Text" })).toEqual({ LogFormat: "Text", LogGroup });
});

test.each([
  [{ LogFormat: "Text", ApplicationLogLevel: "INFO" }, "InvalidParameterValueException"],
  [{ SystemLogLevel: "WARN" }, "InvalidParameterValueException"],
  [{ LogFormat: "JSON", SystemLogLevel: "ERROR" }, "ValidationException"],
  [{ LogFormat: "JSON", ApplicationLogLevel: "LOUD" }, "ValidationException"],
] as const)("LoggingConfig %j is refused", async (LoggingConfig, name) => {
  await expect(
    create("refused", logsAll, { LoggingConfig: LoggingConfig as CreateFunctionCommandInput["LoggingConfig"] }),
  ).rejects.toMatchObject({ name });
});
