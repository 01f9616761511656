import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startHarness, type Harness } from "./harness.ts";

let harness: Harness;
let why = "";
beforeAll(async () => {
  harness = await startHarness("auto", { freezeAfterMs: 20, idleMs: 2_000 });
  const { driver, cgroups } = await harness.compute.capabilities();
  if (!driver.isolates) why = driver.why;
  else if (cgroups.name === "none") why = cgroups.why;
  else if (process.getuid?.() !== 0) why = "only root sees the processes of sandboxes";
});
afterAll(() => harness.stop());

const greedy = `
const fs = require("node:fs");
exports.handler = async ({ what }) => {
  if (what === "compute") {
    // Asking takes time of its own.
    for (const end = process.cpuUsage().user + 400_000; process.cpuUsage().user < end;) for (let i = 0; i < 1e6; i += 1);
  }
  if (what === "wait") await new Promise((resolve) => setTimeout(resolve, 400));
  if (what === "spin") {
    // Runs on after the answer, as long as it is let.
    const spin = () => { const end = Date.now() + 5; while (Date.now() < end); setTimeout(spin, 0); };
    setTimeout(spin, 0);
    return process.pid;
  }
  if (what === "open") {
    const open = [];
    try {
      for (;;) open.push(fs.openSync("/dev/null", "r"));
    } catch (error) {
      for (const each of open) fs.closeSync(each);
      return { code: error.code, open: open.length };
    }
  }
  return "here";
};`;

describe("An environment", () => {
  test("opens 1,024 files at the most", async (context) => {
    if (why !== "") return context.skip(why);
    const answer = await harness.answer(await harness.define({ "index.js": greedy }), { what: "open" });
    expect(answer).toEqual({ code: "EMFILE", open: expect.toSatisfy((open: number) => open > 900 && open < 1_024) });
  });

  test("is reported with the processor time it has used: much when it computes, little when it waits", async (context) => {
    if (why !== "") return context.skip(why);
    const spec = await harness.define({ "index.js": greedy });
    await harness.invoke(spec, {});
    const waited = await harness.invoke(spec, { what: "wait" });
    const computed = await harness.invoke(spec, { what: "compute" });
    expect(computed.report.cpuMs).toBeGreaterThan(350);
    expect(computed.report.cpuMs).toBeLessThan(1_500);
    expect(waited.report.cpuMs).toBeLessThan(200);
    expect(waited.report.cpuMs).toBeGreaterThan(0);
  });

  test("uses no processor while it is idle, whatever its function left running, and goes away in time", async (context) => {
    if (why !== "") return context.skip(why);
    const spec = await harness.define({ "index.js": `${greedy}// spins` });
    await harness.answer(spec, { what: "spin" });
    const [pid = 0] = processesOf(`${greedy}// spins`);
    expect(pid).toBeGreaterThan(0);
    // Frozen when two readings 50 ms apart, five times its spin, are the same.
    await vi.waitFor(
      async () => {
        const before = ticksOf(pid);
        await delay(50);
        expect(ticksOf(pid)).toBe(before);
      },
      { timeout: 10_000, interval: 10 },
    );
    expect(await harness.answer(spec, {})).toBe("here");
    await vi.waitFor(() => expect(processesOf(`${greedy}// spins`)).toEqual([]), { timeout: 10_000, interval: 50 });
  });
});

/** The host's processes that run this code. */
function processesOf(source: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cwd/index.js`, "utf8") === source;
      } catch {
        return false;
      }
    });
}

/** Processor time so far, in ticks of the kernel. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
