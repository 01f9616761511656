import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  clientSettings,
  createFunctionRole,
  createNodeFunction,
  type ClientSettings,
} from "../../src/testing/functions.ts";
import { startTestServer, type TestServer } from "../../src/testing/server.ts";

let server: TestServer;
let settings: ClientSettings;
let lambda: LambdaClient;

const source = `
  export const handler = async ({ what }) => {
    switch (what) {
      case "throw": throw new TypeError("no good");
      case "hang": await new Promise((resolve) => setTimeout(resolve, 60_000)); break;
      case "spin": for (;;);
      case "exit": process.exit(3);
      case "print": for (let i = 0; i < 1024; i++) console.log("x".repeat(1023)); return "printed";
      case "large": return "x".repeat(6291556 + 1 - 2);
      case "largest": return "x".repeat(6291556 - 2);
      default: return "well";
    }
  };`;

beforeAll(async () => {
  server = await startTestServer();
  settings = clientSettings(server.environment);
  lambda = new LambdaClient(settings);
  const role = await createFunctionRole(settings, "functions-role");
  await createNodeFunction(settings, { FunctionName: "misbehaving", Role: role, source, Timeout: 2 });
  await createNodeFunction(settings, {
    FunctionName: "fresh",
    Role: role,
    source: "export const handler = async (n) => { await new Promise((r) => setTimeout(r, 300)); return n; };",
    Timeout: 30,
  });
});

afterAll(() => server.stop());

const invoke = async (what: string) => {
  const Payload = Buffer.from(JSON.stringify({ what }));
  const answer = await lambda.send(new InvokeCommand({ FunctionName: "misbehaving", Payload, LogType: "Tail" }));
  const body: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString());
  const log = Buffer.from(answer.LogResult ?? "", "base64").toString();
  return { status: answer.StatusCode, error: answer.FunctionError, body, log };
};

describe("a function that fails", () => {
  const uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

  test("by throwing answers its error's type, message and trace", async () => {
    const answer = await invoke("throw");
    expect(answer).toMatchObject({
      status: 200,
      error: "Unhandled",
      body: { errorType: "TypeError", errorMessage: "no good" },
    });
    expect(answer.body).toHaveProperty("trace.0", "TypeError: no good");
    expect((await invoke("")).body).toBe("well");
  });

  test.each(["hang", "spin"])("by taking too long (%s) answers Sandbox.Timedout", async (what) => {
    const answer = await invoke(what);
    expect(answer).toMatchObject({ status: 200, error: "Unhandled", body: { errorType: "Sandbox.Timedout" } });
    expect(answer.body).toHaveProperty(
      "errorMessage",
      expect.stringMatching(new RegExp(`^RequestId: ${uuid} Error: Task timed out after 2\\.00 seconds$`)),
    );
    expect((await invoke("")).body).toBe("well");
  });

  test("by exiting answers Runtime.ExitError with its status", async () => {
    const answer = await invoke("exit");
    expect(answer).toMatchObject({ status: 200, error: "Unhandled", body: { errorType: "Runtime.ExitError" } });
    expect(answer.body).toHaveProperty(
      "errorMessage",
      expect.stringMatching(new RegExp(`^RequestId: ${uuid} Error: Runtime exited with error: exit status 3$`)),
    );
    expect((await invoke("")).body).toBe("well");
  });

  // AWS: "6 MB" is 6,291,556 bytes, as its own message says.
  test("by answering a byte more than 6 MB answers Function.ResponseSizeTooLarge; 6 MB are fine", async () => {
    const answer = await invoke("large");
    expect(answer).toMatchObject({
      error: "Unhandled",
      body: {
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
      },
    });
    expect((await invoke("largest")).error).toBeUndefined();
    expect((await invoke("")).body).toBe("well");
  });
});

test("a function that prints a megabyte succeeds, and its log tail is the last 4 KB", async () => {
  const answer = await invoke("print");
  expect(answer).toMatchObject({ status: 200, error: undefined, body: "printed" });
  expect(answer.log.length).toBeLessThanOrEqual(4096);
  expect(answer.log).toContain("REPORT RequestId");
});

test("50 simultaneous first requests to one function all answer", { timeout: 60_000 }, async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      lambda.send(new InvokeCommand({ FunctionName: "fresh", Payload: Buffer.from(String(index)) })),
    ),
  );
  const bodies = answers.map((answer) => Number(Buffer.from(answer.Payload ?? []).toString()));
  expect(bodies.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
});
