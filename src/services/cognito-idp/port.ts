import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";

/** What other services may ask of user pools without going through the wire. */
export interface UserPoolsPort {
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

/**
 * Answers requests to user pools that are no API calls. Never rejects.
 *
 * @param domain the prefix of a pool's domain, or a custom domain; undefined for the documents below a pool's id
 * @param target path and query, after what addressed the domain
 */
export type UserPoolsHttp = (
  domain: string | undefined,
  target: string,
  request: HttpRequest,
  response: HttpResponse,
) => void;
