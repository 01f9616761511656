import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../src/kernel/log.ts";
import { openPostgresStore } from "../../src/kernel/store/postgres-store.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";
import { startFlakyProxy } from "./flaky-proxy.ts";

const missing = (await findPostgres()) === undefined;
const log = createLog("silent", () => {}, Date.now);

describe.skipIf(missing)(`the store while PostgreSQL fails${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  const opened: Store[] = [];
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  afterAll(() => postgres.stop());

  const open = async (url: string) => {
    const store = await openPostgresStore({ url, log });
    opened.push(store);
    return store;
  };
  /** Through loopback, with a password: as from another machine. */
  const newRemoteStore = async () => postgres.passwordUrl + new URL(await postgres.newStore()).search;

  test("applies a commit once whose answer was lost", async () => {
    const url = await newRemoteStore();
    const proxy = await startFlakyProxy(url);
    const store = await open(proxy.url);
    await increment(store, 0);
    for (let n = 1; n <= 5; n += 1) {
      const done = store.transact(async (tx) => {
        const value = Number((await tx.get(["counter", 0])) ?? 0);
        // What comes now is the commit.
        proxy.swallowAnswers();
        tx.set(["counter", 0], value + 1);
      });
      // It has reached PostgreSQL when another can read it.
      const other = await open(url);
      while ((await counted(other)) <= n) await delay(5);
      proxy.cut();
      await done;
      expect(await counted(other)).toBe(n + 1);
    }
    await proxy.stop();
  });

  test("loses no acknowledged increment, and makes none twice, while connections are cut", async () => {
    const proxy = await startFlakyProxy(await newRemoteStore());
    const store = await open(proxy.url);
    let acknowledgements = 0;
    const acknowledged = await work(store, 2_000, () => {
      acknowledgements += 1;
      // At any moment of what is under way then.
      if (acknowledgements % 20 === 0) setTimeout(() => proxy.cut(), Math.random() * 5);
    });
    expect(await counted(store)).toBe(acknowledged);
    await proxy.stop();
  });

  test.each([
    ["PostgreSQL is restarted", () => postgres.restart("fast")],
    ["PostgreSQL dies", () => postgres.restart("immediate")],
    [
      "one of its processes is killed",
      async () => {
        const [row] = await postgres.query(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'cumulet' ORDER BY backend_start DESC LIMIT 1",
        );
        process.kill(Number(row?.[0]), "SIGKILL");
        await delay(100);
      },
    ],
  ])("loses no acknowledged increment, and makes none twice, when %s", async (_name, fail) => {
    const url = await newRemoteStore();
    const [store, other] = [await open(url), await open(url)];
    let told = 0;
    other.watch(["counter"], () => {
      told += 1;
    });
    const working = work(store, 2_000);
    await delay(300);
    await fail();
    const acknowledged = await working;
    expect(acknowledged).toBeGreaterThan(0);
    expect(await counted(store)).toBe(acknowledged);
    // Whoever watches from another node is told of what comes now, and had been of all before.
    await other.caughtUp?.();
    const before = told;
    expect(before).toBeGreaterThan(0);
    await increment(store, 0);
    await other.caughtUp?.();
    expect(told).toBeGreaterThan(before);
  });

  test("waits with a read until PostgreSQL is there again", async () => {
    const store = await open(await newRemoteStore());
    await increment(store, 0);
    await postgres.halt();
    const reading = Promise.all([counted(store), store.read(async (reader) => reader.get(["counter", 0]))]);
    await delay(200);
    await postgres.start();
    expect(await reading).toEqual([1, 1]);
  });

  test("tells of the changes of other nodes that were made while the connection for them was lost", async () => {
    const url = await postgres.newStore();
    const [store, other] = [await open(url), await open(url)];
    let told = 0;
    other.watch(["counter"], () => {
      told += 1;
    });
    await other.caughtUp?.();
    for (let round = 0; round < 3; round += 1) {
      await postgres.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_notify%' AND pid <> pg_backend_pid()",
      );
      const before = told;
      await increment(store, 0);
      await until(() => told > before);
    }
  });

  test("tells all who watch when the changes they have missed are not kept any more", async () => {
    const url = await postgres.newStore();
    const [store, other] = [await open(url), await open(url)];
    await increment(store, 0);
    await increment(store, 1);
    const schema = /search_path%3D(\w+)|search_path=(\w+)/.exec(url)?.slice(1).find(Boolean) ?? "";
    await postgres.query(`DELETE FROM ${schema}.cumulet_changes`);
    let told = 0;
    other.watch(["elsewhere"], () => {
      told += 1;
    });
    await other.caughtUp?.();
    expect(told).toBeGreaterThan(0);
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

/** Eight at a time, on counters of which each is wanted by several; how many were acknowledged. */
async function work(store: Store, forMs: number, onAcknowledged = () => {}): Promise<number> {
  const until = Date.now() + forMs;
  let acknowledged = 0;
  await Promise.all(
    Array.from({ length: 8 }, async (_, at) => {
      while (Date.now() < until) {
        await increment(store, at % 3);
        acknowledged += 1;
        onAcknowledged();
      }
    }),
  );
  return acknowledged;
}

function increment(store: Store, counter: number): Promise<void> {
  return store.transact(async (tx) => {
    tx.set(["counter", counter], Number((await tx.get(["counter", counter])) ?? 0) + 1);
  });
}

function counted(store: Store): Promise<number> {
  return store.read(async (reader) => {
    const counters = await reader.range<number>({ prefix: ["counter"] }, { limit: 100 });
    return counters.reduce((sum, { value }) => sum + value, 0);
  });
}
