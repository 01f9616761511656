import { SessionTooLargeError, type SessionPrincipal, type Sessions } from "../../access/sessions.ts";
import type { Principal } from "../../aws/principal.ts";
import { accessDenied, packedPolicyTooLarge } from "./errors.ts";

/** Temporary credentials in the form that STS answers, and how much of a token's space they take. */
export function issue(sessions: Sessions, principal: SessionPrincipal, now: number, seconds: number) {
  try {
    const issued = sessions.issue(principal, now, now + seconds * 1000);
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt, packedPercent } = issued;
    return {
      percent: packedPercent,
      credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: new Date(expiresAt),
      },
    };
  } catch (error) {
    if (error instanceof SessionTooLargeError) throw packedPolicyTooLarge(error.packedPercent);
    throw error;
  }
}

/** A user's or the root's own long-term keys; sessions may not ask for more sessions. */
export function longTerm(principal: Principal, operation: string): Extract<Principal, { type: "user" | "root" }> {
  if ((principal.type === "user" || principal.type === "root") && !isTemporary(principal)) return principal;
  throw accessDenied(`Cannot call ${operation} with session credentials`);
}

export function isTemporary(principal: Principal): boolean {
  return "tokenIssuedAt" in principal;
}
