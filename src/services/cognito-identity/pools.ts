import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import type { Call } from "../../wire/service.ts";
import { poolNotFound } from "./errors.ts";
import { poolArn, readPool, type IdentityPool } from "./model.ts";

/** A pool of the caller's account and region: others' are not found. @throws ResourceNotFoundException */
export async function existingPool(reader: Reader, call: Call, poolId: string): Promise<IdentityPool> {
  const pool = await readPool(reader, poolId);
  if (pool === undefined || pool.account !== call.account || pool.region !== call.region) throw poolNotFound(poolId);
  return pool;
}

/** The question whether the caller may do this to a pool, with the pool's tags. */
export async function onPool(
  store: Store,
  call: Call,
  poolId: string,
  context: Readonly<Record<string, readonly string[]>> = {},
): Promise<readonly AuthorizationRequest[]> {
  const pool = await store.read((reader) => readPool(reader, poolId));
  const isOurs = pool?.account === call.account && pool.region === call.region;
  const tags = isOurs ? Object.entries(pool.tags) : [];
  return [
    {
      action: `cognito-identity:${call.operation}`,
      resource: poolArn(call, poolId),
      resourceAccount: call.account,
      context: { ...Object.fromEntries(tags.map(([key, value]) => [`aws:ResourceTag/${key}`, [value]])), ...context },
    },
  ];
}

/** The question about an action that has no resource. */
export function onAll(
  call: Call,
  context: Readonly<Record<string, readonly string[]>> = {},
): readonly AuthorizationRequest[] {
  return [{ action: `cognito-identity:${call.operation}`, resource: "*", context }];
}

/** A required member: the wire has checked that it is there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("A required member is absent: the wire's check is missing");
  return value;
}

/** Condition keys of the tags that a request gives. */
export function requestTags(tags: Readonly<Record<string, string>> | undefined) {
  const entries = Object.entries(tags ?? {});
  if (entries.length === 0) return {};
  return {
    "aws:TagKeys": entries.map(([key]) => key),
    ...Object.fromEntries(entries.map(([key, value]) => [`aws:RequestTag/${key}`, [value]])),
  };
}

/** The text after which a list goes on, as a token that says nothing else. */
export function toPageToken(after: string): string {
  return Buffer.from(after, "utf8").toString("base64url");
}

export function parsePageToken(token: string): string | undefined {
  const after = Buffer.from(token, "base64url").toString("utf8");
  return toPageToken(after) === token ? after : undefined;
}
