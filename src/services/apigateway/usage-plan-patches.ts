import type { PublishedQuota } from "../execute-api/port.ts";
import { badRequest } from "./errors.ts";
import type { PatchTable } from "./patch.ts";
import type { ApiStageRecord, ThrottleRecord, UsagePlanRecord } from "./usage-model.ts";

/** A plan as patches change it: parts of a quota come one by one, and are checked together at the end. */
export type PatchedUsagePlan = Omit<UsagePlanRecord, "quota"> & {
  readonly quota?: { readonly limit?: number; readonly offset?: number; readonly period?: string };
};

/** Source: "Patch operations", UpdateUsagePlan. */
export const usagePlanPatches: PatchTable<PatchedUsagePlan> = [
  { path: /^\/name$/, apply: { replace: (plan, name) => ({ ...plan, name }) } },
  { path: /^\/description$/, apply: { replace: (plan, description) => ({ ...plan, description }) } },
  { path: /^\/productCode$/, apply: both((plan, productCode) => ({ ...plan, productCode })) },
  {
    path: /^\/apiStages$/,
    apply: {
      add: (plan, value) => {
        const stage = stageFrom(value);
        if (plan.apiStages.some((known) => isSame(known, stage))) return plan;
        return { ...plan, apiStages: [...plan.apiStages, stage] };
      },
      remove: (plan, value) => {
        const stage = stageFrom(value);
        return { ...plan, apiStages: plan.apiStages.filter((known) => !isSame(known, stage)) };
      },
    },
  },
  {
    path: /^\/apiStages\/[^/]+\/throttle\/.+\/(?:rateLimit|burstLimit)$/,
    apply: both((plan, value, name, path) =>
      withMethodThrottle(plan, path.slice(0, path.lastIndexOf("/")), (before) => ({
        ...before,
        [name]: limitFrom(value),
      })),
    ),
  },
  {
    path: /^\/apiStages\/[^/]+\/throttle\/.+$/,
    apply: { remove: (plan, _value, _name, path) => withMethodThrottle(plan, path, () => undefined) },
  },
  {
    path: /^\/apiStages\/[^/]+\/throttle$/,
    apply: {
      remove: (plan, _value, _name, path) =>
        withStage(plan, path.split("/")[2] ?? "", (stage) => ({ ...stage, throttle: {} })),
    },
  },
  {
    path: /^\/throttle\/(?:rateLimit|burstLimit)$/,
    apply: both((plan, value, name) => ({ ...plan, throttle: { ...plan.throttle, [name]: limitFrom(value) } })),
  },
  {
    path: /^\/throttle$/,
    apply: {
      remove: (plan) => {
        const { throttle: _gone, ...rest } = plan;
        return rest;
      },
    },
  },
  {
    path: /^\/quota\/(?:limit|offset)$/,
    apply: both((plan, value, name) => ({ ...plan, quota: { ...plan.quota, [name]: wholeFrom(value) } })),
  },
  { path: /^\/quota\/period$/, apply: both((plan, period) => ({ ...plan, quota: { ...plan.quota, period } })) },
  {
    path: /^\/quota$/,
    apply: {
      remove: (plan) => {
        const { quota: _gone, ...rest } = plan;
        return rest;
      },
    },
  },
];

/**
 * A quota as it is asked for.
 *
 * AWS: the offset is 0 for days, up to 6 for weeks and up to 27 for months.
 */
export function parseQuota(
  quota: {
    readonly limit?: number | undefined;
    readonly offset?: number | undefined;
    readonly period?: string | undefined;
  },
  since: number,
): PublishedQuota {
  const { limit, offset = 0, period } = quota;
  if (period !== "DAY" && period !== "WEEK" && period !== "MONTH") {
    throw badRequest("Usage Plan quota period must be one of DAY, WEEK, MONTH");
  }
  if (limit === undefined || !Number.isInteger(limit) || limit < 0) {
    throw badRequest("Usage Plan quota limit must be a whole number that is not negative");
  }
  const offsetMax = { DAY: 0, WEEK: 6, MONTH: 27 }[period];
  if (!Number.isInteger(offset) || offset < 0 || offset > offsetMax) {
    throw badRequest(
      offsetMax === 0
        ? "Usage Plan quota offset must be zero in the DAY period"
        : `Usage Plan quota offset must be between zero and ${offsetMax} inclusive in the ${period} period`,
    );
  }
  return { limit, offset, period, since };
}

export function checkThrottle(throttle: {
  readonly rateLimit?: number | undefined;
  readonly burstLimit?: number | undefined;
}): ThrottleRecord {
  const { rateLimit, burstLimit } = throttle;
  for (const limit of [rateLimit, burstLimit]) {
    if (limit !== undefined && !(limit >= 0)) throw badRequest("Usage Plan throttle limits must not be negative");
  }
  if (burstLimit !== undefined && !Number.isInteger(burstLimit)) {
    throw badRequest("Usage Plan throttle burst limit must be a whole number");
  }
  return {
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(burstLimit === undefined ? {} : { burstLimit }),
  };
}

/** What of a stage is limited: a method, `/pets/GET`, however its slashes were written; anything else is the key of a route. */
export function throttleKeyOf(text: string): string {
  const name = text.replaceAll("~1", "/").replaceAll("~0", "~");
  const path = name.replace(/^\/+/, "");
  return methodPattern.test(path) ? `/${path.replace(/\/(?=\/)/g, "")}` : name;
}

export function isMethodKey(key: string): boolean {
  return key.startsWith("/") && methodPattern.test(key);
}

const methodPattern = /(?:^|\/)(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY)$/;

function both<F>(apply: F): { readonly add: F; readonly replace: F } {
  return { add: apply, replace: apply };
}

function stageFrom(value: string): ApiStageRecord {
  const [, apiId, stage] = /^([^:]+):(.+)$/.exec(value) ?? [];
  if (apiId === undefined || stage === undefined)
    throw badRequest(`Invalid API stage ${value}: it must be apiId:stage`);
  return { apiId, stage, throttle: {} };
}

function isSame(one: ApiStageRecord, other: ApiStageRecord): boolean {
  return one.apiId === other.apiId && one.stage === other.stage;
}

function withStage(
  plan: PatchedUsagePlan,
  name: string,
  change: (stage: ApiStageRecord) => ApiStageRecord,
): PatchedUsagePlan {
  const wanted = stageFrom(name);
  if (!plan.apiStages.some((stage) => isSame(stage, wanted)))
    throw badRequest(`API stage ${name} is not in the usage plan`);
  return { ...plan, apiStages: plan.apiStages.map((stage) => (isSame(stage, wanted) ? change(stage) : stage)) };
}

/** @param path of a method or route: `/apiStages/{apiId:stage}/throttle/{path}/{METHOD}` */
function withMethodThrottle(
  plan: PatchedUsagePlan,
  path: string,
  change: (before: ThrottleRecord | undefined) => ThrottleRecord | undefined,
): PatchedUsagePlan {
  const [, name = "", method = ""] = /^\/apiStages\/([^/]+)\/throttle\/(.+)$/.exec(path) ?? [];
  const key = throttleKeyOf(method);
  return withStage(plan, name, (stage) => {
    const { [key]: before, ...others } = stage.throttle;
    const next = change(before);
    return { ...stage, throttle: next === undefined ? others : { ...others, [key]: next } };
  });
}

function limitFrom(value: string): number {
  const limit = Number(value);
  if (value.trim() !== "" && limit >= 0 && Number.isFinite(limit)) return limit;
  throw badRequest(`Invalid throttle limit ${value}`);
}

function wholeFrom(value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw badRequest(`Invalid quota ${value}: it must be a whole number`);
}
