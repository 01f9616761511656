import type { Compute, FunctionSpec } from "../../compute/compute.ts";
import type { Store } from "../../kernel/store/store.ts";
import { slotsOf, vcpusOf } from "./capacity/settings.ts";
import type { CodeStore } from "./code/code-store.ts";
import { toImageSpec } from "./image-settings.ts";
import {
  functionArn,
  keyOf,
  lambdaPrefix,
  readAll,
  readFunction,
  readTotals,
  type AliasRecord,
  type EventInvokeConfig,
  type FunctionRecord,
  type FunctionVersion,
  type Place,
  type PolicyRecord,
} from "./model.ts";
import { isVersionNumber } from "./names.ts";
import { lineageHash } from "./recursion.ts";
import { hasSnapStart } from "./snap-start.ts";

/**
 * Functions in memory, compiled from the store when first asked for and dropped as soon as anything of Lambda's changes:
 * a warm invocation reads nothing from the store.
 */
export interface Functions {
  find(place: Place, name: string): Promise<CompiledFunction | undefined>;
  /** What `find` would find, where it is in memory already, by `functionKey`. */
  known(key: string): CompiledFunction | undefined;
  /** Concurrency that functions of this account and region have reserved. */
  reservedTotal(place: Place, accountKey?: string): Promise<number>;
  stop(): void;
}

export interface CompiledFunction {
  readonly place: Place;
  readonly arn: string;
  /** `functionKey`, and the same of the account and region. */
  readonly key: string;
  readonly accountKey: string;
  readonly record: FunctionRecord;
  /** Its name in trace headers. */
  readonly lineage: string;
  readonly aliases: ReadonlyMap<string, AliasRecord>;
  readonly policies: ReadonlyMap<string, CompiledPolicy>;
  readonly eventInvokeConfigs: ReadonlyMap<string, EventInvokeConfig>;
  /** Who may invoke which ARN, as decided before. */
  readonly decisions: Map<string, true>;
  version(version: string): Promise<FunctionVersion | undefined>;
  spec(version: FunctionVersion): Promise<FunctionSpec>;
}

export interface CompiledPolicy {
  readonly record: PolicyRecord;
  readonly document: string;
  /** Its conditions ask for nothing that changes from call to call, so a decision may be remembered. */
  readonly memorable: boolean;
}

export function createFunctions(needs: {
  readonly store: Store;
  readonly code: CodeStore;
  readonly compute: Compute;
}): Functions {
  const { store, code, compute } = needs;
  let compiled = new Map<string, Promise<CompiledFunction | undefined>>();
  /** Of these, the ones that have been read. */
  let ready = new Map<string, CompiledFunction>();
  let totals = new Map<string, Promise<number>>();
  /** Revisions that environments may be running, by function. */
  const running = new Map<string, Map<string, FunctionSpec>>();

  const compile = (place: Place, name: string): Promise<CompiledFunction | undefined> =>
    store.read(async (reader) => {
      const record = await readFunction(reader, place, name);
      if (!record) return undefined;
      const aliases = await readAll<AliasRecord>(reader, keyOf("alias", place, name));
      const configs = await readAll<EventInvokeConfig>(reader, keyOf("invokeConfig", place, name));
      const policies = new Map<string, CompiledPolicy>();
      for (const { key, value } of await reader.range<PolicyRecord>(
        { prefix: keyOf("policy", place, name) },
        { limit: 10_000 },
      )) {
        policies.set(String(key.at(-1)), compilePolicy(value));
      }
      return {
        place,
        arn: functionArn(place, name),
        key: functionKey(place, name),
        accountKey: accountKeyOf(place),
        record,
        lineage: lineageHash(functionArn(place, name)),
        aliases: new Map(aliases.map((alias) => [alias.name, alias])),
        policies,
        eventInvokeConfigs: new Map(configs.map((config) => [config.qualifier, config])),
        decisions: new Map(),
        version: rememberVersions(place, record),
        spec: rememberSpecs(place, record),
      };
    });

  const rememberVersions = (place: Place, record: FunctionRecord): CompiledFunction["version"] => {
    const versions = new Map<string, Promise<FunctionVersion | undefined>>([
      ["$LATEST", Promise.resolve(record.latest)],
      ["$LATEST.PUBLISHED", Promise.resolve(record.latestPublished)],
    ]);
    return (version) => {
      const known = versions.get(version);
      if (known) return known;
      if (!isVersionNumber(version)) return Promise.resolve(undefined);
      const read = store.read((reader) =>
        reader.get<FunctionVersion>(keyOf("version", place, record.name, Number(version))),
      );
      versions.set(version, read);
      read.catch(() => versions.delete(version));
      return read;
    };
  };

  const rememberSpecs = (place: Place, record: FunctionRecord): CompiledFunction["spec"] => {
    const specs = new Map<string, Promise<FunctionSpec>>();
    return (version) => {
      const known = specs.get(version.version);
      if (known) return known;
      const made = toSpec(place, record, version, code).then((spec) => {
        const key = functionKey(place, record.name);
        const others = running.get(key) ?? new Map<string, FunctionSpec>();
        running.set(key, others.set(spec.id, spec));
        return spec;
      });
      specs.set(version.version, made);
      made.catch(() => specs.delete(version.version));
      return made;
    };
  };

  const find: Functions["find"] = (place, name) => {
    const key = functionKey(place, name);
    const known = compiled.get(key);
    if (known) return known;
    const reading = compile(place, name);
    compiled.set(key, reading);
    // What does not exist is not remembered: any name at all can be asked for.
    const forget = () => {
      if (compiled.get(key) === reading) compiled.delete(key);
    };
    reading.then((found) => {
      if (found === undefined) forget();
      else if (compiled.get(key) === reading) ready.set(key, found);
    }, forget);
    return reading;
  };

  /** Let environments of revisions that are gone end. */
  const retireGone = async () => {
    for (const specs of running.values()) {
      for (const spec of specs.values()) {
        const fn = await find(spec, spec.functionName);
        const version = await fn?.version(spec.version);
        if (fn && version && specId(fn.record, version) === spec.id) continue;
        specs.delete(spec.id);
        compute.retire(spec.id);
      }
    }
  };

  let retiring = false;
  const unwatch = store.watch(lambdaPrefix, () => {
    compiled = new Map();
    ready = new Map();
    totals = new Map();
    if (retiring || running.size === 0) return;
    retiring = true;
    // After what else changes in this turn. A failing store fails invocations too; environments then just live on.
    setImmediate(() => {
      retiring = false;
      retireGone().catch(() => undefined);
    });
  });

  return {
    find,
    known: (key) => ready.get(key),
    reservedTotal(place, key = accountKeyOf(place)) {
      const known = totals.get(key);
      if (known) return known;
      const read = store.read(async (reader) => (await readTotals(reader, place)).reservedConcurrency);
      totals.set(key, read);
      read.catch(() => totals.delete(key));
      return read;
    },
    stop: unwatch,
  };
}

function accountKeyOf(place: Place): string {
  return `${place.account}/${place.region}`;
}

export function functionKey(place: Place, name: string): string {
  return `${place.account}/${place.region}/${name}`;
}

/** Names one revision of a version. */
export function specId(record: FunctionRecord, version: FunctionVersion): string {
  return `${record.id}:${version.version}:${version.digest}`;
}

async function toSpec(
  place: Place,
  record: FunctionRecord,
  version: FunctionVersion,
  code: CodeStore,
): Promise<FunctionSpec> {
  const { settings } = version;
  const image = toImageSpec(version);
  const [codeDir, layersDir] = await Promise.all([
    code.folder(version.code),
    code.layersFolder(settings.layers.map((layer) => layer.code)),
  ]);
  return {
    id: specId(record, version),
    account: place.account,
    region: place.region,
    functionName: record.name,
    version: version.version,
    functionArn: functionArn(place, record.name),
    roleArn: settings.role,
    runtime: settings.runtime,
    handler: settings.handler,
    codeDir,
    ...(layersDir !== undefined && { layersDir }),
    environment: settings.environment ?? {},
    memoryMb: settings.memoryMb,
    timeoutMs: settings.timeoutSeconds * 1000,
    ephemeralStorageMb: settings.ephemeralStorageMb,
    logGroup: settings.logGroup,
    logFormat: settings.logFormat,
    ...(settings.logFormat === "JSON" && {
      applicationLogLevel: settings.applicationLogLevel ?? "INFO",
      systemLogLevel: settings.systemLogLevel ?? "INFO",
    }),
    architecture: settings.architecture,
    ...(image && { image }),
    tags: record.tags,
    ...(hasSnapStart(version) && { snapStart: true as const }),
    ...(settings.capacity && { multiConcurrency: { slots: slotsOf(settings), vcpus: vcpusOf(settings) } }),
  };
}

/** Condition keys that are the same in every call of one principal from one source. */
const steadyKeys = new Set(["aws:sourcearn", "aws:sourceaccount", "aws:principalorgid"]);

function compilePolicy(record: PolicyRecord): CompiledPolicy {
  const keys = record.statements.flatMap((statement) =>
    Object.values(statement.Condition ?? {}).flatMap((condition) => Object.keys(condition)),
  );
  return {
    record,
    document: toPolicyDocument(record),
    memorable: keys.every((key) => steadyKeys.has(key.toLowerCase())),
  };
}

export function toPolicyDocument(record: PolicyRecord): string {
  return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: record.statements });
}
