import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";

const text = (payload: Uint8Array) => Buffer.from(payload).toString("utf8");

/** Every way in which an invocation can end, as Invoke answers it; each driver runs these. */
export function endingsCases(driver: "process" | "namespaces"): void {
  describe(`the ways a function can end (${driver})`, () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await startHarness(driver, { initTimeoutMs: 1_500 });
    });
    afterAll(() => harness.stop());

    it("answers what the handler returns, byte for byte", async () => {
      const spec = await harness.define({ "index.mjs": `export const handler = async (event) => ({ got: event });` });
      const { outcome, payload, report } = await harness.invoke(spec, { name: "Grüße 🌍" });
      expect({ outcome, text: text(payload) }).toEqual({ outcome: "success", text: '{"got":{"name":"Grüße 🌍"}}' });
      expect(report.initDurationMs).toBeGreaterThan(0);
      expect((await harness.invoke(spec, {})).report.initDurationMs).toBeUndefined();
    });

    it("answers errorType, errorMessage and trace when the handler throws, and the next invocation works", async () => {
      const spec = await harness.define({
        "index.js": `exports.handler = async (event) => { if (event.fail) throw new TypeError("boom"); return 1; };`,
      });
      const { outcome, payload } = await harness.invoke(spec, { fail: true });
      expect(outcome).toBe("error");
      expect(JSON.parse(text(payload))).toEqual({
        errorType: "TypeError",
        errorMessage: "boom",
        trace: expect.arrayContaining(["TypeError: boom"]),
      });
      expect(await harness.answer(spec, {})).toBe(1);
      expect(harness.log(spec).find((line) => line.includes("Invoke Error"))).toMatch(
        /^\d{4}-.*Z\t[0-9a-f-]{36}\tERROR\tInvoke Error \t\{"errorType":"TypeError","errorMessage":"boom","stack":\["TypeError: boom"/u,
      );
    });

    it("ends a function at its timeout with Sandbox.Timedout, and the next invocation runs in a new environment", async () => {
      const spec = await harness.define(
        { "index.mjs": `export const handler = async (event) => { while (event.loop); return "ok"; };` },
        { timeoutMs: 300 },
      );
      await harness.invoke(spec, {});
      const { payload, report } = await harness.invoke(
        spec,
        { loop: true },
        { requestId: "11111111-1111-4111-8111-111111111111" },
      );
      expect(text(payload)).toBe(
        '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 11111111-1111-4111-8111-111111111111 Error: Task timed out after 0.30 seconds"}',
      );
      expect(report).toMatchObject({ durationMs: 300, billedDurationMs: 300, status: "timeout" });
      expect(await harness.answer(spec, {})).toBe("ok");
      const log = harness.log(spec).join("");
      expect(log).toMatch(/Z 11111111-1111-4111-8111-111111111111 Task timed out after 0\.30 seconds\n\n/u);
      expect(log).toMatch(
        /REPORT RequestId: 11111111.*\tDuration: 300\.00 ms\tBilled Duration: 300 ms\t.*Status: timeout\n/u,
      );
    });

    it.each([
      [1, "Runtime exited with error: exit status 1"],
      [0, "Runtime exited without providing a reason"],
    ])("answers Runtime.ExitError when the function exits with %i", async (code, reason) => {
      const spec = await harness.define({
        "index.mjs": `export const handler = async (event) => { if (event.exit !== undefined) process.exit(event.exit); return "ok"; };`,
      });
      const { payload } = await harness.invoke(
        spec,
        { exit: code },
        { requestId: "22222222-2222-4222-8222-222222222222" },
      );
      expect(text(payload)).toBe(
        `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 22222222-2222-4222-8222-222222222222 Error: ${reason}"}`,
      );
      expect(await harness.answer(spec, {})).toBe("ok");
    });

    it("answers Runtime.ExitError with the signal when the function is killed", async () => {
      const spec = await harness.define({
        "index.mjs": `export const handler = async () => { process.kill(process.pid, "SIGKILL"); await new Promise(() => {}); };`,
      });
      expect(await harness.answer(spec, {})).toMatchObject({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/Error: Runtime exited with error: signal: killed$/u),
      });
    });

    it("answers Function.ResponseSizeTooLarge for one byte more than 6 MB, and the next invocation works", async () => {
      const spec = await harness.define({
        "index.mjs": `export const handler = async (event) => "x".repeat(event.length - 2);`,
      });
      const { outcome, payload } = await harness.invoke(spec, { length: 6_291_556 });
      expect({ outcome, bytes: payload.length }).toEqual({ outcome: "success", bytes: 6_291_556 });
      expect(await harness.answer(spec, { length: 6_291_557 })).toEqual({
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
      });
      expect(await harness.answer(spec, { length: 4 })).toBe("xx");
    });

    it("keeps a megabyte that a function prints, in events of at most 256 KB, before its END line", async () => {
      const spec = await harness.define({
        "index.mjs": `export const handler = async () => { process.stdout.write("a".repeat(1_048_576) + "\\n"); console.log("b".repeat(300_000)); };`,
      });
      expect(await harness.answer(spec, {})).toBeNull();
      const log = harness.log(spec);
      const printed = log.filter((line) => /^a+\n?$/u.test(line));
      expect(printed.join("").length).toBe(1_048_577);
      expect(Math.max(...log.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(262_144);
      expect(log.findLastIndex((line) => line.startsWith("a"))).toBeLessThan(
        log.findIndex((line) => line.startsWith("END")),
      );
    });

    it("bounds a function that prints without end: it ends at its timeout", async () => {
      const bounded = await startHarness(driver, { logBurstBytesMax: 1_000_000, logBytesPerSecondMax: 1_000_000 });
      try {
        const spec = await bounded.define(
          { "index.mjs": `export const handler = async () => { for (;;) console.log("more ".repeat(1_000)); };` },
          { timeoutMs: 500 },
        );
        expect(await bounded.answer(spec, {})).toMatchObject({ errorType: "Sandbox.Timedout" });
        expect(bounded.log(spec).join("").length).toBeLessThan(5_000_000);
      } finally {
        await bounded.stop();
      }
    });

    it("answers what a rejected promise nobody handles is called on AWS, and the next invocation works", async () => {
      const spec = await harness.define({
        "index.mjs": `export const handler = async (event) => {
          if (!event.fail) return "ok";
          Promise.reject(new Error("forgotten"));
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        };`,
      });
      expect(await harness.answer(spec, { fail: true })).toMatchObject({
        errorType: "Runtime.UnhandledPromiseRejection",
        errorMessage: "Error: forgotten",
      });
      expect(await harness.answer(spec, {})).toBe("ok");
    });

    it.each([
      [{ "index.mjs": `import "./absent.mjs"; export const handler = 1;` }, "Error"],
      [{ "index.js": `require("./absent"); exports.handler = 1;` }, "Runtime.ImportModuleError"],
      [{ "other.mjs": `` }, "Runtime.ImportModuleError"],
      [{ "index.mjs": `export const another = async () => 1;` }, "Runtime.HandlerNotFound"],
      [{ "index.js": `exports.handler = async () => {` }, "Runtime.UserCodeSyntaxError"],
      [{ "index.mjs": `throw new RangeError("at load"); export const handler = 1;` }, "RangeError"],
    ])("answers the error of an init that fails: %j", async (files, errorType) => {
      const spec = await harness.define(files as Record<string, string>);
      expect(await harness.answer(spec, {})).toMatchObject({ errorType });
      expect(harness.log(spec).join("")).toMatch(
        /INIT_REPORT Init Duration: .* ms\tPhase: init\tStatus: error\tError Type: /u,
      );
    });

    it("runs an init that takes too long again, within the invocation", async () => {
      const spec = await harness.define(
        {
          "index.mjs": `await new Promise((resolve) => setTimeout(resolve, 2_000)); export const handler = async () => "late";`,
        },
        { timeoutMs: 5_000 },
      );
      expect(await harness.answer(spec, {})).toBe("late");
      expect(harness.log(spec).join("")).toMatch(
        /INIT_REPORT Init Duration: 1500\.00 ms\tPhase: init\tStatus: timeout\n/u,
      );
    });

    it("answers 50 simultaneous first requests", async () => {
      const spec = await harness.define({ "index.mjs": `export const handler = async (event) => event.number;` });
      const numbers = Array.from({ length: 50 }, (_, number) => number);
      expect(await Promise.all(numbers.map((number) => harness.answer(spec, { number })))).toEqual(numbers);
      expect(harness.compute.running(spec.functionArn)).toBe(0);
    });

    it("gives a function its variables, its context and the platform's endpoint", async () => {
      const spec = await harness.define(
        {
          "index.mjs": `export const handler = async (event, context) => ({
            context: { ...context, remaining: context.getRemainingTimeInMillis() },
            environment: process.env,
            fetched: await (await fetch(process.env.AWS_ENDPOINT_URL)).text(),
            cwd: process.cwd(),
          });`,
        },
        { environment: { MINE: "yes", AWS_REGION: "not mine to set" } },
      );
      const answer = await harness.answer(spec, {});
      expect(answer).toMatchObject({
        context: {
          functionName: spec.functionName,
          functionVersion: "$LATEST",
          memoryLimitInMB: "256",
          logGroupName: spec.logGroup,
        },
        environment: {
          MINE: "yes",
          AWS_REGION: "eu-west-1",
          AWS_SECRET_ACCESS_KEY: `secret of ${spec.functionName}`,
          _HANDLER: "index.handler",
          AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
          AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
          TZ: ":UTC",
        },
        fetched: "hello from the platform",
        cwd: driver === "namespaces" ? "/var/task" : spec.codeDir,
      });
    });

    it("gives variables that Node reads at its start to a process started with them", async () => {
      const spec = await harness.define(
        { "index.mjs": `export const handler = async () => [process.execArgv.length > 0, process.title];` },
        { environment: { NODE_OPTIONS: "--title=mine" } },
      );
      expect(await harness.answer(spec, {})).toEqual([true, "mine"]);
    });

    it("waits for callbacks as AWS does until the event loop is empty", async () => {
      const spec = await harness.define({
        "index.js": `exports.handler = (event, context, callback) => {
          context.callbackWaitsForEmptyEventLoop = event.wait;
          let late = "early";
          setTimeout(() => { late = "late"; if (event.wait) console.log("timer ran"); }, 50);
          callback(null, late);
        };`,
      });
      expect(await harness.answer(spec, { wait: true })).toBe("early");
      expect(harness.log(spec).join("")).toContain("timer ran");
      expect(await harness.answer(spec, { wait: false })).toBe("early");
    });

    it("runs any program as a custom runtime through the Runtime API", async () => {
      const bootstrap = `#!/bin/bash
        set -eu
        api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
        exec node "$LAMBDA_TASK_ROOT/runtime.mjs" "$api"
      `;
      const runtime = `
        const api = process.argv[2];
        for (;;) {
          const next = await fetch(api + "/invocation/next");
          const id = next.headers.get("lambda-runtime-aws-request-id");
          const event = await next.json();
          if (event.exit) process.exit(3);
          const wrong = await fetch(api + "/invocation/another/response", { method: "POST", body: "1" });
          const early = await fetch(api + "/init/error", { method: "POST", body: "{}" });
          const body = event.fail ? { errorType: "Mine", errorMessage: "as asked" } : { wrong: wrong.status, early: early.status, handler: process.env._HANDLER };
          const sent = await fetch(api + "/invocation/" + id + (event.fail ? "/error" : "/response"), { method: "POST", body: JSON.stringify(body) });
          if (sent.status !== 202) process.exit(9);
        }`;
      const spec = await harness.define(
        { bootstrap, "runtime.mjs": runtime },
        {
          runtime: "provided.al2023",
          handler: "whatever",
          environment: { PATH: `${process.execPath.replace(/\/node$/u, "")}:/var/lang/bin:/usr/bin:/bin` },
        },
      );
      expect(await harness.answer(spec, {})).toEqual({ wrong: 400, early: 403, handler: "whatever" });
      expect(await harness.answer(spec, { fail: true })).toEqual({ errorType: "Mine", errorMessage: "as asked" });
      expect(await harness.answer(spec, { exit: true })).toMatchObject({ errorType: "Runtime.ExitError" });
      expect(await harness.answer(spec, {})).toMatchObject({ handler: "whatever" });
    });
  });
}
