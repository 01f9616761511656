import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const bubblewrap = existsSync("/usr/bin/bwrap");

const setpriv = existsSync("/usr/bin/setpriv");

/** Starts the compute layer in a process of its own, runs a function, says so, and waits. */
const programOf = (driver: "namespaces" | "process", body: string) => `
import { startHarness } from ${JSON.stringify(join(import.meta.dirname, "harness.ts"))};
const harness = await startHarness(${JSON.stringify(driver)}, { freezeAfterMs: 0 });
${body}`;

const program = programOf(
  "namespaces",
  `const spec = await harness.define({ "index.mjs": "export const handler = async () => 1;" });
await harness.answer(spec, {});
setTimeout(() => console.log("ready"), 2_500);`,
);

/** Its functions never look at what the platform says: they only end when something ends them. */
const spinning = programOf(
  "process",
  `const handler = "export const handler = async () => { for (;;); };";
for (const name of ["one", "two"]) void harness.answer(await harness.define({ "index.mjs": handler }, { functionName: name }), {});
setTimeout(() => console.log("ready"), 2_500);`,
);

function descendants(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
  return children.concat(...children.map(descendants));
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}

it.skipIf(!bubblewrap)(
  "kill -9 of the platform leaves no process of a function behind, frozen or not (skipped without bubblewrap)",
  async () => {
    const platform = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => platform.stdout.once("data", resolve));
    const processes = descendants(platform.pid ?? 0);
    expect(processes.length).toBeGreaterThan(3);
    platform.kill("SIGKILL");
    await expect.poll(() => processes.filter((pid) => alive(pid)), { timeout: 10_000 }).toEqual([]);
    const find = () =>
      execFileSync("find", ["/sys/fs/cgroup", "-name", `cumulet-${platform.pid}-*`], { encoding: "utf8" });
    await expect.poll(find, { timeout: 10_000, interval: 200 }).toBe("");
  },
);

it.skipIf(!setpriv)(
  "kill -9 of a platform without sandboxes ends functions that never listen, too (skipped without util-linux' setpriv)",
  async () => {
    const platform = spawn(process.execPath, ["--input-type=module-typescript", "-e", spinning], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => platform.stdout.once("data", resolve));
    const processes = descendants(platform.pid ?? 0);
    expect(processes.length).toBeGreaterThan(1);
    platform.kill("SIGKILL");
    await expect.poll(() => processes.filter((pid) => alive(pid)), { timeout: 10_000 }).toEqual([]);
  },
);

function alive(pid: number): boolean {
  try {
    return !/^State:\tZ/mu.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
