import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { systemClock } from "../src/kernel/clock.ts";
import { createLog } from "../src/kernel/log.ts";
import { openLmdbStore } from "../src/kernel/store/lmdb-store.ts";
import { openPostgresStore } from "../src/kernel/store/postgres-store.ts";
import type { Store } from "../src/kernel/store/store.ts";
import { startPostgres } from "../src/testing/postgres.ts";
import { printTable, type Row } from "./table.ts";

/**
 * The store's operations, embedded and on PostgreSQL, beside what `pg` does with a table and nothing around it: a
 * single-row SELECT, and an upsert that is a transaction of its own. Operations a second, in one run.
 */
const roundMs = 800;
const keys = 10_000;
const value = { name: "x".repeat(200), n: 1 };

type Operation = () => Promise<unknown>;

function operationsOf(store: Store): Readonly<Record<string, Operation>> {
  let next = 0;
  const key = () => ["bench", (next = (next + 7_919) % keys)];
  return {
    get: () => store.read((reader) => reader.get(key())),
    "get, then get": () =>
      store.read(async (reader) => {
        await reader.get(key());
        await reader.get(key());
      }),
    "range of 100": () => store.read((reader) => reader.range({ prefix: ["bench"], after: key() }, { limit: 100 })),
    set: () => store.transact(async (tx) => tx.set(key(), value)),
    "read, modify, write": () =>
      store.transact(async (tx) => {
        const at = key();
        tx.set(at, { ...(await tx.get<object>(at)), n: next });
      }),
  };
}

async function fill(store: Store): Promise<void> {
  for (let from = 0; from < keys; from += 1_000) {
    await store.transact(async (tx) => {
      for (let n = from; n < from + 1_000; n += 1) tx.set(["bench", n], value);
    });
  }
}

async function perSecond(operation: Operation, inFlight: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() - start < roundMs) {
        await operation();
        done += 1;
      }
    }),
  );
  return Math.round(done / ((performance.now() - start) / 1000));
}

export interface StoreMeasured {
  readonly operation: string;
  readonly inFlight: number;
  /** Operations a second. */
  readonly embedded: number;
  readonly postgresql: number;
  /** Where there is one that compares. */
  readonly pgAlone?: number;
}

export async function measureStore(folder: string): Promise<readonly StoreMeasured[]> {
  const postgres = await startPostgres();
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const embedded = await openLmdbStore({ folder: join(folder, "embedded"), clock: systemClock });
    closing.unshift(() => embedded.close());
    const shared = await openPostgresStore({
      url: await postgres.newStore(),
      log: createLog("error", (line) => process.stderr.write(`${line}\n`), Date.now),
    });
    closing.unshift(() => shared.close());
    const pool = new Pool({ connectionString: postgres.url, max: 32 });
    closing.unshift(() => pool.end());
    await pool.query("CREATE TABLE raw (key bytea PRIMARY KEY, value bytea NOT NULL)");
    const raw = rawOperations(pool);
    await fill(embedded);
    await fill(shared);
    const measured: StoreMeasured[] = [];
    for (const [operation, onEmbedded] of Object.entries(operationsOf(embedded))) {
      const onPostgres = operationsOf(shared)[operation] ?? onEmbedded;
      for (const inFlight of [1, 32]) {
        measured.push({
          operation,
          inFlight,
          embedded: await perSecond(onEmbedded, inFlight),
          postgresql: await perSecond(onPostgres, inFlight),
          ...(raw[operation] && { pgAlone: await perSecond(raw[operation], inFlight) }),
        });
      }
    }
    return measured;
  } finally {
    for (const close of closing) await close();
    await postgres.stop();
  }
}

function rawOperations(pool: Pool): Readonly<Record<string, Operation>> {
  const bytes = Buffer.from(JSON.stringify(value));
  let next = 0;
  const key = () => Buffer.from(`k${(next = (next + 7_919) % keys)}`);
  return {
    get: () => pool.query({ name: "get", text: "SELECT value FROM raw WHERE key = $1", values: [key()] }),
    set: () =>
      pool.query({
        name: "set",
        text: "INSERT INTO raw VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        values: [key(), bytes],
      }),
  };
}

export function storeRows(measured: readonly StoreMeasured[]): Row[] {
  return measured.flatMap(({ operation, inFlight, embedded, postgresql, pgAlone }) => {
    const what = `store, ${operation}, ${inFlight} in flight`;
    return [
      { what: `${what}, embedded`, value: embedded, unit: "1/s" },
      { what: `${what}, PostgreSQL`, value: postgresql, unit: "1/s" },
      ...(pgAlone === undefined
        ? []
        : [
            { what: `${what}, pg alone`, value: pgAlone, unit: "1/s" },
            {
              what: `${what}, time on PostgreSQL / with pg alone`,
              value: Math.round((pgAlone / postgresql) * 100) / 100,
              unit: "×",
              ...(operation === "set" && { aim: "≤ 3" }),
            },
          ]),
    ];
  });
}

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-store-"));
  try {
    printTable(storeRows(await measureStore(folder)));
  } finally {
    await rm(folder, { recursive: true });
  }
}
