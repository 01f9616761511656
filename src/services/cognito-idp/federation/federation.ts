import { createHash } from "node:crypto";
import { AwsError } from "../../../aws/error.ts";
import type { Cognito } from "../core.ts";
import { inPool, type Client, type IdentityProvider, type Pool } from "../model.ts";
import type { AuthorizeRequest } from "../oauth/authorize-request.ts";
import { readAsked } from "../oauth/asked.ts";
import { only, redirect, withParameters, type Answer, type DomainRequest } from "../oauth/exchange.ts";
import { answerProblem, finishSignIn } from "../oauth/finish.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";
import { toCookie } from "../oauth/cookies.ts";
import { findOrCreateUser } from "./external-user.ts";
import { ProviderFailure } from "./outbound.ts";
import { isBuilt, type ExternalProviders } from "./provider.ts";
import { beginJourney, endJourney, journeyCookie, type Journey } from "./state.ts";

/** Signing in with users of external providers. */
export interface Federation {
  /** The provider that a request is to be sent to without a page; undefined where users choose, or sign in here. */
  choose(request: DomainRequest, client: Client, asked: AuthorizeRequest): Promise<string | undefined>;
  /** Send the user to a provider. */
  begin(request: DomainRequest, client: Client, asked: AuthorizeRequest, provider: string): Promise<Answer>;
  /** `GET /oauth2/idpresponse`: the user is back. */
  answerReturn(request: DomainRequest): Promise<Answer>;
}

export function createFederation(cognito: Cognito, providers: ExternalProviders): Federation {
  const { store, log } = cognito;

  const find = (pool: Pool, name: string): Promise<IdentityProvider | undefined> =>
    store.read((reader) => reader.get<IdentityProvider>(inPool("provider", pool.id, name)));

  return {
    choose: async (request, client, { identityProvider, idpIdentifier }) => {
      if (identityProvider !== undefined) return identityProvider === "COGNITO" ? undefined : identityProvider;
      if (idpIdentifier !== undefined) {
        const named = await store.read((reader) =>
          reader.get<string>(inPool("providerIdentifier", request.pool.id, idpIdentifier)),
        );
        return named ?? idpIdentifier;
      }
      // AWS: where there is but one way to sign in, nobody is asked for it.
      const supported = client.settings.SupportedIdentityProviders ?? [];
      return supported.length === 1 && supported[0] !== "COGNITO" ? supported[0] : undefined;
    },

    begin: async (request, client, asked, name) => {
      const provider = await find(request.pool, name);
      const fail = (error: string, description: string) =>
        answerProblem(request, { tell: "client", ...asked, error, description });
      const isSupported = (client.settings.SupportedIdentityProviders ?? []).includes(name);
      if (provider === undefined || !isSupported) return fail("invalid_request", "identity_provider");
      if (!isBuilt(provider)) {
        return fail(
          "invalid_request",
          `Signing in with providers of type ${provider.type} is not implemented by Cumulet`,
        );
      }
      let endpoints;
      try {
        endpoints = await providers.endpoints(provider);
      } catch (error) {
        if (!(error instanceof ProviderFailure)) throw error;
        log.warn("An identity provider cannot be asked", {
          provider: name,
          poolId: request.pool.id,
          error: error.message,
        });
        return fail("server_error", "The identity provider cannot be reached");
      }
      const { state, journey, browser } = await beginJourney(cognito, request, name);
      const challenge = createHash("sha256").update(journey.verifier).digest("base64url");
      const { authorize_scopes: scope = "openid", client_id: clientId } = provider.details;
      const prompt = asked.prompt.filter((each) => each !== "none").join(" ");
      return redirect(
        withParameters(endpoints.authorize, {
          client_id: clientId,
          redirect_uri: callbackOf(request),
          response_type: "code",
          scope,
          state,
          nonce: journey.nonce,
          ...(endpoints.pkce && { code_challenge: challenge, code_challenge_method: "S256" }),
          login_hint: asked.loginHint,
          prompt: prompt === "" ? undefined : prompt,
        }),
        [toCookie(request, journeyCookie, browser, limits.federationMs / 1000)],
      );
    },

    answerReturn: async (request) => {
      const state = only(request.query, "state");
      const journey = state === undefined ? undefined : await endJourney(cognito, request, state);
      if (journey === undefined) {
        return redirect(withParameters(`${request.base}/error`, { error: "Invalid state" }));
      }
      return goOn(request, journey);
    },
  };

  async function goOn(request: DomainRequest, journey: Journey): Promise<Answer> {
    const original: DomainRequest = { ...request, query: new URLSearchParams(journey.search) };
    const read = await readAsked(cognito, original);
    if ("status" in read) return read;
    const { client, asked } = read;
    const fail = (error: string, description: string | undefined) =>
      answerProblem(original, {
        tell: "client",
        ...asked,
        error,
        ...(description !== undefined && { description }),
      });
    const error = only(request.query, "error");
    if (error !== undefined) return fail(error, only(request.query, "error_description"));
    const code = only(request.query, "code");
    const provider = await find(request.pool, journey.provider);
    if (code === undefined || provider === undefined) return fail("invalid_request", undefined);
    try {
      const claims = await providers.exchange(provider, { ...journey, code, redirectUri: callbackOf(request) });
      const { pool, now } = request;
      const user = await findOrCreateUser(cognito, { pool, client, provider, claims, now });
      return await finishSignIn(cognito, original, asked, client, { user, authTime: now, provider: provider.name });
    } catch (failure) {
      if (failure instanceof AwsError && failure.status < 500) return fail("invalid_request", failure.message);
      if (!(failure instanceof ProviderFailure)) throw failure;
      log.warn("A sign-in by an identity provider failed", {
        provider: provider.name,
        poolId: request.pool.id,
        error: failure.message,
      });
      return fail("server_error", `The sign-in with ${provider.name} failed`);
    }
  }
}

function callbackOf(request: DomainRequest): string {
  return `${request.origin}${request.base}/oauth2/idpresponse`;
}
