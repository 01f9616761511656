import { startPostgres } from "./postgres.ts";

/** One PostgreSQL for a whole run of tests; they find it by its address in the environment. */
export async function setup(): Promise<() => Promise<void>> {
  const postgres = await startPostgres();
  process.env["CUMULET_TEST_POSTGRES"] = postgres.url;
  return () => postgres.stop();
}
