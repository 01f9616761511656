import type { TokenIssuers } from "../../access/tokens/issuers.ts";

/** What other services may ask of identity pools. */
export interface CognitoIdentityPort {
  /** Who issues the tokens of GetOpenIdToken and GetOpenIdTokenForDeveloperIdentity, for AssumeRoleWithWebIdentity. */
  readonly issuer: string;
  /** The keys that verify them. */
  readonly keys: Pick<TokenIssuers, "findKey">;
}
