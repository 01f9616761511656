import { availableParallelism, homedir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { S3Location } from "./kernel/blobs/s3-request.ts";
import type { LogLevel } from "./kernel/log.ts";
import { parseNetworks } from "./proxy/client-address.ts";
import { workerLimits } from "./workers/limits.ts";

/** What the program was told, checked. This file is the only reader of the environment. */
export interface Config {
  /** 0 asks the system for a free port. */
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Where state is kept: in the data folder, or in a database that any number of nodes share. */
  readonly store: StoreConfig;
  /** Where content goes that is too large for a transaction. */
  readonly blobs: BlobsConfig;
  /** Accept unsigned and wrongly signed requests, on loopback only. */
  readonly dev: boolean;
  /** The account that root credentials belong to: 12 digits. */
  readonly account: string;
  /** The region that requests without one are for, and that the printed settings name. */
  readonly region: string;
  readonly logLevel: LogLevel;
  /** `auto` takes the strongest sandbox that works here. */
  readonly sandbox: "auto" | "namespaces" | "process";
  /** Who may read `/metrics`: whoever has the token in the data folder, or all who reach the listener. */
  readonly metrics: "token" | "open";
  /** How often the APIs of an account and region may be called together; absent: as often as this host can. */
  readonly apiThrottle?: { readonly rateLimit: number; readonly burstLimit: number };
  /** Where certificates of custom domain names are: `{account}/{name}.crt` and `.key`, PEM. */
  readonly certificatesFolder: string;
  /** Files in PEM: with them the listener speaks TLS to whoever does. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Addresses and networks (CIDR) of proxies whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  /** After a signal to end: how long requests are still taken, so that load balancers notice that this node is not ready. */
  readonly drainWaitMs: number;
  /** How long what is under way then has to end. */
  readonly stopGraceMs: number;
  /** Processes that share the port and the data folder. */
  readonly workers: number;
  /** Where the keys are read from; what is not named here is made in the data folder at the first start. */
  readonly secretFiles: SecretFiles;
  /** A policy document that limits all accounts; absent: no limit. */
  readonly guardRailsFile?: string;
  /** The server key itself, where the operator gives it to all nodes. */
  readonly serverKey: string | undefined;
  /** OpenID Connect issuers whose tokens stand for a user pool's, by the pool's ARN. */
  readonly userPoolIssuers: Readonly<Record<string, string>>;
  /** Who user pools' tokens say has issued them: `aws`, or a base address. Absent: the address that a client uses. */
  readonly userPoolIssuer?: string;
  /** Where emails of user pools are sent, `smtp://…` or `smtps://…`. Absent: they stay in the outbox. */
  readonly smtpUrl?: string;
}

export type StoreConfig = { readonly kind: "embedded" } | { readonly kind: "postgres"; readonly url: string };

export type BlobsConfig = { readonly kind: "files" | "store" } | { readonly kind: "s3"; readonly location: S3Location };

export interface SecretFiles {
  readonly serverKey?: string;
  readonly credentials?: string;
  readonly metricsToken?: string;
}

export interface ConfigFlags {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly data?: string | undefined;
  readonly store?: string | undefined;
  readonly blobs?: string | undefined;
  readonly dev?: boolean | undefined;
  readonly sandbox?: string | undefined;
  readonly "tls-cert"?: string | undefined;
  readonly "tls-key"?: string | undefined;
  readonly certificates?: string | undefined;
  readonly "trusted-proxies"?: string | undefined;
  readonly "drain-wait"?: string | undefined;
  readonly "stop-grace"?: string | undefined;
  readonly workers?: string | undefined;
}

/** A flag or variable that cannot be used; the message names it. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

export const defaultPort = 4566;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads flags, then `CUMULET_*` variables, then defaults. Throws `ConfigError`. */
export function readConfig(
  flags: ConfigFlags,
  environment: Environment = process.env,
  machine: Machine = readMachine(),
): Config {
  const dev = flags.dev ?? environment["CUMULET_DEV"] === "1";
  const host = flags.host ?? environment["CUMULET_HOST"] ?? "127.0.0.1";
  if (dev && !isLoopback(host)) {
    throw new ConfigError(`--dev accepts unsigned requests, so it listens on loopback only; ${host} is not loopback`);
  }
  const store = parseStore(flags.store ?? environment["CUMULET_STORE"]);
  return {
    port: parsePort(flags.port ?? environment["CUMULET_PORT"]),
    host,
    dataDir: readDataDir(flags.data, environment),
    store,
    blobs: parseBlobs(flags.blobs ?? environment["CUMULET_BLOBS"], store, environment),
    dev,
    account: parseAccount(environment["CUMULET_ACCOUNT"]),
    region: parseRegion(environment["CUMULET_REGION"]),
    logLevel: parseLogLevel(environment["CUMULET_LOG"]),
    sandbox: parseSandbox(flags.sandbox ?? environment["CUMULET_SANDBOX"]),
    metrics: parseMetrics(environment["CUMULET_METRICS"]),
    ...parseApiThrottle(environment["CUMULET_API_THROTTLE"]),
    certificatesFolder: resolve(
      flags.certificates ??
        environment["CUMULET_CERTIFICATES"] ??
        join(readDataDir(flags.data, environment), "certificates"),
    ),
    tls: parseTls(
      flags["tls-cert"] ?? environment["CUMULET_TLS_CERT"],
      flags["tls-key"] ?? environment["CUMULET_TLS_KEY"],
    ),
    trustedProxies: parseTrustedProxies(flags["trusted-proxies"] ?? environment["CUMULET_TRUSTED_PROXIES"]),
    drainWaitMs: parseSeconds("--drain-wait", flags["drain-wait"] ?? environment["CUMULET_DRAIN_WAIT"] ?? "0"),
    stopGraceMs: parseSeconds("--stop-grace", flags["stop-grace"] ?? environment["CUMULET_STOP_GRACE"] ?? "10"),
    workers: parseWorkers(flags.workers ?? environment["CUMULET_WORKERS"]) ?? (dev ? 1 : workersFor(machine)),
    secretFiles: readSecretFiles(environment),
    ...(environment["CUMULET_GUARD_RAILS"] && { guardRailsFile: resolve(environment["CUMULET_GUARD_RAILS"]) }),
    serverKey: parseServerKey(environment["CUMULET_SERVER_KEY"]),
    userPoolIssuers: parseUserPoolIssuers(environment["CUMULET_USER_POOL_ISSUERS"]),
    ...parseUserPoolIssuer(environment["CUMULET_USER_POOL_ISSUER"]),
    ...parseSmtpUrl(environment["CUMULET_SMTP_URL"]),
  };
}

function parseUserPoolIssuer(text: string | undefined): { readonly userPoolIssuer?: string } {
  if (text === undefined || text === "") return {};
  if (text !== "aws" && !/^https?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?$/.test(text)) {
    throw new ConfigError("CUMULET_USER_POOL_ISSUER is aws, or an http(s) address without a query");
  }
  return { userPoolIssuer: text };
}

/** Never repeats what it was given: there may be a password in it. */
function parseSmtpUrl(text: string | undefined): { readonly smtpUrl?: string } {
  if (text === undefined || text === "") return {};
  if (!/^smtps?:\/\/\S+$/.test(text) || !URL.canParse(text)) {
    throw new ConfigError("CUMULET_SMTP_URL is an address as smtp://user:password@host:port or smtps://…");
  }
  return { smtpUrl: text };
}

/** `ARN=URL`, several with commas between them. */
function parseUserPoolIssuers(text: string | undefined): Readonly<Record<string, string>> {
  const issuers: Record<string, string> = {};
  for (const entry of (text ?? "").split(",")) {
    if (entry.trim() === "") continue;
    const named = /^(arn:[\w-]+:cognito-idp:[\w-]+:\d{12}:userpool\/[\w-]+)=(https?:\/\/\S+)$/.exec(entry.trim());
    if (named?.[1] === undefined || named[2] === undefined) {
      throw new ConfigError(
        `CUMULET_USER_POOL_ISSUERS names issuers as ARN=URL, with commas between them; not ${entry}`,
      );
    }
    issuers[named[1]] = named[2];
  }
  return issuers;
}

/** Where state is kept: `--data`, else `CUMULET_DATA`, else `~/.cumulet`. */
export function readDataDir(flag: string | undefined, environment: Environment = process.env): string {
  return resolve(flag ?? environment["CUMULET_DATA"] ?? join(homedir(), ".cumulet"));
}

/** Never repeats what it was given: there may be a password in it. */
export function parseStore(text: string | undefined): StoreConfig {
  if (text === undefined || text === "" || text === "embedded") return { kind: "embedded" };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== "postgres" && scheme !== "postgresql") {
    const found = scheme === undefined ? "has no scheme" : `has the scheme ${scheme}`;
    throw new ConfigError(`--store takes embedded or postgres://USER:PASSWORD@HOST:PORT/DATABASE; this ${found}`);
  }
  if (!URL.canParse(text))
    throw new ConfigError("The address in --store is no URL: is a character of the password not written as %XX?");
  return { kind: "postgres", url: text };
}

const blobsForms = "--blobs takes files, store or s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION";

/** Nodes of one database share no disk, so they keep content there too, when nothing else is said. */
function parseBlobs(text: string | undefined, store: StoreConfig, environment: Environment): BlobsConfig {
  if (text === undefined || text === "") return { kind: store.kind === "embedded" ? "files" : "store" };
  if (text === "files" && store.kind !== "embedded") {
    throw new ConfigError(
      "--blobs files keeps content on one node's disk, where other nodes and backups do not find it: with PostgreSQL take store or s3://…",
    );
  }
  if (text === "files" || text === "store") return { kind: text };
  if (!URL.canParse(text) || !text.startsWith("s3://")) throw new ConfigError(blobsForms);
  const { hostname: bucket, pathname, searchParams, username, password } = new URL(text);
  if (username !== "" || password !== "") {
    throw new ConfigError("--blobs holds no credentials: give them in CUMULET_BLOBS_ACCESS_KEY_ID and the like");
  }
  for (const name of searchParams.keys()) if (!["endpoint", "region"].includes(name)) throw new ConfigError(blobsForms);
  const region = searchParams.get("region") ?? "us-east-1";
  const endpoint = searchParams.get("endpoint") ?? `https://s3.${region}.amazonaws.com`;
  const path = pathname.replace(/^\/|\/$/g, "");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new ConfigError("The bucket in --blobs has no valid name");
  if (!/^[A-Za-z0-9._/-]*$/.test(path) || /(^|\/)\.{0,2}(\/|$)/.test(path === "" ? "x" : path)) {
    throw new ConfigError("The prefix in --blobs holds letters, digits, '-', '_', '.' and single slashes only");
  }
  const accessKeyId = environment["CUMULET_BLOBS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["CUMULET_BLOBS_SECRET_ACCESS_KEY"];
  const sessionToken = environment["CUMULET_BLOBS_SESSION_TOKEN"];
  if (!accessKeyId || !secretAccessKey) {
    throw new ConfigError("--blobs s3://… needs CUMULET_BLOBS_ACCESS_KEY_ID and CUMULET_BLOBS_SECRET_ACCESS_KEY");
  }
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  const prefix = path === "" ? "" : `${path}/`;
  return { kind: "s3", location: { endpoint: parseBlobsEndpoint(endpoint), region, bucket, prefix, credentials } };
}

/** Content crosses a network: encrypted, unless it stays on this machine. */
function parseBlobsEndpoint(text: string): string {
  if (!URL.canParse(text)) throw new ConfigError("The endpoint in --blobs must be a URL");
  const { protocol, hostname, pathname, origin } = new URL(text);
  if (pathname !== "/") throw new ConfigError("The endpoint in --blobs has no path");
  if (protocol === "https:" || (protocol === "http:" && isLoopback(hostname))) return origin;
  throw new ConfigError(`The endpoint in --blobs must begin with https://; ${hostname} is not loopback`);
}

export function parsePort(text: string | undefined): number {
  if (text === undefined) return defaultPort;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new ConfigError(`The port must be a number from 0 to 65535, not ${text}`);
  return port;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function parseServerKey(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new ConfigError("CUMULET_SERVER_KEY must be 64 hex digits (openssl rand -hex 32)");
  return text;
}

function parseAccount(text: string | undefined): string {
  if (text === undefined) return "000000000000";
  if (!/^\d{12}$/.test(text)) throw new ConfigError(`CUMULET_ACCOUNT must be 12 digits, not ${text}`);
  return text;
}

function parseRegion(text: string | undefined): string {
  if (text === undefined) return "us-east-1";
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(text)) throw new ConfigError(`CUMULET_REGION must name a region, not ${text}`);
  return text;
}

function parseLogLevel(text: string | undefined): LogLevel {
  switch (text) {
    case undefined:
      return "info";
    case "debug":
    case "info":
    case "warn":
    case "error":
    case "silent":
      return text;
    default:
      throw new ConfigError(`CUMULET_LOG must be debug, info, warn, error or silent, not ${text}`);
  }
}

/** AWS's own quota of an account, unless told otherwise. Source: "Quotas for configuring and running a REST API". */
function parseApiThrottle(text: string | undefined): Pick<Config, "apiThrottle"> {
  if (text === undefined || text === "") return { apiThrottle: { rateLimit: 10_000, burstLimit: 5_000 } };
  if (text === "off") return {};
  const [, rate, burst] = /^(\d{1,9}):(\d{1,9})$/.exec(text) ?? [];
  if (rate === undefined || burst === undefined) {
    throw new ConfigError(`CUMULET_API_THROTTLE must be RATE:BURST, as 10000:5000, or off, not ${text}`);
  }
  return { apiThrottle: { rateLimit: Number(rate), burstLimit: Number(burst) } };
}

function parseMetrics(text: string | undefined): Config["metrics"] {
  if (text === undefined || text === "token") return "token";
  if (text === "open") return text;
  throw new ConfigError(`CUMULET_METRICS must be token or open, not ${text}`);
}

function parseTls(certFile: string | undefined, keyFile: string | undefined): Config["tls"] {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigError("TLS needs both, --tls-cert and --tls-key (or CUMULET_TLS_CERT and CUMULET_TLS_KEY)");
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
}

function parseTrustedProxies(text: string | undefined): readonly string[] {
  const networks = (text ?? "").split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  try {
    parseNetworks(networks);
  } catch (error) {
    if (error instanceof TypeError)
      throw new ConfigError(`--trusted-proxies takes ADDRESS or NETWORK/BITS,…: ${error.message}`);
    throw error;
  }
  return networks;
}

function parseSeconds(name: string, text: string): number {
  const seconds = Number(text);
  // As long as a function may run, which is as long as anything can be worth waiting for.
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text) || seconds > 900) {
    throw new ConfigError(`${name} takes seconds, from 0 to 900, not ${text}`);
  }
  return seconds * 1000;
}

/** Whoever builds a platform in a process of their own has one worker, whatever this says. */
function parseWorkers(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const workers = Number(text);
  if (!/^\d{1,3}$/.test(text) || workers < 1 || workers > workerLimits.workersMax) {
    throw new ConfigError(`--workers takes a number from 1 to ${workerLimits.workersMax}, not ${text}`);
  }
  return workers;
}

/** What this process may use of the machine it is on. */
export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
}

function readMachine(): Machine {
  // Neither is more than the control group allows.
  const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return { cores: availableParallelism(), memoryBytes };
}

/** One for each core, unless they would leave functions too little memory. */
function workersFor({ cores, memoryBytes }: Machine): number {
  const room = Math.floor(memoryBytes / workerLimits.memoryBytesEach);
  return Math.max(1, Math.min(cores, room, workerLimits.workersMax));
}

function readSecretFiles(environment: Environment): SecretFiles {
  const file = (name: string) => environment[name] || undefined;
  const serverKey = file("CUMULET_SERVER_KEY_FILE");
  const credentials = file("CUMULET_CREDENTIALS_FILE");
  const metricsToken = file("CUMULET_METRICS_TOKEN_FILE");
  return {
    ...(serverKey !== undefined && { serverKey: resolve(serverKey) }),
    ...(credentials !== undefined && { credentials: resolve(credentials) }),
    ...(metricsToken !== undefined && { metricsToken: resolve(metricsToken) }),
  };
}

function parseSandbox(text: string | undefined): Config["sandbox"] {
  switch (text) {
    case undefined:
      return "auto";
    case "auto":
    case "namespaces":
    case "process":
      return text;
    default:
      throw new ConfigError(`The sandbox must be auto, namespaces or process, not ${text}`);
  }
}
