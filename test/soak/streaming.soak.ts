import { AddPermissionCommand, CreateFunctionUrlConfigCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { readFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

const clients = 20;
const pieces = 400;
const mebibyte = 1024 * 1024;

let server: TestServer;
let host = "";

beforeAll(async () => {
  server = await startTestServer();
  const settings = clientSettings(server.environment);
  const lambda = new LambdaClient(settings);
  await createNodeFunction(settings, {
    FunctionName: "flood",
    Role: await createFunctionRole(settings, "flood"),
    Timeout: 300,
    source: `
      const piece = Buffer.alloc(65536, "x");
      export const handler = awslambda.streamifyResponse(async (event, stream) => {
        for (let count = 0; count < ${pieces}; count += 1)
          if (!stream.write(piece)) await new Promise((resolve) => stream.once("drain", resolve));
        stream.end();
      });`,
  });
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({
      FunctionName: "flood",
      AuthType: "NONE",
      InvokeMode: "RESPONSE_STREAM",
    }),
  );
  host = new URL(FunctionUrl).host;
  const common = { FunctionName: "flood", Principal: "*" };
  await lambda.send(
    new AddPermissionCommand({
      ...common,
      StatementId: "url",
      Action: "lambda:InvokeFunctionUrl",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      ...common,
      StatementId: "invoke",
      Action: "lambda:InvokeFunction",
      InvokedViaFunctionUrl: true,
    }),
  );
});
afterAll(() => server.stop());

function open(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port: server.port, path: "/", headers: { host } }, resolve)
      .on("error", reject)
      .end();
  });
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

test("20 clients that do not read 25 MB each cost the server next to nothing, and get all of it when they read", async () => {
  // What one stream costs once is not what is asked here.
  (await open()).resume();
  const before = await residentBytes();
  const responses = await Promise.all(Array.from({ length: clients }, open));
  for (const response of responses) response.pause();
  let most = 0;
  for (let second = 0; second < 20; second += 1) {
    await delay(1_000);
    most = Math.max(most, await residentBytes());
  }
  expect(most - before).toBeLessThan(100 * mebibyte);
  const lengths = await Promise.all(
    responses.map(async (response) => {
      let bytes = 0;
      for await (const chunk of response) bytes += (chunk as Buffer).length;
      return bytes;
    }),
  );
  expect(lengths).toEqual(Array.from({ length: clients }, () => pieces * 65_536));
}, 300_000);
