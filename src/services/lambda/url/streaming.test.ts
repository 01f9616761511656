import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  type InvokeWithResponseStreamResponseEvent,
} from "@aws-sdk/client-lambda";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let role: string;
let gate: Server;
let gateUrl = "";
/** Requests of functions that wait to be let on, by path. */
const waiting = new Map<string, ServerResponse>();
let name = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  lambda = new LambdaClient(platform.settings);
  role = await createFunctionRole(platform.settings, "streams");
  gate = createServer((request, response) => waiting.set(request.url ?? "", response));
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  gateUrl = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
});
afterAll(async () => {
  gate.closeAllConnections();
  gate.close();
  await platform.stop();
});
beforeEach(() => {
  waiting.clear();
  name = `s${(count += 1)}`;
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(2);
}

const stream = (body: string, more: { Timeout?: number } = {}) =>
  createNodeFunction(platform.settings, {
    FunctionName: name,
    Role: role,
    source: `export const handler = awslambda.streamifyResponse(async (event, stream, context) => {${body}});`,
    ...more,
  });

async function createUrl(InvokeMode: "BUFFERED" | "RESPONSE_STREAM" = "RESPONSE_STREAM"): Promise<string> {
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName: name, AuthType: "NONE", InvokeMode }),
  );
  const common = { FunctionName: name, Principal: "*" };
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
  return new URL(FunctionUrl).host;
}

function open(host: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port: platform.port, path: "/", headers: { host } }, resolve)
      .on("error", reject)
      .end();
  });
}

async function readAll(response: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of response) text += chunk.toString();
  return text;
}

async function ask(host: string) {
  const response = await open(host);
  return { status: response.statusCode, headers: response.headers, text: await readAll(response) };
}

async function invokeStreaming(more: { LogType?: "Tail" } = {}) {
  const answer = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: name, ...more }));
  return { answer, events: answer.EventStream?.[Symbol.asyncIterator]() };
}

async function readEvents(events: AsyncIterator<InvokeWithResponseStreamResponseEvent> | undefined) {
  const chunks: string[] = [];
  for (;;) {
    const next = await events?.next();
    if (next === undefined || next.done === true) throw new Error("The stream ended without InvokeComplete");
    if (next.value.InvokeComplete) return { text: chunks.join(""), complete: next.value.InvokeComplete };
    chunks.push(Buffer.from(next.value.PayloadChunk?.Payload ?? []).toString());
  }
}

test("InvokeWithResponseStream gives the first chunk while the function waits for something else", async () => {
  await stream(`stream.write("first "); await fetch("${gateUrl}/on"); console.log("let on"); stream.end("second");`);
  const { answer, events } = await invokeStreaming({ LogType: "Tail" });
  expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
  const first = await events?.next();
  expect(Buffer.from(first?.value?.PayloadChunk?.Payload ?? []).toString()).toBe("first ");
  await until(() => waiting.has("/on"));
  waiting.get("/on")?.end();
  const { text, complete } = await readEvents(events);
  expect(text).toBe("second");
  expect(complete.ErrorCode).toBeUndefined();
  expect(Buffer.from(complete.LogResult ?? "", "base64").toString()).toContain("let on");
});

test("InvokeWithResponseStream tells an error midway in InvokeComplete, after what was streamed", async () => {
  await stream(`stream.write("begun"); await new Promise(setImmediate); throw new RangeError("broken");`);
  const { text, complete } = await readEvents((await invokeStreaming()).events);
  expect(text).toBe("begun");
  expect(complete.ErrorCode).toBe("Unhandled");
  expect(JSON.parse(complete.ErrorDetails ?? "")).toMatchObject({ errorType: "RangeError", errorMessage: "broken" });
});

test("InvokeWithResponseStream tells a timeout midway", async () => {
  await stream(`stream.write("begun"); setInterval(() => {}, 1000); await new Promise(() => {});`, { Timeout: 1 });
  const { text, complete } = await readEvents((await invokeStreaming()).events);
  expect(text).toBe("begun");
  expect(JSON.parse(complete.ErrorDetails ?? "")).toMatchObject({ errorType: "Sandbox.Timedout" });
});

test("InvokeWithResponseStream of a function that does not stream answers what it returned", async () => {
  await createNodeFunction(platform.settings, {
    FunctionName: name,
    Role: role,
    source: "export const handler = async () => ({ a: 'x'.repeat(200000) })",
  });
  const { text, complete } = await readEvents((await invokeStreaming()).events);
  expect(JSON.parse(text).a).toHaveLength(200_000);
  expect(complete).toEqual({});
});

test("InvokeWithResponseStream refuses a throttled function before any event", async () => {
  await stream(`stream.end("x")`);
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }));
  await expect(invokeStreaming()).rejects.toMatchObject({ name: "TooManyRequestsException" });
});

test("Invoke of a streaming function answers all that it streamed", async () => {
  await stream(`stream.write('{"a":'); stream.end("1}");`);
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: name }));
  expect(Payload?.transformToString()).toBe('{"a":1}');
});

test("A URL in RESPONSE_STREAM sends status, headers, cookies and the first byte while the function waits", async () => {
  await stream(`
    const http = awslambda.HttpResponseStream.from(stream, { statusCode: 203, cookies: ["a=1", "b=2"],
      headers: { "Content-Type": "text/event-stream", "X-A": "b" } });
    http.write("first "); await fetch("${gateUrl}/on"); http.end("second");`);
  const response = await open(await createUrl());
  expect(response.statusCode).toBe(203);
  expect(response.headers).toMatchObject({
    "content-type": "text/event-stream",
    "x-a": "b",
    "set-cookie": ["a=1", "b=2"],
    "transfer-encoding": "chunked",
  });
  const first = await new Promise<Buffer>((resolve) => response.once("data", resolve));
  expect(first.toString()).toBe("first ");
  response.pause();
  await until(() => waiting.has("/on"));
  waiting.get("/on")?.end();
  expect(await readAll(response)).toBe("second");
});

test("A URL in RESPONSE_STREAM ends its answer with the stream, not with the function", async () => {
  await stream(`stream.setContentType("text/x"); stream.end("all"); await fetch("${gateUrl}/after");`);
  const answer = await ask(await createUrl());
  expect(answer).toMatchObject({ status: 200, text: "all", headers: { "content-type": "text/x" } });
  await until(() => waiting.has("/after"));
  waiting.get("/after")?.end();
});

test("A prelude that comes in pieces is read whole", async () => {
  await stream(`
    stream.setContentType("application/vnd.awslambda.http-integration-response");
    const bytes = Buffer.concat([Buffer.from('{"statusCode":418}'), Buffer.alloc(8), Buffer.from("body")]);
    for (const byte of bytes) stream.write(Buffer.from([byte]));
    stream.end();`);
  expect(await ask(await createUrl())).toMatchObject({
    status: 418,
    text: "body",
    headers: { "content-type": "application/octet-stream" },
  });
});

test.for([
  ["throws before its first byte", `throw new Error("no")`],
  [
    "never completes its prelude",
    `awslambda.HttpResponseStream.from(stream, {})._onBeforeFirstWrite = undefined; stream.end("{}")`,
  ],
  ["sets a content type that cannot be sent", `stream.setContentType("a\\r\\nb: c"); stream.end("x")`],
  ["sets a content type without end", `stream.setContentType("a".repeat(9000)); stream.end("x")`],
  [
    "gives a header that cannot be sent",
    `awslambda.HttpResponseStream.from(stream, { headers: { "a b": "c" } }).end("x")`,
  ],
  ["gives a status that is none", `awslambda.HttpResponseStream.from(stream, { statusCode: 9 }).end("x")`],
])("A URL in RESPONSE_STREAM is a 502 when the function %s", async ([, body]) => {
  await stream(body ?? "");
  expect(await ask(await createUrl())).toMatchObject({ status: 502, text: "Internal Server Error" });
});

test("A URL in RESPONSE_STREAM breaks its answer off when the function fails midway", async () => {
  await stream(`stream.write("begun"); await fetch("${gateUrl}/fail"); throw new Error("midway");`);
  const response = await open(await createUrl());
  expect(response.statusCode).toBe(200);
  await until(() => waiting.has("/fail"));
  waiting.get("/fail")?.end();
  await expect(readAll(response)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("A URL in RESPONSE_STREAM gives what a function returns without streaming as it is", async () => {
  await createNodeFunction(platform.settings, {
    FunctionName: name,
    Role: role,
    source: "export const handler = async () => ({ statusCode: 201, body: 'x' })",
  });
  expect(await ask(await createUrl())).toMatchObject({
    status: 200,
    text: '{"statusCode":201,"body":"x"}',
    headers: { "content-type": "application/json" },
  });
});

test("A URL in BUFFERED gathers what a function streams", async () => {
  await stream(`awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { "X-A": "b" } }).end("all")`);
  expect(await ask(await createUrl("BUFFERED"))).toMatchObject({ status: 202, text: "all", headers: { "x-a": "b" } });
});

const floods = `
  const piece = Buffer.alloc(65536, "x");
  for (let index = 0; index < 512; index += 1) {
    if (!stream.write(piece)) await new Promise((resolve) => stream.once("drain", resolve));
    if (index % 16 === 15) void fetch("${"GATE"}/" + (index + 1)).catch(() => {});
  }
  stream.end();`;

/** How many of its 64 KB pieces a function has sent once it makes no more progress. */
async function stalledAt(): Promise<number> {
  let last = -1;
  let same = 0;
  while (same < 100) {
    await delay(2);
    const now = waiting.size;
    for (const response of waiting.values()) response.end();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last * 16;
}

test("A client that does not read a URL's answer stops the function after a little of 32 MB, most of which the network holds", async () => {
  await stream(floods.replace("GATE", gateUrl), { Timeout: 30 });
  const response = await open(await createUrl());
  response.pause();
  await until(() => waiting.size > 0);
  expect(await stalledAt()).toBeLessThan(256);
  expect((await readAll(response)).length).toBe(32 * 1024 * 1024);
});

test("A client that leaves a stream lets the function run to its end", async () => {
  await stream(floods.replace("GATE", gateUrl), { Timeout: 30 });
  const response = await open(await createUrl());
  response.destroy();
  await until(() => waiting.has("/512"));

  waiting.clear();
  const abort = new AbortController();
  const { EventStream } = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: name }), {
    abortSignal: abort.signal,
  });
  await EventStream?.[Symbol.asyncIterator]().next();
  abort.abort();
  await until(() => waiting.has("/512"));
});
