import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";
import { compileJava } from "./java-package.ts";

const parse = (payload: Uint8Array) => JSON.parse(Buffer.from(payload).toString("utf8")) as unknown;

/** The Java runtime; each driver runs these. Any version that the host has will do. */
export function javaCases(driver: "process" | "namespaces"): void {
  describe(`Java functions (${driver})`, () => {
    let harness: Harness;
    let missing: string | undefined;
    let folders = { code: "", layers: "", remove: () => Promise.resolve() };
    let runtime = "java17";
    const java = async (handler: string, overrides?: Partial<FunctionSpec>) => {
      const name = handler.includes("$") || handler.includes(".") ? handler : `example.Functions::${handler}`;
      return harness.define(
        {},
        { runtime, handler: name, codeDir: folders.code, memoryMb: 256, timeoutMs: 10_000, ...overrides },
      );
    };
    beforeAll(async () => {
      harness = await startHarness(driver);
      const { runtimes } = await harness.compute.capabilities();
      const found = runtimes.filter((item) => item.runtime.startsWith("java"));
      const usable = found.find(({ state }) => state === "available") ?? found.find(({ state }) => state !== "missing");
      if (usable === undefined) return void (missing = "no JDK of version 11 or newer is here");
      runtime = usable.runtime;
      const compiled = await compileJava();
      if (typeof compiled === "string") missing = compiled;
      else folders = compiled;
      // The first function of a host has the runtime compiled.
      if (missing === undefined) await harness.invoke(await java("nothing"), {});
    }, 180_000);
    afterAll(async () => {
      await harness.stop();
      await folders.remove();
    });

    // Plain processes run the first rows only: nothing that the others show depends on the driver.
    const rows = driver === "process" ? 2 : undefined;

    const answers: readonly (readonly [handler: string, event: unknown, answer: unknown])[] = [
      [
        "example.Functions$Typed",
        { id: "o", items: [{ name: "é🌍", quantity: 2 }, { quantity: "3" }], other: 1 },
        { id: "o", items: [{ name: "é🌍", quantity: 2 }, { quantity: 3 }], total: 5 },
      ],
      ["example.Functions$Streams", { a: ["é🌍", 1.5, null] }, { a: ["é🌍", 1.5, null] }],
      ["example.Functions$Inherits", [{ quantity: 1 }, { name: "last" }], { name: "last", quantity: 0 }],
      [
        "echo",
        { a: [1, 2.5, "x", true], b: { c: "\u2028\u0001" } },
        { a: [1, 2.5, "x", true], b: { c: "\u2028\u0001" } },
      ],
      ["echo", { gone: null, kept: 1 }, { kept: 1 }],
      ["text", "é🌍", "é🌍"],
      ["number", 41, 42],
      ["nothing", { ignored: true }, "no event"],
      ["silent", {}, null],
      ["overloaded", "x", "long"],
      ["streams", { four: 4 }, "10"],
    ];
    it.for(answers.slice(0, rows))("%s given %j answers %j", async ([handler, event, answer], { skip }) => {
      if (missing !== undefined) skip(missing);
      expect(await harness.answer(await java(handler), event)).toEqual(answer);
    });

    it("answers errorMessage, errorType, stackTrace and cause when the handler throws, logs it, and the next invocation works", async ({
      skip,
    }) => {
      if (missing !== undefined) skip(missing);
      const spec = await java("fails");
      const document = (await harness.answer(spec, { kind: "cause" })) as { stackTrace: string[] };
      expect(document).toEqual({
        errorMessage: "outer",
        errorType: "example.Functions$Refused",
        stackTrace: expect.arrayContaining([
          expect.stringMatching(/^example\.Functions\.fails\(Functions\.java:\d+\)$/u),
        ]),
        cause: {
          errorMessage: "inner",
          errorType: "java.lang.IllegalArgumentException",
          stackTrace: expect.any(Array),
        },
      });
      expect(document.stackTrace.join()).not.toContain("cumulet");
      expect(await harness.answer(spec, { kind: "silent" })).toMatchObject({
        errorMessage: "java.lang.NullPointerException",
        errorType: "java.lang.NullPointerException",
      });
      expect(await harness.answer(spec, {})).toBe("ok");
      expect(harness.log(spec).find((line) => line.startsWith("outer"))).toMatch(
        /^outer: example\.Functions\$Refused\nexample\.Functions\$Refused: outer\n\tat example\.Functions\.fails\(/u,
      );
    });

    it("answers java.lang.RuntimeException for an event that does not fit, and for an answer that cannot be written", async ({
      skip,
    }) => {
      if (missing !== undefined) skip(missing);
      expect(await harness.answer(await java("number"), "1000,10")).toEqual({
        errorMessage: "An error occurred during JSON parsing",
        errorType: "java.lang.RuntimeException",
        stackTrace: [],
        cause: expect.objectContaining({ errorType: "java.io.UncheckedIOException" }),
      });
      expect(await harness.answer(await java("fails"), { kind: "bean" })).toMatchObject({
        errorMessage: "An error occurred during JSON serialization of response",
        errorType: "java.lang.RuntimeException",
      });
    });

    const refusals: readonly (readonly [handler: string, document: { errorMessage: string; errorType?: string }])[] = [
      [
        "example.Absent",
        { errorMessage: "Class not found: example.Absent", errorType: "java.lang.ClassNotFoundException" },
      ],
      [
        "example.Functions",
        { errorMessage: "Class does not implement an appropriate handler interface: example.Functions" },
      ],
      [
        "absent",
        {
          errorMessage:
            "No public method named absent with appropriate method signature found on class example.Functions",
        },
      ],
      ["example.Functions$Unmade", { errorMessage: "no way to start", errorType: "java.lang.IllegalStateException" }],
      [
        "example.Functions$Uninitialized",
        {
          errorMessage: "Error loading class example.Functions$Uninitialized",
          errorType: "java.lang.ExceptionInInitializerError",
        },
      ],
    ];
    it.for(refusals.slice(0, rows))("a handler %s answers %j", async ([handler, document], { skip }) => {
      if (missing !== undefined) skip(missing);
      const spec = await java(handler);
      const { outcome, payload } = await harness.invoke(spec, {});
      expect({ outcome, document: parse(payload) }).toEqual({ outcome: "error", document });
      expect(harness.log(spec).join("")).toContain(document.errorMessage);
    });

    it("says how the JVM ended: System.exit, halt, its time, its memory", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const spec = await java("ends", { timeoutMs: 2_000, memoryMb: 128 });
      const end = async (how: string) => parse((await harness.invoke(spec, { how })).payload);
      expect(await end("exit")).toEqual({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/Error: Runtime exited with error: exit status 7$/u),
      });
      expect(await end("halt")).toEqual({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/Error: Runtime exited with error: exit status 3$/u),
      });
      expect(await end("loop")).toEqual({
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/Task timed out after 2\.00 seconds$/u),
      });
      const heap = (await end("heap")) as { errorType: string };
      // The heap's own limit, or the kernel's where that comes first.
      expect(["java.lang.OutOfMemoryError", "Runtime.OutOfMemory"]).toContain(heap.errorType);
      expect(await end("none")).toBe("ok");
      expect(harness.log(spec)).toContain("ending by exit\n");
    });

    it("gives the function its context", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const spec = await java("context");
      const { payload } = await harness.invoke(
        spec,
        {},
        {
          requestId: "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d",
          invokedFunctionArn: `${spec.functionArn}:live`,
          traceId: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
          clientContext: '{"client":{"app_title":"t"},"custom":{"k":"é"},"env":{"locale":"de"}}',
          cognitoIdentity: '{"cognitoIdentityId":"eu-west-1:id","cognitoIdentityPoolId":"p"}',
        },
      );
      expect(parse(payload)).toEqual({
        requestId: "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d",
        name: spec.functionName,
        version: "$LATEST",
        arn: `${spec.functionArn}:live`,
        memory: 256,
        group: spec.logGroup,
        stream: expect.stringContaining("[$LATEST]"),
        left: true,
        trace: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
        identity: "eu-west-1:id",
        title: "t",
        custom: { k: "é" },
        env: { locale: "de" },
      });
    });

    it("shows variables, package, layer, endpoint and processes as on AWS, whether the JVM waited for the function or not", async ({
      skip,
    }) => {
      if (missing !== undefined || driver === "process") skip(missing ?? "a plain process starts in another folder");
      const expected = {
        variable: "hello é",
        region: "eu-west-1",
        folder: "/var/task",
        relative: "a note",
        path: "a note",
        resource: "a note",
        endpoint: "hello from the platform",
        process: ["hello é", "a note"],
        layer: "from the layer",
        files: true,
      };
      const environment = { MESSAGE: "hello é" };
      const waited = await java("surroundings", { layersDir: folders.layers, environment });
      expect(await harness.answer(waited, {})).toEqual(expected);
      const dedicated = await java("surroundings", {
        layersDir: folders.layers,
        environment: { ...environment, JAVA_TOOL_OPTIONS: "-Dasked=yes" },
      });
      expect(await harness.answer(dedicated, {})).toEqual({ ...expected, property: "yes" });
    });

    it("writes what is printed as lines and each call of the logger as one event", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const spec = await java("logs");
      expect(await harness.answer(spec, {})).toBe("logged");
      expect(harness.log(spec)).toEqual(
        expect.arrayContaining(["out é🌍\n", "err\n", "two\nlines", "[WARN] with a level", "[DEBUG] not important"]),
      );
      const json = await java("logs", { logFormat: "JSON", environment: { AWS_LAMBDA_LOG_LEVEL: "INFO" } });
      await harness.invoke(json, {}, { requestId: "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d" });
      const line = harness.log(json).find((text) => text.includes("with a level"));
      expect(JSON.parse(line ?? "")).toEqual({
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u),
        message: "with a level",
        level: "WARN",
        AWSRequestId: "8476a536-e9f4-4d65-9aad-4c1ea9ac8b7d",
      });
      expect(harness.log(json).join("")).not.toContain("not important");
    });

    it("takes 6 MB and answers 6 MB, and no more", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const big = "é".repeat(3_000_000);
      expect(await harness.answer(await java("text"), big)).toBe(big);
      const large = await java("large");
      expect(await harness.answer(large, { length: 6_291_554 })).toHaveLength(6_291_554);
      expect(await harness.answer(large, { length: 6_291_555 })).toMatchObject({
        errorType: "Function.ResponseSizeTooLarge",
      });
      expect(await harness.answer(large, { length: 1 })).toBe("x");
    });

    it("runs invocations at once in threads that share the function's object, with multi-concurrency", async ({
      skip,
    }) => {
      if (missing !== undefined) skip(missing);
      const spec = await java("example.Meeting::handleRequest", {
        memoryMb: 2048,
        logFormat: "JSON",
        multiConcurrency: { slots: 2, vcpus: 1 },
      });
      const bounds = { environmentsMin: 1, environmentsMax: 1, utilizationTarget: 0.5, group: "g", groupVcpusMax: 9 };
      harness.compute.maintain([{ spec, ...bounds }]);
      const wait = () => harness.answer(spec, { wait: true });
      expect(await Promise.all([wait(), wait()])).toEqual(["met", "met"]);
      expect(await harness.answer(spec, { fail: true })).toMatchObject({
        errorType: "java.lang.IllegalStateException",
      });
      expect(await harness.answer(spec, {})).toBe("alone");
      const waited = harness.log(spec).flatMap((line) => {
        const said = JSON.parse(line) as { message?: string; AWSRequestId?: string };
        return said.message === "waits" ? [said.AWSRequestId] : [];
      });
      expect(new Set(waited).size).toBe(2);
      harness.compute.maintain([]);
    });
  });
}
