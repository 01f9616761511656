import { toCanonicalUserId } from "../../aws/canonical-user.ts";
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
  /** What the resource's access control list allows: another policy of the resource. */
  readonly accessControlList?: NamedPolicy | undefined;
  /** What the operator of the installation lets accounts do at the most, as a service control policy of an organization does. */
  readonly guardRails?: NamedPolicy | undefined;
  /** The resource's policy must allow, whatever identities' policies say: role trust policies, KMS keys. */
  readonly resourcePolicyRequired: boolean;
}

export interface NamedPolicy {
  /** An ARN, or the name of an inline policy: what an explanation calls it. */
  readonly name: string;
  readonly policy: CompiledPolicy;
}

export type PolicyType =
  | "service control policy"
  | "identity-based policy"
  | "resource-based policy"
  | "permissions boundary"
  | "session policy";

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
  const resource = scan(
    question,
    [...toList(question.resourcePolicy), ...toList(question.accessControlList)],
    "resource-based policy",
  );
  // AWS: they limit whoever belongs to an account, its root too, and neither services nor strangers.
  const isLimited = question.guardRails !== undefined && "account" in principal;
  const guard = scan(question, isLimited ? toList(question.guardRails) : [], "service control policy");

  const denied = guard.denied ?? identity.denied ?? resource.denied ?? boundary.denied ?? session.denied;
  if (denied) return { decision: "explicitDeny", policyType: denied.policyType, by: denied };

  if (isLimited && guard.allowed.length === 0) return implicit("service control policy");

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
  const grantedToRole = sameAccount && resource.grants.has("role");
  if (!identityAllows && !grantedToRole) return implicit("identity-based policy");
  if (!withinBoundary) return implicit("permissions boundary");
  if (!withinSession) return implicit("session policy");
  if ((!sameAccount || question.resourcePolicyRequired) && !resourceAllows) return implicit("resource-based policy");
  return allowedBy(identity, resource, boundary, session);
}

function allowedBy(...by: readonly Scan[]): Decision {
  const statements: StatementName[] = [];
  for (const { allowed } of by) statements.push(...allowed);
  return { decision: "allowed", by: statements };
}

function implicit(policyType: PolicyType): Decision {
  return { decision: "implicitDeny", policyType };
}

function toList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

/**
 * How a statement of a resource's policy reaches the principal. `direct`: the user or session itself, or everybody, which no
 * boundary or session policy limits. `role`: what the session is of, which they do limit. `account`: the account may hand the
 * permission on, through identities' policies.
 */
type Grant = "direct" | "role" | "account";

function candidates({ statements, statementsFor }: CompiledPolicy, action: string): readonly CompiledStatement[] {
  return statementsFor?.(action) ?? statements.filter((statement) => statement.isAbout(action));
}

interface Scan {
  readonly denied: StatementName | undefined;
  readonly allowed: readonly StatementName[];
  readonly grants: ReadonlySet<Grant>;
}

const nothing: Scan = { denied: undefined, allowed: [], grants: new Set() };

function scan(question: Question, policies: readonly NamedPolicy[], policyType: PolicyType): Scan {
  if (policies.length === 0) return nothing;
  const { action, resource, context } = question;
  const allowed: StatementName[] = [];
  const grants = new Set<Grant>();
  let denied: StatementName | undefined;
  for (const { name, policy } of policies) {
    for (const statement of candidates(policy, action)) {
      const grant = policyType === "resource-based policy" ? findGrant(statement, question) : "direct";
      if (!grant || !statement.applies(resource, context)) continue;
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

function findGrant({ principals }: CompiledStatement, question: Question): Grant | undefined {
  if (!principals) return undefined;
  if (principals.not) return isExempt(principals.entries, question) ? undefined : "direct";
  let strongest: Grant | undefined;
  for (const entry of principals.entries) {
    const grant = toGrant(entry, question.principal);
    if (grant === "direct") return grant;
    if (strongest !== "role") strongest = grant ?? strongest;
  }
  return strongest;
}

/** Source: "IAM JSON policy elements: Principal", with "Policy evaluation logic" for what a grant reaches. */
function toGrant({ kind, value }: PrincipalEntry, principal: Principal): Grant | undefined {
  switch (kind) {
    case "Service":
      return principal.type === "service" && principal.service === value ? "direct" : undefined;
    case "Federated":
      return principal.type === "webIdentity" && principal.provider === value ? "direct" : undefined;
    case "CanonicalUser":
      return "account" in principal && toCanonicalUserId(principal.account) === value ? "account" : undefined;
    case "AWS":
      if (value === "*") return "direct";
      if (!("account" in principal)) return undefined;
      if (namesOf(principal).includes(value)) return "direct";
      if (parentNamesOf(principal).includes(value)) return "role";
      return accountNamesOf(principal.account).includes(value) ? "account" : undefined;
    default:
      return kind satisfies never;
  }
}

/**
 * Whom a NotPrincipal leaves out, exactly as documented: whoever is listed itself, and with it all that it belongs to (a session's
 * role, the account). An account's ARN alone exempts its root only, and nobody who has a permissions boundary is ever exempt.
 * Source: "IAM JSON policy elements: NotPrincipal".
 */
function isExempt(entries: readonly PrincipalEntry[], { principal, permissionsBoundary }: Question): boolean {
  const listed = (kind: PrincipalEntry["kind"], names: readonly string[]) =>
    entries.some((entry) => entry.kind === kind && names.includes(entry.value));
  if (listed("AWS", ["*"])) return true;
  if (principal.type === "service") return listed("Service", [principal.service]);
  if (principal.type === "webIdentity") return listed("Federated", [principal.provider]);
  if (principal.type === "anonymous" || permissionsBoundary) return false;
  const account =
    listed("AWS", accountNamesOf(principal.account)) || listed("CanonicalUser", [toCanonicalUserId(principal.account)]);
  if (principal.type === "root") return account;
  const parents = parentNamesOf(principal);
  return account && listed("AWS", namesOf(principal)) && (parents.length === 0 || listed("AWS", parents));
}

type AccountPrincipal = Extract<Principal, { readonly account: string }>;

/** The names of the principal itself. A deleted one's unique id stays in the policies that named it. */
function namesOf(principal: AccountPrincipal): readonly string[] {
  if (principal.type === "root") return [];
  return principal.type === "user" ? [principal.arn, principal.userId] : [principal.arn];
}

/** Of whom the principal is a session. */
function parentNamesOf(principal: AccountPrincipal): readonly string[] {
  if (principal.type === "assumedRole") return [principal.roleArn, principal.roleId];
  if (principal.type !== "federatedUser" || principal.issuer.type === "root") return [];
  return [principal.issuer.arn, principal.issuer.userId];
}

function accountNamesOf(account: string): readonly string[] {
  return [account, `arn:aws:iam::${account}:root`];
}
