import type { Compute, FleetPlan } from "../../../compute/compute.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Key, Store } from "../../../kernel/store/store.ts";
import type { Functions } from "../functions.ts";
import { lambdaPrefix, type Place } from "../model.ts";
import { capacityLimits } from "./limits.ts";
import { capacityProviderArn, capacityProviderKey, type CapacityProviderRecord, type CapacityUse } from "./model.ts";
import { boundsOf, readFunctionScaling } from "./scaling.ts";
import { vcpusOf } from "./settings.ts";

/** Sees to it that compute keeps the fleets of all published versions on capacity providers, from the start on. */
export interface CapacityFleets {
  start(): void;
  stop(): void;
}

const pageSize = 1000;

export function createCapacityFleets(needs: {
  readonly store: Store;
  readonly functions: Functions;
  readonly compute: Compute;
  readonly log: Log;
}): CapacityFleets {
  const { store, functions, compute, log } = needs;
  let unwatch: (() => void) | undefined;
  let running = false;
  let again = false;

  const readUses = async () => {
    const found: { readonly key: Key; readonly value: CapacityUse }[] = [];
    const prefix: Key = [...lambdaPrefix, "capacityUse"];
    let after: Key | undefined;
    for (;;) {
      const page = await store.read((reader) =>
        reader.range<CapacityUse>({ prefix, ...(after && { after }) }, { limit: pageSize }),
      );
      found.push(...page);
      if (page.length < pageSize) return found;
      after = page.at(-1)?.key;
    }
  };

  const planOf = async (place: Place, provider: string, use: CapacityUse): Promise<FleetPlan | undefined> => {
    const fn = await functions.find(place, use.function);
    const version = await fn?.version(use.version);
    if (!fn || !version || version.settings.capacity?.provider !== provider) return undefined;
    const [record, scaling] = await store.read(async (reader) => [
      await reader.get<CapacityProviderRecord>(capacityProviderKey(place, provider)),
      await readFunctionScaling(reader, place, use.function, use.version),
    ]);
    const bounds = boundsOf(scaling);
    return {
      spec: await fn.spec(version),
      environmentsMin: bounds.min,
      environmentsMax: bounds.max,
      utilizationTarget:
        record?.scaling.cpuTarget === undefined ? capacityLimits.utilizationTarget : record.scaling.cpuTarget / 100,
      group: capacityProviderArn(place, provider),
      groupVcpusMax: record?.scaling.maxVcpus ?? vcpusOf(version.settings),
    };
  };

  const gather = async (): Promise<readonly FleetPlan[]> => {
    const plans: FleetPlan[] = [];
    for (const { key, value } of await readUses()) {
      if (value.version === "$LATEST") continue;
      const [, , account = "", region = "", provider = ""] = key.map(String);
      const plan = await planOf({ account, region }, provider, value);
      if (plan !== undefined) plans.push(plan);
    }
    return plans;
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
        const plans = await gather();
        if (unwatch !== undefined) compute.maintain(plans);
      } while (again);
    } catch (error) {
      // Stopped meanwhile, and the store with it.
      if (unwatch === undefined) return;
      log.error("Environments on capacity providers could not be brought up to date", { error });
    } finally {
      running = false;
    }
  };

  return {
    start() {
      unwatch = store.watch(lambdaPrefix, () => setImmediate(() => void apply()));
      void apply();
    },
    stop() {
      unwatch?.();
      unwatch = undefined;
    },
  };
}
