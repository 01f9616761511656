import type { OwnIssuers } from "../../access/tokens/issuers.ts";
import type { Cognito } from "./core.ts";
import { inPool, readPool, type Session } from "./model.ts";
import type { UserPoolsPort } from "./port.ts";
import { nameKey } from "./rules.ts";
import { poolIdOf } from "./tokens/issuer.ts";
import { verifyToken } from "./tokens/verify.ts";
import { readUser } from "./users/users.ts";

export function createUserPoolsPort(cognito: Pick<Cognito, "store" | "keys">): UserPoolsPort {
  return {
    verifyIdToken: async (token, now) => {
      const verified = await verifyToken(cognito, token, now);
      if (typeof verified === "string" || verified.use !== "id") return undefined;
      const { pool, claims } = verified;
      const { aud: clientId, "cognito:username": username, origin_jti: origin } = claims;
      if (typeof clientId !== "string" || typeof username !== "string") return undefined;
      const key = nameKey(pool, username);
      const isGood = await cognito.store.read(async (reader) => {
        const user = await readUser(reader, pool, key);
        if (!user?.enabled || user.sub !== claims["sub"]) return false;
        const session =
          typeof origin === "string" ? await reader.get<Session>(inPool("session", pool.id, key, origin)) : undefined;
        if (typeof origin === "string" && !session) return false;
        // The session knows the moment, the token its second alone: who signs in right after signing out everywhere is in.
        const signedInAt = session?.authTime ?? Number(claims["auth_time"]) * 1000;
        return user.signedOutAt === undefined || signedInAt > user.signedOutAt;
      });
      return isGood ? { poolId: pool.id, clientId, account: pool.account, region: pool.region, claims } : undefined;
    },
  };
}

/** The pools as issuers of tokens: their keys are known, and one pool is the same issuer at whatever address it is reached. */
export function createOwnIssuers(cognito: Pick<Cognito, "store" | "keys">): OwnIssuers {
  return {
    find: async (issuer) => {
      const poolId = poolIdOf(issuer);
      if (poolId === undefined || !(await cognito.store.read((reader) => readPool(reader, poolId)))) return undefined;
      return { findKey: (_issuer, kid) => cognito.keys.find(poolId, kid) };
    },
    isSame: (trusted, claimed) => {
      const poolId = poolIdOf(trusted);
      return poolId !== undefined && poolId === poolIdOf(claimed);
    },
  };
}
