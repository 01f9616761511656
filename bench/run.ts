import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { measureColdStarts } from "./cold-start.ts";
import { installPeers, startFastify, startServerlessOffline } from "./peers.ts";
import { startCumulet } from "./server.ts";
import { measureStartUp } from "./start-up.ts";
import { printTable, type Row } from "./table.ts";
import { measureRequests } from "./throughput.ts";
import { median } from "./statistics.ts";

// One run measures everything side by side: absolute figures depend on the machine, the ratios much less.
installPeers();
const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-"));
try {
  const requests = await compareRequests(join(folder, "warm"));
  const cold = await measureColdStarts(join(folder, "cold"));
  const startUp = await measureStartUp(join(folder, "start"));
  const rows: Row[] = [
    ...Object.entries(requests.perSecond).map(([name, perSecond]) => ({
      what: `warm requests/s, ${name}`,
      value: Math.round(median(perSecond)),
      unit: "1/s",
    })),
    ...Object.entries(requests.p99Ms).map(([name, values]) => ({
      what: `p99 under that load, ${name}`,
      value: median(values),
      unit: "ms",
    })),
    {
      what: "Cumulet / bare Fastify",
      value: ratio(requests.perSecond.cumulet, requests.perSecond.fastify),
      unit: "×",
      aim: "≥ 0.25",
    },
    {
      what: "Cumulet / serverless-offline",
      value: ratio(requests.perSecond.cumulet, requests.perSecond.offline),
      unit: "×",
      aim: "≥ 8",
    },
    {
      what: "cold start, Node.js, first request of a new environment, median",
      value: median(cold.singleMs),
      unit: "ms",
      aim: "< 10",
    },
    { what: "cold start, Python, median", value: median(cold.pythonMs), unit: "ms", aim: "< 10" },
    { what: "cold start, Node.js with an AWS SDK client, median", value: median(cold.sdkMs), unit: "ms", aim: "< 25" },
    {
      what: "cold start from nothing, Node.js, median",
      value: median(cold.nodeFromNothingMs),
      unit: "ms",
      aim: "< 60",
    },
    {
      what: "cold start from nothing, Python, median",
      value: median(cold.pythonFromNothingMs),
      unit: "ms",
      aim: "< 45",
    },
    { what: "plain `node -e 0` at that time, median", value: median(cold.bareNodeMs), unit: "ms" },
    { what: "plain `python3 -c 0` at that time, median", value: median(cold.barePythonMs), unit: "ms" },
    {
      what: "20 cold starts in parallel, all answered, median",
      value: median(cold.parallelMs),
      unit: "ms",
      aim: "< 400",
    },
    {
      what: "20 cold starts in parallel, the first time after start",
      value: cold.parallelMs[0] ?? Number.NaN,
      unit: "ms",
    },
    {
      what: "100 cold starts in parallel, all answered, median",
      value: median(cold.manyMs),
      unit: "ms",
      aim: "< 1500",
    },
    { what: "20 first requests to one new function, median", value: median(cold.sameFunctionMs), unit: "ms" },
    { what: "ready with 200 functions deployed, median", value: median(startUp.readyMs), unit: "ms", aim: "< 400" },
    { what: "plain `node -e 0` on this machine, median", value: median(startUp.bareNodeMs), unit: "ms" },
    { what: "resident memory idle, server with 200 functions", value: startUp.idleMb, unit: "MB", aim: "< 100" },
    { what: "resident memory, bare Fastify", value: requests.fastifyMb, unit: "MB" },
    { what: "resident memory, serverless-offline", value: requests.offlineMb, unit: "MB" },
  ];
  printTable(rows);
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const results = { date: new Date().toISOString(), machine, rows, samples: { requests, cold, startUp } };
  await writeFile(new URL("results.json", import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compareRequests(dataDir: string) {
  const cumulet = await startCumulet(dataDir, "bench/app");
  const fastify = await startFastify();
  const offline = await startServerlessOffline();
  try {
    const targets = { cumulet: cumulet.url("bench-hello"), fastify: fastify.url, offline: offline.url };
    const measured = await measureRequests(targets);
    return { ...measured, fastifyMb: fastify.residentMb(), offlineMb: offline.residentMb() };
  } finally {
    await Promise.all([cumulet.stop(), fastify.stop(), offline.stop()]);
  }
}

function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return Math.round((median(ours) / median(theirs)) * 100) / 100;
}
