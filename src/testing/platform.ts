import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../config.ts";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import { createPlatform, type Platform } from "../platform.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import type { ClientSettings } from "./functions.ts";
import { newSharedStore } from "./postgres.ts";

/** The whole platform in this process, listening on a free loopback port. */
export interface TestPlatform {
  readonly endpoint: string;
  readonly port: number;
  readonly dataDir: string;
  /** For SDK clients, as root: `new LambdaClient(platform.settings)`. */
  readonly settings: ClientSettings;
  readonly platform: Platform;
  /** Stop and start again on the same data folder, as after a power cut: no goodbye to anything. Only with `durable`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestPlatformOptions {
  /** Keep state on disk, so that `restart` finds it. Default: in memory, which is faster. */
  readonly durable?: boolean;
  /** Hold time still at this moment. SDK clients sign with the real time, so keep it near. Default: the real clock. */
  readonly clock?: FakeClock;
  readonly dev?: boolean;
  readonly sandbox?: "auto" | "process" | "namespaces";
  /** Files in PEM: the listener then speaks TLS too, and plain HTTP to clients of this machine, which `endpoint` is for. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** The address of a store in PostgreSQL. Default: none, unless the whole run is on PostgreSQL. */
  readonly store?: string;
}

export { createFakeClock };

export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const dataDir = await mkdtemp(join(tmpdir(), "cumulet-test-"));
  const store = options.store ?? (await newSharedStore());
  const launch = async (port: number) => {
    const config = readConfig(
      {
        port: String(port),
        data: dataDir,
        dev: options.dev ?? false,
        sandbox: options.sandbox,
        store,
        "tls-cert": options.tls?.certFile,
        "tls-key": options.tls?.keyFile,
      },
      { CUMULET_LOG: process.env["CUMULET_LOG"] ?? "error" },
    );
    const platform = await createPlatform(config, {
      writeLog: (line) => process.stderr.write(`${line}\n`),
      ...(options.clock ? { clock: options.clock } : {}),
      ...(options.durable || store !== undefined ? {} : { store: createMemoryStore() }),
    });
    const address = await platform.start();
    return { platform, port: address.port, endpoint: address.endpoint.replace(/^https:/, "http:") };
  };
  let running = await launch(0);
  const credentials = await readFile(join(dataDir, "credentials"), "utf8");
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, "m").exec(credentials)?.[1] ?? "";
  return {
    endpoint: running.endpoint,
    port: running.port,
    dataDir,
    settings: {
      endpoint: running.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") },
      maxAttempts: 1,
    },
    get platform() {
      return running.platform;
    },
    restart: async () => {
      await running.platform.stop(0);
      running = await launch(running.port);
    },
    stop: async () => {
      await running.platform.stop(0);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
