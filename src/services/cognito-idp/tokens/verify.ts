import type { Cognito } from "../core.ts";
import { notAuthorized } from "../errors.ts";
import { type Client, inPool, type Pool, readClient, readPool, type Session, type User } from "../model.ts";
import { nameKey } from "../rules.ts";
import { readUser } from "../users/users.ts";
import { adminScope } from "./issue.ts";
import { poolIdOf } from "./issuer.ts";
import { type Claims, decodeJwt } from "./jwt.ts";

/** A token that a pool of this platform has signed and that has not ended. */
export interface VerifiedToken {
  readonly pool: Pool;
  readonly claims: Claims;
  readonly use: "id" | "access";
}

export type TokenProblem = "invalid" | "expired";

/** Verify form, signature and time. Whose the token is, and whether it was revoked, is not looked at. */
export async function verifyToken(
  cognito: Pick<Cognito, "store" | "keys">,
  token: string,
  now: number,
): Promise<VerifiedToken | TokenProblem> {
  const decoded = decodeJwt(token);
  const poolId = poolIdOf(decoded?.claims["iss"]);
  if (!decoded || poolId === undefined) return "invalid";
  const pool = await cognito.store.read((reader) => readPool(reader, poolId));
  const key = pool && (await cognito.keys.find(poolId, decoded.kid));
  if (!pool || !key || !decoded.isSignedBy(key)) return "invalid";
  const { claims } = decoded;
  const { exp, token_use: use } = claims;
  if (use !== "id" && use !== "access") return "invalid";
  if (typeof exp !== "number" || exp * 1000 <= now) return "expired";
  return { pool, claims, use };
}

/** Who calls with an access token. */
export interface TokenCaller {
  readonly pool: Pool;
  readonly client: Client;
  readonly user: User;
  readonly claims: Claims;
  readonly scopes: readonly string[];
  readonly deviceKey: string | undefined;
}

/**
 * The user who calls with an access token: signed in, not signed out since, not disabled.
 *
 * @param scope that the token must have
 * @throws NotAuthorizedException
 */
export async function callerOf(
  cognito: Pick<Cognito, "store" | "keys">,
  token: string | undefined,
  now: number,
  scope: string | undefined = adminScope,
): Promise<TokenCaller> {
  const verified = await verifyToken(cognito, token ?? "", now);
  if (verified === "expired") throw notAuthorized("Access Token has expired");
  if (verified === "invalid" || verified.use !== "access") throw notAuthorized("Invalid Access Token");
  const { pool, claims } = verified;
  const { sub, username, client_id: clientId, origin_jti: origin, iat, auth_time: authTime } = claims;
  if (typeof username !== "string" || typeof clientId !== "string") throw notAuthorized("Invalid Access Token");
  const { client, user, session } = await cognito.store.read(async (reader) => {
    const key = nameKey(pool, username);
    const [client, user, session] = await Promise.all([
      readClient(reader, clientId),
      readUser(reader, pool, key),
      typeof origin === "string" ? reader.get<Session>(inPool("session", pool.id, key, origin)) : undefined,
    ]);
    return { client, user, session };
  });
  if (!client || client.poolId !== pool.id || !user || user.sub !== sub) throw notAuthorized("Invalid Access Token");
  if (typeof origin === "string" && !session) throw notAuthorized("Access Token has been revoked");
  const signedOutAt = user.signedOutAt ?? 0;
  const signedInAt = session?.authTime ?? (typeof authTime === "number" ? authTime * 1000 : 0);
  if (signedInAt <= signedOutAt || typeof iat !== "number") throw notAuthorized("Access Token has been revoked");
  if (!user.enabled) throw notAuthorized("User is disabled.");
  const scopes = typeof claims["scope"] === "string" ? claims["scope"].split(" ") : [];
  if (scope !== undefined && !scopes.includes(scope)) {
    throw notAuthorized("Access Token does not have required scopes");
  }
  const deviceKey = claims["device_key"];
  return { pool, client, user, claims, scopes, deviceKey: typeof deviceKey === "string" ? deviceKey : undefined };
}
