import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startHarness, type Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness("process", { idleMs: 50, freezeAfterMs: 10 });
});
afterAll(() => harness.stop());

const untilReady = (id: string, ready: number) =>
  vi.waitFor(() => expect(harness.compute.kept(id)?.ready).toBe(ready), { timeout: 10_000, interval: 10 });

const born = `const fs = require("node:fs");
  const born = { type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE, pid: process.pid };
  exports.handler = async (event) => {
    if (event.meet) {
      fs.writeFileSync(event.meet + "/" + process.pid, "");
      while (fs.readdirSync(event.meet).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return born;
  };`;

describe("Environments that are kept", () => {
  test("are not removed for being idle, and are taken before others", async () => {
    const spec = await harness.define({ "index.js": born });
    harness.compute.keep([{ spec, environments: 1, initializationType: "provisioned-concurrency" }]);
    await untilReady(spec.id, 1);
    const answer = async (meet?: string) => (await harness.answer(spec, { meet })) as { type: string; pid: number };
    const meet = await mkdtemp(join(tmpdir(), "cumulet-test-"));
    const [kept, other] = (await Promise.all([answer(meet), answer(meet)])).toSorted((a, b) =>
      a.type < b.type ? 1 : -1,
    );
    await rm(meet, { recursive: true });
    expect([kept?.type, other?.type]).toEqual(["provisioned-concurrency", "on-demand"]);
    for (let times = 0; times < 3; times += 1) {
      expect(await answer()).toEqual(kept);
    }
    await vi.waitFor(() => expect(() => process.kill(other?.pid ?? 0, 0)).toThrow("ESRCH"), { timeout: 10_000 });
    expect(harness.compute.kept(spec.id)).toEqual({ wanted: 1, ready: 1 });
    expect(await answer()).toEqual(kept);
  });

  test("are let go when they are not wanted any more", async () => {
    const spec = await harness.define({ "index.js": born });
    harness.compute.keep([{ spec, environments: 2, initializationType: "provisioned-concurrency" }]);
    await untilReady(spec.id, 2);
    harness.compute.keep([{ spec, environments: 1, initializationType: "provisioned-concurrency" }]);
    expect(harness.compute.kept(spec.id)).toEqual({ wanted: 1, ready: 1 });
    harness.compute.keep([]);
    expect(harness.compute.kept(spec.id)).toBeUndefined();
  });

  test("are as many as this host keeps, and the rest is told why", async () => {
    const small = await startHarness("process", { keptMax: 1 });
    const spec = await small.define({ "index.js": born });
    small.compute.keep([{ spec, environments: 3, initializationType: "provisioned-concurrency" }]);
    await vi.waitFor(() => expect(small.compute.kept(spec.id)?.ready).toBe(1), { timeout: 10_000 });
    expect(small.compute.kept(spec.id)?.failure).toMatch("at most 1 execution environments");
    await small.stop();
  });
});

const hooks = `
import os
from snapshot_restore_py import register_after_restore, register_before_snapshot
order = []

@register_before_snapshot
def first():
    order.append("before 1")

register_before_snapshot(lambda name: order.append(name), "before 2")

@register_after_restore
def after():
    order.append("after")
    if os.environ.get("FAIL") == "after":
        raise ValueError("no way back")

if os.environ.get("FAIL") == "before":
    register_before_snapshot(lambda: 1 / 0)

def handler(event, context):
    return {"order": order, "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
`;

// The newest Python of this host may be older than SnapStart asks for; that is for the control plane to refuse.
const python = { runtime: "python3.11", handler: "app.handler", snapStart: true, version: "1" } as const;

describe("SnapStart", () => {
  test("runs the hooks around its snapshot, restores before the first invocation, and says so in the log", async () => {
    const spec = await harness.define({ "app.py": hooks }, python);
    harness.compute.keep([{ spec, environments: 1, initializationType: "snap-start" }]);
    await untilReady(spec.id, 1);
    expect(harness.log(spec).map((line) => line.split(":")[0])).toEqual([
      "INIT_START Runtime Version",
      "INIT_REPORT Init Duration",
    ]);
    const { report } = await harness.invoke(spec, {});
    expect(report).toMatchObject({ restoreDurationMs: expect.any(Number), status: "success" });
    expect(report.initDurationMs).toBeUndefined();
    expect(report.billedDurationMs).toBe(Math.ceil(report.durationMs + (report.restoreDurationMs ?? 0)));
    expect(await harness.answer(spec, {})).toEqual({ order: ["before 2", "before 1", "after"], type: "snap-start" });
    const lines = harness.log(spec).slice(2);
    expect(lines[0]).toMatch(/^RESTORE_START Runtime Version: /);
    expect(lines[1]).toMatch(/^RESTORE_REPORT Restore Duration: [\d.]+ ms\n$/);
    expect(lines[2]).toMatch(/^START RequestId: /);
    expect(lines[4]).toMatch(/\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t\n$/);
    expect(lines.slice(5).join("")).not.toContain("Restore");
  });

  test("restores environments that are made on demand as well, of any runtime", async () => {
    const spec = await harness.define({ "index.js": born }, { snapStart: true, version: "1" });
    expect(await harness.answer(spec, {})).toMatchObject({ type: "snap-start" });
    expect(harness.log(spec).some((line) => line.startsWith("RESTORE_REPORT"))).toBe(true);
  });

  test.each([
    ["after", "Runtime.AfterRestoreError", "ValueError: no way back"],
    ["before", "Runtime.BeforeSnapshotError", "ZeroDivisionError: division by zero"],
  ])("a hook that fails %s fails the invocation with %s", async (FAIL, errorType, errorMessage) => {
    const spec = await harness.define({ "app.py": hooks }, { ...python, environment: { FAIL } });
    expect(await harness.answer(spec, {})).toMatchObject({ errorType, errorMessage });
  });
});
