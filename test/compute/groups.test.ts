import { execFileSync } from "node:child_process";
import { existsSync, globSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detectCgroups } from "../../src/compute/sandbox/cgroups.ts";
import { startHarness, type Harness } from "./harness.ts";

let harness: Harness;
let why = "";
beforeAll(async () => {
  harness = await startHarness("auto");
  const { driver, cgroups } = await harness.compute.capabilities();
  if (!driver.isolates) why = driver.why;
  else if (cgroups.name === "none") why = cgroups.why;
  else if (process.getuid?.() !== 0) why = "only root removes the groups of others";
});
afterAll(() => harness.stop());

describe("The group of a sandbox that nothing has joined yet", () => {
  test("stays when a server starts in another process namespace, where this one's process is not seen", async (context) => {
    if (why !== "") return context.skip(why);
    const cgroups = detectCgroups(process.pid, "0123abcd");
    const group = cgroups.create("0-1", { memoryMb: 128, processesMax: 10 });
    try {
      const program = `
        import { detectCgroups } from ${JSON.stringify(join(import.meta.dirname, "../../src/compute/sandbox/cgroups.ts"))};
        const found = detectCgroups(process.pid, "0123abce");
        await found.remove();
        console.log(process.pid, found.name);`;
      const node = [process.execPath, "--input-type=module-typescript", "-e", program];
      const said = execFileSync("unshare", ["--pid", "--fork", "--mount-proc", ...node], { encoding: "utf8" });
      expect(said.trim()).toBe(`1 ${cgroups.name}`);
      expect(group.joinFiles.filter((file) => !existsSync(file))).toEqual([]);
    } finally {
      await group.remove();
      await cgroups.remove();
    }
  });

  test("goes when another server starts after this one's process has ended", (context) => {
    if (why !== "") return context.skip(why);
    const program = `
      import { detectCgroups } from ${JSON.stringify(join(import.meta.dirname, "../../src/compute/sandbox/cgroups.ts"))};
      const group = detectCgroups(process.pid, "0123abcd").create("0-1", { memoryMb: 128, processesMax: 10 });
      console.log(group.joinFiles.join("\\n"));`;
    const left = execFileSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
      encoding: "utf8",
    });
    const folders = left
      .trim()
      .split("\n")
      .map((file) => dirname(file));
    expect(folders.filter((folder) => !existsSync(folder))).toEqual([]);
    void detectCgroups(process.pid, "0123abce").remove();
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  });

  test("is made again when something on the host has removed it: the function answers, within its limits", async (context) => {
    if (why !== "") return context.skip(why);
    let removed = 0;
    const seen = new Set<string>();
    const remove = () => {
      for (const folder of globSync([
        `/sys/fs/cgroup/*/cumulet-${process.pid}-*/*/`,
        `/sys/fs/cgroup/cumulet-${process.pid}-*/*/`,
      ])) {
        if (seen.has(folder) || removed === 2) continue;
        seen.add(folder);
        try {
          rmdirSync(folder);
          removed += 1;
        } catch {
          // A process has joined it.
        }
      }
    };
    const timer = setInterval(remove, 1);
    try {
      // A size that nothing waits for.
      const spec = await harness.define(
        { "index.mjs": "export const handler = async () => 'here';" },
        { ephemeralStorageMb: 600 },
      );
      expect(await harness.answer(spec, {})).toBe("here");
      expect(removed).toBeGreaterThan(0);
    } finally {
      clearInterval(timer);
    }
  });
});
