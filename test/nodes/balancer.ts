import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
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
  stop(): Promise<void>;
}

const port = 4500;

/** A server that takes no connection, or gives no answer in 5 s, is passed over for 5 s; what may have begun there is the client's to try again. */
export async function startBalancer(on: Host, servers: readonly string[]): Promise<Balancer> {
  const nginx = findNginx();
  if (nginx === undefined) throw new Error(noNginx);
  const folder = await mkdtemp(join(tmpdir(), "cumulet-nginx-"));
  await mkdir(join(folder, "temp"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/temp/${kind};`)
    .join("\n");
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off;
user root;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 0;
  proxy_connect_timeout 1s;
  upstream nodes {
    ${servers.map((server) => `server ${server} max_fails=1 fail_timeout=5s;`).join("\n    ")}
  }
  server {
    listen ${on.address}:${port};
    location / {
      proxy_pass http://nodes;
      proxy_set_header Host $http_host;
      proxy_next_upstream error timeout http_503;
      proxy_read_timeout 5s;
    }
  }
}
`,
  );
  const [program = "", ...args] = [...on.enter, nginx, "-c", join(folder, "nginx.conf"), "-p", folder];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const until = Date.now() + 10_000;
  while (!existsSync(join(folder, "pid"))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`nginx did not start:\n${log}`);
    await delay(20);
  }
  return {
    port,
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
