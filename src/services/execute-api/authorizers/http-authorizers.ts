import { iamStep } from "../http/iam-step.ts";
import { type HttpStage, type HttpStep, refuse } from "../http/request.ts";
import type {
  PublishedHttpAuthorizer,
  PublishedHttpStage,
  PublishedLambdaAuthorizer,
  PublishedRoute,
} from "../port.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { httpJwtStep } from "./http-jwt-step.ts";
import { httpLambdaStep } from "./http-lambda-step.ts";
import { createLambdaAuthorizer, type LambdaAuthorizer } from "./lambda-authorizer.ts";

/** The authorizers of a stage of an HTTP API, each made once for all routes that use it. */
export interface HttpAuthorizers {
  find(id: string | undefined): PublishedHttpAuthorizer | undefined;
  lambda(authorizer: PublishedLambdaAuthorizer): LambdaAuthorizer;
}

export function createHttpAuthorizers(needs: StageNeeds, published: PublishedHttpStage): HttpAuthorizers {
  const byId = new Map((published.authorizers ?? []).map((authorizer) => [authorizer.id, authorizer]));
  const made = new Map<string, LambdaAuthorizer>();
  return {
    find: (id) => byId.get(id ?? ""),
    lambda: (authorizer) => {
      const found = made.get(authorizer.id) ?? createLambdaAuthorizer(needs, published, authorizer);
      made.set(authorizer.id, found);
      return found;
    },
  };
}

/** Who may call a route. An open route has none of these. */
export function authorizationSteps(stage: HttpStage, route: PublishedRoute): HttpStep[] {
  switch (route.authorizationType) {
    case "NONE":
      return [];
    case "AWS_IAM":
      return [iamStep];
    case "CUSTOM": {
      const authorizer = stage.authorizers.find(route.authorizerId);
      return authorizer === undefined || authorizer.type === "JWT"
        ? [misconfigured]
        : [httpLambdaStep(stage, route, authorizer)];
    }
    case "JWT": {
      const authorizer = stage.authorizers.find(route.authorizerId);
      return authorizer?.type === "JWT" ? [httpJwtStep(stage, route, authorizer)] : [misconfigured];
    }
  }
}

const misconfigured: HttpStep = (request) => refuse(request, 500, "Internal Server Error");
