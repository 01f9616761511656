import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const rounds = 5;
const roundSeconds = 6;
const connections = 32;

type Target = "cumulet" | "fastify" | "offline";

/**
 * Requests per second and p99 latency of each target under `wrk` with 32 connections on one thread. The targets take
 * turns, round by round, so that what else the machine does falls on all of them.
 */
export async function measureRequests(
  targets: Readonly<Record<Target, string>>,
): Promise<{ perSecond: Record<Target, number[]>; p99Ms: Record<Target, number[]> }> {
  const perSecond: Record<Target, number[]> = { cumulet: [], fastify: [], offline: [] };
  const p99Ms: Record<Target, number[]> = { cumulet: [], fastify: [], offline: [] };
  const names = ["cumulet", "fastify", "offline"] as const;
  for (const name of names) await load(targets[name], 3);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const measured = await load(targets[name], roundSeconds);
      perSecond[name].push(measured.perSecond);
      p99Ms[name].push(measured.p99Ms);
    }
  }
  return { perSecond, p99Ms };
}

async function load(url: string, seconds: number): Promise<{ perSecond: number; p99Ms: number }> {
  // Who answers late has answered: without a timeout of its own, wrk counts that as a failure after 2 s.
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "30s", "--latency", url];
  const { stdout } = await run("wrk", args);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url} failed under load:\n${stdout}`);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, amount, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  return { perSecond, p99Ms: Number(amount) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1) };
}
