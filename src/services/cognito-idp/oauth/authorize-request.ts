import type { Client } from "../model.ts";
import { hasRepeated, only } from "./exchange.ts";
import { oauthLimits as limits } from "./limits.ts";

/** What an application asks the authorization endpoint for, checked. */
export interface AuthorizeRequest {
  readonly clientId: string;
  readonly responseType: "code" | "token";
  readonly redirectUri: string;
  readonly state: string | undefined;
  /** What is granted: those asked for, else all that the client may have. */
  readonly scopes: readonly string[];
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly identityProvider: string | undefined;
  readonly idpIdentifier: string | undefined;
  readonly loginHint: string | undefined;
  readonly prompt: readonly Prompt[];
  readonly lang: string | undefined;
}

export type Prompt = "none" | "login" | "select_account" | "consent";

/**
 * `page`: nobody may be sent to the address that was given, so the error is told here. `client`: the application is told, at
 * its own address.
 */
export type AuthorizeProblem =
  | { readonly tell: "page"; readonly error: string }
  | {
      readonly tell: "client";
      readonly redirectUri: string;
      readonly responseType: "code" | "token";
      readonly state: string | undefined;
      readonly error: string;
      readonly description?: string;
    };

/** Scopes that say which of a user's attributes are told. */
const userScopes = new Set(["email", "phone", "profile"]);

/**
 * Checks what was asked. Source: "Authorization endpoint" in the developer guide; RFC 6749, section 4.1.2.1; RFC 7636.
 *
 * @param client undefined when there is none of that id
 */
export function parseAuthorizeRequest(
  query: URLSearchParams,
  client: Client | undefined,
): AuthorizeRequest | AuthorizeProblem {
  const clientId = only(query, "client_id");
  const redirectUri = readRedirectUri(query, client);
  if (clientId === undefined || client?.id !== clientId) {
    return { tell: "page", error: clientId === undefined ? "invalid_request" : "Client does not exist" };
  }
  if (redirectUri === undefined) return { tell: "page", error: "redirect_mismatch" };
  const { settings } = client;
  const asked = only(query, "response_type");
  const responseType = asked === "token" ? "token" : "code";
  const state = only(query, "state");
  const problem = (error: string, description?: string): AuthorizeProblem => ({
    tell: "client",
    redirectUri,
    responseType,
    state,
    error,
    ...(description !== undefined && { description }),
  });
  if (hasRepeated(query)) return problem("invalid_request", "a parameter is repeated");
  if (settings.AllowedOAuthFlowsUserPoolClient !== true) return problem("unauthorized_client");
  if (asked !== "code" && asked !== "token") {
    return problem(asked === undefined ? "invalid_request" : "unsupported_response_type");
  }
  if (!(settings.AllowedOAuthFlows ?? []).includes(asked === "code" ? "code" : "implicit")) {
    return problem("unauthorized_client");
  }
  if (query.has("resource")) return problem("invalid_request", "resource is not implemented by Cumulet");
  if (query.has("request") || query.has("request_uri")) return problem("request_not_supported");
  const scopes = grantScopes(only(query, "scope"), settings.AllowedOAuthScopes ?? []);
  if (scopes === undefined) return problem("invalid_request", "invalid_scope");
  const challenge = readChallenge(query, asked);
  if ("problem" in challenge) return problem("invalid_request", challenge.problem);
  const nonce = only(query, "nonce");
  if (nonce !== undefined && nonce.length > limits.nonceCharactersMax) return problem("invalid_request", "nonce");
  const prompt = readPrompt(only(query, "prompt"));
  if (prompt === undefined) return problem("invalid_request", "prompt");
  return {
    clientId,
    responseType,
    redirectUri,
    state,
    scopes,
    nonce,
    codeChallenge: challenge.codeChallenge,
    identityProvider: only(query, "identity_provider"),
    idpIdentifier: only(query, "idp_identifier"),
    loginHint: only(query, "login_hint"),
    prompt,
    lang: only(query, "lang"),
  };
}

/** One of the client's own, to the letter; its default one where none is named. */
function readRedirectUri(query: URLSearchParams, client: Client | undefined): string | undefined {
  if (!query.has("redirect_uri")) {
    const { DefaultRedirectURI: fallback, CallbackURLs: urls = [] } = client?.settings ?? {};
    return fallback ?? (urls.length === 1 ? urls[0] : undefined);
  }
  const asked = only(query, "redirect_uri");
  return (client?.settings.CallbackURLs ?? []).find((url) => url === asked);
}

/** AWS: without any, all that the client may have; `email`, `phone` and `profile` only beside `openid`. */
export function grantScopes(asked: string | undefined, allowed: readonly string[]): readonly string[] | undefined {
  if (asked === undefined) return allowed;
  const scopes = [...new Set(asked.split(" ").filter((scope) => scope !== ""))];
  if (scopes.length === 0 || scopes.some((scope) => !allowed.includes(scope))) return undefined;
  const needsOpenId = scopes.some((scope) => userScopes.has(scope));
  return needsOpenId && !scopes.includes("openid") ? undefined : scopes;
}

/** AWS: only S256. */
function readChallenge(
  query: URLSearchParams,
  responseType: "code" | "token",
): { readonly codeChallenge: string | undefined } | { readonly problem: string } {
  const challenge = only(query, "code_challenge");
  const method = only(query, "code_challenge_method");
  if (challenge === undefined && method === undefined) {
    return query.has("code_challenge") ? { problem: "code_challenge" } : { codeChallenge: undefined };
  }
  if (responseType === "token") return { codeChallenge: undefined };
  if (method !== "S256") return { problem: "code_challenge_method must be S256" };
  if (challenge === undefined || !/^[A-Za-z0-9_-]{43}$/.test(challenge)) return { problem: "code_challenge" };
  return { codeChallenge: challenge };
}

const prompts: readonly Prompt[] = ["none", "login", "select_account", "consent"];

function readPrompt(text: string | undefined): readonly Prompt[] | undefined {
  const words = (text ?? "").split(" ").filter((word) => word !== "");
  const known = prompts.filter((prompt) => words.includes(prompt));
  if (known.length < new Set(words).size) return undefined;
  return known.includes("none") && known.length > 1 ? undefined : known;
}
