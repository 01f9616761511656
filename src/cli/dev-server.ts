import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { CommandError, type Output } from "./command.ts";
import { openConnection, type Connection } from "./connection.ts";

export interface DevServer {
  readonly connection: Connection;
  /** Ends the platform, if this command has started it. */
  stop(): Promise<void>;
}

interface Flags {
  readonly port?: string | undefined;
  readonly data?: string | undefined;
}

const pollMs = 20;
const startMsMax = 60_000;

/** The platform that runs on this data folder, or one that is started now, as a process of its own. */
export async function openDevServer(flags: Flags, output: Output): Promise<DevServer> {
  const running = await findServer(flags);
  if (running !== undefined) return { connection: running, stop: () => Promise.resolve() };
  // One process: what a debugger holds and what is swapped is there once.
  const args = [process.argv[1] ?? "", "start", "--workers", "1"];
  if (flags.data !== undefined) args.push("--data", flags.data);
  if (flags.port !== undefined) args.push("--port", flags.port);
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let told = "";
  let isReady = false;
  child.stderr.on("data", (chunk: Buffer) => {
    const text = chunk.toString("utf8");
    if (!isReady) told = (told + text).slice(-4_000);
    for (const line of text.split("\n")) if (/^WARNING|"level":"error"/.test(line)) output.err(line);
  });
  const until = Date.now() + startMsMax;
  for (;;) {
    if (told.includes("is ready on ")) break;
    if (child.exitCode !== null || Date.now() > until) {
      child.kill("SIGKILL");
      throw new CommandError(`The platform did not start:\n${told.trim()}`);
    }
    await delay(pollMs);
  }
  isReady = true;
  return { connection: await openConnection({ ...flags, port: portOf(told) ?? flags.port }), stop: () => stop(child) };
}

function portOf(told: string): string | undefined {
  return /is ready on \S+:(\d+)/.exec(told)?.[1];
}

async function findServer(flags: Flags): Promise<Connection | undefined> {
  try {
    const connection = await openConnection(flags);
    const answer = await fetch(`${connection.endpoint}/_cumulet/health`, { signal: AbortSignal.timeout(2_000) });
    return answer.ok ? connection : undefined;
  } catch {
    return undefined;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  await exited;
}
