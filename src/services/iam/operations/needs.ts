import type * as sdk from "@aws-sdk/client-iam";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { PolicyCompiler } from "../../../access/policy/compile.ts";
import type { Seal } from "../../../access/server-keys.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Key, Reader, Store, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { entityNotFound, quotaExceeded, unmodifiableEntity } from "../errors.ts";
import { readEntity, type EntityKind, type EntityOf } from "../model.ts";
import { entityArn, resourceTagContext } from "../rules.ts";
import { isServiceLinked } from "../service-linked-roles.ts";

export type Sdk = typeof sdk;
export type IamOperations = OperationsOf<Sdk>;

export interface OperationNeeds {
  readonly store: Store;
  readonly ids: Ids;
  readonly seal: Seal;
  readonly compile: PolicyCompiler;
}

export async function existing<K extends EntityKind>(
  reader: Reader,
  call: Call,
  kind: K,
  name: string,
): Promise<EntityOf[K]> {
  const entity = await readEntity(reader, call.account, kind, name);
  if (!entity) throw entityNotFound(kind, name);
  return entity;
}

/** One that may be changed: a service-linked role is its service's alone. */
export async function modifiable<K extends EntityKind>(
  reader: Reader,
  call: Call,
  kind: K,
  name: string,
): Promise<EntityOf[K]> {
  const entity = await existing(reader, call, kind, name);
  if (kind === "role" && isServiceLinked(entity)) throw unmodifiableEntity(entity.name);
  return entity;
}

/** May the caller do this to that role, user or group? Its tags are told to the policies; one that is absent has no path. */
export async function onEntity(
  store: Store,
  call: Call,
  kind: EntityKind,
  name: string,
  context: AuthorizationRequest["context"] = {},
): Promise<readonly AuthorizationRequest[]> {
  const entity = await store.read((reader) => readEntity(reader, call.account, kind, name));
  const tags = entity && entity.kind !== "group" ? resourceTagContext(entity.tags) : {};
  return [
    {
      action: `iam:${call.operation}`,
      resource: entity?.arn ?? entityArn(call.account, kind, "/", name),
      context: { ...tags, ...context },
    },
  ];
}

/** For operations on what is not there yet, or on all there is. */
export function onResource(
  call: Call,
  resource: string,
  context: AuthorizationRequest["context"] = {},
): readonly AuthorizationRequest[] {
  return [{ action: `iam:${call.operation}`, resource, context }];
}

/** For lists: all entities of a kind below a path. */
export function onPath(
  call: Call,
  kind: EntityKind | "policy",
  prefix: string | undefined,
): readonly AuthorizationRequest[] {
  return onResource(call, `arn:aws:iam::${call.account}:${kind}${prefix ?? "/"}`);
}

/** Counted beside the transaction, so that creations do not wait for each other: two at once may go one over. */
export async function checkQuota(store: Store, prefix: Key, quota: string, limit: number): Promise<void> {
  const entries = await store.read((reader) => reader.range({ prefix }, { limit }));
  if (entries.length >= limit) throw quotaExceeded(quota, limit);
}

/** The body of a transaction that answers nothing. */
export async function change(store: Store, body: (tx: Transaction) => Promise<void>): Promise<Record<string, never>> {
  await store.transact(body);
  return {};
}
