import { createHash } from "node:crypto";
import { createLru } from "../../../access/lru.ts";
import type { Key, Reader, Store } from "../../../kernel/store/store.ts";
import type { ApiKeyFacts } from "../context/request-facts.ts";
import type { PublishedApiKey, PublishedStage, PublishedUsagePlan, UsagePublisher } from "../port.ts";
import { throttlingLimits as limits } from "./limits.ts";
import type { QuotaCounter, Quotas } from "./quotas.ts";
import type { UsageCounts } from "./usage-counts.ts";
import type { Throttle, Throttles } from "./throttles.ts";

/** What an API key's usage plan allows at one stage. */
export interface Grant {
  readonly facts: ApiKeyFacts;
  /** Of the key, at all stages of the plan together. */
  readonly throttle: Throttle | undefined;
  /** By `/path/METHOD`, or by route key: where a method or route has its own, that is in place of the plan's. */
  readonly methods: ReadonlyMap<string, Throttle> | undefined;
  readonly quota: QuotaCounter;
}

/** A stage that a plan may have: of a REST or a WebSocket API. */
type PlanStage = Pick<PublishedStage, "account" | "region" | "apiId" | "stageName">;

/** Finds what a key is granted: in memory, or in the store by one read; followed when keys and plans change. */
export interface UsagePlans {
  /** Null: the value is no key's, or of none that is enabled and in a plan of the stage. Undefined: it must be loaded. */
  find(stage: PlanStage, value: string): Grant | null | undefined;
  load(stage: PlanStage, value: string): Promise<Grant | null>;
  stop(): void;
}

export interface UsagePlansNeeds {
  readonly store: Store;
  readonly throttles: Throttles;
  readonly quotas: Quotas;
  /** For plans without a quota. */
  readonly counts: UsageCounts;
}

type StoredKey = Pick<PublishedApiKey, "keyId" | "enabled" | "planIds">;

const prefix: Key = ["execute-api", "usage"];

export const usagePublisher: UsagePublisher = {
  publishKey: (tx, { account, region, value, keyId, enabled, planIds }) =>
    tx.set(keyKey(account, region, value), { keyId, enabled, planIds } satisfies StoredKey),
  withdrawKey: (tx, { account, region, value }) => tx.delete(keyKey(account, region, value)),
  publishPlan: (tx, plan) => tx.set(planKey(plan.account, plan.region, plan.planId), plan),
  withdrawPlan: (tx, { account, region, planId }) => tx.delete(planKey(account, region, planId)),
};

/** Values are secrets of any form: stored as hashes, they are neither in keys nor in anything that tells of keys. */
function keyKey(account: string, region: string, value: string): Key {
  return [...prefix, "key", account, region, createHash("sha256").update(value).digest("base64url")];
}

function planKey(account: string, region: string, planId: string): Key {
  return [...prefix, "plan", account, region, planId];
}

export function createUsagePlans({ store, throttles, quotas, counts }: UsagePlansNeeds): UsagePlans {
  const granted = createLru<Grant>(limits.keysInMemoryMax);
  // Apart, so that whoever tries values does not crowd out those that are good.
  const unknown = createLru<null>(limits.unknownKeysInMemoryMax);
  let generation = 0;
  const unwatch = store.watch(prefix, () => {
    generation++;
    granted.clear();
    unknown.clear();
    quotas.refresh();
  });

  const grantOf = (stage: PlanStage, value: string, keyId: string, plan: PublishedUsagePlan): Grant => {
    const { account, region, planId } = plan;
    const name = `${account}/${region}/${planId}/${keyId}`;
    const own = plan.stages.find(({ apiId, stageName }) => apiId === stage.apiId && stageName === stage.stageName);
    const methods = Object.entries(own?.throttling ?? {}).map(([method, rate]): [string, Throttle] => [
      method,
      throttles.of(`${name}/${stage.apiId}/${stage.stageName}/${method}`, rate),
    ]);
    return {
      facts: { id: keyId, value },
      throttle: plan.throttling === undefined ? undefined : throttles.of(name, plan.throttling),
      methods: methods.length === 0 ? undefined : new Map(methods),
      quota:
        plan.quota === undefined
          ? counts.of({ account, region, planId, keyId })
          : quotas.of({ account, region, planId, keyId }, plan.quota),
    };
  };

  return {
    find(stage, value) {
      const name = `${stage.apiId}/${stage.stageName}/${value}`;
      return granted.get(name) ?? unknown.get(name);
    },
    async load(stage, value) {
      const name = `${stage.apiId}/${stage.stageName}/${value}`;
      for (;;) {
        const started = generation;
        const found = await store.read((reader) => findPlan(reader, stage, value));
        // Changed while we read: what we have may be what was there before.
        if (started !== generation) continue;
        if (found === undefined) {
          unknown.set(name, null);
          return null;
        }
        const grant = grantOf(stage, value, found.keyId, found.plan);
        granted.set(name, grant);
        return grant;
      }
    },
    stop: unwatch,
  };
}

/** The one plan of a key that has the stage. AWS: a key has no two with the same stage. */
async function findPlan(
  reader: Reader,
  { account, region, apiId, stageName }: PlanStage,
  value: string,
): Promise<{ readonly keyId: string; readonly plan: PublishedUsagePlan } | undefined> {
  const key = await reader.get<StoredKey>(keyKey(account, region, value));
  if (key?.enabled !== true) return undefined;
  const plans = await reader.getMany<PublishedUsagePlan>(key.planIds.map((id) => planKey(account, region, id)));
  const plan = plans.find((each) =>
    each?.stages.some((stage) => stage.apiId === apiId && stage.stageName === stageName),
  );
  return plan === undefined ? undefined : { keyId: key.keyId, plan };
}
