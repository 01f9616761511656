import { toArn } from "../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import type { Destinations } from "./destinations.ts";

/** A zip package as stored: its content is a blob, its unpacked form a folder named by its hash. */
export interface CodePackage {
  /** SHA-256 of the zip, base64, as `CodeSha256`. */
  readonly sha256: string;
  readonly blobId: string;
  readonly bytes: number;
  readonly unzippedBytes: number;
  /** The package is a container image: `sha256` is its digest in hexadecimal, and it has no blob of ours. */
  readonly image?: ImageReference;
}

/** A container image, as it was when the function was given it. */
export interface ImageReference {
  /** As the request named it, and with the digest. */
  readonly uri: string;
  readonly resolvedUri: string;
  readonly repository: { readonly account: string; readonly region: string; readonly name: string };
  /** The lowest first. */
  readonly layers: readonly { readonly digest: string; readonly compressed: boolean }[];
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What a function says instead of its image. */
export interface ImageOverrides {
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
}

export interface LayerReference {
  /** Layer version ARN. */
  readonly arn: string;
  readonly code: CodePackage;
}

/** What a function's configuration says. */
export interface FunctionSettings {
  readonly imageConfig?: ImageOverrides;
  /** Empty, like `handler`, for container images. */
  readonly runtime: string;
  readonly handler: string;
  readonly role: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly architecture: "x86_64" | "arm64";
  readonly ephemeralStorageMb: number;
  readonly logFormat: "Text" | "JSON";
  /** With JSON only; INFO where absent. */
  readonly applicationLogLevel?: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  readonly systemLogLevel?: "DEBUG" | "INFO" | "WARN";
  readonly logGroup: string;
  readonly layers: readonly LayerReference[];
  /** Published versions are initialised ahead. */
  readonly snapStart?: "PublishedVersions";
  readonly tenantIsolation?: "PER_TENANT";
  /** Set on durable functions, from their creation on. */
  readonly durable?: DurableSettings;
  /** Set on functions of a capacity provider, from their creation on. */
  readonly capacity?: CapacitySettings;
}

/** What `CapacityProviderConfig` says. */
export interface CapacitySettings {
  /** Name of the provider, in the function's own account and region. */
  readonly provider: string;
  readonly memoryGiBPerVcpu: number;
  /** Invocations that an environment takes at once; by runtime and processors where absent. */
  readonly slots?: number;
}

/** What `DurableConfig` says. */
export interface DurableSettings {
  readonly executionTimeoutSeconds: number;
  /** How long an execution is kept after its end. */
  readonly retentionDays: number;
}

/** `$LATEST`, or a published version, which never changes; `$LATEST.PUBLISHED` is published again under its name. */
export interface FunctionVersion {
  readonly version: string;
  readonly settings: FunctionSettings;
  readonly code: CodePackage;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  readonly revisionId: string;
  /** Hash of settings and code: the same exactly when nothing has changed. */
  readonly digest: string;
}

/** A function as stored, with its `$LATEST`. */
export interface FunctionRecord {
  readonly v: 1;
  /** Unique to this incarnation. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly latest: FunctionVersion;
  readonly nextVersion: number;
  /** `$LATEST.PUBLISHED` of a function on a capacity provider, once it has been published. */
  readonly latestPublished?: FunctionVersion;
  /** What was published last, so that an unchanged function is not published again. */
  readonly published?: { readonly version: string; readonly digest: string };
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  /** The sum of its provisioned concurrency configurations. */
  readonly provisionedConcurrency?: number;
  /** `Allow` leaves recursive loops alone; without it they are ended. */
  readonly recursiveLoop?: "Allow";
  /** The id of its code signing configuration. */
  readonly codeSigning?: string;
}

export interface AliasRecord {
  readonly v: 1;
  readonly name: string;
  readonly functionVersion: string;
  readonly description: string;
  /** Weights of the other version, 0 to 1; what is left is the main version's. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

/** A resource policy: of a function (`""`), an alias, a version, or a layer version. */
export interface PolicyRecord {
  readonly v: 1;
  readonly revisionId: string;
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: "*" | Readonly<Record<string, string>>;
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface EventInvokeConfig {
  readonly v: 1;
  readonly qualifier: string;
  readonly modifiedAt: number;
  readonly maximumRetryAttempts?: number;
  readonly maximumEventAgeSeconds?: number;
  readonly destinations?: Destinations;
}

export interface LayerVersion {
  readonly v: 1;
  readonly layer: string;
  readonly version: number;
  readonly description: string;
  readonly createdAt: number;
  readonly code: CodePackage;
  readonly compatibleRuntimes: readonly string[];
  readonly compatibleArchitectures: readonly string[];
  readonly licenseInfo?: string;
}

/** Totals of an account in a region. */
export interface AccountTotals {
  readonly v: 1;
  /** What functions have reserved, and what is provisioned for those that have reserved nothing. */
  readonly reservedConcurrency: number;
  readonly codeBytes: number;
  readonly functionCount: number;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

export const lambdaPrefix: Key = ["lambda"];

type Kind =
  | "function"
  | "layer"
  | "account"
  | "version"
  | "alias"
  | "policy"
  | "invokeConfig"
  | "layerVersion"
  | "layerPolicy"
  | "provisioned"
  | "snapStart"
  | "codeSigningConfig"
  | "codeSigned"
  | "capacityProvider"
  | "capacityUse"
  | "functionScaling";

export function keyOf(kind: Kind, place: Place, ...rest: Key): Key {
  return ["lambda", kind, place.account, place.region, ...rest];
}

export function readFunction(reader: Reader, place: Place, name: string): Promise<FunctionRecord | undefined> {
  return reader.get<FunctionRecord>(keyOf("function", place, name));
}

export function writeFunction(tx: Transaction, place: Place, record: FunctionRecord): void {
  tx.set(keyOf("function", place, record.name), record);
}

export async function readTotals(reader: Reader, place: Place): Promise<AccountTotals> {
  const none: AccountTotals = { v: 1, reservedConcurrency: 0, codeBytes: 0, functionCount: 0 };
  return (await reader.get<AccountTotals>(keyOf("account", place))) ?? none;
}

export async function addToTotals(
  tx: Transaction,
  place: Place,
  change: Partial<Omit<AccountTotals, "v">>,
): Promise<AccountTotals> {
  const totals = await readTotals(tx, place);
  const next: AccountTotals = {
    v: 1,
    reservedConcurrency: totals.reservedConcurrency + (change.reservedConcurrency ?? 0),
    codeBytes: totals.codeBytes + (change.codeBytes ?? 0),
    functionCount: totals.functionCount + (change.functionCount ?? 0),
  };
  tx.set(keyOf("account", place), next);
  return next;
}

/** All entries below a prefix, a page at a time. */
export async function readAll<V>(reader: Reader, prefix: Key): Promise<V[]> {
  const values: V[] = [];
  let after: Key | undefined;
  for (;;) {
    const entries = await reader.range<V>({ prefix, ...(after && { after }) }, { limit: 1000 });
    for (const { value } of entries) values.push(value);
    if (entries.length < 1000) return values;
    after = entries.at(-1)?.key;
  }
}

export function functionArn(place: Place, name: string, qualifier?: string): string {
  return toArn("lambda", place.region, place.account, `function:${name}${qualifier ? `:${qualifier}` : ""}`);
}

export function layerArn(place: Place, name: string, version?: number): string {
  return toArn("lambda", place.region, place.account, `layer:${name}${version === undefined ? "" : `:${version}`}`);
}
