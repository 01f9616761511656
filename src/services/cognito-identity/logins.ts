import { invalidLoginToken, invalidParameter, unsupportedProvider } from "./errors.ts";
import type { IdentityPool, Login } from "./model.ts";
import type { LoginProviders, VerifiedLogin } from "./needs.ts";
import type { Claims } from "./role-choice.ts";
import type { SigningKey } from "./signing-key.ts";
import { identityProvider, openToken, type IdentityToken } from "./tokens.ts";

/** A login whose token holds. */
export interface SignedIn {
  readonly login: Login;
  readonly claims: Claims;
  /** What the pool's role mappings call the provider. */
  readonly mappingName: string;
  /** What of it goes into `amr`. */
  readonly amr: readonly string[];
}

/** What a `Logins` map says: whom providers vouch for, and whom the pool itself has given a token (developer identities). */
export interface VerifiedLogins {
  readonly signedIn: readonly SignedIn[];
  readonly own: IdentityToken | undefined;
}

export type VerifyLogins = (
  pool: IdentityPool,
  logins: Readonly<Record<string, string>> | undefined,
  now: number,
) => Promise<VerifiedLogins>;

/** Verifies the tokens that clients sign in with. Nothing of a login counts before all hold. */
export function createLogins(needs: {
  readonly providers: LoginProviders;
  readonly signingKey: () => Promise<SigningKey>;
}): VerifyLogins {
  const { providers, signingKey } = needs;
  return async (pool, logins, now) => {
    const signedIn: SignedIn[] = [];
    let own: IdentityToken | undefined;
    for (const [name, token] of Object.entries(logins ?? {})) {
      if (name === identityProvider) own = await openOwn(await signingKey(), pool, token, now);
      else signedIn.push(await verifyOne(providers, pool, name, token));
    }
    return { signedIn, own };
  };
}

async function openOwn(key: SigningKey, pool: IdentityPool, token: string, now: number): Promise<IdentityToken> {
  const opened = await openToken(key, token, now);
  if (opened === "expired") throw invalidLoginToken("Token expired");
  if (opened === undefined) throw invalidLoginToken("Not a valid OpenId Connect identity token.");
  if (opened.poolId !== pool.id) throw invalidLoginToken("Incorrect token audience.");
  return opened;
}

async function verifyOne(
  providers: LoginProviders,
  pool: IdentityPool,
  name: string,
  token: string,
): Promise<SignedIn> {
  if (name === pool.developerProviderName) {
    throw invalidParameter("Developer provider logins are only for GetOpenIdTokenForDeveloperIdentity.");
  }
  const userPool = findUserPool(pool, name);
  if (userPool !== undefined) {
    // The token says which of the pool's clients it is for: any that is configured will do.
    const live = userPool.some(({ serverSideTokenCheck }) => serverSideTokenCheck);
    const [{ providerName } = { providerName: "" }] = userPool;
    const claims = claimsOf(await providers.verifyUserPool(toUserPoolId(providerName), token, live));
    const provider = userPool.find(({ clientId }) => audienceOf(claims).includes(clientId));
    if (claims["aud"] === undefined) throw invalidLoginToken("Missing a required claim: aud");
    if (provider === undefined) throw unsupportedProvider();
    const subject = subjectOf(claims);
    return {
      login: { provider: providerName, subject },
      claims,
      mappingName: `${providerName}:${provider.clientId}`,
      amr: [providerName, `${providerName}:CognitoSignIn:${subject}`],
    };
  }
  const issuer = await findIssuer(providers, pool, name);
  if (issuer === undefined) throw unsupportedProvider();
  const claims = claimsOf(await providers.verifyIssuer(issuer.issuer, token));
  if (!audienceOf(claims).some((audience) => issuer.clientIds.includes(audience))) {
    throw invalidLoginToken("Incorrect token audience.");
  }
  const subject = subjectOf(claims);
  return {
    login: { provider: name, subject },
    claims,
    mappingName: issuer.mappingName,
    amr: [name, `${name}:${issuer.issuer}:${subject}`],
  };
}

/**
 * The pool's clients of a user pool. Clients name it by the issuer of its tokens without the scheme: on AWS that is
 * `cognito-idp.REGION.amazonaws.com/POOL_ID`, here it may be this server's own address.
 */
function findUserPool(pool: IdentityPool, name: string) {
  const userPoolId = toUserPoolId(name);
  const found = (pool.userPools ?? []).filter(({ providerName }) => toUserPoolId(providerName) === userPoolId);
  return found.length === 0 ? undefined : found;
}

export function toUserPoolId(providerName: string): string {
  return providerName.slice(providerName.lastIndexOf("/") + 1);
}

/** Public providers whose tokens are OpenID Connect's. Source: "External identity providers" in the developer guide. */
export const publicIssuers: Readonly<Record<string, string>> = {
  "accounts.google.com": "https://accounts.google.com",
  "appleid.apple.com": "https://appleid.apple.com",
};

async function findIssuer(providers: LoginProviders, pool: IdentityPool, name: string) {
  const clientId = Object.hasOwn(pool.supportedLoginProviders ?? {}, name)
    ? pool.supportedLoginProviders?.[name]
    : undefined;
  const issuer = publicIssuers[name];
  if (clientId !== undefined && issuer !== undefined) {
    // AWS: several client ids are divided by semicolons.
    return { issuer, clientIds: clientId.split(";"), mappingName: name };
  }
  for (const arn of pool.openIdConnectProviderArns ?? []) {
    if (arn.slice(arn.indexOf("/") + 1) !== name) continue;
    const found = await providers.findOpenIdProvider(arn);
    if (found !== undefined) return { ...found, mappingName: arn };
  }
  return undefined;
}

function claimsOf(verified: VerifiedLogin): Claims {
  if ("refused" in verified) throw invalidLoginToken(verified.refused);
  return verified.claims;
}

function subjectOf(claims: Claims): string {
  const { sub } = claims;
  if (typeof sub !== "string" || sub === "") throw invalidLoginToken("Missing a required claim: sub");
  return sub;
}

function audienceOf({ aud }: Claims): readonly string[] {
  const listed: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return listed.filter((each) => typeof each === "string");
}
