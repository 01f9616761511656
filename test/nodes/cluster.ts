import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ClientSettings } from "../../src/testing/functions.ts";
import { startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";
import { startBalancer, type Balancer } from "./balancer.ts";
import { createNetwork, type Host } from "./network.ts";

const root = join(import.meta.dirname, "../..");
const startMsMax = 60_000;
const nodePort = 4566;

/** Nodes on hosts of their own, behind nginx, on one PostgreSQL. */
export interface TestCluster {
  readonly postgres: TestPostgres;
  readonly nodes: readonly TestNode[];
  readonly balancer: Balancer;
  /** Through the load balancer, with the retries that SDKs make unless they are told otherwise. */
  readonly settings: ClientSettings;
  stop(): Promise<void>;
}

export interface TestNode {
  readonly name: string;
  /** As the load balancer names it. */
  readonly server: string;
  /** Of this node alone, past the load balancer. */
  readonly endpoint: string;
  readonly settings: ClientSettings;
  /** What it has written to standard error. */
  log(): string;
  start(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** As an operator stops it: SIGTERM, and wait for its end; the exit code. */
  drain(): Promise<number | null>;
  /** SIGSTOP: it stands still, with all its processes' sockets open. */
  pause(): void;
  resume(): void;
  cutOffFromStore(): Promise<void>;
  reconnect(): Promise<void>;
}

const fakeTime = join(root, ".cache/debian/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1");
export const noFakeTime = existsSync(fakeTime)
  ? undefined
  : "libfaketime is missing (tools/setup-test.sh unpacks Debian's package)";

/** @param clocks for each node, how many seconds its clock is ahead */
export async function startCluster(clocks: readonly number[]): Promise<TestCluster> {
  const network = await createNetwork();
  const undo: (() => Promise<unknown>)[] = [() => network.remove()];
  const stop = async () => {
    for (const each of undo.toReversed()) await each();
  };
  try {
    const postgres = await startPostgres({ on: network.hub });
    undo.push(() => postgres.stop());
    const { search } = new URL(await postgres.newStore());
    const url = postgres.passwordUrl + search;
    const members: { readonly node: TestNode; readonly dataDir: string }[] = [];
    for (const [index, ahead] of clocks.entries()) {
      const host = await network.addHost();
      const dataDir = await mkdtemp(join(tmpdir(), "cumulet-node-"));
      undo.push(() => rm(dataDir, { recursive: true, force: true }));
      // Whoever joins brings the key of those that are there.
      const first = members[0];
      if (first) await cp(join(first.dataDir, "server-key"), join(dataDir, "server-key"));
      const node = createNode(`node ${index + 1}`, { host, dataDir, url, ahead, postgres: network.hub.address });
      undo.push(() => node.kill());
      members.push({ node, dataDir });
      await node.start();
    }
    const balancer = await startBalancer(
      network.hub,
      members.map(({ node }) => node.server),
    );
    undo.push(() => balancer.stop());
    const nodes = members.map(({ node }) => node);
    const [first] = nodes;
    const endpoint = `http://${network.hub.address}:${balancer.port}`;
    return {
      postgres,
      nodes,
      balancer,
      settings: { ...(first?.settings ?? missing()), endpoint, maxAttempts: 3 },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createNode(
  name: string,
  needs: { host: Host; dataDir: string; url: string; ahead: number; postgres: string },
): TestNode {
  const { host, dataDir } = needs;
  const server = `${host.address}:${nodePort}`;
  const endpoint = `http://${server}`;
  let child: ChildProcess | undefined;
  let log = "";
  let settings: ClientSettings | undefined;

  const end = async (signal: "SIGKILL" | "SIGTERM") => {
    const ending = child;
    if (!ending) return null;
    if (ending.exitCode === null && ending.signalCode === null) {
      const exited = new Promise((resolve) => ending.once("exit", resolve));
      ending.kill(signal);
      await exited;
    }
    return ending.exitCode;
  };
  return {
    name,
    server,
    endpoint,
    get settings() {
      return settings ?? missing();
    },
    log: () => log,
    async start() {
      const clock =
        needs.ahead === 0
          ? {}
          : {
              LD_PRELOAD: fakeTime,
              FAKETIME: `${needs.ahead > 0 ? "+" : ""}${needs.ahead}s`,
              DONT_FAKE_MONOTONIC: "1",
            };
      const [program = "", ...args] = [
        ...host.enter,
        join(root, "bin/cumulet"),
        "start",
        "--store",
        needs.url,
        "--data",
        dataDir,
        "--host",
        "0.0.0.0",
        "--port",
        String(nodePort),
        "--workers",
        "1",
        "--drain-wait",
        "1",
      ];
      const started = spawn(program, args, {
        cwd: root,
        env: { ...process.env, ...clock },
        stdio: ["ignore", "pipe", "pipe"],
      });
      child = started;
      const from = log.length;
      started.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
      started.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
      const until = Date.now() + startMsMax;
      while (!log.slice(from).includes(" is ready on ")) {
        if (started.exitCode !== null || Date.now() > until) {
          started.kill("SIGKILL");
          throw new Error(`${name} did not start:\n${log.slice(from)}`);
        }
        await delay(20);
      }
      settings = { endpoint, region: "us-east-1", credentials: await readCredentials(dataDir), maxAttempts: 3 };
    },
    kill: async () => {
      await end("SIGKILL");
    },
    drain: () => end("SIGTERM"),
    pause: () => {
      child?.kill("SIGSTOP");
    },
    resume: () => {
      child?.kill("SIGCONT");
    },
    cutOffFromStore: () => host.cutOff(needs.postgres),
    reconnect: () => host.reconnect(),
  };
}

async function readCredentials(dataDir: string): Promise<ClientSettings["credentials"]> {
  const text = await readFile(join(dataDir, "credentials"), "utf8");
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m").exec(text)?.[1] ?? "";
  return { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
}

function missing(): never {
  throw new Error("The node has not been started");
}
