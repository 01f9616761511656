import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness } from "../compute/harness.ts";
import type { Harness } from "../compute/harness.ts";
import { buildClient } from "./clients.ts";
import type { ClientName } from "./clients.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;
const mostBytes = 6_291_556;

/** What differs by client: the handler's name, and the documents its maker has decided upon. */
const clients: readonly { name: ClientName; handler: string; failed: unknown; unstarted: unknown }[] = [
  {
    name: "node",
    handler: "index.handler",
    failed: {
      errorType: "TypeError",
      errorMessage: "as asked",
      trace: expect.arrayContaining(["TypeError: as asked"]),
    },
    unstarted: {
      errorType: "RangeError",
      errorMessage: "no way to start",
      trace: expect.arrayContaining(["RangeError: no way to start"]),
    },
  },
  {
    name: "python",
    handler: "app.handler",
    failed: {
      errorType: "ValueError",
      errorMessage: "as asked",
      requestId: expect.stringMatching(uuid),
      stackTrace: [expect.stringContaining(`in handler\n    raise ValueError(event.get("text", "as asked"))\n`)],
    },
    unstarted: {
      errorType: "RuntimeError",
      errorMessage: "no way to start",
      requestId: "",
      stackTrace: expect.arrayContaining([expect.stringContaining("in <module>")]),
    },
  },
  {
    name: "go",
    handler: "bootstrap",
    failed: { errorType: "errorString", errorMessage: "as asked" },
    unstarted: {
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 5$/u),
    },
  },
  {
    name: "rust",
    handler: "bootstrap",
    failed: { errorType: expect.any(String), errorMessage: "as asked" },
    unstarted: {
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 1$/u),
    },
  },
];

describe.each(clients)("the official runtime interface client for $name", ({ name, handler, failed, unstarted }) => {
  let harness: Harness;
  let missing: string | undefined;
  let spec: FunctionSpec;
  const define = async (overrides: Partial<FunctionSpec> = {}) => {
    const built = await buildClient(name);
    if ("missing" in built) missing = built.missing;
    else
      return harness.define(
        {},
        { runtime: "provided.al2023", handler, memoryMb: 512, codeDir: built.folder, ...overrides },
      );
    return harness.define({});
  };
  beforeAll(async () => {
    harness = await startHarness("auto");
    spec = await define();
  }, 900_000);
  afterAll(() => harness.stop());

  it("answers what the function returns, in the characters of every language, cold and warm", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const event = { name: 'Grüße 🌍 日本語 \u2028 "\\\n', list: [1, null, true] };
    expect(await harness.answer(spec, event)).toEqual(event);
    expect((await harness.invoke(spec, event)).report.initDurationMs).toBeUndefined();
  });

  it("answers the error of the function, and the next invocation works", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const { outcome, payload } = await harness.invoke(spec, { do: "fail" });
    expect({ outcome, document: JSON.parse(Buffer.from(payload).toString("utf8")) as unknown }).toEqual({
      outcome: "error",
      document: failed,
    });
    expect(await harness.answer(spec, { ok: 1 })).toEqual({ ok: 1 });
  });

  it("answers an error whose description fills a header of 100 KB", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const text = "long ".repeat(20_000);
    expect(await harness.answer(spec, { do: "fail", text })).toMatchObject({ errorMessage: text });
  });

  it("gives the function its request id, deadline, ARN, trace, client context and identity", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const requestId = "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d";
    const { payload } = await harness.invoke(
      spec,
      { do: "context" },
      {
        requestId,
        invokedFunctionArn: `${spec.functionArn}:live`,
        traceId: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        clientContext: JSON.stringify(
          {
            client: {
              installation_id: "i",
              app_title: "t",
              app_version_name: "1",
              app_version_code: "2",
              app_package_name: "p",
            },
            custom: { key: "Grüße 🌍" },
            env: { locale: "de" },
          },
          undefined,
          2,
        ),
        tenantId: "tenant-1",
        cognitoIdentity: '{"cognitoIdentityId":"eu-west-1:id","cognitoIdentityPoolId":"eu-west-1:pool"}',
      },
    );
    const answer = JSON.parse(Buffer.from(payload).toString("utf8")) as { deadlineMs: number };
    expect(answer).toEqual({
      requestId,
      deadlineMs: expect.any(Number),
      invokedFunctionArn: `${spec.functionArn}:live`,
      traceId: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
      clientContext: { key: "Grüße 🌍" },
      tenantId: "tenant-1",
      identityId: "eu-west-1:id",
      functionName: spec.functionName,
      memoryMb: 512,
    });
    expect(Math.abs(answer.deadlineMs - Date.now() - spec.timeoutMs)).toBeLessThan(spec.timeoutMs);
  });

  it("takes an event of 6 MB, gives an answer of 6 MB, refuses one byte more, and works again", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const text = "x".repeat(6_291_000);
    expect(await harness.answer(spec, { do: "count", text })).toBe(text.length);
    const { outcome, payload } = await harness.invoke(spec, { do: "text", length: mostBytes });
    expect({ outcome, bytes: payload.length }).toEqual({ outcome: "success", bytes: mostBytes });
    expect(await harness.answer(spec, { do: "text", length: mostBytes + 1 })).toEqual({
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    });
    expect(await harness.answer(spec, { do: "text", length: 4 })).toBe("xx");
  });

  it("ends at its timeout, and when its process ends, with the platform's errors, and works again", async ({
    skip,
  }) => {
    if (missing !== undefined) skip(missing);
    const short = await define({ timeoutMs: 800 });
    expect(await harness.answer(short, {})).toEqual({});
    expect(await harness.answer(short, { do: "wait" })).toEqual({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringMatching(/^RequestId: .* Error: Task timed out after 0\.80 seconds$/u),
    });
    expect(await harness.answer(spec, { do: "exit" })).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 7$/u),
    });
    expect(await harness.answer(spec, {})).toEqual({});
  });

  it("answers the error of an init that fails", async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    expect(await harness.answer(await define({ environment: { FAIL_INIT: "1" } }), {})).toEqual(unstarted);
  });
});
