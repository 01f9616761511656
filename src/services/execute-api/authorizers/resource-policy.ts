import { compilePolicy } from "../../../access/policy/compile.ts";
import { parsePolicyDocument } from "../../../access/policy/document.ts";
import { evaluate } from "../../../access/policy/evaluate.ts";
import type { Exchange } from "../../../proxy/exchange.ts";
import type { PublishedStage } from "../port.ts";
import { anonymousConditions } from "./conditions.ts";
import type { PolicyDecision } from "./lambda-grant.ts";

/** The resource policy of an API, ready to decide on requests that nobody signed. */
export interface ResourcePolicy {
  /** For requests that are signed: the document. */
  readonly text: string;
  decide(exchange: Exchange, arn: string): PolicyDecision;
}

export function compileResourcePolicy(stage: PublishedStage, text: string): ResourcePolicy {
  const resourcePolicy = { name: "resource policy", policy: compilePolicy(parsePolicyDocument(text, "resource")) };
  return {
    text,
    decide: (exchange, arn) => {
      const { decision } = evaluate({
        principal: { type: "anonymous" },
        action: "execute-api:Invoke",
        resource: arn,
        resourceAccount: stage.account,
        context: anonymousConditions(stage, exchange, arn),
        identityPolicies: [],
        permissionsBoundary: undefined,
        sessionPolicies: [],
        resourcePolicy,
        resourcePolicyRequired: false,
      });
      return decision;
    },
  };
}

/** What AWS tells somebody without a name who is denied. Most of the account's number is hidden. */
export function anonymousDenial(decision: PolicyDecision, arn: string): string {
  const why = decision === "explicitDeny" ? " with an explicit deny" : "";
  return `User: anonymous is not authorized to perform: execute-api:Invoke on resource: ${maskAccount(arn)}${why}`;
}

/** AWS: of the account in an API's ARN only the last four digits are told. */
export function maskAccount(text: string): string {
  return text.replaceAll(/(arn:[\w-]+:execute-api:[\w-]*:)\d{8}(\d{4}:)/g, "$1********$2");
}
