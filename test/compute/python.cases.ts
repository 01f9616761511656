import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness } from "./harness.ts";
import type { Harness } from "./harness.ts";

/** The Python runtime; each driver runs these. Any version that the host has will do. */
export function pythonCases(driver: "process" | "namespaces"): void {
  describe(`Python functions (${driver})`, () => {
    let harness: Harness;
    let missing: string | undefined;
    const python = (files: Record<string, string>, overrides?: Partial<FunctionSpec>) =>
      harness.define(files, { runtime: "python3.11", handler: "app.lambda_handler", ...overrides });
    beforeAll(async () => {
      harness = await startHarness(driver);
      const { runtimes } = await harness.compute.capabilities();
      const found = runtimes.find(({ runtime }) => runtime === "python3.11");
      if (found?.state === "missing") missing = found.remedy;
    });
    afterAll(() => harness.stop());

    it("answers what the handler returns, with its context, variables and log", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const spec = await python({
        "app.py": [
          "import logging, os, urllib.request, sys",
          "def lambda_handler(event, context):",
          "    print('printed')",
          "    logging.getLogger().warning('careful')",
          "    logging.getLogger().info('not by default')",
          "    return {'event': event, 'name': context.function_name, 'memory': context.memory_limit_in_mb,",
          "            'left': context.get_remaining_time_in_millis() > 1000, 'region': os.environ['AWS_REGION'],",
          "            'fetched': urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL']).read().decode(), 'path': sys.path[0]}",
        ].join("\n"),
      });
      expect(await harness.answer(spec, { a: "é" })).toEqual({
        event: { a: "é" },
        name: spec.functionName,
        memory: "256",
        left: true,
        region: "eu-west-1",
        fetched: "hello from the platform",
        path: driver === "namespaces" ? "/var/task" : spec.codeDir,
      });
      const log = harness.log(spec);
      expect(log).toContain("printed\n");
      expect(log.find((line) => line.includes("careful"))).toMatch(
        /^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[0-9a-f-]{36}\tcareful\n$/u,
      );
      expect(log.join("")).not.toContain("not by default");
    });

    it("answers errorMessage, errorType, requestId and stackTrace when the handler raises, and the next invocation works", async ({
      skip,
    }) => {
      if (missing !== undefined) skip(missing);
      const spec = await python({
        "app.py":
          "def lambda_handler(event, context):\n    if event.get('fail'):\n        raise ValueError('boom')\n    return 'ok'\n",
      });
      const place = driver === "namespaces" ? "/var/task" : spec.codeDir;
      expect(await harness.answer(spec, { fail: true })).toEqual({
        errorMessage: "boom",
        errorType: "ValueError",
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/u),
        stackTrace: [`  File "${place}/app.py", line 3, in lambda_handler\n    raise ValueError('boom')\n`],
      });
      expect(await harness.answer(spec, {})).toBe("ok");
      expect(harness.log(spec).find((line) => line.startsWith("[ERROR]"))).toBe(
        `[ERROR] ValueError: boom\nTraceback (most recent call last):\n\u00a0\u00a0File "${place}/app.py", line 3, in lambda_handler\n\u00a0\u00a0\u00a0\u00a0raise ValueError('boom')`,
      );
    });

    it.each([
      [
        { "app.py": "import absent" },
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'absent'",
      ],
      [{ "app.py": "x = 1" }, "Runtime.HandlerNotFound", "Handler 'lambda_handler' missing on module 'app'"],
      [{ "app.py": "def" }, "Runtime.UserCodeSyntaxError", expect.stringMatching(/^Syntax error in module 'app': /u)],
      [{ "app.py": "raise KeyError('k')" }, "KeyError", "'k'"],
    ])("answers the error of an init that fails: %j", async (files, errorType, errorMessage) => {
      if (missing !== undefined) return;
      const spec = await python(files as unknown as Record<string, string>);
      expect(await harness.answer(spec, {})).toMatchObject({ errorType, errorMessage });
    });

    it("finds modules of the function that are called as some of the runtime's are", async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      const names = ["context", "debugger", "errors", "function", "jsontext", "log"];
      const spec = await python({
        ...Object.fromEntries(names.map((name) => [`${name}.py`, `MINE = "${name}"\n`])),
        "app.py": `import ${names.join(", ")}\ndef lambda_handler(event, context_):\n    return [m.MINE for m in (${names.join(", ")})]\n`,
      });
      expect(await harness.answer(spec, {})).toEqual(names);
    });

    it("answers Runtime.MarshalError for what is no JSON, Runtime.ExitError for sys.exit, and works again", async ({
      skip,
    }) => {
      if (missing !== undefined) skip(missing);
      const spec = await python({
        "app.py":
          "import sys\ndef lambda_handler(event, context):\n    if 'exit' in event:\n        sys.exit(event['exit'])\n    return {1, 2} if event else 'ok'\n",
      });
      expect(await harness.answer(spec, { set: 1 })).toMatchObject({
        errorType: "Runtime.MarshalError",
        errorMessage: "Unable to marshal response: Object of type set is not JSON serializable",
      });
      expect(await harness.answer(spec, { exit: 4 })).toMatchObject({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/exit status 4$/u),
      });
      expect(await harness.answer(spec, {})).toBe("ok");
    });
  });
}
