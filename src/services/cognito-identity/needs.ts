import type * as CognitoIdentitySdk from "@aws-sdk/client-cognito-identity";
import type { Seal } from "../../access/server-keys.ts";
import type { TokenIssuers } from "../../access/tokens/issuers.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { UserPoolsPort } from "../cognito-idp/port.ts";
import type { IamPort } from "../iam/port.ts";
import type { StsPort } from "../sts/port.ts";
import type { Claims } from "./role-choice.ts";

export type Sdk = typeof CognitoIdentitySdk;

export interface CognitoIdentityNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly iam: Pick<IamPort, "findOidcProvider" | "passRole">;
  readonly sts: StsPort;
  readonly userPools: Pick<UserPoolsPort, "verifyIdToken">;
  /** Keys that tokens are signed with, those of user pools too. */
  readonly issuers: TokenIssuers;
  /** Seals the keys that sign tokens. */
  readonly seal: Seal;
}

/** What of a token was verified, or why it is refused, as AWS says it after `Invalid login token. `. */
export type VerifiedLogin = { readonly claims: Claims } | { readonly refused: string };

/** Who verifies the tokens of those that identities sign in with: signature, issuer, times. Audiences are ours to check. */
export interface LoginProviders {
  /**
   * An ID token of a user pool of this platform.
   *
   * @param live also ask whether its user is enabled and has not been signed out everywhere
   */
  verifyUserPool(userPoolId: string, token: string, live: boolean): Promise<VerifiedLogin>;
  /** A token of an OpenID Connect issuer elsewhere, by its address. */
  verifyIssuer(issuer: string, token: string): Promise<VerifiedLogin>;
  /** An OpenID Connect provider of IAM. */
  findOpenIdProvider(
    arn: string,
  ): Promise<{ readonly issuer: string; readonly clientIds: readonly string[] } | undefined>;
}
