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
    file = "index.js",
  ) => {
    const files = Object.entries(extensions).map(([name, text]) => [`extensions/${name}`, text] as const);
    const { codeDir: layersDir } = await harness.define(Object.fromEntries(files));
    return harness.define({ [file]: code }, { layersDir, ...overrides });
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

  test.each([
    [
      "that cannot be executed",
      "no script",
      "Extension.LaunchError",
      /exec format error|permission denied/,
      "LaunchError",
    ],
    [
      "that reports an error of its init",
      extensionScript(`
        const id = (await register()).headers["lambda-extension-identifier"];
        await call("POST", api + "/init/error", { "Lambda-Extension-Identifier": id, "Lambda-Extension-Function-Error-Type": "Extension.NoKey" });`),
      "Extension.InitError",
      /Extension\.NoKey/,
      "InitError",
    ],
  ])("an extension %s fails the init", async (_what, script, errorType, reason, state) => {
    const spec = await define({ broken: script });
    expect(await harness.answer(spec, {})).toMatchObject({ errorType, errorMessage: expect.stringMatching(reason) });
    expect(logOf(spec, "EXTENSION")[0]).toMatch(new RegExp(`^EXTENSION\\tName: broken\\tState: ${state}\\t`));
  });

  test("an extension that ends in the course of an invocation fails it, and the next finds a new environment", async () => {
    const ends = extensionScript(`
      id = (await register()).headers["lambda-extension-identifier"];
      const event = await next();
      if (event.requestId === "first") process.exit(7);
      await next();`);
    const spec = await define({ ends }, "exports.handler = () => new Promise((done) => setTimeout(done, 300, 1));");
    const { payload, report } = await harness.invoke(spec, {}, { requestId: "first" });
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      errorType: "Extension.Crash",
      errorMessage: "RequestId: first Error: exit status 7",
    });
    expect(report.status).toBe("error");
    expect(await harness.answer(spec, {})).toBe(1);
  });

  test("an invocation lasts until its extensions ask for the next", async () => {
    const slow = extensionScript(`
      id = (await register(["INVOKE"])).headers["lambda-extension-identifier"];
      for (;;) { await next(); await sleep(200); }`);
    const spec = await define({ slow });
    const { report } = await harness.invoke(spec, {});
    expect(report.postRuntimeExtensionsDurationMs).toBeGreaterThan(150);
    expect(report.durationMs).toBeGreaterThan(report.postRuntimeExtensionsDurationMs ?? 0);
    expect(report.billedDurationMs).toBeGreaterThan(150);
  });

  test("extensions that are not done in time end the environment: the log says so, the answer stands", async () => {
    const never = extensionScript(`
      id = (await register()).headers["lambda-extension-identifier"];
      await next();
      call("GET", "/nothing");
      setInterval(() => {}, 1000);`);
    const spec = await define({ never, watcher }, undefined, { timeoutMs: 600 });
    const outcome = await harness.invoke(spec, 5);
    expect(outcome.outcome).toBe("success");
    expect(outcome.report.status).toBe("timeout");
    expect(logOf(spec, "REPORT")[0]).toMatch(/Status: timeout\n$/);
    await vi.waitFor(() => expect(eventsOf(spec).at(-1)).toMatchObject({ shutdownReason: "timeout" }), {
      timeout: 3_000,
    });
  });

  test.each([
    ["timeout", "exports.handler = () => new Promise(() => setInterval(() => {}, 1000));"],
    ["failure", "exports.handler = () => process.exit(3);"],
  ])("extensions are told of a %s of the function", async (shutdownReason, code) => {
    const spec = await define({ watcher }, code, { timeoutMs: 500 });
    await harness.invoke(spec, {});
    await vi.waitFor(() => expect(eventsOf(spec).at(-1)).toMatchObject({ eventType: "SHUTDOWN", shutdownReason }), {
      timeout: 3_000,
    });
  });

  test("an internal extension registers for INVOKE alone, and only while the function is initialised", async () => {
    const script = extensionScript("")
      .split("\n")
      .slice(1, -2)
      .join("\n")
      .replace("path.basename(__filename)", '"inner"');
    const spec = await define(
      {},
      `import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      ${script}
      const refused = await register(["SHUTDOWN"]);
      const registered = await register(["INVOKE"]);
      id = registered.headers["lambda-extension-identifier"];
      const events = [];
      (async () => { for (;;) events.push((await next()).eventType); })();
      process.on("SIGTERM", () => { console.log("asked to end"); process.exit(0); });
      export const handler = async (event) => {
        while (events.length < event.nth) await sleep(1);
        return [refused.body, registered.status, events, (await register(["INVOKE"])).body];
      };`,
      {},
      "index.mjs",
    );
    const refused = {
      errorType: "Extension.InvalidEventType",
      errorMessage: "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
    };
    const late = { errorType: "Extension.RegistrationClosed", errorMessage: "Extension registration closed already" };
    expect(await harness.answer(spec, { nth: 1 })).toEqual([refused, 200, ["INVOKE"], late]);
    expect(await harness.answer(spec, { nth: 2 })).toEqual([refused, 200, ["INVOKE", "INVOKE"], late]);
    expect(logOf(spec, "EXTENSION")).toEqual(["EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]\n"]);
    harness.compute.retire(spec.id);
    await vi.waitFor(() => expect(harness.log(spec).join("")).toContain("asked to end"), { timeout: 3_000 });
  });

  test("the API refuses in AWS's words", async () => {
    const id = "00000000-0000-4000-8000-000000000000";
    const curious = extensionScript(`
      const refused = [];
      const ask = async (method, url, headers, body) => { const { status, body: said } = await call(method, api + url, headers, body); refused.push([status, said && said.errorType, said && said.errorMessage]); };
      await ask("POST", "/register", {}, "{}");
      await ask("POST", "/register", { "Lambda-Extension-Name": name }, "{");
      await ask("POST", "/register", { "Lambda-Extension-Name": name }, '{"events":["START"]}');
      await ask("POST", "/register", { "Lambda-Extension-Name": "other" }, '{"events":["SHUTDOWN"]}');
      await ask("GET", "/event/next", {});
      await ask("GET", "/event/next", { "Lambda-Extension-Identifier": "x" });
      await ask("GET", "/event/next", { "Lambda-Extension-Identifier": "${id}" });
      await ask("POST", "/init/error", { "Lambda-Extension-Identifier": "${id}" });
      await ask("GET", "/elsewhere", {});
      id = (await register()).headers["lambda-extension-identifier"];
      await ask("POST", "/register", { "Lambda-Extension-Name": name }, '{"events":[]}');
      await ask("POST", "/exit/error", { "Lambda-Extension-Identifier": id });
      say("refused", refused);
      for (;;) if ((await next()).eventType === "SHUTDOWN") process.exit(0);`);
    const spec = await define({ curious });
    await harness.invoke(spec, {});
    expect(JSON.parse(logOf(spec, "refused")[0]?.slice(8) ?? "")).toEqual([
      [403, "Extension.InvalidExtensionName", "Empty extension name"],
      [403, "InvalidRequestFormat", expect.any(String)],
      [403, "Extension.InvalidEventType", "START: ErrorInvalidEventType"],
      [403, "Extension.InvalidEventType", "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"],
      [403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"],
      [403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"],
      [403, "Extension.UnknownExtensionIdentifier", `Unknown extension ${id}`],
      [403, "Extension.UnknownExtensionIdentifier", "Unknown Lambda-Extension-Identifier"],
      [404, null, null],
      [
        403,
        "Extension.InvalidExtensionState",
        "State transition from Registered to Registered failed for extension curious. Error: State transition is not allowed",
      ],
      [403, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found"],
    ]);
  });

  test("telemetry comes in batches, from the start of the init to the report", async () => {
    const collector = extensionScript(`
      id = (await register()).headers["lambda-extension-identifier"];
      const server = http.createServer((request, response) => {
        let text = "";
        request.on("data", (chunk) => (text += chunk));
        request.on("end", () => { response.end(); for (const event of json(text)) if (event.type !== "extension") got.push(event); });
      });
      const got = [];
      await new Promise((resolve) => server.listen(4243, "0.0.0.0", resolve));
      const subscribe = (body, path = "/2022-07-01/telemetry") => call("PUT", path, { "Lambda-Extension-Identifier": id }, JSON.stringify(body));
      const good = { schemaVersion: "2022-12-13", types: ["platform", "function"], buffering: { timeoutMs: 25 }, destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:4243/" } };
      say("bad", [
        (await subscribe({ ...good, types: ["all"] })).status,
        (await subscribe({ ...good, destination: { protocol: "HTTP", URI: "http://example.com:80" } })).status,
        (await subscribe({ ...good, buffering: { maxItems: 1 } })).status,
        (await subscribe({ ...good, schemaVersion: "1" })).body.errorType,
      ]);
      say("subscribed", (await subscribe(good)).text);
      const until = async (type) => { while (!got.some((event) => event.type === type)) await sleep(5); };
      await next();
      await until("platform.runtimeDone");
      say("done");
      const second = next();
      await until("platform.report");
      say("got", got);
      await second;
      say("late", (await subscribe(good)).body);
      await next();
      process.exit(0);`);
    const spec = await define(
      { collector },
      `console.log("loading"); exports.handler = async () => console.log("in it");`,
    );
    await harness.invoke(spec, {}, { requestId: "one" });
    await vi.waitFor(() => expect(logOf(spec, "got").length).toBe(1), { timeout: 3_000 });
    expect(logOf(spec, "bad")).toEqual(['bad [400,400,400,"ValidationError"]\n']);
    expect(logOf(spec, "TELEMETRY")).toEqual([
      "TELEMETRY\tName: collector\tState: Subscribed\tTypes: [Platform, Function]\n",
    ]);
    const got = JSON.parse(logOf(spec, "got")[0]?.slice(4) ?? "") as { type: string; record: unknown }[];
    const others = got.filter(({ type }) => type !== "platform.telemetrySubscription");
    expect(others.length).toBe(got.length - 1);
    expect(others.map(({ type }) => type)).toEqual([
      "platform.initStart",
      "function",
      "platform.initRuntimeDone",
      "platform.extension",
      "platform.initReport",
      "platform.start",
      "function",
      "platform.runtimeDone",
      "platform.report",
    ]);
    expect(others[7]?.record).toMatchObject({ requestId: "one", status: "success", metrics: { producedBytes: 4 } });
    await harness.invoke(spec, {});
    await vi.waitFor(() => expect(logOf(spec, "late")[0]).toContain("Telemetry.SubscriptionClosed"));
  });
});
