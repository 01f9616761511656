import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import { iamLimits } from "./limits.ts";

export type EntityKind = "role" | "user" | "group";

/** What roles, users and groups have alike. Stored; dates are epoch milliseconds. */
interface EntityRecord {
  readonly v: 1;
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly arn: string;
  readonly createdAt: number;
  /** Inline policies: documents by name. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
  /** Managed policies, by ARN, in the order of their attachment. */
  readonly attachedPolicies: readonly string[];
}

export interface Role extends EntityRecord {
  readonly kind: "role";
  readonly trustPolicy: string;
  readonly description: string;
  readonly maxSessionSeconds: number;
  readonly permissionsBoundary: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export interface User extends EntityRecord {
  readonly kind: "user";
  readonly permissionsBoundary: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly accessKeyIds: readonly string[];
  /** Names of its groups. */
  readonly groups: readonly string[];
}

export interface Group extends EntityRecord {
  readonly kind: "group";
}

export interface EntityOf {
  role: Role;
  user: User;
  group: Group;
}

export type Entity = Role | User | Group;

/** A customer's managed policy. */
export interface ManagedPolicy {
  readonly v: 1;
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly defaultVersionId: string;
  /** The number the next version gets: numbers are not used twice. */
  readonly nextVersion: number;
  readonly versions: readonly PolicyVersion[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface PolicyVersion {
  readonly id: string;
  readonly document: string;
  readonly createdAt: number;
}

export interface AccessKeyRecord {
  readonly v: 1;
  readonly accessKeyId: string;
  readonly account: string;
  readonly userName: string;
  /** The secret access key, sealed with the server's key. */
  readonly sealedSecret: Uint8Array;
  readonly status: "Active" | "Inactive";
  readonly createdAt: number;
}

export interface AccessKeyUse {
  readonly at: number;
  readonly service: string;
  readonly region: string;
}

/** Everything whose change may change a decision: caches are dropped when something below this changes. */
export const iamPrefix: Key = ["iam"];

/** IAM's names are unique without regard to case. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

export function entityPrefix(account: string, kind: EntityKind): Key {
  return ["iam", account, kind];
}

function entityKey(account: string, kind: EntityKind, name: string): Key {
  return ["iam", account, kind, nameKey(name)];
}

export async function readEntity<K extends EntityKind>(
  reader: Reader,
  account: string,
  kind: K,
  name: string,
): Promise<EntityOf[K] | undefined> {
  return await reader.get<EntityOf[K]>(entityKey(account, kind, name));
}

export function writeEntity(tx: Transaction, account: string, entity: Entity): void {
  tx.set(entityKey(account, entity.kind, entity.name), entity);
}

export function deleteEntity(tx: Transaction, account: string, entity: Entity): void {
  tx.delete(entityKey(account, entity.kind, entity.name));
  tx.delete(policyPrincipalKey(entity.id));
}

/** Whose the unique id is that policies of resources have for a user or role. */
export interface PolicyPrincipal {
  readonly account: string;
  readonly kind: "user" | "role";
  readonly name: string;
}

/** Not below IAM's own prefix: it changes no decision. */
export function policyPrincipalKey(id: string): Key {
  return ["iamPrincipal", id];
}

export function policyPrefix(account: string): Key {
  return ["iam", account, "policy"];
}

export function policyKey(account: string, name: string): Key {
  return [...policyPrefix(account), nameKey(name)];
}

/** By ARN: the path must be right too. */
export async function readPolicy(reader: Reader, account: string, arn: string): Promise<ManagedPolicy | undefined> {
  const prefix = `arn:aws:iam::${account}:policy/`;
  if (!arn.startsWith(prefix)) return undefined;
  const policy = await reader.get<ManagedPolicy>(policyKey(account, arn.slice(arn.lastIndexOf("/") + 1)));
  return policy?.arn === arn ? policy : undefined;
}

export function writePolicy(tx: Transaction, account: string, policy: ManagedPolicy): void {
  tx.set(policyKey(account, policy.name), policy);
}

/** Who uses a managed policy, and as what: the way back from the policy. */
export type PolicyUse = "PermissionsPolicy" | "PermissionsBoundary";

export interface PolicyUser {
  readonly kind: EntityKind;
  readonly name: string;
  readonly id: string;
  readonly path: string;
}

export function usePrefix(account: string, policyArn: string, use: PolicyUse): Key {
  return ["iam", account, "use", policyArn, use];
}

export function useKey(account: string, policyArn: string, use: PolicyUse, entity: Entity): Key {
  return [...usePrefix(account, policyArn, use), entity.kind, nameKey(entity.name)];
}

export function writeUse(tx: Transaction, account: string, policyArn: string, use: PolicyUse, entity: Entity): void {
  const { kind, name, id, path } = entity;
  const user: PolicyUser = { kind, name, id, path };
  tx.set(useKey(account, policyArn, use, entity), user);
}

export function memberPrefix(account: string, groupName: string): Key {
  return ["iam", account, "member", nameKey(groupName)];
}

/** By the key's id alone: a signature does not say whose it is. */
export function accessKeyKey(accessKeyId: string): Key {
  return ["iam", "accessKey", accessKeyId];
}

/** Outside of `iamPrefix`: a use changes no decision. */
export function accessKeyUseKey(accessKeyId: string): Key {
  return ["iamUse", accessKeyId];
}

/** Everything below a prefix. Bounded by the account's quotas. */
export async function readAll<V>(reader: Reader, prefix: Key): Promise<V[]> {
  const values: V[] = [];
  let after: Key | undefined;
  for (;;) {
    const entries = await reader.range<V>({ prefix, ...(after && { after }) }, { limit: iamLimits.scanEntries });
    for (const { value } of entries) values.push(value);
    after = entries.at(-1)?.key;
    if (entries.length < iamLimits.scanEntries || !after) return values;
  }
}
