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

/**
 * The store's operations, embedded and on PostgreSQL, beside what `pg` does with a table and nothing around it: a
 * single-row SELECT, and an upsert that is a transaction of its own. Operations a second, in one run.
 */
const roundMs = 1_500;
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

const folder = await mkdtemp(join(tmpdir(), "cumulet-bench-store-"));
const postgres = await startPostgres();
const embedded = await openLmdbStore({ folder, clock: systemClock });
const shared = await openPostgresStore({
  url: await postgres.newStore(),
  log: createLog("error", (line) => process.stderr.write(`${line}\n`), Date.now),
});
const pool = new Pool({ connectionString: postgres.url, max: 32 });
await pool.query("CREATE TABLE raw (key bytea PRIMARY KEY, value bytea NOT NULL)");
const bytes = Buffer.from(JSON.stringify(value));
let rawKey = 0;
const nextRawKey = () => Buffer.from(`k${(rawKey = (rawKey + 7_919) % keys)}`);
const raw: Readonly<Record<string, Operation>> = {
  get: () => pool.query({ name: "get", text: "SELECT value FROM raw WHERE key = $1", values: [nextRawKey()] }),
  set: () =>
    pool.query({
      name: "set",
      text: "INSERT INTO raw VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      values: [nextRawKey(), bytes],
    }),
};
await fill(embedded);
await fill(shared);
const rows = [];
for (const [name, operation] of Object.entries(operationsOf(embedded))) {
  const onPostgres = operationsOf(shared)[name] ?? operation;
  for (const inFlight of [1, 32]) {
    rows.push({
      operation: name,
      "in flight": inFlight,
      embedded: await perSecond(operation, inFlight),
      postgresql: await perSecond(onPostgres, inFlight),
      "pg alone": raw[name] ? await perSecond(raw[name], inFlight) : undefined,
    });
  }
}
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
await pool.end();
await shared.close();
await embedded.close();
await postgres.stop();
await rm(folder, { recursive: true });
