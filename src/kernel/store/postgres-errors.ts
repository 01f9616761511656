/** The connection ended, or did not answer in time: whether the last statements were carried out is not known. */
export class ConnectionLostError extends Error {
  constructor(cause: unknown) {
    super("The connection to PostgreSQL was lost", { cause });
    this.name = "ConnectionLostError";
  }
}

/** PostgreSQL cannot be reached, or not used as it is; the message is one sentence for whoever operates it, without secrets. */
export class StoreUnavailableError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreUnavailableError";
  }
}

/** Answers of PostgreSQL that go away by themselves: asked again on another connection, the same may succeed. */
const passing = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "40003", // statement_completion_unknown
  "53300", // too_many_connections
  "55P03", // lock_not_available
  "57014", // query_canceled: by the statement timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P05", // idle_session_timeout
  "25006", // read_only_sql_transaction: after a failover
  "26000", // invalid_sql_statement_name: a pooler in between gave another session
  "0A000", // feature_not_supported: a plan of before a change of the schema
]);

const unreachable = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EPIPE",
]);

export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  const code = codeOf(error);
  if (code !== undefined) return passing.has(code) || unreachable.has(code) || code.startsWith("08");
  return error instanceof Error && /timeout|terminated/iu.test(error.message);
}

/** What Node.js says of certificates that no authority it knows has signed. */
const untrusted = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_SIGNATURE_FAILURE",
]);

/** PostgreSQL's SQLSTATE, or the system's code. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // Every address of a name was tried.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Why a first connection failed, as one sentence. */
export function explain(error: unknown, { host, port, database, user }: Address): StoreUnavailableError {
  const server = host.startsWith("/") ? `PostgreSQL on the socket in ${host}` : `PostgreSQL at ${host}:${port}`;
  const say = (message: string) => new StoreUnavailableError(message, error);
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (code !== undefined && untrusted.has(code)) {
    return say(
      `The certificate of ${server} is not trusted: give the authority that has signed it with sslrootcert=FILE`,
    );
  }
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return say(`The certificate of ${server} is not for ${host}`);
    case "28000":
      if (/no encryption|SSL off/iu.test(text)) {
        return say(`${server} refuses connections without TLS: add sslmode=verify-full to the address`);
      }
      return say(`${server} refused the user ${user}: the password is wrong, or the user may not connect`);
    case "28P01":
      return say(`${server} refused the user ${user}: the password is wrong, or the user may not connect`);
    case "3D000":
      return say(`${server} has no database ${database}: make it first (createdb ${database})`);
    case "3F000":
    case "42501":
      return say(`${server} does not let the user ${user} make tables in the database ${database}`);
    case "53300":
      return say(`${server} has no connections left (max_connections)`);
    case "57P03":
      return say(`${server} is starting up or shutting down`);
    case "25006":
      return say(`${server} is read-only: this address is that of a replica`);
    default:
      if (/support SSL/iu.test(text)) return say(`${server} speaks no TLS, which sslmode asks for`);
      if (/password/iu.test(text))
        return say(`${server} wants a password of the user ${user}, and none is in the address`);
      if (/timeout/iu.test(text)) return say(`${server} did not answer`);
      return say(`${server} cannot be used: ${code ?? text}`);
  }
}
