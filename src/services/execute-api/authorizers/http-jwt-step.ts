import { httpVariable } from "../context/http-context.ts";
import type { AuthorizerFacts } from "../context/request-facts.ts";
import { answer, type HttpRequest, type HttpStage, type HttpStep } from "../http/request.ts";
import type { PublishedJwtAuthorizer, PublishedRoute } from "../port.ts";
import { httpClaim } from "./claim-text.ts";
import { eventVersionOf } from "./http-lambda-step.ts";
import { compileIdentitySources } from "./identity-sources.ts";
import { authorizerLimits as limits } from "./limits.ts";
import type { RememberedToken } from "./remembered.ts";
import { bareToken, type Claims, hasAudience, scopesOf, verifyToken } from "../../../access/tokens/token.ts";

/**
 * Routes authorized by tokens of an OpenID Connect issuer. A token is verified once and then known by its bytes, until it ends or
 * is to be verified again.
 *
 * AWS: 401 with what was wrong in `www-authenticate`; 403 for a token without any of the route's scopes.
 */
export function httpJwtStep(stage: HttpStage, route: PublishedRoute, authorizer: PublishedJwtAuthorizer): HttpStep {
  const { needs, published } = stage;
  const { issuers, remembered } = needs.authorizers;
  const trusted = [authorizer.issuer];
  const identityOf = compileIdentitySources<HttpRequest>([authorizer.identitySource], httpVariable, "joined");
  const tokens = remembered.tokens(published, authorizer);
  const factsOf = createFacts(route);
  // What the API's owner wrote goes into a header: nothing that would end its text.
  const scopes = (route.authorizationScopes ?? []).join(" ").replaceAll(/[^\x20-\x7e]|["\\]/g, "");
  const insufficient = `Bearer scope="${scopes}" error="insufficient_scope" error_description="the token does not have any of the required scopes"`;

  const admit = (request: HttpRequest, token: RememberedToken, next: () => void) => {
    const facts = factsOf(token);
    if (facts === undefined) return challenge(request, 403, "Forbidden", insufficient);
    request.authorizer = facts;
    next();
  };

  /** The token, remembered, or why it is refused. */
  const verify = async (value: string, now: number): Promise<RememberedToken | string> => {
    const outcome = await verifyToken(issuers, trusted, bareToken(value), now);
    if (outcome.outcome === "refused") return outcome.reason;
    if (!hasAudience(outcome.claims, authorizer.audience)) return "the token does not have a valid audience";
    const token = toRemembered(outcome.claims, Math.min(outcome.expiresAt, now + limits.tokenVerifiedForMs));
    tokens.set(value, token);
    return token;
  };

  return (request, next) => {
    const value = identityOf(request)?.[0];
    if (value === undefined) return challenge(request, 401, "Unauthorized", "Bearer");
    const { now } = request.exchange;
    const known = tokens.get(value);
    if (known !== undefined && now < known.until) return admit(request, known, next);
    verify(value, now).then(
      (token) => {
        if (typeof token === "string") refuseToken(request, token);
        else admit(request, token, next);
      },
      (error: unknown) => {
        needs.log.error("Verifying a token broke", { error });
        refuseToken(request, "unable to verify the token");
      },
    );
  };
}

function refuseToken(request: HttpRequest, reason: string): void {
  challenge(
    request,
    401,
    "Unauthorized",
    `Bearer scope="" error="invalid_token" error_description="${reason}"`,
    reason,
  );
}

/** @param header the value of `www-authenticate` */
function challenge(request: HttpRequest, status: number, message: string, header: string, reason?: string): void {
  request.failure = { message };
  request.access = { authorizer: { status, error: reason ?? message } };
  const headers = ["content-type", "application/json", "www-authenticate", header];
  answer(request.exchange, request.stage, status, headers, `{"message":"${message}"}`);
}

function toRemembered(claims: Claims, until: number): RememberedToken {
  const texts = Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, httpClaim(value)]));
  return {
    until,
    scopes: scopesOf(claims),
    facts: { claims: texts },
    claimsText: JSON.stringify(texts),
    tokenUse: undefined,
  };
}

/** What requests with a token are let through with; undefined when it has none of the route's scopes. */
function createFacts(route: PublishedRoute): (token: RememberedToken) => AuthorizerFacts | undefined {
  const wanted = route.authorizationScopes ?? [];
  const version = eventVersionOf(route);
  const written = new WeakMap<RememberedToken, AuthorizerFacts>();
  return (token) => {
    const known = written.get(token);
    if (known !== undefined) return known;
    const scopes = wanted.filter((scope) => token.scopes.includes(scope));
    if (wanted.length > 0 && scopes.length === 0) return undefined;
    // AWS: a route that asks for no scopes tells of none.
    const text = `{"claims":${token.claimsText},"scopes":${wanted.length === 0 ? "null" : JSON.stringify(scopes)}}`;
    const facts = { ...token.facts, eventText: version === "1.0" ? text : `{"jwt":${text}}` };
    written.set(token, facts);
    return facts;
  };
}
