import { spawn, type ChildProcess } from "node:child_process";
import { execFile } from "node:child_process";
import { chmod, chown, copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";

/** A PostgreSQL of the test's own, from Debian's package, with fsync on as in earnest. */
export interface TestPostgres {
  /** Through the socket, as a user who may do anything. */
  readonly url: string;
  /** Through loopback, with a password. */
  readonly passwordUrl: string;
  /** The address of an empty store of its own (a schema). */
  newStore(): Promise<string>;
  query(text: string): Promise<unknown[][]>;
  /** Stop as an operator does (`fast`), or as a power cut would (`immediate`), and start again. */
  restart(mode: "fast" | "immediate"): Promise<void>;
  /** Stop, without a start. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** The process of PostgreSQL itself, for signals. */
  readonly pid: number;
  stop(): Promise<void>;
}

const user = "cumulet";
const password = "of-the-test";
const startMsMax = 30_000;
const packages = "/usr/lib/postgresql";

/** The folder of PostgreSQL's programs; undefined where there is none. */
export async function findPostgres(): Promise<string | undefined> {
  const versions = await readdir(packages).catch((): string[] => []);
  const newest = versions.map(Number).toSorted((a, b) => b - a)[0];
  return newest === undefined ? undefined : join(packages, String(newest), "bin");
}

export const noPostgres = "PostgreSQL is missing (apt-get install postgresql)";

/** What `newStore` of the PostgreSQL that a whole run shares gives, where there is one (`npm run test:postgres`). */
export async function newSharedStore(): Promise<string | undefined> {
  const url = process.env["CUMULET_TEST_POSTGRES"];
  return url === undefined ? undefined : newStore(url);
}

export interface TestPostgresOptions {
  /** A network namespace to run in, and its address to listen on beside loopback. */
  readonly on?: { readonly namespace: string; readonly address: string };
  /** Speak TLS with these files in PEM, and over the network nothing else. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const { on, tls } = options;
  const programs = await findPostgres();
  if (programs === undefined) throw new Error(noPostgres);
  const folder = await mkdtemp(join(tmpdir(), "cumulet-postgres-"));
  const as = await unprivileged();
  await chmod(folder, 0o700);
  if (as.uid !== undefined) await chown(folder, as.uid, as.gid ?? as.uid);
  const data = join(folder, "data");
  await promisify(execFile)(
    join(programs, "initdb"),
    ["-D", data, "-U", user, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"],
    { ...as, cwd: folder },
  );
  await writeFile(
    join(data, "pg_hba.conf"),
    `local all all trust\n${tls ? "hostssl" : "host"} all all ${on ? "all" : "127.0.0.1/32"} scram-sha-256\n`,
  );
  const port = await freePort();
  const url = `postgres://${user}@${encodeURIComponent(folder)}:${port}/postgres`;
  const settings = [
    `port=${port}`,
    `listen_addresses=127.0.0.1${on ? `,${on.address}` : ""}`,
    `unix_socket_directories=${folder}`,
    "max_connections=400",
    "shared_buffers=64MB",
    ...(tls ? await tlsSettings(folder, tls, as) : []),
  ];
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    const command = [join(programs ?? "", "postgres"), "-D", data, ...settings.flatMap((each) => ["-c", each])];
    const [program = "", ...args] = on ? [...within(on.namespace, as), ...command] : command;
    const child = spawn(program, args, {
      ...(on ? {} : as),
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-10_000)));
    running = child;
    const until = Date.now() + startMsMax;
    for (;;) {
      try {
        await query(url, "SELECT 1");
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > until) {
          child.kill("SIGKILL");
          throw new Error(`PostgreSQL did not start:\n${log}`, { cause: error });
        }
        await delay(20);
      }
    }
  }

  async function halt(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const child = running;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  }

  await start();
  await query(url, `ALTER USER ${user} PASSWORD '${password}'`);
  return {
    url,
    passwordUrl: `postgres://${user}:${password}@${on?.address ?? "127.0.0.1"}:${port}/postgres`,
    newStore: () => newStore(url),
    query: (text) => query(url, text),
    restart: async (mode) => {
      await halt(mode === "fast" ? "SIGINT" : "SIGQUIT");
      await start();
    },
    halt: () => halt("SIGQUIT"),
    start,
    get pid() {
      return running?.pid ?? 0;
    },
    stop: async () => {
      await halt("SIGQUIT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let stores = 0;

async function newStore(url: string): Promise<string> {
  stores += 1;
  const schema = `store_${process.pid}_${stores}`;
  await query(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  const address = new URL(url);
  address.searchParams.set("options", `-csearch_path=${schema}`);
  return address.href;
}

async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new Client(url);
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text, rowMode: "array" });
    return rows ?? [];
  } finally {
    await client.end();
  }
}

function within(namespace: string, { uid = 0, gid = 0 }: { readonly uid?: number; readonly gid?: number }): string[] {
  return ["nsenter", `--net=${namespace}`, "--setgid", String(gid), "--setuid", String(uid), "--"];
}

/** PostgreSQL refuses to run as root: Debian's package makes a user for it. */
async function unprivileged(): Promise<{ readonly uid?: number; readonly gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  return { uid: await idOf("-u"), gid: await idOf("-g") };
}

async function idOf(flag: "-u" | "-g"): Promise<number> {
  return Number((await promisify(execFile)("id", [flag, "postgres"])).stdout);
}

/** The key must be its own. */
async function tlsSettings(
  folder: string,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  as: { readonly uid?: number; readonly gid?: number },
): Promise<string[]> {
  const own = { cert: join(folder, "server.crt"), key: join(folder, "server.key") };
  for (const [from, to] of [
    [certFile, own.cert],
    [keyFile, own.key],
  ] as const) {
    await copyFile(from, to);
    await chmod(to, 0o600);
    if (as.uid !== undefined) await chown(to, as.uid, as.gid ?? as.uid);
  }
  return ["ssl=on", `ssl_cert_file=${own.cert}`, `ssl_key_file=${own.key}`];
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
