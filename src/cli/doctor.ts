import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ComputeCapabilities } from "../compute/compute.ts";
import { readConfig } from "../config.ts";
import type { Command } from "./command.ts";
import { describeRuntimes } from "./runtimes.ts";

export const doctorCommand: Command = {
  name: "doctor",
  usage: "doctor [--json]",
  summary: "says what this host can run and isolate, what is missing and how to get it",
  help: "Tries the sandbox, the network and the resource limits for real and looks for the runtimes. Exits with 1 when functions could not be isolated.",
  async run(argv, output) {
    const { values } = parseArgs({
      args: [...argv],
      options: { json: { type: "boolean" }, sandbox: { type: "string" } },
    });
    const folder = await mkdtemp(join(tmpdir(), "cumulet-doctor-"));
    try {
      // Much of the program: loaded for this command alone.
      const { probeHost } = await import("../platform.ts");
      const found = await probeHost(readConfig({ sandbox: values.sandbox, data: folder }));
      output.out(values.json ? JSON.stringify(found, undefined, 2) : describe(found));
      return found.driver.isolates ? 0 : 1;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function describe(found: ComputeCapabilities): string {
  return [
    `Program   Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    `Sandbox   ${mark(found.driver.isolates)} ${found.driver.name}: ${found.driver.why}`,
    `Network   ${found.network.name}: ${found.network.why}`,
    `Limits    ${mark(found.cgroups.name !== "none")} cgroups ${found.cgroups.name}: ${found.cgroups.why}`,
    "Runtimes",
    ...describeRuntimes(found.runtimes),
  ].join("\n");
}

function mark(good: boolean): string {
  return good ? "ok     " : "MISSING";
}
