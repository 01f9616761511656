import { createHash } from "node:crypto";
import { toArn } from "../../aws/arn.ts";
import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";

/** An identity pool as stored. */
export interface IdentityPool {
  readonly v: 1;
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly allowUnauthenticated: boolean;
  readonly allowClassicFlow?: boolean;
  readonly supportedLoginProviders?: Readonly<Record<string, string>>;
  readonly developerProviderName?: string;
  readonly openIdConnectProviderArns?: readonly string[];
  readonly userPools?: readonly UserPoolProvider[];
  readonly tags: Readonly<Record<string, string>>;
  readonly roles: Readonly<Partial<Record<RoleKind, string>>>;
  readonly roleMappings: Readonly<Record<string, RoleMapping>>;
  /** By provider name. */
  readonly principalTags: Readonly<Record<string, PrincipalTagMap>>;
}

export type RoleKind = "authenticated" | "unauthenticated";

/** A user pool's client whose ID tokens sign in. */
export interface UserPoolProvider {
  /** `cognito-idp.REGION.amazonaws.com/POOL_ID` */
  readonly providerName: string;
  readonly clientId: string;
  readonly serverSideTokenCheck: boolean;
}

export type RoleMapping =
  | { readonly type: "Token"; readonly ambiguous: Ambiguous }
  | { readonly type: "Rules"; readonly ambiguous: Ambiguous; readonly rules: readonly MappingRule[] };

export type Ambiguous = "AuthenticatedRole" | "Deny";

export interface MappingRule {
  readonly claim: string;
  readonly match: "Equals" | "Contains" | "StartsWith" | "NotEqual";
  readonly value: string;
  readonly roleArn: string;
}

export type PrincipalTagMap =
  { readonly useDefaults: true } | { readonly useDefaults: false; readonly tags: Readonly<Record<string, string>> };

/** Somebody of a pool: without logins, a guest. */
export interface Identity {
  readonly v: 1;
  readonly id: string;
  readonly poolId: string;
  readonly logins: readonly Login[];
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** Who somebody is at a provider. Of a developer provider, one for each user identifier. */
export interface Login {
  readonly provider: string;
  readonly subject: string;
}

const service = "cognito-identity";

export function readPool(reader: Reader, poolId: string): Promise<IdentityPool | undefined> {
  return reader.get<IdentityPool>([service, "pool", poolId]);
}

export function writePool(tx: Transaction, pool: IdentityPool): void {
  tx.set([service, "pool", pool.id], pool);
  tx.set([...poolsPrefix(pool), pool.id], pool.name);
}

export function deletePool(tx: Transaction, pool: IdentityPool): void {
  tx.delete([service, "pool", pool.id]);
  tx.delete([...poolsPrefix(pool), pool.id]);
}

/** Names of pools by their ids, for lists. */
export function poolsPrefix(place: { readonly account: string; readonly region: string }): Key {
  return [service, "pools", place.account, place.region];
}

export function identitiesPrefix(poolId: string): Key {
  return [service, "identity", poolId];
}

export async function readIdentity(reader: Reader, identityId: string): Promise<Identity | undefined> {
  const poolId = await reader.get<string>([service, "poolOf", identityId]);
  return poolId === undefined ? undefined : reader.get<Identity>([...identitiesPrefix(poolId), identityId]);
}

/** Writes the identity with what finds it by its logins; `before` is what it was. */
export function writeIdentity(tx: Transaction, identity: Identity, before?: Identity): void {
  for (const login of before?.logins ?? []) tx.delete(loginKey(identity.poolId, login));
  for (const login of identity.logins) tx.set(loginKey(identity.poolId, login), identity.id);
  tx.set([service, "poolOf", identity.id], identity.poolId);
  tx.set([...identitiesPrefix(identity.poolId), identity.id], identity);
}

export function deleteIdentity(tx: Transaction, identity: Identity): void {
  for (const login of identity.logins) tx.delete(loginKey(identity.poolId, login));
  tx.delete([service, "poolOf", identity.id]);
  tx.delete([...identitiesPrefix(identity.poolId), identity.id]);
}

/** The id of the identity that a login leads to. */
export function findByLogin(reader: Reader, poolId: string, login: Login): Promise<string | undefined> {
  return reader.get<string>(loginKey(poolId, login));
}

// Subjects may be longer than a key.
function loginKey(poolId: string, { provider, subject }: Login): Key {
  return [service, "login", poolId, createHash("sha256").update(`${provider}\n${subject}`).digest()];
}

export function poolArn(pool: { readonly account: string; readonly region: string }, poolId: string): string {
  return toArn(service, pool.region, pool.account, `identitypool/${poolId}`);
}
