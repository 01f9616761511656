import { restVariable } from "../context/rest-context.ts";
import type { AuthorizerFacts } from "../context/request-facts.ts";
import { maskSecret } from "../logging/secrets.ts";
import { sourceArn } from "../lambda-call.ts";
import type { PublishedLambdaAuthorizer, PublishedMethod } from "../port.ts";
import { refuse, type RestRequest, type RestStage, type RestStep } from "../rest/request.ts";
import { accessFacts } from "./access-facts.ts";
import { anonymousConditions } from "./conditions.ts";
import { compileIdentitySources } from "./identity-sources.ts";
import { grantFacts } from "./grant-facts.ts";
import type { LambdaGrant } from "./lambda-grant.ts";
import { compileRestRequestEvent, tokenEvent } from "./rest-events.ts";
import { compileWholeMatch } from "./whole-match.ts";

/**
 * Methods authorized by a function.
 *
 * AWS: 401 without asking for a missing identity or a token that does not match; 401 for a function that throws
 * `Unauthorized`, 403 for a policy that does not allow the method's ARN, 500 for everything else that it does.
 */
export function restLambdaStep(
  stage: RestStage,
  method: PublishedMethod,
  authorizer: PublishedLambdaAuthorizer,
): RestStep {
  const { needs, published } = stage;
  const lambda = stage.authorizers.lambda(authorizer);
  const identityOf = compileIdentitySources<RestRequest>(authorizer.identitySources, restVariable, "last");
  const isToken = authorizer.type === "TOKEN";
  const validate = isToken ? compileWholeMatch(authorizer.identityValidationExpression) : undefined;
  const requestEvent = isToken ? undefined : compileRestRequestEvent(stage, method);
  const factsOf = createFacts();

  return (request, next) => {
    const { exchange, journal } = request;
    journal?.info(`Starting authorizer: ${authorizer.id} for request: ${exchange.requestId}`);
    // AWS: what is not cached has no identity to look for; a TOKEN authorizer always has.
    const identity = authorizer.identitySources.length === 0 ? [] : identityOf(request);
    if (identity === undefined) return refuseUnauthorized(request);
    const token = identity[0] ?? "";
    if (validate !== undefined && !validate(token)) return refuseUnauthorized(request);
    journal?.info(`Incoming identity: ${identity.map(maskSecret).join(", ")}`);
    const arn = sourceArn(published, exchange.method, exchange.path);
    const event = () => requestEvent?.(request, arn) ?? tokenEvent(arn, token);
    const question = { identity, event, requestId: needs.identities.uuid(), trace: exchange.trace, now: exchange.now };
    lambda.ask(question, (verdict) => {
      request.access = { authorizer: accessFacts(verdict, question.requestId) };
      if (verdict.verdict === "unauthorized") return refuseUnauthorized(request);
      if (verdict.verdict !== "granted") {
        const reason = verdict.verdict === "late" ? "Authorizer timed out" : `Authorizer error: ${verdict.reason}`;
        journal?.error(`Execution failed due to configuration error: ${reason}`);
        return refuse(request, refusals[verdict.verdict]);
      }
      journal?.info(`Using valid authorizer policy for principal: ${maskSecret(verdict.grant.principalId ?? "")}`);
      const decision = verdict.grant.decide(arn, () => anonymousConditions(published, exchange, arn));
      if (decision === "explicitDeny") {
        journal?.error(notAuthorized);
        return refuse(request, "ACCESS_DENIED", `${denied} with an explicit deny`);
      }
      // AWS: what the authorizer neither allows nor denies, the API's policy may allow.
      if (decision === "implicitDeny" && stage.authorizers.policy?.decide(exchange, arn) !== "allowed") {
        journal?.error(notAuthorized);
        return refuse(request, "ACCESS_DENIED", denied);
      }
      journal?.info("Successfully completed authorizer execution");
      request.authorizer = factsOf(verdict.grant, verdict.latencyMs);
      next();
    });
  };
}

const denied = "User is not authorized to access this resource";

const notAuthorized = "The client is not authorized to perform this operation.";

function refuseUnauthorized(request: RestRequest): void {
  request.journal?.error(`Unauthorized request: ${request.exchange.requestId}`);
  refuse(request, "UNAUTHORIZED");
}

const refusals = {
  misconfigured: "AUTHORIZER_CONFIGURATION_ERROR",
  late: "AUTHORIZER_FAILURE",
} as const;

/** The facts of a grant, written once for all requests that it is remembered for. */
function createFacts(): (grant: LambdaGrant, latencyMs: number) => AuthorizerFacts {
  const written = new WeakMap<LambdaGrant, AuthorizerFacts>();
  return (grant, latencyMs) => {
    if (latencyMs !== 0) return grantFacts(grant, latencyMs);
    const known = written.get(grant) ?? grantFacts(grant, 0);
    written.set(grant, known);
    return known;
  };
}
