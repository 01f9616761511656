import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { processorMs } from "./process.ts";

const run = promisify(execFile);

export interface Target {
  readonly name: string;
  readonly url: string;
  /** A script for wrk, where the request is not a plain GET. */
  readonly script?: string;
  /** The process that answers, whose processor time is counted. */
  readonly pid?: number;
}

export interface Load {
  /** Requests in flight: one for each connection. */
  readonly inFlight: number;
  readonly rounds: number;
  readonly roundSeconds: number;
}

/** A value for each round. */
export interface Throughput {
  readonly perSecond: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  /** Processor time of the process for each request, in microseconds; empty where no process was named. */
  readonly processorUs: number[];
}

/**
 * Requests per second and latencies of each target under `wrk` on one thread. The targets take turns, round by round, so
 * that what else the machine does falls on all of them.
 */
export async function measureRequests(
  targets: readonly Target[],
  load: Load,
): Promise<ReadonlyMap<string, Throughput>> {
  const measured = new Map<string, Throughput>(
    targets.map(({ name }) => [name, { perSecond: [], p50Ms: [], p99Ms: [], processorUs: [] }]),
  );
  // Who fails under load is left out from then on, and of the results.
  const attempt = async (target: Target, seconds: number) => {
    if (!measured.has(target.name)) return undefined;
    try {
      return await once(target, load.inFlight, seconds);
    } catch (error) {
      measured.delete(target.name);
      console.error(`${target.name} is left out: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  for (const target of targets) await attempt(target, 2);
  for (let round = 0; round < load.rounds; round++) {
    for (const target of targets) {
      const found = await attempt(target, load.roundSeconds);
      const all = measured.get(target.name);
      if (found === undefined || all === undefined) continue;
      all.perSecond.push(found.perSecond);
      all.p50Ms.push(found.p50Ms);
      all.p99Ms.push(found.p99Ms);
      if (found.processorUs !== undefined) all.processorUs.push(found.processorUs);
    }
  }
  return measured;
}

async function once({ url, script, pid }: Target, inFlight: number, seconds: number) {
  const before = pid === undefined ? 0 : processorMs(pid);
  // Who answers late has answered: without a timeout of its own, wrk counts that as a failure after 2 s.
  const args = ["-t1", `-c${inFlight}`, `-d${seconds}s`, "--timeout", "30s", "--latency"];
  const { stdout } = await run("wrk", [...args, ...(script === undefined ? [] : ["-s", script]), url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url} failed under load:\n${stdout}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  return {
    ...(pid !== undefined && { processorUs: ((processorMs(pid) - before) * 1_000) / requests }),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: milliseconds(stdout, 50),
    p99Ms: milliseconds(stdout, 99),
  };
}

function milliseconds(stdout: string, percentile: number): number {
  const [, amount, unit] = new RegExp(`${percentile}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? [];
  return Number(amount) * (unit === "us" ? 0.001 : unit === "s" ? 1_000 : 1);
}
