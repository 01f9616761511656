import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { extensionScript, watcher } from "./extensions.cases.ts";
import { startHarness, type Harness } from "./harness.ts";

describe.each(["process", "namespaces"] as const)("Extensions, driver %s", (driver) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(driver, { shutdownExternalMs: 1_000 });
  });
  afterAll(() => harness.stop());

  /** A function with these files in `/opt/extensions`. */
  const define = async (
    extensions: Readonly<Record<string, string>>,
    code = "exports.handler = async (event) => event;",
    overrides: Partial<FunctionSpec> = {},
  ) => {
    const files = Object.entries(extensions).map(([name, text]) => [`extensions/${name}`, text] as const);
    const { codeDir: layersDir } = await harness.define(Object.fromEntries(files));
    return harness.define({ "index.js": code }, { layersDir, ...overrides });
  };
  const logOf = (spec: FunctionSpec, start: string) => harness.log(spec).filter((line) => line.startsWith(start));
  const eventsOf = (spec: FunctionSpec) =>
    logOf(spec, "event ").map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);

  test("an external extension registers before the runtime starts, and is told of invocations and of the end", async () => {
    const spec = await define({ watcher });
    expect(await harness.answer(spec, { a: 1 })).toEqual({ a: 1 });
    expect(logOf(spec, "registered")).toEqual([
      `registered ${JSON.stringify({ functionName: spec.functionName, functionVersion: "$LATEST", handler: "index.handler", accountId: "000000000000" })}\n`,
    ]);
    expect(logOf(spec, "EXTENSION")).toEqual(["EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n"]);
    const { report } = await harness.invoke(spec, {}, { requestId: "second", traceId: "Root=1-2-3" });
    expect(report.postRuntimeExtensionsDurationMs).toBeGreaterThanOrEqual(0);
    expect(eventsOf(spec)[1]).toEqual({
      eventType: "INVOKE",
      deadlineMs: expect.any(Number),
      requestId: "second",
      invokedFunctionArn: spec.functionArn,
      tracing: { type: "X-Amzn-Trace-Id", value: "Root=1-2-3" },
    });
    harness.compute.retire(spec.id);
    await vi.waitFor(() => expect(eventsOf(spec).length).toBe(3), { timeout: 5_000 });
    expect(eventsOf(spec)[2]).toEqual({
      eventType: "SHUTDOWN",
      shutdownReason: "spindown",
      deadlineMs: expect.any(Number),
    });
  });

  test("an extension that ends before it has registered fails the init: Extension.Crash", async () => {
    const spec = await define({ crash: "#!/bin/sh\nexit 3\n" });
    expect(await harness.answer(spec, {})).toMatchObject({
      errorType: "Extension.Crash",
      errorMessage: expect.stringMatching(/^RequestId: .* Error: exit status 3$/),
    });
    expect(logOf(spec, "EXTENSION")[0]).toBe(
      "EXTENSION\tName: crash\tState: Exited\tEvents: []\tError Type: Extension.Crash\n",
    );
  });
});
