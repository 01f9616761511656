import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { newSharedStore } from "./postgres.ts";

const root = join(import.meta.dirname, "../..");
const startMsMax = 30_000;

/**
 * The program as a user runs it: a process of its own, a real clock, the embedded store unless told otherwise; one worker
 * unless `args` or CUMULET_WORKERS ask for more.
 */
export interface TestServer {
  readonly endpoint: string;
  readonly port: number;
  readonly dataDir: string;
  /** The address of its store in PostgreSQL, or `embedded`, as given to it. Undefined: embedded. */
  readonly store: string | undefined;
  readonly pid: number;
  /** What `cumulet env` prints, for the environment of the tools under test. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it has written to standard error. */
  log(): string;
  /** `kill -9`, then start again on the same data folder and port, and the same store unless another is named. */
  killAndRestart(options?: TestServerOptions): Promise<void>;
  kill(): Promise<void>;
  /** Stop as Ctrl+C does and remove the data folder. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** The address of a store in PostgreSQL, or `embedded`. Default: embedded, unless the whole run is on PostgreSQL. */
  readonly store?: string;
}

export async function startTestServer(
  args: readonly string[] = [],
  options: TestServerOptions = {},
): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  let store = options.store ?? (await newSharedStore());
  let running = await launch(dataDir, 0, args, store);
  const { port } = running;
  const environment = await readEnvironment(dataDir);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    get store() {
      return store;
    },
    get pid() {
      return running.child.pid ?? 0;
    },
    environment,
    log: () => running.log(),
    async kill() {
      await end(running.child, "SIGKILL");
    },
    async killAndRestart(now = {}) {
      await end(running.child, "SIGKILL");
      store = now.store ?? store;
      running = await launch(dataDir, port, args, store);
    },
    async stop() {
      await end(running.child, "SIGTERM");
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function launch(dataDir: string, port: number, args: readonly string[], store: string | undefined) {
  const workers = args.includes("--workers") || process.env["CUMULET_WORKERS"] !== undefined ? [] : ["--workers", "1"];
  const given = ["start", "--data", dataDir, "--port", String(port), ...workers, ...args];
  const child = spawn(join(root, "bin/cumulet"), given, {
    cwd: root,
    env: { ...process.env, ...(store !== undefined && { CUMULET_STORE: store }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  const until = Date.now() + startMsMax;
  for (;;) {
    const match = /is ready on https?:\/\/127(?:\.\d+){3}:(\d+)/.exec(log);
    if (match) return { child, port: Number(match[1]), log: () => log };
    if (child.exitCode !== null || Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`The server did not start:\n${log}`);
    }
    await delay(20);
  }
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await exited;
}

async function readEnvironment(dataDir: string): Promise<Record<string, string>> {
  const text = await readFile(join(dataDir, "credentials"), "utf8");
  const server: unknown = JSON.parse(await readFile(join(dataDir, "server.json"), "utf8"));
  const port = typeof server === "object" && server !== null && "port" in server ? String(server.port) : "";
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m").exec(text)?.[1] ?? "";
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: value("aws_access_key_id"),
    AWS_SECRET_ACCESS_KEY: value("aws_secret_access_key"),
  };
}
