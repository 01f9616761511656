import type { Ids } from "../../kernel/ids.ts";
import type { Reader, Transaction } from "../../kernel/store/store.ts";
import {
  identityNotFound,
  loginsDoNotMatch,
  notAuthorized,
  resourceConflict,
  unauthenticatedRefused,
} from "./errors.ts";
import {
  deleteIdentity,
  findByLogin,
  readIdentity,
  writeIdentity,
  type Identity,
  type IdentityPool,
  type Login,
} from "./model.ts";
import type { VerifiedLogins } from "./logins.ts";

/** A new identity of a pool. */
export function createIdentity(
  tx: Transaction,
  ids: Ids,
  pool: IdentityPool,
  logins: readonly Login[],
  now: number,
): Identity {
  const identity: Identity = {
    v: 1,
    id: `${pool.region}:${ids.uuid()}`,
    poolId: pool.id,
    logins,
    createdAt: now,
    modifiedAt: now,
  };
  writeIdentity(tx, identity);
  return identity;
}

/** Whose logins these are; undefined where nobody's yet. @throws ResourceConflictException where they are several people's */
export async function findOwner(
  reader: Reader,
  poolId: string,
  logins: readonly Login[],
): Promise<Identity | undefined> {
  const found = await Promise.all(logins.map((login) => findByLogin(reader, poolId, login)));
  const owners = new Set(found.filter((id) => id !== undefined));
  if (owners.size > 1) throw resourceConflict("Login is already linked to another account.");
  const [owner] = owners;
  return owner === undefined ? undefined : readIdentity(reader, owner);
}

/**
 * The identity with the logins that were verified, new ones linked to it. Somebody signed in must show a login that is
 * already linked to the identity. A guest becomes whoever the logins show, under that one's id where there is one.
 */
export async function signIn(
  tx: Transaction,
  pool: IdentityPool,
  identityId: string,
  verified: VerifiedLogins,
  now: number,
): Promise<Identity> {
  const identity = await readIdentity(tx, identityId);
  if (identity === undefined || identity.poolId !== pool.id) throw identityNotFound(identityId);
  const { own, signedIn } = verified;
  if (own !== undefined && own.identityId !== identityId) throw loginsDoNotMatch();
  if (own === undefined && signedIn.length === 0) {
    if (identity.logins.length > 0) throw notAuthorized(`Access to Identity '${identityId}' is forbidden.`);
    if (!pool.allowUnauthenticated) throw unauthenticatedRefused();
    return identity;
  }
  const logins = signedIn.map(({ login }) => login);
  const owner = await findOwner(tx, pool.id, logins);
  if (owner !== undefined && owner.id !== identityId) {
    if (identity.logins.length > 0 || own !== undefined) {
      throw resourceConflict("Login is already linked to another account.");
    }
    // AWS: a guest who turns out to be somebody known is that from now on, under the known identity's id.
    deleteIdentity(tx, identity);
    return link(tx, owner, logins, now);
  }
  const isKnown = own !== undefined || owner !== undefined || identity.logins.length === 0;
  if (!isKnown) throw loginsDoNotMatch();
  return link(tx, identity, logins, now);
}

/** @throws NotAuthorizedException where the identity is somebody else's at the same provider */
export function link(tx: Transaction, identity: Identity, logins: readonly Login[], now: number): Identity {
  const added = logins.filter((login) => !identity.logins.some((each) => isSame(each, login)));
  if (added.length === 0) return identity;
  if (added.some(({ provider }) => identity.logins.some((each) => each.provider === provider))) {
    throw loginsDoNotMatch();
  }
  const linked = { ...identity, logins: [...identity.logins, ...added], modifiedAt: now };
  writeIdentity(tx, linked, identity);
  return linked;
}

export function isSame(a: Login, b: Login): boolean {
  return a.provider === b.provider && a.subject === b.subject;
}

/** Providers that an identity has logins of, each once. */
export function providersOf(identity: Identity): string[] {
  return [...new Set(identity.logins.map(({ provider }) => provider))];
}
