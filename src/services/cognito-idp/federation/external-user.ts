import type { Cognito } from "../core.ts";
import { notAuthorized } from "../errors.ts";
import { inPool, type Client, type IdentityProvider, type LinkedIdentity, type Pool, type User } from "../model.ts";
import { nameKey } from "../rules.ts";
import { attributesForTriggers } from "../tokens/claims.ts";
import { readUser, writeUser } from "../users/users.ts";
import { mapAttributes } from "./attributes.ts";
import type { ExternalClaims } from "./provider.ts";

/** Somebody whom an external provider vouches for. */
export interface ExternalSignIn {
  readonly pool: Pool;
  readonly client: Client;
  readonly provider: IdentityProvider;
  readonly claims: ExternalClaims;
  readonly now: number;
}

/**
 * The user of the pool who an external user is: the one it was linked to, else its own, made at the first sign-in. Mapped
 * attributes are written anew each time.
 *
 * @throws what the pool's triggers refuse
 */
export async function findOrCreateUser(cognito: Cognito, signIn: ExternalSignIn): Promise<User> {
  const { store, ids } = cognito;
  const { pool, provider, claims, now } = signIn;
  const subject = String(claims["sub"]);
  const attributes = mapAttributes(provider.attributeMapping, claims);
  const link = inPool("linked", pool.id, provider.name, subject);
  const known = await store.read(async (reader) => {
    const key = await reader.get<string>(link);
    return key === undefined ? undefined : readUser(reader, pool, key);
  });
  if (known === undefined) await askPreSignUp(cognito, signIn, `${provider.name}_${subject}`, attributes);
  else await askBefore(cognito, signIn, known);
  const { user, isNew } = await store.transact(async (tx) => {
    const key = await tx.get<string>(link);
    const before = key === undefined ? undefined : await readUser(tx, pool, key);
    if (before !== undefined) {
      if (!before.enabled) throw notAuthorized("User is disabled.");
      const user: User = { ...before, attributes: { ...before.attributes, ...attributes }, updatedAt: now };
      await writeUser(tx, pool, user, before);
      return { user, isNew: false };
    }
    const username = `${provider.name}_${subject}`;
    const identity: LinkedIdentity = {
      userId: subject,
      providerName: provider.name,
      providerType: provider.type,
      issuer: provider.type === "OIDC" ? String(claims["iss"] ?? "") || null : null,
      primary: true,
      dateCreated: now,
    };
    const user: User = {
      v: 1,
      poolId: pool.id,
      username,
      key: nameKey(pool, username),
      sub: ids.uuid(),
      attributes,
      status: "EXTERNAL_PROVIDER",
      enabled: true,
      createdAt: now,
      updatedAt: now,
      mfa: [],
      identities: [identity],
    };
    await writeUser(tx, pool, user, undefined);
    tx.set(link, user.key);
    return { user, isNew: true };
  });
  await tellAfter(cognito, signIn, user, isNew);
  return user;
}

async function askPreSignUp(
  { triggers }: Cognito,
  { pool, client }: ExternalSignIn,
  userName: string,
  userAttributes: Readonly<Record<string, string>>,
): Promise<void> {
  await triggers.call(pool, "PreSignUp", {
    source: "PreSignUp_ExternalProvider",
    userName,
    clientId: client.id,
    request: {
      userAttributes: { "cognito:email_alias": "", "cognito:phone_number_alias": "", ...userAttributes },
      validationData: {},
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
}

// AWS: not before the first sign-in of an external user, which PreSignUp decides.
async function askBefore({ triggers }: Cognito, { pool, client }: ExternalSignIn, user: User): Promise<void> {
  await triggers.call(pool, "PreAuthentication", {
    source: "PreAuthentication_Authentication",
    userName: user.username,
    clientId: client.id,
    request: { userAttributes: attributesForTriggers(user), validationData: {}, userNotFound: false },
    response: {},
  });
}

async function tellAfter({ triggers }: Cognito, { pool, client }: ExternalSignIn, user: User, isNew: boolean) {
  const common = { userName: user.username, clientId: client.id, response: {} };
  const userAttributes = attributesForTriggers(user);
  if (isNew) {
    await triggers.call(pool, "PostConfirmation", {
      ...common,
      source: "PostConfirmation_ConfirmSignUp",
      request: { userAttributes },
    });
  } else {
    await triggers.call(pool, "PostAuthentication", {
      ...common,
      source: "PostAuthentication_Authentication",
      request: { userAttributes, newDeviceUsed: false },
    });
  }
}
