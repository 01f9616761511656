import type { Call, OperationsOf } from "../../../wire/service.ts";
import { assumeRole } from "../assume.ts";
import {
  identityNotFound,
  invalidParameter,
  invalidPoolConfiguration,
  notAuthorized,
  poolNotFound,
  unauthenticatedRefused,
} from "../errors.ts";
import { identityLimits } from "../limits.ts";
import type { VerifiedLogins, VerifyLogins } from "../logins.ts";
import { readIdentity, readPool, writeIdentity, type IdentityPool } from "../model.ts";
import type { CognitoIdentityNeeds, Sdk } from "../needs.ts";
import { present } from "../pools.ts";
import { chooseRole, principalTagsOf } from "../role-choice.ts";
import { createIdentity, findOwner, isSame, link, signIn } from "../sign-in.ts";
import type { SigningKey } from "../signing-key.ts";
import { signToken, type IdentityToken } from "../tokens.ts";

export interface CredentialNeeds extends CognitoIdentityNeeds {
  readonly verifyLogins: VerifyLogins;
  readonly signingKey: () => Promise<SigningKey>;
}

/** What clients call without credentials. */
export function credentialOperations(needs: CredentialNeeds) {
  const { store, ids, verifyLogins, signingKey } = needs;

  const poolOf = async (identityId: string): Promise<IdentityPool> => {
    const pool = await store.read(async (reader) => {
      const identity = await readIdentity(reader, identityId);
      return identity && readPool(reader, identity.poolId);
    });
    if (pool === undefined) throw identityNotFound(identityId);
    return pool;
  };

  /** The pool, and what the logins say, with new ones linked. */
  const enter = async (
    identityId: string,
    logins: Readonly<Record<string, string>> | undefined,
    call: Call,
  ): Promise<{ readonly pool: IdentityPool; readonly verified: VerifiedLogins; readonly identityId: string }> => {
    const pool = await poolOf(identityId);
    const verified = await verifyLogins(pool, logins, call.now);
    const identity = await store.transact((tx) => signIn(tx, pool, identityId, verified, call.now));
    return { pool, verified, identityId: identity.id };
  };

  return {
    GetId: {
      authorize: () => [],
      async run(input, call) {
        const poolId = present(input.IdentityPoolId);
        const pool = await store.read((reader) => readPool(reader, poolId));
        if (pool === undefined || (input.AccountId !== undefined && input.AccountId !== pool.account)) {
          throw poolNotFound(poolId);
        }
        const verified = await verifyLogins(pool, input.Logins, call.now);
        if (verified.own !== undefined) return { IdentityId: verified.own.identityId };
        const logins = verified.signedIn.map(({ login }) => login);
        if (logins.length === 0 && !pool.allowUnauthenticated) throw unauthenticatedRefused();
        const identity = await store.transact(async (tx) => {
          const owner = await findOwner(tx, pool.id, logins);
          return owner === undefined
            ? createIdentity(tx, ids, pool, logins, call.now)
            : link(tx, owner, logins, call.now);
        });
        return { IdentityId: identity.id };
      },
    },

    GetCredentialsForIdentity: {
      authorize: () => [],
      async run(input, call) {
        const { pool, verified, identityId } = await enter(present(input.IdentityId), input.Logins, call);
        const roleArn = roleFor(pool, verified, input.CustomRoleArn);
        const issued = await assumeRole(needs, call, roleArn, toToken(pool, identityId, verified));
        return {
          IdentityId: identityId,
          Credentials: {
            AccessKeyId: issued.AccessKeyId,
            SecretKey: issued.SecretAccessKey,
            SessionToken: issued.SessionToken,
            Expiration: issued.Expiration,
          },
        };
      },
    },

    GetOpenIdToken: {
      authorize: () => [],
      async run(input, call) {
        const pool = await poolOf(present(input.IdentityId));
        if (pool.allowClassicFlow !== true) {
          throw invalidParameter("Basic (classic) flow is not enabled, please use enhanced flow.");
        }
        const { verified, identityId } = await enter(present(input.IdentityId), input.Logins, call);
        const token = toToken(pool, identityId, verified);
        const key = await signingKey();
        return {
          IdentityId: identityId,
          Token: await signToken(key, token, call.now, identityLimits.openIdTokenSeconds),
        };
      },
    },

    UnlinkIdentity: {
      authorize: () => [],
      async run(input, call) {
        const identityId = present(input.IdentityId);
        const pool = await poolOf(identityId);
        const verified = await verifyLogins(pool, input.Logins, call.now);
        if (verified.own === undefined && verified.signedIn.length === 0) throw unauthenticatedRefused();
        const gone = new Set(input.LoginsToRemove);
        await store.transact(async (tx) => {
          const identity = await signIn(tx, pool, identityId, verified, call.now);
          const removed = verified.signedIn.filter(({ login }) => gone.has(login.provider)).map(({ login }) => login);
          const logins = identity.logins.filter(
            (login) => !gone.has(login.provider) && !removed.some((each) => isSame(each, login)),
          );
          writeIdentity(tx, { ...identity, logins, modifiedAt: call.now }, identity);
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function toToken(pool: IdentityPool, identityId: string, { signedIn, own }: VerifiedLogins): IdentityToken {
  const isGuest = own === undefined && signedIn.length === 0;
  const amr = isGuest
    ? ["unauthenticated"]
    : [
        "authenticated",
        ...new Set([
          ...(own?.amr.filter((each) => each !== "authenticated") ?? []),
          ...signedIn.flatMap((each) => each.amr),
        ]),
      ];
  const tags = signedIn.map(({ login, claims }) => principalTagsOf(pool, login.provider, claims));
  return { identityId, poolId: pool.id, amr, tags: Object.assign({}, own?.tags, ...tags) };
}

/** @throws where the pool's mapping denies, or has no role */
function roleFor(pool: IdentityPool, { signedIn, own }: VerifiedLogins, customRoleArn: string | undefined): string {
  if (own === undefined && signedIn.length === 0) {
    if (customRoleArn !== undefined) throw invalidParameter("A custom role is only for authenticated identities.");
    const guest = pool.roles.unauthenticated;
    if (guest === undefined) throw invalidPoolConfiguration();
    return guest;
  }
  // AWS: with several logins, which provider's mapping counts is not documented: here the first that has one.
  const mapped = signedIn.find(({ mappingName }) => Object.hasOwn(pool.roleMappings, mappingName)) ?? signedIn[0];
  const choice = chooseRole(pool, mapped?.mappingName, mapped?.claims ?? {}, customRoleArn);
  if ("role" in choice) return choice.role;
  switch (choice.refused) {
    case "denied":
      throw notAuthorized("Token or rule does not map to a role, and the role mapping denies access.");
    case "mismatch":
      throw notAuthorized("The custom role is not among the roles of this identity.");
    case "none":
      throw invalidPoolConfiguration();
    default:
      throw new Error(choice.refused satisfies never);
  }
}
