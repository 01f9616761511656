import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { bareInterpreters } from "./bare.ts";
import { accessRows, measureAccess } from "./access.ts";
import { cognitoRows, measureCognito } from "./cognito.ts";
import { measureColdStarts } from "./cold-start.ts";
import { dynamoDbRows, measureDynamoDb } from "./dynamodb.ts";
import { gatewayRows, measureGateway } from "./gateway.ts";
import { measureIdle } from "./idle.ts";
import { measureNodes, nodesRows } from "./nodes.ts";
import { installPeers } from "./peers.ts";
import { measureReload } from "./reload.ts";
import { compareRequests, requestsRows } from "./requests.ts";
import { measureS3, s3Rows } from "./s3.ts";
import { coldRows, idleRows, reloadRows, startUpRows } from "./rows.ts";
import { measureStartUp } from "./start-up.ts";
import { measureStore, storeRows } from "./store.ts";
import { printTable, type Row } from "./table.ts";
import { measureWorkers, workersRows } from "./workers.ts";

interface Section {
  readonly rows: readonly Row[];
  readonly samples: unknown;
}

// One run measures everything side by side: absolute figures depend on the machine, the ratios much less.
const root = await mkdtemp(join(tmpdir(), "cumulet-bench-"));
const bares = () => bareInterpreters(join(root, "bare"));
const sections: Readonly<Record<string, (folder: string) => Promise<Section>>> = {
  warm: async (folder) => section(await compareRequests(folder), requestsRows),
  cold: async (folder) => section(await measureColdStarts(folder, await bares()), coldRows),
  gateway: async (folder) => section(await measureGateway(folder), gatewayRows),
  idle: async (folder) => section(await measureIdle(folder, await bares()), idleRows),
  reload: async (folder) => section(await measureReload(folder), reloadRows),
  "start-up": async (folder) => section(await measureStartUp(folder), startUpRows),
  workers: async (folder) => section(await measureWorkers(folder), workersRows),
  nodes: async (folder) => section(await measureNodes(folder), nodesRows),
  access: async () => section(await measureAccess(), accessRows),
  cognito: async (folder) => section(await measureCognito(folder), cognitoRows),
  dynamodb: async (folder) => section(await measureDynamoDb(folder), dynamoDbRows),
  s3: async (folder) => section(await measureS3(folder), s3Rows),
  store: async (folder) => section(await measureStore(folder), storeRows),
};

function section<T>(samples: T, rowsOf: (samples: T) => readonly Row[]): Section {
  return { rows: rowsOf(samples), samples };
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => sections[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(", ")}: ${Object.keys(sections).join(", ")}.`);
  process.exit(2);
}
const rows: Row[] = [];
const samples: Record<string, unknown> = {};
const failures: Record<string, string> = {};
const seconds: Record<string, number> = {};
try {
  installPeers();
  for (const [name, measure] of Object.entries(sections)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const from = performance.now();
    try {
      const folder = join(root, name);
      await mkdir(folder);
      const found = await measure(folder);
      rows.push(...found.rows);
      samples[name] = found.samples;
    } catch (error) {
      failures[name] = error instanceof Error ? (error.stack ?? error.message) : String(error);
      console.error(`${name} could not be measured: ${failures[name]}`);
    }
    seconds[name] = Math.round((performance.now() - from) / 1_000);
    console.error(`${name}: ${seconds[name]} s`);
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
printTable(rows);
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
// What is kept is of one run.
if (chosen.length === 0) {
  const results = { date: new Date().toISOString(), machine, seconds, failures, rows, samples };
  await writeFile(new URL("results.json", import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
}
if (Object.keys(failures).length > 0) process.exitCode = 1;
