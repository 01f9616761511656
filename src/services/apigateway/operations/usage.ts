import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { pageOf } from "../rules.ts";
import { listPlanKeys, readUsagePlan, type UsagePlanRecord } from "../usage-model.ts";
import { readPlanKey } from "./usage-plans.ts";
import type { UsageNeeds } from "./usage-needs.ts";

const dayMs = 86_400_000;

export function usageOperations(needs: UsageNeeds) {
  return {
    GetUsage: {
      authorize: (input, call) => may("GET", call, `/usageplans/${input.usagePlanId}/usage`),
      run: async (input, call) => {
        const days = daysBetween(input.startDate, input.endDate, call.now);
        await needs.usage.flush();
        return needs.store.read(async (reader) => {
          const plan = await readUsagePlan(reader, call, input.usagePlanId);
          const keys = input.keyId
            ? [await readPlanKey(reader, call, plan.id, input.keyId)]
            : await listPlanKeys(reader, call, plan.id);
          const { items: page, ...rest } = pageOf(keys, (key) => key.id, input.limit, input.position);
          const items: Record<string, number[][]> = {};
          for (const key of page) items[key.id] = await readUsage(needs, reader, call, plan, key.id, days);
          return { usagePlanId: plan.id, startDate: input.startDate, endDate: input.endDate, ...rest, items };
        });
      },
    },
    UpdateUsage: {
      authorize: (input, call) => may("PATCH", call, `/usageplans/${input.usagePlanId}/keys/${input.keyId}/usage`),
      run: async (input, call) => {
        const { remaining } = applyPatch<{ readonly remaining?: number }>({}, input.patchOperations, patches, [
          "/remaining",
        ]);
        const today = dayOf(call.now);
        await needs.usage.flush();
        return needs.store.transact(async (tx) => {
          const plan = await readUsagePlan(tx, call, input.usagePlanId);
          const key = await readPlanKey(tx, call, plan.id, input.keyId);
          if (plan.quota === undefined) throw badRequest("Usage Plan has no quota");
          const address = { account: call.account, region: call.region, planId: plan.id, keyId: key.id };
          if (remaining !== undefined) {
            await needs.usage.setRemaining(tx, address, plan.quota, remaining, call.now);
            // Nodes that took the quota for used up look again.
            needs.usage.publishKey(tx, { ...address, value: key.value, enabled: key.enabled, planIds: key.planIds });
          }
          const items = { [key.id]: await readUsage(needs, tx, call, plan, key.id, [today]) };
          return { usagePlanId: plan.id, startDate: today, endDate: today, items };
        });
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** What is left where there is no quota: AWS documents no value. */
const withoutLimit = -1;

const patches: PatchTable<{ readonly remaining?: number }> = [
  {
    path: /^\/remaining$/,
    apply: {
      replace: (_usage, value) => {
        if (!/^\d+$/.test(value)) throw badRequest("The remaining quota must be a whole number");
        return { remaining: Number(value) };
      },
    },
  },
];

/** By day: requests, and what was left of the quota at its end. */
async function readUsage(
  needs: UsageNeeds,
  reader: Reader,
  call: Call,
  { id: planId, quota }: UsagePlanRecord,
  keyId: string,
  days: readonly string[],
): Promise<number[][]> {
  const address = { account: call.account, region: call.region, planId, keyId };
  const known = await needs.usage.readDays(reader, address, days);
  if (quota === undefined) return days.map((_day, index) => [known[index]?.used ?? 0, withoutLimit]);
  const left = await needs.usage.readRemaining(reader, address, quota, call.now);
  return days.map((day, index) => {
    const usage = known[index];
    if (usage !== undefined) return [usage.used, day === dayOf(call.now) ? left : usage.remaining];
    return [0, day === dayOf(call.now) ? left : quota.limit];
  });
}

function daysBetween(start: string | undefined, end: string | undefined, now: number): string[] {
  const from = parseDay("startDate", start);
  const to = parseDay("endDate", end);
  if (to < from) throw badRequest("Invalid date range: endDate must not be before startDate");
  if (from < now - (limits.usageDaysMax + 1) * dayMs) {
    throw badRequest(`Invalid date range: startDate must be within the last ${limits.usageDaysMax} days`);
  }
  const last = Math.min(to, now);
  const days: string[] = [];
  for (let day = from; day <= last; day += dayMs) days.push(dayOf(day));
  return days;
}

function parseDay(name: string, text: string | undefined): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(day)) throw badRequest(`Invalid ${name}: it must be a date as 2016-01-01`);
  return day;
}

function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
