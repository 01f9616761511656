import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export type Language = "node" | "python" | "java" | "ruby";

/** An interpreter of this host with nothing of ours. */
export interface Bare {
  readonly language: Language;
  /** Starts and ends. */
  readonly nothing: readonly string[];
  /** Starts and waits. */
  readonly waiting: readonly string[];
}

const system: readonly [Language, string][] = [
  ["python", "/usr/bin/python3"],
  ["java", "/usr/bin/java"],
  ["ruby", "/usr/bin/ruby"],
];

/** Those that are here; Node.js always is. Java needs a compiler, for the function too. */
export async function bareInterpreters(folder: string): Promise<readonly Bare[]> {
  const found: Bare[] = [
    {
      language: "node",
      nothing: [process.execPath, "-e", "0"],
      waiting: [process.execPath, "-e", "setInterval(() => {}, 1e9)"],
    },
  ];
  for (const [language, file] of system) {
    if (!existsSync(file) || (language === "java" && !existsSync("/usr/bin/javac"))) continue;
    if (language === "python") {
      const waiting = [file, "-c", "import time; time.sleep(1e6)"];
      found.push({ language, nothing: [file, "-c", "0"], waiting });
    } else if (language === "ruby") {
      found.push({ language, nothing: [file, "-e", "0"], waiting: [file, "-e", "sleep"] });
    } else {
      await mkdir(folder, { recursive: true });
      const text = `public class Bare { public static void main(String[] a) throws Exception { if (a.length > 0) Thread.sleep(1000000); } }`;
      await writeFile(join(folder, "Bare.java"), text);
      execFileSync("/usr/bin/javac", ["-d", folder, join(folder, "Bare.java")]);
      found.push({ language, nothing: [file, "-cp", folder, "Bare"], waiting: [file, "-cp", folder, "Bare", "wait"] });
    }
  }
  return found;
}

/** What the interpreter itself takes here, with nothing to do. */
export function bareStartMs({ nothing: [file = "", ...args] }: Bare, times: number): number[] {
  return Array.from({ length: times }, () => {
    const from = performance.now();
    execFileSync(file, args, { env: {}, stdio: "ignore" });
    return performance.now() - from;
  });
}

/** Private memory of the interpreter while it waits, MB. */
export async function bareMemoryMb({ waiting: [file = "", ...args] }: Bare): Promise<number> {
  const child = spawn(file, args, { env: {}, stdio: "ignore" });
  await delay(1_000);
  const held = privateMb(child.pid ?? 0);
  child.kill("SIGKILL");
  return held;
}

/** What nobody else has of a process's memory, MB. */
export function privateMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, kb]) => sum + Number(kb), 0) / 1_024;
}
