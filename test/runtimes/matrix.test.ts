import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness } from "../compute/harness.ts";
import type { Harness } from "../compute/harness.ts";
import { languages, offerNodes, writeLayer } from "./languages.ts";
import type { Language } from "./languages.ts";

const mostBytes = 6_291_556;

const runtimes: readonly (readonly [runtime: string, language: Language])[] = [
  ...["nodejs20.x", "nodejs22.x", "nodejs24.x"].map((name) => [name, languages.nodejs] as const),
  ...["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"].map((name) => [`python${name}`, languages.python] as const),
  ...["11", "17", "21", "25"].map((name) => [`java${name}`, languages.java] as const),
  ...["3.2", "3.3", "3.4"].map((name) => [`ruby${name}`, languages.ruby] as const),
];

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness("auto");
  await offerNodes(harness.dataDir);
}, 600_000);
afterAll(() => harness.stop());

const exited = (reason: string) => ({
  errorType: "Runtime.ExitError",
  errorMessage: expect.stringMatching(
    new RegExp(`^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: ${reason}$`, "u"),
  ),
});

/** Each runtime against AWS's documented answers, on its own version and no other. */
describe.each(runtimes)("%s", (runtime, language) => {
  let missing: string | undefined;
  let unconfined: string | undefined;
  let spec: FunctionSpec;

  const define = (overrides: Partial<FunctionSpec>) =>
    harness.define(
      {},
      { runtime, handler: language.handler, codeDir: spec?.codeDir, memoryMb: 256, timeoutMs: 10_000, ...overrides },
    );

  beforeAll(async () => {
    const found = await harness.compute.runtime(runtime);
    if (found.state !== "available" && !(found.state === "substituted" && language.standIn === runtime)) {
      missing = `${runtime} is not here. ${found.remedy}`;
      return;
    }
    const { driver } = await harness.compute.capabilities();
    if (!driver.isolates) unconfined = driver.why;
    const folder = join(harness.dataDir, "code", runtime);
    await mkdir(folder, { recursive: true });
    try {
      await language.build(folder);
    } catch (error) {
      missing = `The function could not be built: ${String(error)}`;
    }
    const layersDir = join(harness.dataDir, "layers", runtime);
    await writeLayer(layersDir, language.layer);
    spec = await harness.define(
      {},
      {
        runtime,
        handler: language.handler,
        codeDir: folder,
        layersDir,
        memoryMb: 256,
        timeoutMs: 10_000,
        environment: { MINE: "Grüße 🌍" },
      },
    );
  });

  const row = (name: string, body: () => Promise<void>, confined = false) =>
    it(name, { timeout: 120_000 }, async ({ skip }) => {
      if (missing !== undefined) skip(missing);
      if (confined && unconfined !== undefined) skip(unconfined);
      await body();
    });

  row(
    "ok: answers what the handler returns; the first invocation reports an init, the second runs in the same process",
    async () => {
      const first = await harness.invoke(spec, { do: "started" });
      expect(first.outcome).toBe("success");
      expect(first.report.initDurationMs).toBeGreaterThan(0);
      const second = await harness.invoke(spec, { do: "started" });
      expect(second.report.initDurationMs).toBeUndefined();
      expect(Buffer.from(second.payload)).toEqual(Buffer.from(first.payload));
    },
  );

  row("unicode: gives back the characters of every language", async () => {
    const event = { text: 'Grüße 🌍 日本語 \u2028 "\\\n\t\u0001', list: [1, -0.5, null, true, []], deep: { ä: {} } };
    expect(await harness.answer(spec, event)).toEqual(event);
  });

  row("error: answers the error of the handler in the runtime's own form, and works again", async () => {
    const document = (await harness.answer(spec, { do: "fail" })) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual(Object.keys(language.failed));
    for (const [name, wanted] of Object.entries(language.failed)) {
      if (wanted === "array") expect(Array.isArray(document[name])).toBe(true);
      else if (wanted === "string") expect(document[name]).toEqual(expect.any(String));
      else expect(document[name]).toBe(wanted);
    }
    expect(await harness.answer(spec, {})).toEqual({});
  });

  row("env: has the function's variables and Lambda's", async () => {
    expect(await harness.answer(spec, { do: "env" })).toEqual(["Grüße 🌍", `AWS_Lambda_${runtime}`, language.handler]);
  });

  row(
    "layers: finds what a layer brings",
    async () => {
      expect(await harness.answer(spec, { do: "layer" })).toBe("from the layer");
    },
    true,
  );

  row(
    "/tmp: keeps files from one invocation to the next",
    async () => {
      const fresh = await define({ codeDir: spec.codeDir });
      expect(await harness.answer(fresh, { do: "tmp" })).toBe(1);
      expect(await harness.answer(fresh, { do: "tmp" })).toBe(2);
    },
    true,
  );

  row(
    "6 MB: takes an event of 6 MB and gives an answer of 6 MB; one byte more is Function.ResponseSizeTooLarge",
    async () => {
      const text = "x".repeat(mostBytes - 30);
      expect(await harness.answer(spec, { do: "count", text })).toBe(text.length);
      const { outcome, payload } = await harness.invoke(spec, { do: "text", length: mostBytes });
      expect({ outcome, bytes: payload.length }).toEqual({ outcome: "success", bytes: mostBytes });
      expect(await harness.answer(spec, { do: "text", length: mostBytes + 1 })).toEqual({
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
      });
      expect(await harness.answer(spec, {})).toEqual({});
    },
  );

  row("timeout: ends with Sandbox.Timedout, and works again", async () => {
    const short = await define({ codeDir: spec.codeDir, timeoutMs: 1_000 });
    await harness.invoke(short, {});
    expect(await harness.answer(short, { do: "wait" })).toEqual({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/u),
    });
    expect(await harness.answer(short, {})).toEqual({});
  });

  row("exit and crash: answer Runtime.ExitError with the status or the signal, and work again", async () => {
    expect(await harness.answer(spec, { do: "exit" })).toEqual(exited("exit status 3"));
    expect(await harness.answer(spec, { do: "crash" })).toEqual(exited("signal: killed"));
    expect(await harness.answer(spec, {})).toEqual({});
  });

  row(
    "memory: a function that takes more than it has is ended for that, and works again",
    async () => {
      const hoarder = await define({ codeDir: spec.codeDir });
      expect(await harness.answer(hoarder, { do: "hoard" })).toMatchObject(language.hoarded);
      expect(await harness.answer(hoarder, {})).toEqual({});
    },
    true,
  );
});
