import type { AuthorizerFacts } from "../context/request-facts.ts";
import { restVariable } from "../context/rest-context.ts";
import type { PublishedMethod, PublishedPoolAuthorizer } from "../port.ts";
import { refuse, type RestRequest, type RestStage, type RestStep } from "../rest/request.ts";
import { poolClaim } from "./claim-text.ts";
import { compileIdentitySources } from "./identity-sources.ts";
import { authorizerLimits as limits } from "./limits.ts";
import type { RememberedToken } from "./remembered.ts";
import { bareToken, type Claims, scopesOf, verifyToken } from "../../../access/tokens/token.ts";
import { compileWholeMatch } from "./whole-match.ts";

/**
 * Methods authorized by Cognito user pools: an identity token, or an access token with one of the method's scopes where the
 * method has some.
 *
 * AWS: whatever is wrong with a token is 401, and an expired one is told so.
 */
export function restPoolStep(stage: RestStage, method: PublishedMethod, authorizer: PublishedPoolAuthorizer): RestStep {
  const { needs, published } = stage;
  const issuers = authorizer.providerArns.flatMap((arn) => needs.authorizers.issuerOf(arn) ?? []);
  const identityOf = compileIdentitySources<RestRequest>([authorizer.identitySource], restVariable, "last");
  const hasAudience = compileWholeMatch(authorizer.identityValidationExpression);
  const scopes = new Set(method.authorizationScopes);
  const tokens = needs.authorizers.remembered.tokens(published, authorizer);

  const admit = (request: RestRequest, token: RememberedToken, next: () => void) => {
    const isFit =
      scopes.size === 0
        ? token.tokenUse !== "access"
        : token.tokenUse !== "id" && token.scopes.some((scope) => scopes.has(scope));
    if (!isFit) return refuseUnauthorized(request);
    request.journal?.info("Successfully completed authorizer execution");
    request.authorizer = token.facts;
    next();
  };

  /** The token, remembered, or why it is refused. */
  const verify = async (value: string, now: number): Promise<RememberedToken | string> => {
    const outcome = await verifyToken(needs.authorizers.issuers, issuers, bareToken(value), now);
    if (outcome.outcome === "refused") return outcome.reason;
    const { claims, expiresAt } = outcome;
    const audience = claims["aud"] ?? claims["client_id"];
    if (hasAudience !== undefined && !(typeof audience === "string" && hasAudience(audience))) {
      return "the token does not have a valid audience";
    }
    const token = toRemembered(claims, Math.min(expiresAt, now + limits.tokenVerifiedForMs));
    tokens.set(value, token);
    return token;
  };

  return (request, next) => {
    const { now, requestId } = request.exchange;
    request.journal?.info(`Starting authorizer: ${authorizer.id} for request: ${requestId}`);
    const value = identityOf(request)?.[0];
    if (value === undefined) return refuseUnauthorized(request);
    const known = tokens.get(value);
    if (known !== undefined && now < known.until) return admit(request, known, next);
    verify(value, now).then(
      (token) => {
        if (typeof token !== "string") return admit(request, token, next);
        needs.log.debug("A token was refused", { apiId: published.apiId, reason: token });
        const isOver = token === "the token has expired";
        refuseUnauthorized(request, isOver ? "The incoming token has expired" : undefined);
      },
      (error: unknown) => {
        needs.log.error("Verifying a token broke", { error });
        refuse(request, "AUTHORIZER_FAILURE");
      },
    );
  };
}

function refuseUnauthorized(request: RestRequest, message?: string): void {
  request.journal?.error(`Unauthorized request: ${request.exchange.requestId}`);
  refuse(request, "UNAUTHORIZED", message);
}

function toRemembered(claims: Claims, until: number): RememberedToken {
  const texts = Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, poolClaim(name, value)]));
  const claimsText = JSON.stringify(texts);
  const facts: AuthorizerFacts = { claims: texts, eventText: `{"claims":${claimsText}}` };
  return { until, scopes: scopesOf(claims), facts, claimsText, tokenUse: claims["token_use"] };
}
