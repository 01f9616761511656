import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, ratio } from "./statistics.ts";
import type { Row } from "./table.ts";

const run = promisify(execFile);
const main = "dist/main.mjs";
const rounds = 3;
const roundSeconds = 3;
const warmUpSeconds = 1;
const inFlight = 32;

/**
 * Each process that serves may use so much of one processor, so that on two processors two of them, the functions and the
 * load generator do not take from each other: what is compared is one process with two, not one processor with two.
 */
const share = 0.3;
const periodUs = 20_000;

const kinds = ["warm requests", "asynchronous invocations", "objects put"] as const;

/** Where one of these processes, or several that share a port, are asked. */
export interface Serving {
  /** The processes that serve. */
  readonly pids: readonly number[];
  /** What is in flight is spread over these. */
  readonly endpoints: readonly string[];
  /** The path of the bench's route at each of them. */
  readonly helloPath: string;
}

export interface Scaling {
  /** Requests per second by what was asked, of one and of two, a value for each round. */
  readonly perSecond: Readonly<Record<string, { readonly one: number[]; readonly two: number[] }>>;
  /** Whether each process was held to its share. */
  readonly isLimited: boolean;
}

/** One beside two, in turns: warm requests, asynchronous invocations, and objects put. Needs root for the shares. */
export async function compareScaling(folder: string, one: Serving, two: Serving): Promise<Scaling> {
  for (const { endpoints, helloPath } of [one, two]) {
    for (const endpoint of endpoints) {
      // Every process has environments before it is limited.
      await Promise.all(Array.from({ length: 64 }, () => askOnce(`${endpoint}${helloPath}`)));
    }
    await fetch(`${endpoints[0]}/bench`, { method: "PUT", headers: anySignature("s3") });
  }
  const limits = [...one.pids, ...two.pids].map((pid, at) => limitProcessor(pid, `cumulet-bench-${process.pid}-${at}`));
  try {
    const scripts = await writeScripts(folder);
    const perSecond: Record<string, { one: number[]; two: number[] }> = {};
    for (const what of kinds) {
      const found: { one: number[]; two: number[] } = { one: [], two: [] };
      const ask = async ({ endpoints, helloPath }: Serving, seconds: number) => {
        const paths = { ...fixedPaths, "warm requests": helloPath };
        const each = endpoints.map((endpoint) =>
          load(`${endpoint}${paths[what]}`, scripts[what], inFlight / endpoints.length, seconds),
        );
        return (await Promise.all(each)).reduce((sum, value) => sum + value, 0);
      };
      await ask(one, warmUpSeconds);
      await ask(two, warmUpSeconds);
      for (let round = 0; round < rounds; round += 1) {
        found.one.push(await ask(one, roundSeconds));
        found.two.push(await ask(two, roundSeconds));
      }
      perSecond[what] = found;
    }
    return { perSecond, isLimited: limits.every((limit) => limit !== undefined) };
  } finally {
    for (const remove of limits) remove?.();
  }
}

async function askOnce(url: string): Promise<void> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
}

const fixedPaths = {
  "asynchronous invocations": "/2015-03-31/functions/bench-hello/invocations",
  "objects put": "/bench/object",
};

/** @param what such a process, as in `1 worker` */
export function scalingRows({ perSecond, isLimited }: Scaling, what: string): Row[] {
  const held = isLimited ? `, each held to ${share * 100} % of a core` : "";
  return Object.entries(perSecond).flatMap(([asked, { one, two }]) => [
    { what: `${asked}/s, 1 ${what}${held}`, value: Math.round(median(one)), unit: "1/s" },
    { what: `${asked}/s, 2 ${what}s${held}`, value: Math.round(median(two)), unit: "1/s" },
    {
      what: `${asked}, 2 ${what}s / 1 ${what}`,
      value: ratio(two, one),
      unit: "×",
      ...(isLimited && { aim: "≥ 1.8" }),
    },
  ]);
}

/** @returns the path of its route at the endpoint */
export async function deployApp(app: string, dataDir: string, port: number): Promise<string> {
  const args = [main, "deploy", app, "--data", dataDir, "--port", String(port)];
  const { stdout } = await run(process.execPath, args);
  const address = /^GET\s+(\S+)$/m.exec(stdout)?.[1];
  if (address === undefined) throw new Error(`The app printed no address:\n${stdout}`);
  const url = new URL(address.replace("{name}", "x"));
  // By its path alone, so that every node answers it.
  const api = /^([a-z0-9]{10})\.execute-api/.exec(url.hostname)?.[1];
  return api === undefined ? url.pathname : `/_cumulet/api/${api}${url.pathname}`;
}

async function writeScripts(folder: string): Promise<Record<string, string | undefined>> {
  const event = join(folder, "event.lua");
  await writeFile(
    event,
    `wrk.method = "POST"
wrk.body = "{}"
wrk.headers["X-Amz-Invocation-Type"] = "Event"
wrk.headers["Content-Type"] = "application/json"
${luaHeaders("lambda")}`,
  );
  const put = join(folder, "put.lua");
  await writeFile(
    put,
    `${luaHeaders("s3")}
local n = 0
local body = string.rep("x", 1024)
request = function()
  n = n + 1
  return wrk.format("PUT", wrk.path .. (n % 10000), nil, body)
end
`,
  );
  return { "asynchronous invocations": event, "objects put": put };
}

/** With --dev it is looked at, and found to be wrong, and let pass. */
function anySignature(service: string): Record<string, string> {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const credential = `AKIDEXAMPLE/${date.slice(0, 8)}/us-east-1/${service}/aws4_request`;
  return {
    "x-amz-date": date,
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
  };
}

function luaHeaders(service: string): string {
  return Object.entries(anySignature(service))
    .map(([name, value]) => `wrk.headers["${name}"] = "${value}"`)
    .join("\n");
}

async function load(url: string, script: string | undefined, connections: number, seconds: number): Promise<number> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s"];
  const { stdout } = await run("wrk", [...args, ...(script === undefined ? [] : ["-s", script]), url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url} failed under load:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

/** @returns what takes the limit back; undefined where this host does not let us set one */
function limitProcessor(pid: number, name: string): (() => void) | undefined {
  const root = "/sys/fs/cgroup/cpu";
  if (!existsSync(join(root, "cpu.cfs_quota_us"))) return undefined;
  const own = /^\d+:[^:]*\bcpu\b[^:]*:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "/";
  const group = join(root, own, name);
  try {
    mkdirSync(group);
    writeFileSync(join(group, "cpu.cfs_period_us"), String(periodUs));
    writeFileSync(join(group, "cpu.cfs_quota_us"), String(share * periodUs));
    writeFileSync(join(group, "cgroup.procs"), String(pid));
    return () => {
      try {
        rmdirSync(group);
      } catch {
        // It is taken away when the last process in it has gone.
      }
    };
  } catch {
    return undefined;
  }
}
