import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, startProcess, untilAnswers } from "./process.ts";
import { median } from "./statistics.ts";

const run = promisify(execFile);
const main = "dist/main.mjs";
const rounds = 3;
const roundSeconds = 4;
const inFlight = 32;

/**
 * Each process that serves may use so much of one processor, so that on two processors two of them, the functions and the
 * load generator do not take from each other: what is compared is one worker with two, not one processor with two.
 */
const share = 0.3;
const periodUs = 20_000;

export interface WorkersMeasured {
  /** Requests per second by what was asked, for one worker and for two, a value for each round. */
  readonly perSecond: Readonly<Record<string, { readonly one: number[]; readonly two: number[] }>>;
  /** Resident memory of the process that supervises two workers, MB. */
  readonly supervisorMb: number;
  /** Whether each process was held to its share. */
  readonly isLimited: boolean;
}

/** One worker beside two, in turns: warm requests, asynchronous invocations, and objects put. Needs root for the shares. */
export async function measureWorkers(folder: string): Promise<WorkersMeasured> {
  const one = await startWorkers(join(folder, "one"), 1);
  const two = await startWorkers(join(folder, "two"), 2);
  const limits = [...one.serving, ...two.serving].map((pid, at) =>
    limitProcessor(pid, `cumulet-bench-${process.pid}-${at}`),
  );
  try {
    const scripts = await writeScripts(folder);
    const perSecond: Record<string, { one: number[]; two: number[] }> = {};
    for (const what of ["warm requests", "asynchronous invocations", "objects put"] as const) {
      const found: { one: number[]; two: number[] } = { one: [], two: [] };
      const ask = (server: typeof one) => load(server.urls[what], scripts[what]);
      await ask(one);
      await ask(two);
      for (let round = 0; round < rounds; round += 1) {
        found.one.push(await ask(one));
        found.two.push(await ask(two));
      }
      perSecond[what] = found;
    }
    return { perSecond, supervisorMb: two.residentMb(), isLimited: limits.every((limit) => limit !== undefined) };
  } finally {
    await Promise.all([one.stop(), two.stop()]);
    for (const remove of limits) remove?.();
  }
}

async function startWorkers(dataDir: string, workers: number) {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // Wrongly signed: wrk cannot sign.
  const args = [main, "start", "--dev", "--port", String(port), "--data", dataDir, "--workers", String(workers)];
  const started = startProcess(process.execPath, args, { env: { CUMULET_LOG: "error" }, quiet: true });
  await untilAnswers(`${endpoint}/_cumulet/ready`, 10);
  const deployed = await run(process.execPath, [
    main,
    "deploy",
    "bench/app",
    "--data",
    dataDir,
    "--port",
    String(port),
  ]);
  const address = /^GET\s+(\S+)$/m.exec(deployed.stdout)?.[1] ?? "";
  const url = address.replace("{name}", "x");
  await fetch(`${endpoint}/bench`, { method: "PUT", headers: anySignature("s3") });
  // Every worker has environments before the processes are limited.
  await Promise.all(Array.from({ length: 64 }, () => fetch(url).then((answer) => answer.text())));
  return {
    ...started,
    serving: workers === 1 ? [started.pid] : childrenOf(started.pid),
    urls: {
      "warm requests": url,
      "asynchronous invocations": `${endpoint}/2015-03-31/functions/bench-hello/invocations`,
      "objects put": `${endpoint}/bench/object`,
    },
  };
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

async function load(url: string, script: string | undefined): Promise<number> {
  const args = ["-t1", `-c${inFlight}`, `-d${roundSeconds}s`, "--timeout", "30s"];
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

function childrenOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Of what `measureWorkers` has found, for the table of `bench/run.ts`. */
export function workersRows({ perSecond, supervisorMb, isLimited }: WorkersMeasured) {
  const held = isLimited ? `, each process held to ${share * 100} % of a core` : "";
  return [
    ...Object.entries(perSecond).flatMap(([what, { one, two }]) => [
      { what: `${what}/s, 1 worker${held}`, value: Math.round(median(one)), unit: "1/s" },
      { what: `${what}/s, 2 workers${held}`, value: Math.round(median(two)), unit: "1/s" },
      {
        what: `${what}, 2 workers / 1 worker`,
        value: Math.round((median(two) / median(one)) * 100) / 100,
        unit: "×",
        ...(isLimited && { aim: "≥ 1.8" }),
      },
    ]),
    { what: "resident memory, supervising process", value: supervisorMb, unit: "MB" },
  ];
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-workers-"));
  try {
    const measured = await measureWorkers(folder);
    process.stdout.write(`${JSON.stringify({ rows: workersRows(measured), ...measured }, undefined, 1)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
