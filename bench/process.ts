import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A process that was started, and ends with `stop`. */
export interface Started {
  readonly pid: number;
  /** Resident memory now, MB. */
  residentMb(): number;
  stop(): Promise<void>;
}

export function startProcess(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly quiet?: boolean;
    /** Keep what it prints, for `output`. */
    readonly captured?: boolean;
  },
): Started & { readonly child: ChildProcess; output(): string } {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
    stdio:
      options.captured === true
        ? ["ignore", "pipe", "pipe"]
        : ["ignore", "ignore", options.quiet === true ? "ignore" : "inherit"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  }
  const pid = child.pid ?? 0;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { child, pid, output: () => printed, residentMb: () => residentMb(pid), stop: () => end(child, ended) };
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(late);
}

export function residentMb(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(match?.[1]) / 1024);
}

/** Processor time that a process has taken so far, in the program and in the kernel. */
export function processorMs(pid: number): number {
  // The name may have anything in it: what follows is counted from its end. A tick is 10 ms on Linux.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user = "0", system = "0"] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when the address answers 200. */
export async function untilAnswers(url: string, everyMs: number): Promise<void> {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await delay(everyMs);
  }
  throw new Error(`${url} did not answer within a minute`);
}

/** All processes below this one. */
export function descendants(pid: number): readonly number[] {
  const children: number[] = [];
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
      if (text !== "") children.push(...text.split(" ").map(Number));
    }
  } catch {
    // It has ended.
  }
  return [...children, ...children.flatMap(descendants)];
}

/** Processor time they have used, in hundredths of a second. */
export function cpuTicks(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0);
}

function ticksOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

/** Resolves when the process and all below it have done next to nothing for a while: nothing is being made ready any more. */
export async function untilQuiet(pid: number, atMostMs: number): Promise<void> {
  const until = Date.now() + atMostMs;
  let quiet = 0;
  let last = new Set<number>();
  let before = Number.NaN;
  while (quiet < 3 && Date.now() < until) {
    const all = [pid, ...descendants(pid)];
    const now = cpuTicks(all);
    const isSame = all.length === last.size && all.every((each) => last.has(each));
    quiet = isSame && now - before <= 2 ? quiet + 1 : 0;
    last = new Set(all);
    before = now;
    await delay(150);
  }
}

export function childrenOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
