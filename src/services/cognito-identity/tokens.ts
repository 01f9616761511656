import { compactVerify, SignJWT } from "jose";
import type { SigningKey } from "./signing-key.ts";
import type { Claims } from "./role-choice.ts";

/** Issuer of the tokens, and the provider that trust policies name. */
export const identityIssuer = "https://cognito-identity.amazonaws.com";
export const identityProvider = "cognito-identity.amazonaws.com";

const tagsClaim = "https://aws.amazon.com/tags";

/** Of whom a token of an identity pool is. */
export interface IdentityToken {
  readonly identityId: string;
  readonly poolId: string;
  /** How it signed in. */
  readonly amr: readonly string[];
  /** Session tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/** @param now epoch milliseconds */
export function signToken(key: SigningKey, token: IdentityToken, now: number, seconds: number): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT({
    sub: token.identityId,
    aud: token.poolId,
    amr: [...token.amr],
    iss: identityIssuer,
    exp: issuedAt + seconds,
    iat: issuedAt,
    ...(Object.keys(token.tags).length > 0 && {
      [tagsClaim]: {
        principal_tags: Object.fromEntries(Object.entries(token.tags).map(([name, value]) => [name, [value]])),
      },
    }),
  })
    .setProtectedHeader({ kid: key.kid, typ: "JWS", alg: "RS512" })
    .sign(key.privateKey);
}

/** The token, where this key has signed it; `expired` where its time is over. */
export async function openToken(
  key: SigningKey,
  text: string,
  now: number,
): Promise<IdentityToken | "expired" | undefined> {
  let claims: Claims;
  try {
    const { payload } = await compactVerify(text, key.publicKey, { algorithms: ["RS512"] });
    claims = JSON.parse(Buffer.from(payload).toString("utf8"));
  } catch {
    return undefined;
  }
  const { sub, aud, amr, iss, exp } = claims;
  if (iss !== identityIssuer || typeof sub !== "string" || typeof aud !== "string" || typeof exp !== "number") {
    return undefined;
  }
  if (now / 1000 >= exp) return "expired";
  return {
    identityId: sub,
    poolId: aud,
    amr: Array.isArray(amr) ? amr.filter((each) => typeof each === "string") : [],
    tags: readTags(claims[tagsClaim]),
  };
}

function readTags(claim: unknown): Record<string, string> {
  if (typeof claim !== "object" || claim === null || !("principal_tags" in claim)) return {};
  const { principal_tags: listed } = claim;
  if (typeof listed !== "object" || listed === null) return {};
  return Object.fromEntries(
    Object.entries(listed).flatMap(([name, values]) => {
      const value: unknown = Array.isArray(values) ? values[0] : undefined;
      return typeof value === "string" ? [[name, value] as const] : [];
    }),
  );
}
