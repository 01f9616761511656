import type { TokenIssuers } from "../../access/tokens/issuers.ts";
import { verifyToken } from "../../access/tokens/token.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { LoginProviders, VerifiedLogin } from "./needs.ts";

/** Verifies logins: those of this platform's user pools in process, all others with their issuers' published keys. */
export function createLoginProviders(needs: {
  readonly clock: Clock;
  readonly issuers: TokenIssuers;
  readonly verifyUserPool: LoginProviders["verifyUserPool"];
  readonly findOpenIdProvider: LoginProviders["findOpenIdProvider"];
}): LoginProviders {
  const { clock, issuers, verifyUserPool, findOpenIdProvider } = needs;
  return {
    verifyUserPool,
    findOpenIdProvider,
    verifyIssuer: async (issuer, token): Promise<VerifiedLogin> => {
      const verified = await verifyToken(issuers, [issuer], token, clock.now());
      if (verified.outcome === "verified") return { claims: verified.claims };
      return { refused: verified.reason === "the token has expired" ? "Token expired" : toSentence(verified.reason) };
    },
  };
}

function toSentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}
