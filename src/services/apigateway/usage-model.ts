import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import type { PublishedQuota, PublishedRate, UsagePublisher } from "../execute-api/port.ts";
import { createHash } from "node:crypto";
import { invalidApiKey, limitExceeded, invalidUsagePlan } from "./errors.ts";
import { apiGatewayLimits as limits } from "./limits.ts";
import type { Place } from "./model.ts";

/** An API key. Its value is a secret that AWS tells again: it is kept as it is, and is in no key, log or error. */
export interface ApiKeyRecord {
  readonly version: 1;
  readonly id: string;
  readonly value: string;
  readonly name?: string;
  readonly customerId?: string;
  readonly description?: string;
  readonly enabled: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** `apiId/stageName`: from before usage plans, kept and told. */
  readonly stageKeys: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** The usage plans that it is in. */
  readonly planIds: readonly string[];
}

export interface UsagePlanRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly apiStages: readonly ApiStageRecord[];
  readonly throttle?: ThrottleRecord;
  readonly quota?: PublishedQuota;
  /** Of the AWS Marketplace: kept and told. */
  readonly productCode?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** By which whoever asked for it finds it again. */
  readonly creationToken?: string;
}

/** One may be given without the other. */
export type ThrottleRecord = Partial<PublishedRate>;

export interface ApiStageRecord {
  readonly apiId: string;
  readonly stage: string;
  /** By `/path/METHOD`. */
  readonly throttle: Readonly<Record<string, ThrottleRecord>>;
}

export async function listApiKeys(reader: Reader, place: Place): Promise<ApiKeyRecord[]> {
  const entries = await reader.range<ApiKeyRecord>({ prefix: keyPrefix(place) }, { limit: limits.apiKeysMax });
  return entries.map((entry) => entry.value);
}

/** Throws NotFoundException. */
export async function readApiKey(reader: Reader, place: Place, id: string | undefined): Promise<ApiKeyRecord> {
  const key = id ? await reader.get<ApiKeyRecord>([...keyPrefix(place), id]) : undefined;
  if (key === undefined) throw invalidApiKey();
  return key;
}

/** The id of the key with this value. */
export function findKeyOfValue(reader: Reader, place: Place, value: string): Promise<string | undefined> {
  return reader.get<string>(valueKey(place, value));
}

/** One more key, or one less. Throws LimitExceededException. */
export async function countApiKey(tx: Transaction, { account, region }: Place, change: 1 | -1): Promise<void> {
  const counted: Key = ["apigateway", account, region, "api-key-count"];
  const count = ((await tx.get<number>(counted)) ?? 0) + change;
  if (count > limits.apiKeysMax) throw limitExceeded("API keys for this account", limits.apiKeysMax);
  tx.set(counted, count);
}

/** Write a key, and put it on the air. */
export function writeApiKey(tx: Transaction, usage: UsagePublisher, place: Place, key: ApiKeyRecord): void {
  const { account, region } = place;
  const { id, value, enabled, planIds } = key;
  tx.set([...keyPrefix(place), id], key);
  tx.set(valueKey(place, value), id);
  // What is in no plan opens nothing.
  if (planIds.length === 0) usage.withdrawKey(tx, { account, region, value });
  else usage.publishKey(tx, { account, region, keyId: id, value, enabled, planIds });
}

export function deleteApiKey(tx: Transaction, usage: UsagePublisher, place: Place, key: ApiKeyRecord): void {
  const { account, region } = place;
  tx.delete([...keyPrefix(place), key.id]);
  tx.delete(valueKey(place, key.value));
  for (const planId of key.planIds) tx.delete(memberKey(place, planId, key.id));
  usage.withdrawKey(tx, { account, region, value: key.value });
}

export async function listUsagePlans(reader: Reader, place: Place): Promise<UsagePlanRecord[]> {
  const entries = await reader.range<UsagePlanRecord>({ prefix: planPrefix(place) }, { limit: limits.usagePlansMax });
  return entries.map((entry) => entry.value);
}

/** Throws NotFoundException. */
export async function readUsagePlan(reader: Reader, place: Place, id: string | undefined): Promise<UsagePlanRecord> {
  const plan = id ? await reader.get<UsagePlanRecord>([...planPrefix(place), id]) : undefined;
  if (plan === undefined) throw invalidUsagePlan();
  return plan;
}

/** Write a plan, and put it on the air. */
export function writeUsagePlan(tx: Transaction, usage: UsagePublisher, place: Place, plan: UsagePlanRecord): void {
  const { account, region } = place;
  tx.set([...planPrefix(place), plan.id], plan);
  usage.publishPlan(tx, {
    account,
    region,
    planId: plan.id,
    stages: plan.apiStages.map(({ apiId, stage, throttle }) => ({
      apiId,
      stageName: stage,
      throttling: Object.fromEntries(Object.entries(throttle).map(withRate)),
    })),
    ...(plan.throttle === undefined ? {} : { throttling: rateOf(plan.throttle) }),
    ...(plan.quota === undefined ? {} : { quota: plan.quota }),
  });
}

export function deleteUsagePlan(tx: Transaction, usage: UsagePublisher, place: Place, planId: string): void {
  const { account, region } = place;
  tx.delete([...planPrefix(place), planId]);
  usage.withdrawPlan(tx, { account, region, planId });
}

/** A stage is no more, or all of an API's: no usage plan has it any longer. */
export async function leaveUsagePlans(
  tx: Transaction,
  usage: UsagePublisher,
  place: Place,
  apiId: string,
  stageName?: string,
): Promise<void> {
  const isGone = (each: ApiStageRecord) =>
    each.apiId === apiId && (stageName === undefined || each.stage === stageName);
  for (const plan of await listUsagePlans(tx, place)) {
    if (!plan.apiStages.some(isGone)) continue;
    const apiStages = plan.apiStages.filter((each) => !isGone(each));
    writeUsagePlan(tx, usage, place, { ...plan, apiStages });
  }
}

/** Ids of the keys in a plan. */
export async function listPlanKeys(reader: Reader, place: Place, planId: string): Promise<ApiKeyRecord[]> {
  const entries = await reader.range<true>({ prefix: memberPrefix(place, planId) }, { limit: limits.apiKeysMax });
  const keys = await reader.getMany<ApiKeyRecord>(
    entries.map(({ key }): Key => keyPrefix(place).concat(String(key.at(-1)))),
  );
  return keys.filter((key) => key !== undefined);
}

export function writePlanKey(tx: Transaction, place: Place, planId: string, keyId: string): void {
  tx.set(memberKey(place, planId, keyId), true);
}

export function deletePlanKey(tx: Transaction, place: Place, planId: string, keyId: string): void {
  tx.delete(memberKey(place, planId, keyId));
}

function withRate([method, throttle]: [string, ThrottleRecord]): [string, PublishedRate] {
  return [method, rateOf(throttle)];
}

/** Without a rate there is the account's, and without a burst what comes in a second may come at once. */
function rateOf({ rateLimit = 10_000, burstLimit = Math.ceil(rateLimit) }: ThrottleRecord): PublishedRate {
  return { rateLimit, burstLimit };
}

function keyPrefix({ account, region }: Place): Key {
  return ["apigateway", account, region, "api-key"];
}

function valueKey({ account, region }: Place, value: string): Key {
  return ["apigateway", account, region, "api-key-value", createHash("sha256").update(value).digest("base64url")];
}

function planPrefix({ account, region }: Place): Key {
  return ["apigateway", account, region, "usage-plan"];
}

function memberPrefix({ account, region }: Place, planId: string): Key {
  return ["apigateway", account, region, "usage-plan-key", planId];
}

function memberKey(place: Place, planId: string, keyId: string): Key {
  return [...memberPrefix(place, planId), keyId];
}
