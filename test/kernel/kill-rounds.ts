import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../../src/kernel/clock.ts";
import { openLmdbStore } from "../../src/kernel/store/lmdb-store.ts";
import type { Store } from "../../src/kernel/store/store.ts";

export const storeProcess = join(import.meta.dirname, "store-process.ts");

export interface KillReport {
  readonly acknowledged: number;
  /** Acknowledged and not there. */
  readonly lost: number;
  /** Transactions of which only a part is there. */
  readonly halves: number;
  /** What the stored count and the number of stored pairs differ by. */
  readonly miscounted: number;
}

/** Start a writer, kill it with SIGKILL at a random moment, open its store and compare; `rounds` times on one folder. */
export async function killRounds(rounds: number, random: () => number): Promise<KillReport> {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-kill-"));
  let acknowledged: number[] = [];
  let report: KillReport = { acknowledged: 0, lost: 0, halves: 0, miscounted: 0 };
  for (let round = 0; round < rounds; round += 1) {
    acknowledged = await writeAndDie(folder, round * 1_000_000, 5 + random() * 150);
    const store = await openLmdbStore({ folder, clock: systemClock });
    const found = await inspect(store, acknowledged);
    report = {
      acknowledged: report.acknowledged + acknowledged.length,
      lost: report.lost + found.lost,
      halves: report.halves + found.halves,
      miscounted: report.miscounted + found.miscounted,
    };
    await clear(store);
    await store.close();
  }
  await rm(folder, { recursive: true });
  return report;
}

async function writeAndDie(folder: string, first: number, afterMs: number): Promise<number[]> {
  const child = spawn(process.execPath, [storeProcess, folder, "write", String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout });
  const opened = once(lines, "line");
  lines.on("line", (line) => {
    if (line !== "open") acknowledged.push(Number(line));
  });
  const ended = once(lines, "close");
  await opened;
  await setTimeout(afterMs);
  child.kill("SIGKILL");
  await ended;
  return acknowledged;
}

async function inspect(store: Store, acknowledged: readonly number[]): Promise<Omit<KillReport, "acknowledged">> {
  return store.read(async (reader) => {
    const left = await reader.range<{ n: number }>({ prefix: ["left"] }, { limit: 10_000 });
    const right = await reader.range<number>({ prefix: ["right"] }, { limit: 10_000 });
    const lefts = new Set(left.map((entry) => entry.value.n));
    const rights = new Set(right.map((entry) => entry.value));
    const total = Number((await reader.get(["total"])) ?? 0);
    return {
      lost: acknowledged.filter((n) => !lefts.has(n) || !rights.has(n)).length,
      halves: [...lefts].filter((n) => !rights.has(n)).length + [...rights].filter((n) => !lefts.has(n)).length,
      miscounted: Math.abs(total - lefts.size),
    };
  });
}

async function clear(store: Store): Promise<void> {
  await store.transact(async (tx) => {
    for (const entry of await tx.range({ prefix: [] }, { limit: 10_000 })) tx.delete(entry.key);
  });
}
