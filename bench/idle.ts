import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bareMemoryMb, privateMb, type Bare, type Language } from "./bare.ts";
import { writeApps } from "./cold-start.ts";
import { cpuTicks, descendants, untilQuiet } from "./process.ts";
import { startCumulet } from "./server.ts";

const idleMs = 60_000;
/** Clock ticks are hundredths of a second on Linux. */
const tickMs = 10;

export interface Idle {
  /** Private memory of the interpreter of an environment that waits for its next invocation, and of one of ours without anything. */
  readonly environmentMb: Partial<Record<Language, number>>;
  readonly bareMb: Partial<Record<Language, number>>;
  /** Processor time that everything of the server has used in a minute in which nothing was asked, and what of it environments. */
  readonly cpuMs: number;
  readonly environmentsCpuMs: number;
}

/** What functions cost that have been invoked once and wait. */
export async function measureIdle(folder: string, bares: readonly Bare[]): Promise<Idle> {
  const app = join(folder, "app");
  await writeApps(app, 1, bares);
  const server = await startCumulet(join(folder, "data"), app);
  try {
    const base = server.url("bench-0").replace(/\/[^/]+\/hello\/x$/, "");
    for (const { language } of bares) {
      const response = await fetch(`${base}/${language === "node" ? "0" : language}/hello/x`);
      if (response.status !== 200) throw new Error(`${language} answered ${response.status}`);
      await response.arrayBuffer();
    }
    // Until what was used up has been made again, and environments are frozen.
    await untilQuiet(server.pid, 15_000);
    await delay(2_000);
    const processes = descendants(server.pid);
    const environments = processes.filter(hasFunction);
    const from = cpuTicks([server.pid, ...processes]);
    const environmentsFrom = cpuTicks(environments);
    await delay(idleMs);
    const cpuMs = (cpuTicks([server.pid, ...processes]) - from) * tickMs;
    const environmentsCpuMs = (cpuTicks(environments) - environmentsFrom) * tickMs;
    const environmentMb: Partial<Record<Language, number>> = {};
    const bareMb: Partial<Record<Language, number>> = {};
    for (const bare of bares) {
      const { language } = bare;
      const pid = environments.find((candidate) => nameOf(candidate).startsWith(language));
      if (pid !== undefined) environmentMb[language] = privateMb(pid);
      bareMb[language] = await bareMemoryMb(bare);
    }
    return { environmentMb, bareMb, cpuMs, environmentsCpuMs };
  } finally {
    await server.stop();
  }
}

/** A process of a sandbox in which a function's code lies, and not bubblewrap. */
function hasFunction(pid: number): boolean {
  try {
    return nameOf(pid) !== "bwrap" && readdirSync(`/proc/${pid}/root/var/task`).length > 0;
  } catch {
    return false;
  }
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]?.split("/").at(-1) ?? "";
}
