import type { OperationsOf } from "../../../wire/service.ts";
import {
  developerUserAlreadyRegistered,
  identityNotFound,
  invalidParameter,
  notAuthorized,
  resourceConflict,
} from "../errors.ts";
import { identityLimits } from "../limits.ts";
import {
  deleteIdentity,
  findByLogin,
  readIdentity,
  writeIdentity,
  type Identity,
  type IdentityPool,
  type Login,
} from "../model.ts";
import type { Sdk } from "../needs.ts";
import { existingPool, onPool, parsePageToken, present, toPageToken } from "../pools.ts";
import { createIdentity, findOwner, isSame, link } from "../sign-in.ts";
import { signToken } from "../tokens.ts";
import type { CredentialNeeds } from "./credentials.ts";

/** Users whom the developer's own backend vouches for. */
export function developerIdentityOperations(needs: CredentialNeeds) {
  const { store, ids, verifyLogins, signingKey } = needs;
  return {
    GetOpenIdTokenForDeveloperIdentity: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      async run(input, call) {
        const pool = await store.read((reader) => existingPool(reader, call, present(input.IdentityPoolId)));
        const provider = developerProvider(pool);
        const { [provider]: subject, ...others } = present(input.Logins);
        if (subject === undefined) {
          throw invalidParameter("Please provide a login of the developer provider of this identity pool.");
        }
        const verified = await verifyLogins(pool, others, call.now);
        const login: Login = { provider, subject };
        const identity = await store.transact(async (tx) => {
          const owner = await findOwner(tx, pool.id, [login, ...verified.signedIn.map((each) => each.login)]);
          const identityId = input.IdentityId;
          if (identityId !== undefined && owner !== undefined && owner.id !== identityId) {
            throw developerUserAlreadyRegistered();
          }
          const asked = identityId === undefined ? undefined : await readIdentity(tx, identityId);
          if (identityId !== undefined && asked?.poolId !== pool.id) throw identityNotFound(identityId);
          const before = owner ?? asked ?? createIdentity(tx, ids, pool, [], call.now);
          const registered = register(tx, before, login, call.now);
          return link(
            tx,
            registered,
            verified.signedIn.map((each) => each.login),
            call.now,
          );
        });
        const seconds = input.TokenDuration ?? identityLimits.developerTokenSecondsDefault;
        const token = {
          identityId: identity.id,
          poolId: pool.id,
          amr: [
            "authenticated",
            provider,
            `${provider}:${pool.id}:${subject}`,
            ...verified.signedIn.flatMap(({ amr }) => amr),
          ],
          tags: input.PrincipalTags ?? {},
        };
        return { IdentityId: identity.id, Token: await signToken(await signingKey(), token, call.now, seconds) };
      },
    },

    LookupDeveloperIdentity: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      run: (input, call) =>
        store.read(async (reader) => {
          const pool = await existingPool(reader, call, present(input.IdentityPoolId));
          const provider = developerProvider(pool);
          const { IdentityId: identityId, DeveloperUserIdentifier: subject } = input;
          if (identityId === undefined && subject === undefined) {
            throw invalidParameter("Either IdentityId or DeveloperUserIdentifier must be provided.");
          }
          const found = subject === undefined ? identityId : await findByLogin(reader, pool.id, { provider, subject });
          const identity = found === undefined ? undefined : await readIdentity(reader, found);
          if (identity?.poolId !== pool.id) {
            throw subject === undefined ? identityNotFound(identityId ?? "") : identityNotFound(subject);
          }
          // AWS: both given must belong together.
          if (identityId !== undefined && identity.id !== identityId) {
            throw resourceConflict("The developer user identifier is not of this identity.");
          }
          const all = identifiersOf(identity, provider);
          const after = input.NextToken === undefined ? undefined : parsePageToken(input.NextToken);
          if (input.NextToken !== undefined && after === undefined) throw invalidParameter("Invalid pagination token.");
          const rest = after === undefined ? all : all.filter((each) => each > after);
          const page = rest.slice(0, input.MaxResults ?? 60);
          const last = page.at(-1);
          return {
            IdentityId: identity.id,
            DeveloperUserIdentifierList: page,
            ...(rest.length > page.length && last !== undefined && { NextToken: toPageToken(last) }),
          };
        }),
    },

    MergeDeveloperIdentities: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      run: (input, call) =>
        store.transact(async (tx) => {
          const pool = await existingPool(tx, call, present(input.IdentityPoolId));
          const provider = developerProvider(pool, input.DeveloperProviderName);
          const find = async (subject: string): Promise<Identity> => {
            const id = await findByLogin(tx, pool.id, { provider, subject });
            const identity = id === undefined ? undefined : await readIdentity(tx, id);
            if (identity === undefined) throw identityNotFound(subject);
            return identity;
          };
          const source = await find(present(input.SourceUserIdentifier));
          const destination = await find(present(input.DestinationUserIdentifier));
          if (source.id === destination.id) throw invalidParameter("The users are the same identity already.");
          const isPublic = ({ provider: each }: Login) => each !== provider;
          if (source.logins.some(isPublic) && destination.logins.some(isPublic)) {
            throw resourceConflict("Identities that are both linked to public providers cannot be merged.");
          }
          deleteIdentity(tx, source);
          const logins = [...destination.logins, ...source.logins];
          checkCount(logins);
          writeIdentity(tx, { ...destination, logins, modifiedAt: call.now }, destination);
          return { IdentityId: destination.id };
        }),
    },

    UnlinkDeveloperIdentity: {
      authorize: (input, call) => onPool(store, call, present(input.IdentityPoolId)),
      run: (input, call) =>
        store.transact(async (tx) => {
          const pool = await existingPool(tx, call, present(input.IdentityPoolId));
          const provider = developerProvider(pool, input.DeveloperProviderName);
          const identityId = present(input.IdentityId);
          const identity = await readIdentity(tx, identityId);
          const login = { provider, subject: present(input.DeveloperUserIdentifier) };
          if (identity?.poolId !== pool.id) throw identityNotFound(identityId);
          if (!identity.logins.some((each) => isSame(each, login))) {
            throw notAuthorized("The developer user identifier is not linked to this identity.");
          }
          const logins = identity.logins.filter((each) => !isSame(each, login));
          writeIdentity(tx, { ...identity, logins, modifiedAt: call.now }, identity);
          return {};
        }),
    },
  } satisfies OperationsOf<Sdk>;
}

/** @throws where the pool has none, or another than the one named */
function developerProvider(pool: IdentityPool, named?: string): string {
  const { developerProviderName: name } = pool;
  if (name === undefined || (named !== undefined && named !== name)) {
    if (named !== undefined) throw invalidParameter(`${named} is not the developer provider of this identity pool.`);
    throw invalidParameter("This identity pool has no developer provider.");
  }
  return name;
}

/** One identity may have several identifiers of the developer's. */
function register(tx: Parameters<typeof writeIdentity>[0], identity: Identity, login: Login, now: number): Identity {
  if (identity.logins.some((each) => isSame(each, login))) return identity;
  const logins = [...identity.logins, login];
  checkCount(logins);
  const registered = { ...identity, logins, modifiedAt: now };
  writeIdentity(tx, registered, identity);
  return registered;
}

function checkCount(logins: readonly Login[]): void {
  if (logins.length > identityLimits.developerIdentifiersMax) {
    throw resourceConflict("The identity has too many developer user identifiers.");
  }
}

function identifiersOf(identity: Identity, provider: string): string[] {
  return identity.logins
    .filter((login) => login.provider === provider)
    .map(({ subject }) => subject)
    .toSorted();
}
