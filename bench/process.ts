import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
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
