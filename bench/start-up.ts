import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { writeApp } from "./cold-start.ts";
import { startCumulet } from "./server.ts";

// In two apps: each function comes with a role and a permission, and a stack has at most 500 resources.
const apps = 2;
const functionsPerApp = 100;
const starts = 7;
const idleMs = 3_000;

export interface StartUp {
  readonly readyMs: readonly number[];
  readonly bareNodeMs: readonly number[];
  readonly idleMb: number;
}

/** How long the server takes from process start to healthy with 200 functions deployed, and what memory it then holds. */
export async function measureStartUp(folder: string): Promise<StartUp> {
  const dataDir = join(folder, "data");
  for (let index = 0; index < apps; index++) {
    const app = join(folder, `app-${index}`);
    await writeApp(app, functionsPerApp, index * functionsPerApp);
    const deploying = await startCumulet(dataDir, app);
    await deploying.stop();
  }
  const readyMs: number[] = [];
  const bareNodeMs: number[] = [];
  let idleMb = Number.NaN;
  for (let start = 0; start < starts; start++) {
    const from = performance.now();
    execFileSync(process.execPath, ["-e", "0"]);
    bareNodeMs.push(performance.now() - from);
    const server = await startCumulet(dataDir);
    readyMs.push(server.readyMs);
    if (start === starts - 1) {
      await delay(idleMs);
      idleMb = server.residentMb();
    }
    await server.stop();
  }
  return { readyMs, bareNodeMs, idleMb };
}
