import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../config.ts";
import { systemClock } from "../kernel/clock.ts";
import { openLmdbStore } from "../kernel/store/lmdb-store.ts";
import { createPlatform, type Platform } from "../platform.ts";
import type { ClientSettings } from "./functions.ts";

/** Several platforms in this process, each with its listener, that share a store on disk as workers do. */
export interface TestNodes {
  readonly nodes: readonly TestNode[];
  add(): Promise<TestNode>;
  stop(): Promise<void>;
}

export interface TestNode {
  readonly platform: Platform;
  readonly endpoint: string;
  readonly port: number;
  /** For SDK clients, as root. */
  readonly settings: ClientSettings;
  stop(): Promise<void>;
}

export async function startTestNodes(
  count: number,
  options: { readonly sandbox?: "process" } = {},
): Promise<TestNodes> {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-nodes-"));
  const nodes: TestNode[] = [];
  const add = async () => {
    const node = await startNode(dataDir, options.sandbox);
    nodes.push(node);
    return node;
  };
  for (let started = 0; started < count; started += 1) await add();
  return {
    nodes,
    add,
    stop: async () => {
      for (const node of nodes) await node.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function startNode(dataDir: string, sandbox: "process" | undefined): Promise<TestNode> {
  const config = readConfig(
    { port: "0", data: dataDir, sandbox },
    { CUMULET_LOG: process.env["CUMULET_LOG"] ?? "error" },
  );
  const platform = await createPlatform(config, {
    writeLog: (line) => process.stderr.write(`${line}\n`),
    // Each opens the folder anew: it learns of the others' changes as another process would.
    store: await openLmdbStore({ folder: join(dataDir, "store"), clock: systemClock }),
  });
  const { endpoint, port } = await platform.start();
  const credentials = await readFile(join(dataDir, "credentials"), "utf8");
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m").exec(credentials)?.[1] ?? "";
  let stopped: Promise<void> | undefined;
  return {
    platform,
    endpoint,
    port,
    settings: {
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") },
      maxAttempts: 1,
    },
    stop: () => (stopped ??= platform.stop(0)),
  };
}
