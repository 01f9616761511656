import { randomBytes } from "node:crypto";
import { postgresLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Connection } from "./postgres-connection.ts";
import { codeOf, StoreUnavailableError } from "./postgres-errors.ts";

/** What the tables say of themselves. Raised when what is stored changes so that older programs would misread it. */
const schemaFormat = 1;

export interface OpenedSchema {
  /** The number of the last batch. */
  readonly sequence: number;
  /** Where commits are told of; undefined where the server cannot. */
  readonly channel: string | undefined;
}

const tables = [
  `CREATE TABLE cumulet_state (id int PRIMARY KEY, sequence bigint NOT NULL, name text NOT NULL)`,
  `CREATE TABLE cumulet_entries (key bytea PRIMARY KEY, version bigint NOT NULL, value bytea NOT NULL)`,
  `CREATE TABLE cumulet_changes (
     sequence bigint PRIMARY KEY, batch bytea NOT NULL UNIQUE, origin bytea NOT NULL,
     refused int[] NOT NULL, keys bytea, at timestamptz NOT NULL)`,
];

/** Where the server knows them: less work for a table of which every row is rewritten, or gone within minutes. */
const tuning = [
  "ALTER TABLE cumulet_state SET (fillfactor = 10, autovacuum_vacuum_threshold = 1000)",
  "ALTER TABLE cumulet_entries SET (autovacuum_vacuum_scale_factor = 0.05)",
  // Compressing what is mostly compressed, or small, costs more than it saves.
  "ALTER TABLE cumulet_entries ALTER COLUMN value SET STORAGE EXTERNAL",
  "ALTER TABLE cumulet_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)",
];

/**
 * The tables, made when absent. Programs that start together wait for each other on a row of `cumulet_format`.
 *
 * @throws {StoreUnavailableError} when the server is too old, is a replica, or a newer version of the program wrote the tables.
 */
export async function openSchema(connection: Connection, log: Log): Promise<OpenedSchema> {
  await checkServer(connection, log);
  const format = await readFormat(connection);
  if (format !== schemaFormat) await createTables(connection);
  const [[sequence, name] = []] = await connection.query("SELECT sequence, name FROM cumulet_state WHERE id = 1");
  const channel = `cumulet_${name ?? ""}`;
  return { sequence: Number(sequence), channel: (await canTell(connection, channel)) ? channel : undefined };
}

async function canTell(connection: Connection, channel: string): Promise<boolean> {
  try {
    await connection.query(`LISTEN ${channel}`);
    await connection.query(`SELECT pg_notify('${channel}', '')`);
    return true;
  } catch {
    return false;
  }
}

async function checkServer(connection: Connection, log: Log): Promise<void> {
  const [[version = ""] = []] = await connection.query("SELECT version()");
  const major = Number(/^PostgreSQL (\d+)/.exec(version ?? "")?.[1]);
  // Distributed databases that speak PostgreSQL's protocol name its versions as they please.
  const distributed = /cockroach|yugabyte|-YB-/iu.test(version ?? "");
  if (!distributed && !(major >= postgresLimits.versionMin)) {
    throw new StoreUnavailableError(
      `PostgreSQL ${postgresLimits.versionMin} or newer is needed; the server is ${(version ?? "").split(" on ")[0] ?? ""}`,
    );
  }
  const [[readOnly] = []] = await connection.query("SHOW transaction_read_only");
  if (readOnly === "on") {
    throw new StoreUnavailableError("The server only reads: it is a replica, or its database is set read-only");
  }
  const [[fsync] = []] = await connection.query("SHOW fsync").catch(() => []);
  if (fsync === "off") {
    log.warn("PostgreSQL runs with fsync off: a power cut loses, or damages, what is stored");
  }
}

/** Undefined where there are no tables yet. */
async function readFormat(connection: Connection): Promise<number | undefined> {
  try {
    const [[format] = []] = await connection.query("SELECT format FROM cumulet_format WHERE id = 1");
    return format === undefined ? undefined : checkedFormat(Number(format));
  } catch (error) {
    if (codeOf(error) === "42P01") return undefined;
    throw error;
  }
}

function checkedFormat(format: number): number {
  if (format > schemaFormat) {
    throw new StoreUnavailableError(
      `The tables in PostgreSQL have format ${format}; this version of the program knows format ${schemaFormat}. Nothing was changed: use the newer version.`,
    );
  }
  return format;
}

async function createTables(connection: Connection): Promise<void> {
  await createFormat(connection);
  await connection.query("BEGIN");
  try {
    const [[format] = []] = await connection.query("SELECT format FROM cumulet_format WHERE id = 1 FOR UPDATE");
    if (checkedFormat(Number(format)) === 0) {
      for (const table of tables) await connection.query(table);
      await connection.query(
        `INSERT INTO cumulet_state (id, sequence, name) VALUES (1, 0, '${randomBytes(8).toString("hex")}')`,
      );
      await connection.query(`UPDATE cumulet_format SET format = ${schemaFormat} WHERE id = 1`);
    }
    await connection.query("COMMIT");
  } catch (error) {
    await connection.query("ROLLBACK").catch(() => {});
    throw error;
  }
  for (const each of tuning) await connection.query(each).catch(() => {});
}

/** `IF NOT EXISTS` is no protection against another who makes it at the same moment: then it is there on the next try. */
async function createFormat(connection: Connection): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await connection.query("CREATE TABLE IF NOT EXISTS cumulet_format (id int PRIMARY KEY, format int NOT NULL)");
      await connection.query("INSERT INTO cumulet_format (id, format) VALUES (1, 0) ON CONFLICT (id) DO NOTHING");
      return;
    } catch (error) {
      const raced = ["23505", "42P07", "40001", "XX000"].includes(codeOf(error) ?? "");
      if (!raced || attempts === 5) throw error;
    }
  }
}
