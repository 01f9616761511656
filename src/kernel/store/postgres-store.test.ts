import { afterAll, beforeAll, describe } from "vitest";
import { createLog } from "../log.ts";
import { openPostgresStore } from "./postgres-store.ts";
import { storeCases } from "./store.cases.ts";
import { findPostgres, noPostgres, startPostgres, type TestPostgres } from "../../testing/postgres.ts";

const missing = (await findPostgres()) === undefined;
const log = createLog("silent", () => {}, Date.now);

describe.skipIf(missing)(`the store on PostgreSQL${missing ? ` (${noPostgres})` : ""}`, () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  storeCases(async () => {
    const store = await openPostgresStore({ url: await postgres.newStore(), log });
    return { store, remove: async () => {} };
  });
});
