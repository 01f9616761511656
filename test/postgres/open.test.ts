import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../src/kernel/log.ts";
import { openPostgresStore } from "../../src/kernel/store/postgres-store.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../src/testing/postgres.ts";

const missing = (await findPostgres()) === undefined;
const log = createLog("silent", () => {}, Date.now);

describe.skipIf(missing)(`a store on PostgreSQL is opened${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const changed = (change: (url: URL) => void) => {
    const url = new URL(postgres.passwordUrl);
    change(url);
    return url.href;
  };

  test("by several that start together, one of which makes the tables", async () => {
    const url = await postgres.newStore();
    const stores = await Promise.all(Array.from({ length: 6 }, () => openPostgresStore({ url, log })));
    const [first, ...others] = stores;
    await first?.transact(async (tx) => tx.set(["k"], 1));
    for (const other of others) expect(await other.read((reader) => reader.get(["k"]))).toBe(1);
    for (const store of stores) await store.close();
  });

  test("and keeps what was stored", async () => {
    const url = await postgres.newStore();
    const first = await openPostgresStore({ url, log });
    await first.transact(async (tx) => tx.set(["k"], { n: 1 }));
    await first.close();
    const second = await openPostgresStore({ url, log });
    expect(await second.read((reader) => reader.get(["k"]))).toEqual({ n: 1 });
    await second.close();
  });

  test("not with a wrong password, which no message repeats", async () => {
    const message = await refusal(changed((url) => (url.password = "wrong-secret")));
    expect(message).toMatch(/refused the user cumulet: the password is wrong/);
    expect(message).not.toContain("wrong-secret");
  });

  test.each([
    ["a database that is not there", (url: URL) => (url.pathname = "/nowhere"), "has no database nowhere"],
    ["a port where nobody listens", (url: URL) => (url.port = "1"), "127.0.0.1:1 cannot be used: ECONNREFUSED"],
    ["a user without a password", (url: URL) => (url.password = ""), "wants a password of the user cumulet"],
  ])("not at %s", async (_name, change, message) => {
    expect(await refusal(changed((url) => void change(url)))).toContain(message);
  });

  test("not by a user who may not make tables", async () => {
    await postgres.query("CREATE ROLE reader LOGIN PASSWORD 'r'; REVOKE ALL ON SCHEMA public FROM PUBLIC");
    const message = await refusal(
      changed((url) => {
        url.username = "reader";
        url.password = "r";
      }),
    );
    expect(message).toContain("does not let the user reader make tables");
  });

  test("not when a newer version of the program has written its tables", async () => {
    const url = await postgres.newStore();
    await (await openPostgresStore({ url, log })).close();
    const schema = /store_\w+/.exec(url)?.[0] ?? "";
    await postgres.query(`UPDATE ${schema}.cumulet_format SET format = 99`);
    expect(await refusal(url)).toContain("have format 99; this version of the program knows format 1");
  });

  test("not on a server that only reads", async () => {
    const url = new URL(await postgres.newStore());
    url.searchParams.set("options", `${url.searchParams.get("options") ?? ""} -cdefault_transaction_read_only=on`);
    expect(await refusal(url.href)).toContain("only reads");
  });

  test("for reads within reads, more than there are connections", async () => {
    const store = await openPostgresStore({ url: await postgres.newStore(), log });
    const nested = () =>
      store.read(async (reader) => {
        await reader.get(["outer"]);
        return store.read(async (inner) => {
          await inner.get(["a"]);
          return (await inner.get(["b"])) ?? "done";
        });
      });
    const all = Array.from({ length: 12 }, async (_, at) => {
      // Each in a turn of its own, so that they share no snapshot.
      await new Promise((resolve) => setTimeout(resolve, at * 5));
      return nested();
    });
    expect(new Set(await Promise.all(all))).toEqual(new Set(["done"]));
    await store.close();
  });
});

async function refusal(url: string): Promise<string> {
  const error: unknown = await openPostgresStore({ url, log }).catch((reason: unknown) => reason);
  return error instanceof Error ? error.message : "";
}
