import type { Principal } from "../../aws/principal.ts";
import type { CompiledPolicy, CompiledStatement } from "./compile.ts";
import type { PrincipalEntry } from "./document.ts";
import type { Context } from "./pattern.ts";

/** All that a decision depends on: the evaluator looks at nothing else. */
export interface Question {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  /** The account that owns the resource. */
  readonly resourceAccount: string;
  readonly context: Context;
  /** The policies of a user (with its groups') or role. */
  readonly identityPolicies: readonly NamedPolicy[];
  readonly permissionsBoundary: NamedPolicy | undefined;
  /** Any of them may allow; none there means that the session is not narrowed. */
  readonly sessionPolicies: readonly NamedPolicy[];
  readonly resourcePolicy: NamedPolicy | undefined;
  /** The resource's policy must allow, whatever identities' policies say: role trust policies, KMS keys. */
  readonly resourcePolicyRequired: boolean;
}

export interface NamedPolicy {
  /** An ARN, or the name of an inline policy: what an explanation calls it. */
  readonly name: string;
  readonly policy: CompiledPolicy;
}

export type PolicyType = "identity-based policy" | "resource-based policy" | "permissions boundary" | "session policy";

/** The decision, with what decided. */
export type Decision =
  | { readonly decision: "allowed"; readonly by: readonly StatementName[] }
  | { readonly decision: "explicitDeny"; readonly policyType: PolicyType; readonly by: StatementName }
  /** No policy of this type allows it. */
  | { readonly decision: "implicitDeny"; readonly policyType: PolicyType };

export interface StatementName {
  readonly policyType: PolicyType;
  readonly policy: string;
  readonly statement: string;
}

/** Source: "Policy evaluation logic" and "Cross-account policy evaluation logic" in the IAM user guide. */
export function evaluate(question: Question): Decision {
  const { principal } = question;
  const identity = scan(question, question.identityPolicies, "identity-based policy");
  const boundary = scan(question, toList(question.permissionsBoundary), "permissions boundary");
  const session = scan(question, question.sessionPolicies, "session policy");
  const resource = scan(question, toList(question.resourcePolicy), "resource-based policy");

  const denied = identity.denied ?? resource.denied ?? boundary.denied ?? session.denied;
  if (denied) return { decision: "explicitDeny", policyType: denied.policyType, by: denied };

  const withinBoundary = !question.permissionsBoundary || boundary.allowed.length > 0;
  // AWS: a federated user without a policy of its session has none of its user's permissions.
  const isNarrowed = question.sessionPolicies.length > 0 || principal.type === "federatedUser";
  const withinSession = !isNarrowed || session.allowed.length > 0;
  const resourceAllows = resource.allowed.length > 0;

  if (principal.type === "service" || principal.type === "anonymous" || principal.type === "webIdentity") {
    return resourceAllows ? allowedBy(resource) : implicit("resource-based policy");
  }
  const sameAccount = principal.account === question.resourceAccount;
  if (principal.type === "root") {
    if (sameAccount && !question.resourcePolicyRequired) return { decision: "allowed", by: [] };
    return resourceAllows ? allowedBy(resource) : implicit("resource-based policy");
  }
  if (sameAccount && resource.grants.has("direct")) return allowedBy(resource);
  const ofRoot = principal.type === "federatedUser" && principal.issuer.type === "root" && sameAccount;
  const identityAllows = identity.allowed.length > 0 || ofRoot;
  const grantedToRole = sameAccount && (resource.grants.has("role") || resource.grants.has("anyone"));
  if (!identityAllows && !grantedToRole) return implicit("identity-based policy");
  if (!withinBoundary) return implicit("permissions boundary");
  if (!withinSession) return implicit("session policy");
  if ((!sameAccount || question.resourcePolicyRequired) && !resourceAllows) return implicit("resource-based policy");
  return allowedBy(identity, resource, boundary, session);
}

function allowedBy(...by: readonly Scan[]): Decision {
  return { decision: "allowed", by: by.flatMap(({ allowed }) => allowed) };
}

function implicit(policyType: PolicyType): Decision {
  return { decision: "implicitDeny", policyType };
}

function toList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

/**
 * How a statement of a resource's policy reaches the principal. `direct`: the user or session itself, which no boundary
 * or session policy limits. `account`: the account may hand the permission on, through identities' policies.
 */
type Grant = "direct" | "role" | "anyone" | "account" | "service";

interface Scan {
  readonly denied: StatementName | undefined;
  readonly allowed: readonly StatementName[];
  readonly grants: ReadonlySet<Grant>;
}

function scan(question: Question, policies: readonly NamedPolicy[], policyType: PolicyType): Scan {
  const { action, resource, context } = question;
  const allowed: StatementName[] = [];
  const grants = new Set<Grant>();
  let denied: StatementName | undefined;
  for (const { name, policy } of policies) {
    for (const statement of policy.statements) {
      const grant = policyType === "resource-based policy" ? findGrant(statement, question.principal) : "direct";
      if (!grant || !statement.matches(action, resource, context)) continue;
      const found = { policyType, policy: name, statement: statement.name };
      if (statement.effect === "Deny") denied ??= found;
      else {
        allowed.push(found);
        grants.add(grant);
      }
    }
  }
  return { denied, allowed, grants };
}

const strength: readonly Grant[] = ["direct", "service", "role", "anyone", "account"];

function findGrant(statement: CompiledStatement, principal: Principal): Grant | undefined {
  if (!statement.principals) return undefined;
  const grants = statement.principals.entries.map((entry) => toGrant(entry, principal));
  if (statement.principals.not) return grants.some((grant) => grant !== undefined) ? undefined : "anyone";
  return strength.find((grant) => grants.includes(grant));
}

function toGrant({ kind, value }: PrincipalEntry, principal: Principal): Grant | undefined {
  if (kind === "AWS" && value === "*") return "anyone";
  if (kind === "Service") return principal.type === "service" && principal.service === value ? "service" : undefined;
  if (kind === "Federated") {
    return principal.type === "webIdentity" && principal.provider === value ? "service" : undefined;
  }
  if (kind !== "AWS" || !("account" in principal)) return undefined;
  if (value === principal.account || value === `arn:aws:iam::${principal.account}:root`) return "account";
  if (value === principal.arn) return "direct";
  if (principal.type === "user" && value === principal.userId) return "direct";
  if (principal.type !== "assumedRole") return undefined;
  return value === principal.roleArn || value === principal.roleId ? "role" : undefined;
}
