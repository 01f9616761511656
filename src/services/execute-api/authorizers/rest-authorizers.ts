import type { PublishedMethod, PublishedPoolAuthorizer, PublishedRestAuthorizer, PublishedRestStage } from "../port.ts";
import { iamStep } from "../rest/iam-step.ts";
import { refuse, type RestStage, type RestStep } from "../rest/request.ts";
import { sourceArn } from "../lambda-call.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { createLambdaAuthorizer, type LambdaAuthorizer } from "./lambda-authorizer.ts";
import { anonymousDenial, compileResourcePolicy, type ResourcePolicy } from "./resource-policy.ts";
import { restLambdaStep } from "./rest-lambda-step.ts";
import { restPoolStep } from "./rest-pool-step.ts";

/** The authorizers of a stage of a REST API, each made once for all methods that use it. */
export interface RestAuthorizers {
  readonly policy: ResourcePolicy | undefined;
  find(id: string | undefined): PublishedRestAuthorizer | undefined;
  lambda(authorizer: Exclude<PublishedRestAuthorizer, PublishedPoolAuthorizer>): LambdaAuthorizer;
}

export function createRestAuthorizers(needs: StageNeeds, published: PublishedRestStage): RestAuthorizers {
  const byId = new Map((published.authorizers ?? []).map((authorizer) => [authorizer.id, authorizer]));
  const made = new Map<string, LambdaAuthorizer>();
  return {
    policy: published.policy === undefined ? undefined : compileResourcePolicy(published, published.policy),
    find: (id) => byId.get(id ?? ""),
    lambda: (authorizer) => {
      const found = made.get(authorizer.id) ?? createLambdaAuthorizer(needs, published, authorizer);
      made.set(authorizer.id, found);
      return found;
    },
  };
}

/**
 * Who may call a method. An open method of an API without a resource policy has none of these.
 *
 * Source: "How API Gateway resource policies affect authorization workflow".
 */
export function authorizationSteps(stage: RestStage, method: PublishedMethod): RestStep[] {
  const { policy } = stage.authorizers;
  switch (method.authorizationType) {
    case "NONE":
      return policy === undefined ? [] : [policyStep(policy)];
    case "AWS_IAM":
      return [iamStep];
    case "CUSTOM": {
      const authorizer = stage.authorizers.find(method.authorizerId);
      if (authorizer === undefined || authorizer.type === "COGNITO_USER_POOLS") return [misconfigured];
      return [...(policy === undefined ? [] : [denialStep(policy)]), restLambdaStep(stage, method, authorizer)];
    }
    case "COGNITO_USER_POOLS": {
      const authorizer = stage.authorizers.find(method.authorizerId);
      if (authorizer?.type !== "COGNITO_USER_POOLS") return [misconfigured];
      return [restPoolStep(stage, method, authorizer), ...(policy === undefined ? [] : [policyStep(policy)])];
    }
  }
}

/** The policy must allow. */
function policyStep(policy: ResourcePolicy): RestStep {
  return (request, next) => {
    const arn = sourceArn(request.stage.published, request.exchange.method, request.exchange.path);
    const decision = policy.decide(request.exchange, arn);
    if (decision === "allowed") next();
    else refuse(request, "ACCESS_DENIED", anonymousDenial(decision, arn));
  };
}

/** Before an authorizer is asked, the policy must not deny; whether it allows is decided with the authorizer's answer. */
function denialStep(policy: ResourcePolicy): RestStep {
  return (request, next) => {
    const arn = sourceArn(request.stage.published, request.exchange.method, request.exchange.path);
    if (policy.decide(request.exchange, arn) !== "explicitDeny") next();
    else refuse(request, "ACCESS_DENIED", anonymousDenial("explicitDeny", arn));
  };
}

const misconfigured: RestStep = (request) => refuse(request, "AUTHORIZER_CONFIGURATION_ERROR");
