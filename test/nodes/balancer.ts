import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Host } from "./network.ts";

const root = join(import.meta.dirname, "../..");

/** nginx of Debian, installed, or unpacked into `.cache` by `tools/setup-test.sh`; undefined where there is none. */
export function findNginx(): string | undefined {
  return [join(root, ".cache/debian/usr/sbin/nginx"), "/usr/sbin/nginx"].find((path) => existsSync(path));
}

export const noNginx = "nginx is missing (tools/setup-test.sh unpacks Debian's package)";

export interface Balancer {
  readonly port: number;
  /** Send no new requests there, as an upgrade does before it ends a node; resolves when it is so. */
  takeOut(server: string): Promise<void>;
  /** The other way, and also for a server that is left out because it had not answered: resolves when requests are answered by it again. */
  takeIn(server: string): Promise<void>;
  /** The answers of 500 and more that clients were given since this was last asked: status, request, servers tried and what each said. */
  failures(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const port = 4500;
const takesMsMax = 30_000;

/** A server that takes no connection, or gives no answer in 30 s, is passed over for 1 s; what may have begun there is the client's to try again. */
export async function startBalancer(on: Host, servers: readonly string[]): Promise<Balancer> {
  const nginx = findNginx();
  if (nginx === undefined) throw new Error(noNginx);
  const folder = await mkdtemp(join(tmpdir(), "cumulet-nginx-"));
  await mkdir(join(folder, "temp"));
  const out = new Set<string>();
  let generation = 0;
  const configure = async () => {
    generation += 1;
    const inUse = servers.filter((server) => !out.has(server));
    await writeFile(join(folder, "nginx.next"), toConfiguration(folder, on.address, inUse, generation));
    await rename(join(folder, "nginx.next"), join(folder, "nginx.conf"));
  };
  await configure();
  const [program = "", ...args] = [...on.enter, nginx, "-c", join(folder, "nginx.conf"), "-p", folder];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const until = Date.now() + 10_000;
  while (!existsSync(join(folder, "pid"))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`nginx did not start:\n${log}`);
    await delay(20);
  }
  /** Whether the answer to a request that any server may have told satisfies the condition, within a time. */
  const untilAnswered = async (condition: (headers: Headers) => boolean, what: string) => {
    for (const until = Date.now() + takesMsMax; ; await delay(20)) {
      // Not `/_cumulet/ready`: its 503 would have nginx leave out a node that only cannot ask the store in time.
      const { headers } = await fetch(`http://${on.address}:${port}/_cumulet/health`, {
        headers: { connection: "close" },
      });
      if (condition(headers)) return;
      if (Date.now() > until) throw new Error(`${what}:\n${log}${await readFile(join(folder, "error.log"), "utf8")}`);
    }
  };
  const reload = async () => {
    await configure();
    child.kill("SIGHUP");
    await untilAnswered((headers) => headers.get("x-balancer") === String(generation), "nginx did not reload");
  };
  let read = 0;

  return {
    port,
    takeOut: async (server) => {
      out.add(server);
      await reload();
    },
    takeIn: async (server) => {
      if (out.delete(server)) await reload();
      await untilAnswered((headers) => headers.get("x-server") === server, `nginx did not take ${server} back`);
    },
    failures: async () => {
      const lines = (await readFile(join(folder, "access.log"), "utf8")).split("\n").slice(0, -1);
      const since = lines.slice(read);
      read = lines.length;
      return since.filter((line) => line.startsWith("5"));
    },
    stop: async () => {
      if (child.exitCode === null) {
        const exited = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function toConfiguration(folder: string, address: string, servers: readonly string[], generation: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/temp/${kind};`)
    .join("\n");
  return `daemon off;
user root;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  log_format tried '$status $request $upstream_addr $upstream_status $request_time';
  access_log ${folder}/access.log tried;
  ${temporary}
  client_max_body_size 0;
  proxy_connect_timeout 1s;
  upstream nodes {
    ${servers.map((server) => `server ${server} max_fails=1 fail_timeout=1s;`).join("\n    ")}
  }
  server {
    listen ${address}:${port};
    add_header X-Server $upstream_addr always;
    add_header X-Balancer ${generation} always;
    location / {
      proxy_pass http://nodes;
      proxy_set_header Host $http_host;
      proxy_next_upstream error timeout http_503;
      proxy_read_timeout 30s;
    }
  }
}
`;
}
