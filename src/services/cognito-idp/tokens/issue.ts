import { createHash } from "node:crypto";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { type Client, endKey, inPool, type Pool, type Session, type User } from "../model.ts";
import { attributeClaims, factsOf, groupsOf } from "./claims.ts";
import { issuerOf } from "./issuer.ts";
import { signJwt } from "./jwt.ts";
import { askPreTokenGeneration, type TokenSource } from "./pre-token-generation.ts";
import { sealRefreshToken } from "./refresh-token.ts";
import { lifetimesOf } from "./validity.ts";

/** The scope of whoever signed in by the API: all that a user may do with the own account. */
export const adminScope = "aws.cognito.signin.user.admin";

export interface IssueRequest {
  readonly pool: Pool;
  readonly client: Client;
  readonly user: User;
  /** The platform's address as the client reached it. */
  readonly endpoint: string;
  readonly now: number;
  /** When the user signed in, epoch milliseconds. */
  readonly authTime: number;
  readonly source: TokenSource;
  /** Of an OAuth grant; without `openid` there is no ID token. Absent: signed in by the API. */
  readonly scopes?: readonly string[];
  readonly nonce?: string;
  readonly deviceKey?: string;
  readonly clientMetadata?: Readonly<Record<string, string>>;
  /** Tokens of a sign-in that goes on, instead of a new one. */
  readonly session?: Session;
  /** Without a refresh token, as the implicit grant. Nothing of it can be revoked but with the user. */
  readonly noRefresh?: boolean;
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly idToken?: string;
  readonly refreshToken?: string;
  /** Of the access token, seconds. */
  readonly expiresIn: number;
  readonly session: Session;
}

/**
 * Issue a user's tokens. The session that they belong to is written together with what `commit` does: a code or challenge that
 * was used up is used up if and only if there are tokens.
 */
export async function issueTokens(
  cognito: Cognito,
  request: IssueRequest,
  commit: (tx: Transaction, session: Session) => Promise<Session | void> = async () => {},
): Promise<IssuedTokens> {
  const { store, ids, keys, seal, triggers } = cognito;
  const { pool, client, user, now, authTime } = request;
  const lifetimes = lifetimesOf(client);
  const groups = factsOf(await store.read((reader) => groupsOf(reader, pool, user)));
  const granted = request.scopes ?? request.session?.scopes;
  const changes = await askPreTokenGeneration(triggers, {
    pool,
    client,
    user,
    groups,
    scopes: granted ?? [adminScope],
    source: request.source,
    ...(request.clientMetadata && { clientMetadata: request.clientMetadata }),
  });

  const rotates = client.settings.RefreshTokenRotation?.Feature === "ENABLED";
  const made: Session = request.session ?? {
    v: 1,
    id: ids.uuid(),
    poolId: pool.id,
    clientId: client.id,
    userKey: user.key,
    authTime,
    expiresAt: now + lifetimes.refreshMs,
    ...(granted && { scopes: granted }),
    ...(request.deviceKey !== undefined && { deviceKey: request.deviceKey }),
    ...(rotates && { rotation: { current: ids.uuid() } }),
    eventId: ids.uuid(),
  };
  const session = await store.transact(async (tx) => {
    const session = (await commit(tx, made)) ?? made;
    if (request.noRefresh !== true) writeSession(tx, pool, session);
    return session;
  });

  const seconds = Math.floor(now / 1000);
  const { names, roles, preferredRole } = { ...groups, ...changes.groups };
  const revocable = client.settings.EnableTokenRevocation === true && request.noRefresh !== true;
  const shared = {
    sub: user.sub,
    ...(names.length > 0 && { "cognito:groups": names }),
    iss: issuerOf(cognito.issuer, pool, request.endpoint),
    ...(revocable && { origin_jti: session.id }),
    event_id: session.eventId,
    auth_time: Math.floor(authTime / 1000),
    iat: seconds,
  };
  const scopes = [...(granted ?? [adminScope]), ...changes.access.scopesToAdd].filter(
    (scope) => !changes.access.scopesToSuppress.includes(scope),
  );
  const accessClaims = change(changes.access, {
    ...shared,
    ...(granted && { version: 2 }),
    client_id: client.id,
    token_use: "access",
    scope: [...new Set(scopes)].join(" "),
    exp: seconds + Math.floor(lifetimes.accessMs / 1000),
    jti: ids.uuid(),
    username: user.username,
    ...(session.deviceKey !== undefined && { device_key: session.deviceKey }),
  });
  const idClaims =
    granted && !granted.includes("openid")
      ? undefined
      : change(changes.id, {
          ...attributeClaims(client, user, granted),
          ...shared,
          ...(roles.length > 0 && { "cognito:roles": roles }),
          ...(preferredRole !== undefined && { "cognito:preferred_role": preferredRole }),
          "cognito:username": user.username,
          aud: client.id,
          token_use: "id",
          exp: seconds + Math.floor(lifetimes.idMs / 1000),
          jti: ids.uuid(),
          ...(request.nonce !== undefined && { nonce: request.nonce }),
        });
  const key = await keys.current(pool.id, now);
  const accessToken = await signJwt(key, accessClaims);
  // OpenID Connect Core, section 3.1.3.6: the half of its hash, so that a client can tell that they belong together.
  const hash = createHash("sha256").update(accessToken).digest().subarray(0, 16).toString("base64url");
  const idToken = idClaims && (await signJwt(key, { ...(granted && { at_hash: hash }), ...idClaims }));
  return {
    accessToken,
    ...(idToken !== undefined && { idToken }),
    ...(request.noRefresh !== true && { refreshToken: sealRefreshToken(seal, session) }),
    expiresIn: Math.floor(lifetimes.accessMs / 1000),
    session,
  };
}

export function writeSession(tx: Transaction, pool: Pool, session: Session): void {
  const key = inPool("session", pool.id, session.userKey, session.id);
  tx.set(key, session);
  tx.set(endKey(session.expiresAt, key), 1);
}

/** AWS: what makes a token this user's and this client's is not the function's to change. */
const fixedClaims = new Set([
  "acr",
  "amr",
  "at_hash",
  "auth_time",
  "azp",
  "exp",
  "iat",
  "iss",
  "jti",
  "nbf",
  "nonce",
  "origin_jti",
  "sub",
  "token_use",
  "aud",
  "client_id",
  "username",
  "cognito:username",
  "event_id",
  "device_key",
  "version",
  "scope",
  "identities",
]);

function change(
  changes: { readonly add: Readonly<Record<string, unknown>>; readonly suppress: readonly string[] },
  claims: Record<string, unknown>,
): Record<string, unknown> {
  const changed: Record<string, unknown> = { ...claims };
  for (const name of changes.suppress) if (!fixedClaims.has(name)) delete changed[name];
  for (const [name, value] of Object.entries(changes.add)) if (!fixedClaims.has(name)) changed[name] = value;
  return changed;
}
