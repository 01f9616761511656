import { AwsError } from "../../../aws/error.ts";
import { identityOf, unknownIdentity } from "../../../proxy/caller-identity.ts";
import { accessFacts } from "../authorizers/access-facts.ts";
import { anonymousConditions } from "../authorizers/conditions.ts";
import { compileIdentitySources } from "../authorizers/identity-sources.ts";
import { createLambdaAuthorizer } from "../authorizers/lambda-authorizer.ts";
import { grantFacts } from "../authorizers/grant-facts.ts";
import { webSocketVariable } from "../context/websocket-context.ts";
import { sourceArn } from "../lambda-call.ts";
import type { PublishedLambdaAuthorizer } from "../port.ts";
import { writeAuthorizerEvent } from "./events.ts";
import { fail } from "./failures.ts";
import type { PublishedWebSocketRoute } from "./published.ts";
import type { WebSocketRequest, WebSocketStage, WebSocketStep } from "./request.ts";

/** Who may connect. Source: "Control and manage access to WebSocket APIs in API Gateway": it is decided at `$connect` alone. */
export function connectAuthorization(stage: WebSocketStage, route: PublishedWebSocketRoute): WebSocketStep[] {
  switch (route.authorizationType) {
    case "NONE":
      return [];
    case "AWS_IAM":
      return [iamStep(stage)];
    case "CUSTOM": {
      const authorizer = stage.published.authorizers?.find(({ id }) => id === route.authorizerId);
      return [authorizer === undefined ? misconfigured : lambdaStep(stage, authorizer)];
    }
  }
}

/** The signature is verified, and `execute-api:Invoke` evaluated for `$connect`. */
function iamStep({ needs, published }: WebSocketStage): WebSocketStep {
  const { account, region } = published;
  const arn = sourceArn(published, "$connect", "");
  return (request, next, done) => {
    if (request.event.type !== "CONNECT") return fail(request, done, "API_CONFIGURATION_ERROR");
    needs.access.check(request.event.exchange, Buffer.alloc(0), { account, region, arn }, request).then(
      (caller) => {
        request.caller = caller;
        const identity = identityOf(caller);
        if (identity !== unknownIdentity) {
          request.connection = { ...request.connection, identity: JSON.stringify(identity).slice(1, -1) };
        }
        next();
      },
      (error: unknown) => {
        if (error instanceof AwsError && error.status < 500) {
          request.journal?.error(`Unauthorized request: ${error.message}`);
          return fail(request, done, "MISSING_AUTHENTICATION_TOKEN");
        }
        needs.log.error("Authorizing a handshake broke", { error });
        fail(request, done, "API_CONFIGURATION_ERROR");
      },
    );
  };
}

/**
 * A function decides, once for the connection; what it says goes with all its events.
 *
 * AWS: 401 without asking where an identity source is missing; 401 for a function that throws `Unauthorized`, 403 for a
 * policy that does not allow `$connect`, 500 for everything else that it does.
 */
function lambdaStep(stage: WebSocketStage, authorizer: PublishedLambdaAuthorizer): WebSocketStep {
  const { needs, published } = stage;
  const lambda = createLambdaAuthorizer(needs, published, authorizer);
  const identityOfRequest = compileIdentitySources<Handshake>(
    authorizer.identitySources,
    ({ request }, name) => webSocketVariable(request, name),
    "last",
  );
  const arn = sourceArn(published, "$connect", "");
  return (request, next, done) => {
    if (request.event.type !== "CONNECT") return fail(request, done, "API_CONFIGURATION_ERROR");
    const { exchange } = request.event;
    const sources = authorizer.identitySources;
    const identity = sources.length === 0 ? [] : identityOfRequest({ exchange, stage, request });
    if (identity === undefined) return fail(request, done, "UNAUTHORIZED");
    const event = () => writeAuthorizerEvent(request, exchange, arn);
    const question = { identity, event, requestId: needs.identities.uuid(), trace: request.trace, now: request.now };
    lambda.ask(question, (verdict) => {
      request.access = { authorizer: accessFacts(verdict, question.requestId) };
      if (verdict.verdict !== "granted") {
        if (verdict.verdict === "misconfigured") request.journal?.error(`Authorizer error: ${verdict.reason}`);
        return fail(request, done, refusals[verdict.verdict]);
      }
      const decision = verdict.grant.decide(arn, () => anonymousConditions(published, exchange, arn));
      if (decision === "explicitDeny") return fail(request, done, "ACCESS_DENIED", `${denied} with an explicit deny`);
      if (decision === "implicitDeny") return fail(request, done, "ACCESS_DENIED", denied);
      const facts = grantFacts(verdict.grant, verdict.latencyMs);
      request.authorizer = facts;
      request.connection = { ...request.connection, authorizer: facts.eventText };
      next();
    });
  };
}

const denied = "User is not authorized to access this resource";

const refusals = {
  unauthorized: "UNAUTHORIZED",
  misconfigured: "AUTHORIZER_CONFIGURATION_ERROR",
  late: "AUTHORIZER_FAILURE",
} as const;

/** A handshake, as identity sources see it. */
interface Handshake {
  readonly exchange: Extract<WebSocketRequest["event"], { readonly type: "CONNECT" }>["exchange"];
  readonly stage: WebSocketStage;
  readonly request: WebSocketRequest;
}

const misconfigured: WebSocketStep = (request, _next, done) => fail(request, done, "AUTHORIZER_CONFIGURATION_ERROR");
