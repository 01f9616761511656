import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "../../src/compute/compute.ts";
import { startHarness, type Harness } from "./harness.ts";

/** Whatever this machine is busy with, these functions count as very short, and get one environment. */
const limits = { quickMs: 1_000, steadyMs: 1_000, quickRunsMax: 1 };

const warmUps = 40;

const node = {
  "index.mjs": `
    import { appendFileSync } from "node:fs";
    let active = 0;
    export const handler = async ({ n, exit, loop, say }) => {
      active += 1;
      appendFileSync(process.env.RUNS, n + "\\n");
      if (exit) process.exit(1);
      while (loop);
      if (say) console.log("said", n);
      await new Promise(setImmediate);
      const together = active;
      active -= 1;
      return { n, together };
    };`,
};

const python = {
  "app.py": `
import os
def handler(event, context):
    with open(os.environ["RUNS"], "a") as runs:
        runs.write(f"{event['n']}\\n")
    if event.get("exit"):
        os._exit(1)
    while event.get("loop"):
        pass
    return {"n": event["n"], "together": 1}
`,
};

describe.each([
  ["Node.js", node, { runtime: "nodejs22.x" }],
  ["Python", python, { runtime: "python3.11", handler: "app.handler" }],
] as const)("invocations that follow one another closely (%s)", (_language, files, overrides) => {
  let harness: Harness;
  let count = 0;
  beforeAll(async () => {
    harness = await startHarness("process", limits);
  });
  afterAll(() => harness.stop());

  /** A function that has been silent for a while, so that its environment is given invocations ahead. */
  async function warm(more: Partial<FunctionSpec> = {}): Promise<FunctionSpec> {
    const RUNS = join(harness.dataDir, `runs-${(count += 1)}`);
    const spec = await harness.define(files, { ...overrides, ...more, environment: { RUNS } });
    for (let n = 0; n < warmUps; n += 1) await harness.invoke(spec, { n: -1 });
    return spec;
  }

  /** Invokes 24 times at once, one of them with more in its event; what each answered, and how often it ran. */
  async function burst(spec: FunctionSpec, special: object) {
    const outcomes = await Promise.all(
      Array.from({ length: 24 }, (_, n) => harness.invoke(spec, n === 5 ? { n, ...special } : { n })),
    );
    const runs = (await readFile(spec.environment["RUNS"] ?? "", "utf8")).split("\n").slice(warmUps, -1).map(Number);
    const answers = outcomes.map(({ payload }) => JSON.parse(Buffer.from(payload).toString("utf8")) as unknown);
    return { outcomes, answers, runs };
  }

  it("run one at a time, each once, in one environment", async () => {
    const spec = await warm();
    const { answers, runs } = await burst(spec, {});
    expect(answers).toEqual(Array.from({ length: 24 }, (_, n) => ({ n, together: 1 })));
    expect(runs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, n) => n));
    const log = harness.log(spec);
    expect(log.filter((line) => line.startsWith("INIT_START"))).toHaveLength(1);
    const kinds = log.filter((line) => /^(?:START|END|REPORT)/.test(line)).map((line) => line.split(" ")[0]);
    expect(kinds).toEqual(Array.from({ length: warmUps + 24 }, () => ["START", "END", "REPORT"]).flat());
    const ids = log.flatMap((line) => /^(?:START|END|REPORT) RequestId: (\S+)/.exec(line)?.[1] ?? []);
    for (let at = 0; at < ids.length; at += 3) expect(new Set(ids.slice(at, at + 3)).size).toBe(1);
  });

  it("are not lost, and not run twice, when the one before ends its environment", async () => {
    const { outcomes, answers, runs } = await burst(await warm(), { exit: true });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 24 }, (_, n) => (n === 5 ? "error" : "success")),
    );
    expect(answers[5]).toMatchObject({ errorType: "Runtime.ExitError" });
    expect(runs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, n) => n));
  });

  it("have their whole timeout, and run elsewhere when the one before runs into its own", async () => {
    const { outcomes, answers, runs } = await burst(await warm({ timeoutMs: 1_000 }), { loop: true });
    expect(answers[5]).toMatchObject({ errorType: "Sandbox.Timedout" });
    expect(outcomes.filter(({ report }) => report.status === "success")).toHaveLength(23);
    expect(runs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, n) => n));
  });
});

describe("what a function prints while others follow it", () => {
  it("is in its log, once", async () => {
    const harness = await startHarness("process", limits);
    try {
      const spec = await harness.define(node, { environment: { RUNS: join(harness.dataDir, "runs") } });
      for (let n = 0; n < warmUps; n += 1) await harness.invoke(spec, { n });
      await Promise.all(Array.from({ length: 24 }, (_, n) => harness.invoke(spec, { n, say: n % 7 === 0 })));
      const said = harness.log(spec).flatMap((line) => /said (\d+)/.exec(line)?.[1] ?? []);
      expect(said.toSorted((a, b) => Number(a) - Number(b))).toEqual(["0", "7", "14", "21"]);
    } finally {
      await harness.stop();
    }
  });
});
