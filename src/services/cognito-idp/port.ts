import type { KeyObject } from "node:crypto";

/** What other services may ask of user pools without going through the wire. */
export interface UserPoolsPort {
  /** The id of the pool of this platform that an issuer's address is, whatever its host; undefined when there is none. */
  findPool(issuer: string): Promise<string | undefined>;
  /** The public key of this name that a pool signs with, or has signed with. */
  findKey(poolId: string, kid: string): Promise<KeyObject | undefined>;
  /** Verify an ID token: signature, time and issuer, and that it was not signed out or revoked. Undefined when it is not good. */
  verifyIdToken(token: string, now: number): Promise<VerifiedIdToken | undefined>;
}

export interface VerifiedIdToken {
  readonly poolId: string;
  readonly clientId: string;
  readonly account: string;
  readonly region: string;
  readonly claims: Readonly<Record<string, unknown>>;
}
