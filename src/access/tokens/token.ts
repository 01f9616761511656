import { compactVerify } from "jose";
import { IssuerUnavailable, type TokenIssuers } from "./issuers.ts";
import { tokenLimits as limits } from "./limits.ts";

/** What a verified token says. */
export type Claims = Readonly<Record<string, unknown>>;

export type TokenOutcome =
  | { readonly outcome: "verified"; readonly claims: Claims; readonly expiresAt: number }
  | { readonly outcome: "refused"; readonly reason: string; readonly cause: TokenFault };

/** `issuer`: it did not tell its keys; `key`: it has none of that name. */
type TokenFault = "form" | "algorithm" | "untrusted" | "issuer" | "key" | "signature" | "expired" | "early";

/** What API Gateway takes. */
const rsaAlgorithms = ["RS256", "RS384", "RS512"];
/** What IAM takes of OIDC providers. */
export const providerAlgorithms = [...rsaAlgorithms, "ES256", "ES384", "ES512"];

/** Without the scheme that a client may write before it. */
export function bareToken(value: string): string {
  return /^bearer /i.test(value) ? value.slice("Bearer ".length).trim() : value;
}

/**
 * Verify a token that one of these issuers must have signed: its form, signature and times. Its audience and scopes are
 * the caller's to check.
 *
 * AWS: only RSA signatures; the key is named by `kid` among the issuer's own, whatever else the header says. Reasons are in
 * AWS's words where those are known. A token without an end is refused.
 */
export async function verifyToken(
  issuers: TokenIssuers,
  trusted: readonly string[],
  token: string,
  now: number,
  algorithms: readonly string[] = rsaAlgorithms,
): Promise<TokenOutcome> {
  if (token.length > limits.tokenCharactersMax) return refused("the token is too long");
  const parts = token.split(".");
  if (parts.length !== 3) return refused("token contains an invalid number of segments");
  const header = parsePart(parts[0]);
  const claims = parsePart(parts[1]);
  if (header === undefined || claims === undefined) return refused("the token is malformed");
  const { alg, kid } = header;
  if (typeof alg !== "string" || !algorithms.includes(alg))
    return refused(`signing method ${toWord(alg)} is invalid`, "algorithm");
  if (typeof kid !== "string" || kid === "") return refused("the token does not have a valid kid");
  const { iss, exp, nbf, iat } = claims;
  const issuer = trusted.find(
    (candidate) => candidate === iss || (typeof iss === "string" && issuers.isSame?.(candidate, iss) === true),
  );
  if (issuer === undefined) return refused("issuer does not match", "untrusted");
  try {
    const key = await issuers.findKey(issuer, kid);
    if (key === undefined || (key.asymmetricKeyType === "rsa") !== alg.startsWith("RS")) {
      return refused("unable to find a signing key that matches the token's kid", "key");
    }
    await compactVerify(token, key, { algorithms: [...algorithms] });
  } catch (error) {
    // A bug says nothing about the token either: it must not get through.
    return error instanceof IssuerUnavailable
      ? refused(error.message, "issuer")
      : refused("signature is invalid", "signature");
  }
  const seconds = now / 1000;
  if (!isTime(exp) || seconds >= exp) return refused("the token has expired", "expired");
  if (nbf !== undefined && (!isTime(nbf) || seconds < nbf)) return refused("the token is not valid yet", "early");
  if (iat !== undefined && (!isTime(iat) || seconds < iat))
    return refused("the token was used before it was issued", "early");
  return { outcome: "verified", claims, expiresAt: exp * 1000 };
}

/** AWS: `client_id` is looked at only without `aud`. No audience given admits none. */
export function hasAudience({ aud, client_id: clientId }: Claims, audience: readonly string[]): boolean {
  const claimed: readonly unknown[] = aud === undefined ? [clientId] : Array.isArray(aud) ? aud : [aud];
  return claimed.some((value) => typeof value === "string" && audience.includes(value));
}

/** Of `scope`, or of `scp`: words in one text, or a list. */
export function scopesOf({ scope, scp }: Claims): readonly string[] {
  const claimed = scope ?? scp;
  if (typeof claimed === "string") return claimed.split(" ").filter((word) => word !== "");
  return Array.isArray(claimed) ? claimed.filter((word) => typeof word === "string") : [];
}

function refused(reason: string, cause: TokenFault = "form"): TokenOutcome {
  return { outcome: "refused", reason, cause };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** What a client wrote goes into a header of the answer: as little of it as says what was wrong. */
function toWord(value: unknown): string {
  return typeof value === "string" && /^[A-Za-z0-9-]{1,16}$/.test(value) ? value : "unspecified";
}

function parsePart(part: string | undefined): Claims | undefined {
  if (part === undefined || !/^[A-Za-z0-9_-]+$/.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
