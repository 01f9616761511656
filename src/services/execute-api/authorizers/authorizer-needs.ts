import type { Remembered } from "./remembered.ts";
import type { TokenIssuers } from "../../../access/tokens/issuers.ts";

/** What authorizers need beside what every stage has. */
export interface AuthorizerNeeds {
  readonly remembered: Remembered;
  readonly issuers: TokenIssuers;
  /** The issuer of a user pool's tokens, by the pool's ARN; undefined for what is no pool's ARN. */
  readonly issuerOf: (providerArn: string) => string | undefined;
}
