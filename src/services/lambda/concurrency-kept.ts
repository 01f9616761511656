import type { Compute, KeptFunction } from "../../compute/compute.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { Nodes } from "../../kernel/nodes/nodes.ts";
import type { Key, Store } from "../../kernel/store/store.ts";
import { sharesOf, type ProvisionedConfig } from "./concurrency-provisioned.ts";
import { createKeptTelling, ownPart } from "./concurrency-spread.ts";
import type { CompiledFunction, Functions } from "./functions.ts";
import { lambdaPrefix } from "./model.ts";

/** Sees to it that compute keeps the environments that provisioned concurrency and SnapStart ask for, from the start on. */
export interface KeptEnvironments {
  start(): void;
  stop(): void;
}

export function createKeptEnvironments(needs: {
  readonly store: Store;
  readonly functions: Functions;
  readonly compute: Compute;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: this node is alone. */
  readonly nodes?: Pick<Nodes, "live" | "watch">;
}): KeptEnvironments {
  const { store, functions, compute, log } = needs;
  const telling = needs.nodes && createKeptTelling({ ...needs, nodes: needs.nodes });
  let unwatch: (() => void) | undefined;
  let running = false;
  let again = false;

  const readKind = async <V>(kind: string) => {
    const found: { readonly key: Key; readonly value: V }[] = [];
    const prefix: Key = [...lambdaPrefix, kind];
    let after: Key | undefined;
    for (;;) {
      const page = await store.read((reader) =>
        reader.range<V>({ prefix, ...(after && { after }) }, { limit: pageSize }),
      );
      found.push(...page);
      if (page.length < pageSize) return found;
      after = page.at(-1)?.key;
    }
  };

  /** The function that a key of the form `lambda, kind, account, region, name, …` belongs to. */
  const functionOf = (key: Key): Promise<CompiledFunction | undefined> => {
    const [, , account, region, name] = key.map(String);
    return functions.find({ account: account ?? "", region: region ?? "" }, name ?? "");
  };

  const gather = async (): Promise<readonly KeptFunction[]> => {
    const wanted = new Map<string, KeptFunction>();
    const add = async (
      fn: CompiledFunction,
      number: string,
      environments: number,
      initializationType: KeptFunction["initializationType"],
    ) => {
      const version = await fn.version(number);
      if (!version) return;
      const spec = await fn.spec(version);
      // A snapshot is each node's own; what is provisioned is all nodes' together.
      const own = initializationType === "snap-start" ? environments : ownPart(environments, spec.id, needs.nodes);
      const before = wanted.get(spec.id)?.environments ?? 0;
      wanted.set(spec.id, { spec, environments: before + own, initializationType });
    };
    for (const { key, value } of await readKind<ProvisionedConfig>("provisioned")) {
      const fn = await functionOf(key);
      if (!fn) continue;
      for (const [version, share] of sharesOf(value.qualifier, value.requested, fn.aliases.get(value.qualifier))) {
        await add(fn, version, share, "provisioned-concurrency");
      }
    }
    for (const { key } of await readKind("snapStart")) {
      const fn = await functionOf(key);
      const version = String(key.at(-1));
      if (fn && isInUse(fn, version)) await add(fn, version, 1, "snap-start");
    }
    return [...wanted.values()];
  };

  const apply = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        const wanted = await gather();
        if (unwatch === undefined) return;
        compute.keep(wanted);
        telling?.tell(wanted.map(({ spec }) => spec.id));
      } while (again);
    } catch (error) {
      // Stopped meanwhile, and the store with it.
      if (unwatch === undefined) return;
      log.error("Environments that are kept initialized could not be brought up to date", { error });
    } finally {
      running = false;
    }
  };

  return {
    start() {
      const applySoon = () => setImmediate(() => void apply());
      const unwatchStore = store.watch(lambdaPrefix, applySoon);
      const unwatchNodes = needs.nodes?.watch(applySoon);
      unwatch = () => {
        unwatchStore();
        unwatchNodes?.();
      };
      void apply();
    },
    stop() {
      unwatch?.();
      unwatch = undefined;
      telling?.stop();
    },
  };
}

const pageSize = 1000;

/** A snapshot costs an environment here: what no alias points to, and has been followed by another version, goes without. */
function isInUse(fn: CompiledFunction, version: string): boolean {
  if (fn.record.published?.version === version) return true;
  return [...fn.aliases.values()].some((alias) => alias.functionVersion === version || version in alias.weights);
}
