import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { bareInterpreters } from "./bare.ts";
import { measureColdStarts } from "./cold-start.ts";
import { measureIdle } from "./idle.ts";
import { installPeers, startFastify, startFun, startServerlessOffline } from "./peers.ts";
import { measureReload } from "./reload.ts";
import { coldRows, idleRows, requestRows, startUpRows } from "./rows.ts";
import { startCumulet } from "./server.ts";
import { measureStartUp } from "./start-up.ts";
import { median } from "./statistics.ts";
import { printTable, type Row } from "./table.ts";
import { measureRequests } from "./throughput.ts";

// One run measures everything side by side: absolute figures depend on the machine, the ratios much less.
installPeers();
const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-"));
try {
  const bares = await bareInterpreters(join(folder, "bare"));
  const requests = await compareRequests(join(folder, "warm"));
  const cold = await measureColdStarts(join(folder, "cold"), bares);
  const idle = await measureIdle(join(folder, "idle"), bares);
  const reloadMs = await measureReload(join(folder, "reload"));
  const startUp = await measureStartUp(join(folder, "start"));
  const rows: Row[] = [
    ...requestRows(requests.many, "32 in flight"),
    ...requestRows(requests.alone, "1 in flight"),
    ...coldRows(cold),
    ...idleRows(idle),
    {
      what: "saved under `cumulet dev` until the new code answers, median",
      value: median(reloadMs),
      unit: "ms",
      aim: "< 200",
    },
    ...startUpRows(startUp),
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
  const { many, alone, ...residentMb } = requests;
  const samples = {
    requests: { many: Object.fromEntries(many), alone: Object.fromEntries(alone), ...residentMb },
    cold,
    idle,
    reloadMs,
    startUp,
  };
  const results = { date: new Date().toISOString(), machine, rows, samples };
  await writeFile(new URL("results.json", import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compareRequests(dataDir: string) {
  const cumulet = await startCumulet(dataDir, "bench/app");
  const fastify = await startFastify();
  const offline = await startServerlessOffline();
  const fun = await startFun();
  try {
    const targets = [
      { name: "cumulet", url: cumulet.url("bench-hello") },
      { name: "fastify", url: fastify.url },
      { name: "serverless-offline", url: offline.url },
    ];
    // It gives up requests when many come at once: its processes are started one by one.
    const oneByOne = { name: "@vercel/fun", url: fun.url };
    const many = await measureRequests(targets, { inFlight: 32, rounds: 5, roundSeconds: 4 });
    const alone = await measureRequests([...targets, oneByOne], { inFlight: 1, rounds: 3, roundSeconds: 3 });
    return { many, alone, fastifyMb: fastify.residentMb(), offlineMb: offline.residentMb() };
  } finally {
    await Promise.all([cumulet.stop(), fastify.stop(), offline.stop(), fun.stop()]);
  }
}
