import type * as sdk from "@aws-sdk/client-api-gateway";
import { AwsError } from "../../../aws/error.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { apiStageNotFound, badRequest, conflict, limitExceeded, stageInTwoPlans } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { findChild } from "../model.ts";
import { applyPatch } from "../patch.ts";
import { checkTags, pageOf } from "../rules.ts";
import {
  type ApiKeyRecord,
  type ApiStageRecord,
  deletePlanKey,
  deleteUsagePlan,
  listPlanKeys,
  listUsagePlans,
  readApiKey,
  readUsagePlan,
  type UsagePlanRecord,
  writeApiKey,
  writePlanKey,
  writeUsagePlan,
} from "../usage-model.ts";
import { checkThrottle, isMethodKey, parseQuota, throttleKeyOf, usagePlanPatches } from "../usage-plan-patches.ts";
import { findMade, madeBy } from "../../../wire/made.ts";
import type { UsageNeeds } from "./usage-needs.ts";

export function usagePlanOperations(needs: UsageNeeds) {
  return {
    CreateUsagePlan: {
      authorize: (_input, call) => may("POST", call, "/usageplans"),
      run: async (input, call) => {
        if (!input.name) throw badRequest("Usage Plan name must not be empty");
        const wanted: UsagePlanRecord = {
          version: 1,
          id: needs.ids.random(6, lowerAlphanumeric),
          name: input.name,
          ...(input.description === undefined ? {} : { description: input.description }),
          apiStages: (input.apiStages ?? []).map(apiStageFrom),
          ...(input.throttle === undefined ? {} : { throttle: checkThrottle(input.throttle) }),
          ...(input.quota === undefined ? {} : { quota: parseQuota(input.quota, call.now) }),
          tags: checkTags(input.tags ?? {}),
          ...madeBy(call),
        };
        const plan = await needs.store.transact(async (tx) => {
          const plans = await listUsagePlans(tx, call);
          const earlier = findMade(plans, call);
          if (earlier !== undefined) return earlier;
          if (plans.length >= limits.usagePlansMax)
            throw limitExceeded("usage plans for this account", limits.usagePlansMax);
          for (const stage of wanted.apiStages) {
            await checkStage(needs, tx, call, stage);
            await checkRoutes(needs, tx, call, stage);
          }
          writeUsagePlan(tx, needs.usage, call, wanted);
          return wanted;
        });
        return describeUsagePlan(plan);
      },
    },
    GetUsagePlan: {
      authorize: (input, call) => may("GET", call, `/usageplans/${input.usagePlanId}`),
      run: (input, call) =>
        needs.store.read(async (reader) => describeUsagePlan(await readUsagePlan(reader, call, input.usagePlanId))),
    },
    GetUsagePlans: {
      authorize: (_input, call) => may("GET", call, "/usageplans"),
      run: async (input, call) => {
        const plans = await needs.store.read(async (reader) => {
          const all = await listUsagePlans(reader, call);
          if (!input.keyId) return all;
          const { planIds } = await readApiKey(reader, call, input.keyId);
          return all.filter((plan) => planIds.includes(plan.id));
        });
        const page = pageOf(plans, (plan) => plan.id, input.limit, input.position);
        return { ...page, items: page.items.map(describeUsagePlan) };
      },
    },
    UpdateUsagePlan: {
      authorize: (input, call) => may("PATCH", call, `/usageplans/${input.usagePlanId}`),
      run: async (input, call) => {
        const plan = await needs.store.transact(async (tx) => {
          const before = await readUsagePlan(tx, call, input.usagePlanId);
          const { quota, ...patched } = applyPatch(before, input.patchOperations, usagePlanPatches);
          if (patched.name === "") throw badRequest("Usage Plan name must not be empty");
          const next: UsagePlanRecord = {
            ...patched,
            ...(quota === undefined ? {} : { quota: parseQuota(quota, before.quota?.since ?? call.now) }),
          };
          const added = next.apiStages.filter((stage) => !before.apiStages.some((known) => isSame(known, stage)));
          for (const stage of added) await checkStage(needs, tx, call, stage);
          for (const stage of next.apiStages) await checkRoutes(needs, tx, call, stage);
          if (added.length > 0) {
            const others = new Set((await listPlanKeys(tx, call, next.id)).flatMap(({ planIds }) => planIds));
            others.delete(next.id);
            for (const id of others) checkApart(await readUsagePlan(tx, call, id), next);
          }
          writeUsagePlan(tx, needs.usage, call, next);
          return next;
        });
        return describeUsagePlan(plan);
      },
    },
    DeleteUsagePlan: {
      authorize: (input, call) => may("DELETE", call, `/usageplans/${input.usagePlanId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const plan = await readUsagePlan(tx, call, input.usagePlanId);
          // AWS: stages must be taken out first; keys go with the plan.
          if (plan.apiStages.length > 0) {
            const [{ apiId, stage } = { apiId: "", stage: "" }] = plan.apiStages;
            throw badRequest(
              `Cannot delete Usage Plan ${plan.id} because there are API Stages associated with it, including ${apiId}:${stage}`,
            );
          }
          for (const key of await listPlanKeys(tx, call, plan.id)) {
            deletePlanKey(tx, call, plan.id, key.id);
            writeApiKey(tx, needs.usage, call, withoutPlan(key, plan.id));
          }
          deleteUsagePlan(tx, needs.usage, call, plan.id);
        });
        return {};
      },
    },
    CreateUsagePlanKey: {
      authorize: (input, call) => may("POST", call, `/usageplans/${input.usagePlanId}/keys`),
      run: async (input, call) => {
        if (input.keyType !== "API_KEY") throw badRequest("Invalid usage plan key type: it must be API_KEY");
        const key = await needs.store.transact(async (tx) => {
          const plan = await readUsagePlan(tx, call, input.usagePlanId);
          const before = await readApiKey(tx, call, input.keyId);
          if (before.planIds.includes(plan.id)) {
            throw conflict(`Usage Plan ${plan.id} already contains API Key ${before.id}`);
          }
          if (before.planIds.length >= limits.plansPerApiKeyMax) {
            throw limitExceeded("usage plans for this API key", limits.plansPerApiKeyMax);
          }
          for (const id of before.planIds) checkApart(await readUsagePlan(tx, call, id), plan);
          writePlanKey(tx, call, plan.id, before.id);
          writeApiKey(tx, needs.usage, call, { ...before, planIds: [...before.planIds, plan.id] });
          return before;
        });
        return describePlanKey(key);
      },
    },
    GetUsagePlanKey: {
      authorize: (input, call) => may("GET", call, `/usageplans/${input.usagePlanId}/keys/${input.keyId}`),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describePlanKey(await readPlanKey(reader, call, input.usagePlanId, input.keyId)),
        ),
    },
    GetUsagePlanKeys: {
      authorize: (input, call) => may("GET", call, `/usageplans/${input.usagePlanId}/keys`),
      run: async (input, call) => {
        const keys = await needs.store.read(async (reader) => {
          const plan = await readUsagePlan(reader, call, input.usagePlanId);
          return listPlanKeys(reader, call, plan.id);
        });
        const wanted = keys.filter((key) => !input.nameQuery || (key.name ?? "").startsWith(input.nameQuery));
        const page = pageOf(wanted, (key) => key.id, input.limit, input.position);
        return { ...page, items: page.items.map(describePlanKey) };
      },
    },
    DeleteUsagePlanKey: {
      authorize: (input, call) => may("DELETE", call, `/usageplans/${input.usagePlanId}/keys/${input.keyId}`),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const key = await readPlanKey(tx, call, input.usagePlanId, input.keyId);
          deletePlanKey(tx, call, input.usagePlanId ?? "", key.id);
          writeApiKey(tx, needs.usage, call, withoutPlan(key, input.usagePlanId ?? ""));
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Throws NotFoundException, also for a key that is in other plans only. */
export async function readPlanKey(
  reader: Reader,
  call: Call,
  planId: string | undefined,
  keyId: string | undefined,
): Promise<ApiKeyRecord> {
  const plan = await readUsagePlan(reader, call, planId);
  const key = await readApiKey(reader, call, keyId);
  if (!key.planIds.includes(plan.id)) throw apiStageNotFound(`API Key ${key.id} is not in usage plan ${plan.id}`);
  return key;
}

function withoutPlan(key: ApiKeyRecord, planId: string): ApiKeyRecord {
  return { ...key, planIds: key.planIds.filter((id) => id !== planId) };
}

function apiStageFrom(input: sdk.ApiStage): ApiStageRecord {
  if (!input.apiId || !input.stage) throw badRequest("An API stage of a usage plan must have an API id and a stage");
  const throttle = Object.entries(input.throttle ?? {}).map(([method, each]) => [
    throttleKeyOf(method),
    checkThrottle(each),
  ]);
  return { apiId: input.apiId, stage: input.stage, throttle: Object.fromEntries(throttle) };
}

/** Of a REST API, or one of a WebSocket API that is on the air. */
async function checkStage(
  needs: UsageNeeds,
  reader: Reader,
  call: Call,
  { apiId, stage }: ApiStageRecord,
): Promise<void> {
  if ((await findChild(reader, call, apiId, "stage", stage)) !== undefined) return;
  if (await isOfWebSocketApi(needs, reader, call, { apiId, stage })) return;
  throw apiStageNotFound(`Invalid API Stage {api: ${apiId}, stage: ${stage}} specified for usageplan`);
}

/** A plan limits single methods of REST APIs, and of WebSocket APIs single routes by their keys. */
async function checkRoutes(needs: UsageNeeds, reader: Reader, call: Call, stage: ApiStageRecord): Promise<void> {
  const keys = Object.keys(stage.throttle);
  if (keys.length === 0) return;
  const hasRoutes = await isOfWebSocketApi(needs, reader, call, stage);
  const wrong = keys.find((key) => isMethodKey(key) === hasRoutes);
  if (wrong === undefined) return;
  throw badRequest(
    hasRoutes
      ? `Invalid route ${wrong} for throttling: a WebSocket API has no methods`
      : `Invalid method ${wrong} for throttling: it must end with an HTTP method`,
  );
}

async function isOfWebSocketApi(
  { domains }: UsageNeeds,
  reader: Reader,
  call: Call,
  { apiId, stage }: Pick<ApiStageRecord, "apiId" | "stage">,
): Promise<boolean> {
  try {
    return (await domains.kindOf(reader, call, apiId, stage)) === "websocket";
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

/** AWS: a key has at most one plan for a stage. */
function checkApart(one: UsagePlanRecord, other: UsagePlanRecord): void {
  const shared = one.apiStages.find((stage) => other.apiStages.some((known) => isSame(known, stage)));
  if (shared !== undefined) throw stageInTwoPlans(other.id, `${shared.apiId}:${shared.stage}`);
}

function isSame(one: ApiStageRecord, other: ApiStageRecord): boolean {
  return one.apiId === other.apiId && one.stage === other.stage;
}

function describeUsagePlan(plan: UsagePlanRecord) {
  return {
    id: plan.id,
    name: plan.name,
    ...(plan.description === undefined ? {} : { description: plan.description }),
    apiStages: plan.apiStages.map(({ apiId, stage, throttle }) => ({
      apiId,
      stage,
      ...(Object.keys(throttle).length === 0 ? {} : { throttle: { ...throttle } }),
    })),
    ...(plan.throttle === undefined ? {} : { throttle: { ...plan.throttle } }),
    ...(plan.quota === undefined
      ? {}
      : { quota: { limit: plan.quota.limit, offset: plan.quota.offset, period: plan.quota.period } }),
    ...(plan.productCode === undefined ? {} : { productCode: plan.productCode }),
    ...(Object.keys(plan.tags).length === 0 ? {} : { tags: { ...plan.tags } }),
  };
}

function describePlanKey(key: ApiKeyRecord) {
  return {
    id: key.id,
    type: "API_KEY",
    value: key.value,
    ...(key.name === undefined ? {} : { name: key.name }),
  };
}
