import type { Reader } from "../../../kernel/store/store.ts";
import { type Cognito, existingPool } from "../core.ts";
import { notAuthorized, refreshTokenReuse, unsupportedToken } from "../errors.ts";
import { type Client, endKey, inPool, type Pool, type Session, type User } from "../model.ts";
import { readUser } from "../users/users.ts";
import { type IssuedTokens, issueTokens } from "./issue.ts";
import { decodeJwt } from "./jwt.ts";
import { openRefreshToken, type RefreshToken } from "./refresh-token.ts";

export interface RefreshRequest {
  readonly pool: Pool;
  readonly client: Client;
  readonly refreshToken: string;
  readonly endpoint: string;
  readonly now: number;
  readonly deviceKey?: string;
  readonly clientMetadata?: Readonly<Record<string, string>>;
}

/**
 * New tokens for a refresh token. With rotation it is replaced, and good for the grace period only; one that comes after that has
 * been stolen or lost: the sign-in that it belongs to ends.
 *
 * @throws NotAuthorizedException, RefreshTokenReuseException
 */
export async function refreshTokens(cognito: Cognito, request: RefreshRequest): Promise<IssuedTokens> {
  const { store, seal, ids } = cognito;
  const { pool, client, now } = request;
  const token = openRefreshToken(seal, request.refreshToken);
  if (!token || token.poolId !== pool.id || token.clientId !== client.id) throw notAuthorized("Invalid Refresh Token");
  // Of a token that was stolen nobody knows which of the two has it: the sign-in is over for both.
  const end = (error: unknown) => endReused(cognito, token, error);
  const { session, user } = await store.read((reader) => findSession(reader, pool, token, now)).catch(end);
  if (session.deviceKey !== undefined && session.deviceKey !== request.deviceKey) {
    throw notAuthorized("Invalid Refresh Token");
  }
  const next = ids.uuid();
  const rotates = client.settings.RefreshTokenRotation?.Feature === "ENABLED";
  const issued = await issueTokens(
    cognito,
    {
      pool,
      client,
      user,
      endpoint: request.endpoint,
      now,
      authTime: session.authTime,
      source: "TokenGeneration_RefreshTokens",
      session,
      ...(request.clientMetadata && { clientMetadata: request.clientMetadata }),
    },
    async (tx) => {
      // It may have been revoked or rotated since it was read.
      const { session: current } = await findSession(tx, pool, token, now);
      if (!rotates) return current;
      const graceMs = (client.settings.RefreshTokenRotation?.RetryGracePeriodSeconds ?? 0) * 1000;
      const replaced = current.rotation?.current ?? "";
      return token.rotation === current.rotation?.previous && current.rotation !== undefined
        ? current
        : { ...current, rotation: { current: next, previous: replaced, previousUntil: now + graceMs } };
    },
  ).catch(end);
  if (rotates) return issued;
  const { refreshToken: _same, ...others } = issued;
  return others;
}

async function endReused(cognito: Cognito, token: RefreshToken, error: unknown): Promise<never> {
  if (!(error instanceof ReusedError)) throw error;
  await endSession(cognito, token.poolId, token.userKey, token.sessionId);
  throw refreshTokenReuse();
}

class ReusedError extends Error {}

async function findSession(
  reader: Reader,
  pool: Pool,
  token: RefreshToken,
  now: number,
): Promise<{ readonly session: Session; readonly user: User }> {
  const session = await reader.get<Session>(inPool("session", pool.id, token.userKey, token.sessionId));
  if (!session) throw notAuthorized("Refresh Token has been revoked");
  if (session.expiresAt <= now) throw notAuthorized("Refresh Token has expired");
  const user = await readUser(reader, pool, session.userKey);
  if (!user) throw notAuthorized("Refresh Token has been revoked");
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.signedOutAt !== undefined && session.authTime <= user.signedOutAt) {
    throw notAuthorized("Refresh Token has been revoked");
  }
  const { rotation } = session;
  if (rotation && token.rotation !== rotation.current) {
    const inGrace = token.rotation === rotation.previous && now < (rotation.previousUntil ?? 0);
    if (!inGrace) throw new ReusedError("A refresh token that was rotated came again");
  }
  return { session, user };
}

/** End what a refresh token belongs to. AWS: one that is not good any more is no error; one of another client is. */
export async function revokeRefreshToken(cognito: Cognito, client: Client, refreshToken: string): Promise<void> {
  const token = openRefreshToken(cognito.seal, refreshToken);
  if (!token) {
    if (decodeJwt(refreshToken)) throw unsupportedToken("Unsupported token type");
    throw notAuthorized("Invalid Refresh Token");
  }
  if (token.clientId !== client.id) throw notAuthorized("Invalid Refresh Token");
  await endSession(cognito, token.poolId, token.userKey, token.sessionId);
}

export async function endSession(cognito: Cognito, poolId: string, userKey: string, sessionId: string): Promise<void> {
  await existingPool(cognito, poolId);
  await cognito.store.transact(async (tx) => {
    const key = inPool("session", poolId, userKey, sessionId);
    const session = await tx.get<Session>(key);
    if (!session) return;
    tx.delete(key);
    tx.delete(endKey(session.expiresAt, key));
  });
}
