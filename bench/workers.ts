import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childrenOf, freePort, startProcess, untilAnswers } from "./process.ts";
import { compareScaling, deployApp, scalingRows, type Scaling } from "./scaling.ts";
import { printTable, type Row } from "./table.ts";

export interface WorkersMeasured extends Scaling {
  /** Resident memory of the process that supervises two workers, MB. */
  readonly supervisorMb: number;
}

/** One worker beside two, each group on a port and an embedded store of its own. */
export async function measureWorkers(folder: string): Promise<WorkersMeasured> {
  const one = await startWorkers(join(folder, "one"), 1);
  try {
    const two = await startWorkers(join(folder, "two"), 2);
    try {
      return { ...(await compareScaling(folder, one, two)), supervisorMb: two.residentMb() };
    } finally {
      await two.stop();
    }
  } finally {
    await one.stop();
  }
}

async function startWorkers(dataDir: string, workers: number) {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // Wrongly signed requests are let pass: wrk cannot sign.
  const args = ["dist/main.mjs", "start", "--dev", "--port", String(port), "--data", dataDir];
  const started = startProcess(process.execPath, [...args, "--workers", String(workers)], {
    env: { CUMULET_LOG: "error", CUMULET_API_THROTTLE: "off" },
    quiet: true,
  });
  await untilAnswers(`${endpoint}/_cumulet/ready`, 10);
  const helloPath = await deployApp("bench/app", dataDir, port);
  return {
    ...started,
    pids: workers === 1 ? [started.pid] : childrenOf(started.pid),
    endpoints: [endpoint],
    helloPath,
  };
}

export function workersRows(measured: WorkersMeasured): Row[] {
  return [
    ...scalingRows(measured, "worker"),
    { what: "resident memory, supervising process", value: measured.supervisorMb, unit: "MB" },
  ];
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-workers-"));
  try {
    printTable(workersRows(await measureWorkers(folder)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
