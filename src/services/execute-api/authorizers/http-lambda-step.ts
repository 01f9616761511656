import { httpVariable } from "../context/http-context.ts";
import type { AuthorizerFacts } from "../context/request-facts.ts";
import { type HttpRequest, type HttpStage, type HttpStep, refuse } from "../http/request.ts";
import { sourceArn } from "../lambda-call.ts";
import type { PublishedLambdaAuthorizer, PublishedRoute } from "../port.ts";
import { accessFacts } from "./access-facts.ts";
import { anonymousConditions } from "./conditions.ts";
import { compileHttpEvent } from "./http-events.ts";
import { compileIdentitySources } from "./identity-sources.ts";
import type { LambdaGrant } from "./lambda-grant.ts";

/**
 * Routes authorized by a function.
 *
 * AWS: 401 without asking for a missing identity, and for a function that throws `Unauthorized`; 403 for whom it does not
 * allow; 500 for everything else that it does. With simple responses what was remembered is good for every route: it says
 * nothing of routes.
 */
export function httpLambdaStep(
  stage: HttpStage,
  route: PublishedRoute,
  authorizer: PublishedLambdaAuthorizer,
): HttpStep {
  const { needs, published } = stage;
  const lambda = stage.authorizers.lambda(authorizer);
  const identityOf = compileIdentitySources<HttpRequest>(authorizer.identitySources, httpVariable, "joined");
  const write = compileHttpEvent(stage, route, authorizer.payloadFormatVersion ?? "1.0");
  const factsOf = createFacts(eventVersionOf(route));

  return (request, next) => {
    const { exchange } = request;
    const identity = authorizer.identitySources.length === 0 ? [] : identityOf(request);
    if (identity === undefined) return refuse(request, 401, "Unauthorized");
    const arn = sourceArn(published, exchange.method, exchange.path);
    const event = () => write(request, arn, identity);
    const question = { identity, event, requestId: needs.identities.uuid(), trace: exchange.trace, now: exchange.now };
    lambda.ask(question, (verdict) => {
      request.access = { authorizer: accessFacts(verdict, question.requestId) };
      if (verdict.verdict === "unauthorized") return refuse(request, 401, "Unauthorized");
      if (verdict.verdict !== "granted") return refuse(request, 500, "Internal Server Error");
      if (verdict.grant.decide(arn, () => anonymousConditions(published, exchange, arn)) !== "allowed") {
        return refuse(request, 403, "Forbidden");
      }
      request.authorizer = factsOf(verdict.grant, verdict.latencyMs);
      next();
    });
  };
}

/** The format in which the route's integration gets its events; those without events get 2.0, which nobody reads. */
export function eventVersionOf({ integration }: PublishedRoute): "1.0" | "2.0" {
  return "payloadFormatVersion" in integration && integration.payloadFormatVersion === "1.0" ? "1.0" : "2.0";
}

/** The facts of a grant; those that are the same each time are written once. */
function createFacts(version: "1.0" | "2.0"): (grant: LambdaGrant, latencyMs: number) => AuthorizerFacts {
  const written = new WeakMap<LambdaGrant, AuthorizerFacts>();
  return (grant, latencyMs) => {
    const known = written.get(grant);
    if (known !== undefined && (version === "2.0" || latencyMs === 0)) return known;
    const facts = toFacts(grant, version, latencyMs);
    if (version === "2.0" || latencyMs === 0) written.set(grant, facts);
    return facts;
  };
}

/** AWS: format 2.0 has the context alone, below `lambda`; values keep their types. */
function toFacts(grant: LambdaGrant, version: "1.0" | "2.0", integrationLatency: number): AuthorizerFacts {
  const { principalId, context } = grant;
  const named = principalId === undefined ? {} : { principalId };
  const event = version === "2.0" ? { lambda: context ?? null } : { ...context, ...named, integrationLatency };
  return { ...named, ...(context === undefined ? {} : { context }), eventText: JSON.stringify(event) };
}
