import { Client, type Connection as Wire, type Submittable } from "pg";
import { postgresLimits } from "../limits.ts";
import { type Address, ConnectionLostError, explain } from "./postgres-errors.ts";
import { type Row, type Statement, statements, type Step } from "./postgres-statements.ts";

/** One connection. Runs one pipeline at a time; callers wait for each other. */
export interface Connection {
  readonly address: Address;
  /**
   * Send all steps at once and wait for one answer: without a `BEGIN` among them they are one transaction.
   *
   * @throws {ConnectionLostError} when it is not known what became of them; PostgreSQL's error when it refused them.
   */
  run(steps: readonly Step[], options?: RunOptions): Promise<Row[][]>;
  /** Statements without parameters, not prepared. */
  query(text: string): Promise<Row[]>;
  isLost(): boolean;
  onLost(action: () => void): void;
  onNotification(listener: (payload: string) => void): void;
  close(): Promise<void>;
}

interface RunOptions {
  /** Give the server all values before the first statement runs, so that no lock is held while they come. Not for `SELECT`. */
  readonly valuesFirst?: boolean;
}

/** A name of the connection in PostgreSQL's own views. */
const applicationName = "cumulet";

/** Plans are made once a connection, and must be those that fit a large table while it is still empty. */
const settings = [
  "SET standard_conforming_strings = on",
  "SET bytea_output = 'hex'",
  "SET default_transaction_isolation = 'read committed'",
  `SET statement_timeout = ${postgresLimits.statementMsMax}`,
  `SET idle_in_transaction_session_timeout = ${postgresLimits.snapshotMsMax}`,
  "SET plan_cache_mode = 'force_generic_plan'",
  "SET enable_seqscan = off",
  "SET enable_bitmapscan = off",
  "SET enable_hashjoin = off",
  "SET enable_mergejoin = off",
  "SET jit = off",
];

/** @throws {StoreUnavailableError} which says in a sentence why not. */
export async function connect(url: string, prepare: boolean): Promise<Connection> {
  const client = new Client({
    connectionString: verified(url),
    fallback_application_name: applicationName,
    connectionTimeoutMillis: postgresLimits.connectMsMax,
    keepAlive: true,
    keepAliveInitialDelayMillis: postgresLimits.keepAliveMs,
  });
  const lost: (() => void)[] = [];
  let cause: unknown;
  const lose = (error: unknown) => {
    if (cause !== undefined) return;
    cause = error ?? new Error("The server closed the connection");
    for (const action of lost) action();
  };
  client.on("error", lose);
  client.on("end", () => lose(undefined));
  try {
    await client.connect();
    await applySettings(client);
    if (prepare) await submit(client, (settle, fail) => preparing(Object.values(statements), settle, fail));
  } catch (error) {
    client.connection.stream.destroy();
    throw explain(error, addressOf(client));
  }
  // A connection alone keeps no process alive.
  const { stream } = client.connection;
  if ("unref" in stream && typeof stream.unref === "function") stream.unref();
  return {
    address: addressOf(client),
    run: (steps, options = {}) =>
      submit(client, (settle, fail) => pipeline(steps, options.valuesFirst === true, settle, fail)),
    query: async (text) => {
      const { rows } = await client.query<(string | null)[]>({ text, rowMode: "array" });
      return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
    },
    isLost: () => cause !== undefined,
    onLost: (action) => lost.push(action),
    onNotification: (listener) => {
      client.on("notification", (message) => listener(message.payload ?? ""));
    },
    close: async () => {
      if (cause !== undefined) return;
      await Promise.race([client.end().catch(() => {}), pause(postgresLimits.connectMsMax)]);
    },
  };
}

/** Whatever asks for TLS asks who answers, too: the driver's modes between do so today and would not with its next version. */
function verified(text: string): string {
  const url = new URL(text);
  const mode = url.searchParams.get("sslmode");
  if (mode !== null && ["prefer", "require", "verify-ca"].includes(mode))
    url.searchParams.set("sslmode", "verify-full");
  return url.href;
}

function addressOf({ host, port, database = "", user = "" }: Client): Address {
  return { host, port, database, user };
}

/** At once where the server knows them all, as PostgreSQL does; else those it knows. */
async function applySettings(client: Client): Promise<void> {
  try {
    await client.query(settings.join(";"));
  } catch {
    for (const setting of settings) await client.query(setting).catch(() => {});
  }
  const { rows } = await client
    .query<{ synchronous_commit: string }>("SHOW synchronous_commit")
    .catch(() => ({ rows: [] }));
  // What is acknowledged survives, whatever the server's default is.
  if (rows[0]?.synchronous_commit === "off") await client.query("SET synchronous_commit = on");
}

function submit(
  client: Client,
  create: (settle: (rows: Row[][]) => void, fail: (error: unknown) => void) => Submittable,
): Promise<Row[][]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      client.connection.stream.destroy();
      reject(new ConnectionLostError(new Error("PostgreSQL did not answer")));
    }, postgresLimits.answerMsMax);
    const fail = (error: unknown) => {
      clearTimeout(timer);
      // An error of the server's own has a severity; all others are the connection's.
      reject(error instanceof Error && "severity" in error ? error : new ConnectionLostError(error));
    };
    client.query(
      create((rows) => {
        clearTimeout(timer);
        resolve(rows);
      }, fail),
    );
  });
}

/** What pg calls as answers come in. */
interface Answers extends Submittable {
  handleRowDescription(): void;
  handleDataRow(message: { readonly fields: Row }): void;
  handleCommandComplete(): void;
  handleEmptyQuery(): void;
  handlePortalSuspended(): void;
  handleError(error: unknown): void;
  handleReadyForQuery(): void;
}

function preparing(
  all: readonly Statement[],
  settle: (rows: Row[][]) => void,
  fail: (error: unknown) => void,
): Answers {
  return {
    ...answers(0, settle, fail),
    submit: (wire) => {
      for (const { name, text } of all) wire.parse({ name, text, types: [] }, true);
      wire.sync();
    },
  };
}

function pipeline(
  steps: readonly Step[],
  valuesFirst: boolean,
  settle: (rows: Row[][]) => void,
  fail: (error: unknown) => void,
): Answers {
  return {
    ...answers(steps.length, settle, fail),
    submit: (wire) => {
      wire.stream.cork();
      if (valuesFirst) {
        steps.forEach((step, at) => bind(wire, step, `p${at}`));
        // So that what follows goes out as one small piece.
        wire.stream.uncork();
        wire.stream.cork();
        steps.forEach((_, at) => wire.execute({ portal: `p${at}` }, true));
      } else {
        for (const step of steps) {
          bind(wire, step, "");
          wire.execute(null, true);
        }
      }
      wire.sync();
      wire.stream.uncork();
    },
  };
}

function bind(wire: Wire, { statement, values = [] }: Step, portal: string): void {
  wire.bind({ portal, statement: statement.name, values: [...values] }, true);
}

function answers(
  count: number,
  settle: (rows: Row[][]) => void,
  fail: (error: unknown) => void,
): Omit<Answers, "submit"> {
  const results: Row[][] = Array.from({ length: count }, () => []);
  let at = 0;
  return {
    handleRowDescription: () => {},
    handleDataRow: (message) => {
      results[at]?.push(message.fields);
    },
    handleCommandComplete: () => {
      at += 1;
    },
    handleEmptyQuery: () => {},
    handlePortalSuspended: () => {},
    handleError: fail,
    // Only now it is committed.
    handleReadyForQuery: () => settle(results),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
