import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from "jose";
import { createLru } from "../../../access/lru.ts";
import type { Seal } from "../../../access/server-keys.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { IdentityProvider } from "../model.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";
import { type Outbound, ProviderFailure, requestJson } from "./outbound.ts";

/** Where a provider's endpoints are. */
export interface Endpoints {
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  readonly userInfo: string | undefined;
  readonly jwks: string;
  /** It takes the challenges of RFC 7636. */
  readonly pkce: boolean;
}

export type ExternalClaims = Readonly<Record<string, unknown>>;

/** External OpenID Connect providers, as this platform's user pools are their clients. */
export interface ExternalProviders {
  endpoints(provider: IdentityProvider): Promise<Endpoints>;
  /** What the provider says of whoever comes back with a code. @throws ProviderFailure */
  exchange(
    provider: IdentityProvider,
    answer: { readonly code: string; readonly redirectUri: string; readonly nonce: string; readonly verifier: string },
  ): Promise<ExternalClaims>;
}

/** Types that are OpenID Connect's own, and where those are that say no issuer. */
const knownIssuers: Readonly<Record<string, string>> = { Google: "https://accounts.google.com" };

/** Whether users of a provider can sign in here. */
export function isBuilt(provider: Pick<IdentityProvider, "type">): boolean {
  return provider.type === "OIDC" || provider.type === "Google";
}

export function createExternalProviders(needs: {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly seal: Seal;
}): ExternalProviders {
  const { outbound, clock, seal } = needs;
  const kept = createLru<{ readonly at: number; readonly value: Promise<Readonly<Record<string, unknown>>> }>(
    limits.providersKept,
  );

  /** What is published changes seldom; what failed is asked for again. */
  const published = (url: string): Promise<Readonly<Record<string, unknown>>> => {
    const known = kept.get(url);
    if (known && clock.now() - known.at < limits.providerKeptMs) return known.value;
    const value = requestJson(outbound, url);
    kept.set(url, { at: clock.now(), value });
    value.catch(() => kept.delete(url));
    return value;
  };

  const endpoints = async ({ type, details }: IdentityProvider): Promise<Endpoints> => {
    const issuer = details["oidc_issuer"] ?? knownIssuers[type];
    if (issuer === undefined) throw new ProviderFailure("The provider has no issuer");
    const { authorize_url: authorize, token_url: token, attributes_url: userInfo, jwks_uri: jwks } = details;
    if (authorize !== undefined && token !== undefined && jwks !== undefined) {
      return { issuer, authorize, token, userInfo, jwks, pkce: false };
    }
    const found = await published(`${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`);
    // Somebody else's document says nothing of this issuer (OpenID Connect Discovery, section 4.3).
    if (String(found["issuer"]).replace(/\/+$/, "") !== issuer.replace(/\/+$/, "")) {
      throw new ProviderFailure("The discovery document is of another issuer");
    }
    const methods: unknown = found["code_challenge_methods_supported"];
    return {
      issuer: String(found["issuer"]),
      authorize: authorize ?? textOf(found, "authorization_endpoint"),
      token: token ?? textOf(found, "token_endpoint"),
      userInfo: userInfo ?? (typeof found["userinfo_endpoint"] === "string" ? found["userinfo_endpoint"] : undefined),
      jwks: jwks ?? textOf(found, "jwks_uri"),
      pkce: Array.isArray(methods) && methods.includes("S256"),
    };
  };

  const secretOf = (provider: IdentityProvider): string | undefined => {
    if (provider.sealedSecret === undefined) return undefined;
    const opened = seal.open(provider.sealedSecret);
    if (opened === undefined) throw new Error("A provider's secret is sealed with another server key");
    return Buffer.from(opened).toString("utf8");
  };

  return {
    endpoints,
    exchange: async (provider, { code, redirectUri, nonce, verifier }) => {
      const { issuer, token, userInfo, jwks, pkce } = await endpoints(provider);
      const clientId = provider.details["client_id"] ?? "";
      const secret = secretOf(provider);
      const form = new URLSearchParams({
        grant_type: "authorization_code",
        client_id: clientId,
        code,
        redirect_uri: redirectUri,
        ...(secret !== undefined && { client_secret: secret }),
        ...(pkce && { code_verifier: verifier }),
      });
      const tokens = await requestJson(outbound, token, { form });
      const claims = await verifyIdToken(textOf(tokens, "id_token"), { issuer, clientId, nonce }, () =>
        published(jwks),
      );
      const accessToken = tokens["access_token"];
      if (userInfo === undefined || typeof accessToken !== "string") return claims;
      const more = await requestJson(outbound, userInfo, {
        authorization: `Bearer ${accessToken}`,
        method: provider.details["attributes_request_method"] === "POST" ? "POST" : "GET",
      });
      // Another's attributes are not this user's (OpenID Connect Core, section 5.3.2).
      if (more["sub"] !== claims["sub"]) throw new ProviderFailure("The user info is of another user");
      return { ...more, ...claims };
    },
  };

  async function verifyIdToken(
    text: string,
    expected: { readonly issuer: string; readonly clientId: string; readonly nonce: string },
    keys: () => Promise<Readonly<Record<string, unknown>>>,
  ): Promise<ExternalClaims> {
    try {
      const { payload } = await jwtVerify(text, createLocalJWKSet(toKeySet(await keys())), {
        issuer: expected.issuer,
        audience: expected.clientId,
        algorithms: ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"],
        requiredClaims: ["sub", "exp", "iat"],
        currentDate: new Date(clock.now()),
        clockTolerance: 60,
      });
      if (payload["nonce"] !== expected.nonce) throw new ProviderFailure("The nonce is another");
      const { azp } = payload;
      if (azp !== undefined && azp !== expected.clientId) throw new ProviderFailure("The token is for another client");
      return payload;
    } catch (error) {
      if (error instanceof ProviderFailure) throw error;
      throw new ProviderFailure(`The ID token is not good: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }
}

function toKeySet(document: Readonly<Record<string, unknown>>): JSONWebKeySet {
  const { keys } = document;
  if (!Array.isArray(keys)) throw new ProviderFailure("The provider publishes no keys");
  return { keys };
}

function textOf(document: Readonly<Record<string, unknown>>, name: string): string {
  const value = document[name];
  if (typeof value !== "string") throw new ProviderFailure(`The provider gives no ${name}`);
  return value;
}
