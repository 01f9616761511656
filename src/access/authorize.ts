import type { Principal } from "../aws/principal.ts";
import type { Log } from "../kernel/log.ts";
import type { AuthorizationRequest, Authorizer, RequestEnvironment } from "./authorization.ts";
import { toContext } from "./context.ts";
import { accessDenied, missingAuthentication, toDialect } from "./errors.ts";
import type { Identity, IdentityPrincipal, IdentitySource } from "./identity-source.ts";
import type { PolicyCompiler } from "./policy/compile.ts";
import { PolicyGrammarError } from "./policy/document.ts";
import { evaluate, type Decision, type NamedPolicy } from "./policy/evaluate.ts";

export interface AuthorizerNeeds {
  readonly identities: IdentitySource;
  readonly compile: PolicyCompiler;
  readonly log: Log;
}

/** Decides by policies, with default deny. Denials are logged with the statement that decided, or what was missing. */
export function createAuthorizer(needs: AuthorizerNeeds): Authorizer {
  return {
    authorize: async (principal, request, environment) => {
      const decision = await decideSafely(needs, principal, request, environment);
      if (decision.decision === "allowed") return;
      needs.log.info("denied", {
        principal: toName(principal),
        action: request.action,
        resource: request.resource,
        ...decision,
      });
      throw toDenial(principal, request, environment, decision);
    },
  };
}

/**
 * Whatever stores a policy checks it first, so one that cannot be read is a bug or damage. Nobody can say what it would
 * have denied: everything is.
 */
async function decideSafely(needs: AuthorizerNeeds, ...asked: Asked): Promise<Decision> {
  try {
    return await decide(needs, ...asked);
  } catch (error) {
    if (!(error instanceof PolicyGrammarError)) throw error;
    const [principal, { action, resource }] = asked;
    needs.log.error("A stored policy cannot be read: denied", {
      principal: toName(principal),
      action,
      resource,
      error,
    });
    return { decision: "implicitDeny", policyType: "identity-based policy" };
  }
}

type Asked = [principal: Principal, request: AuthorizationRequest, environment: RequestEnvironment];

const noIdentity: Identity = { policies: [], permissionsBoundary: undefined, tags: {} };

async function decide(
  needs: AuthorizerNeeds,
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
): Promise<Decision> {
  let identity: Identity | undefined = noIdentity;
  const holder = toHolder(principal);
  if (holder) {
    const found = needs.identities.findIdentity(holder);
    identity = found instanceof Promise ? await found : found;
    if (!identity) return { decision: "implicitDeny", policyType: "identity-based policy" };
  }
  return evaluate({
    principal,
    action: request.action,
    resource: request.resource,
    resourceAccount: request.resourceAccount ?? environment.account,
    context: toContext(principal, request, environment, identity.tags),
    identityPolicies: identity.policies,
    permissionsBoundary: identity.permissionsBoundary,
    sessionPolicies: await sessionPolicies(needs, principal),
    resourcePolicy: request.resourcePolicy === undefined ? undefined : resourcePolicy(needs, request),
    resourcePolicyRequired: request.resourcePolicyRequired ?? false,
  });
}

/** Whose policies say what the principal may do: a federated user has those of the user who asked for its session. */
function toHolder(principal: Principal): IdentityPrincipal | undefined {
  if (principal.type === "user" || principal.type === "assumedRole") return principal;
  if (principal.type !== "federatedUser" || principal.issuer.type === "root") return undefined;
  return { ...principal.issuer, account: principal.account, accessKeyId: "" };
}

function resourcePolicy(needs: AuthorizerNeeds, request: AuthorizationRequest): NamedPolicy {
  const kind = request.action.startsWith("sts:") ? "trust" : "resource";
  return { name: request.resource, policy: needs.compile(request.resourcePolicy ?? "", kind) };
}

const nothing: NamedPolicy = { name: "deleted", policy: { statements: [] } };

async function sessionPolicies(needs: AuthorizerNeeds, principal: Principal): Promise<readonly NamedPolicy[]> {
  if (!("sessionPolicies" in principal) || principal.sessionPolicies.length === 0) return [];
  return await Promise.all(
    principal.sessionPolicies.map(async (policy, index) => {
      if (!policy.startsWith("arn:"))
        return { name: `session policy ${index + 1}`, policy: needs.compile(policy, "identity") };
      // A policy that was deleted must go on narrowing: it allows nothing.
      return (await needs.identities.findManagedPolicy(principal.account, policy)) ?? nothing;
    }),
  );
}

function toName(principal: Principal): string {
  if (principal.type === "anonymous") return "anonymous";
  if (principal.type === "webIdentity") return principal.provider;
  return principal.type === "service" ? principal.service : principal.arn;
}

type Denial = Exclude<Decision, { decision: "allowed" }>;

/** Source: "Troubleshoot access denied error messages" in the IAM user guide. */
function toDenial(
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
  decision: Denial,
): Error {
  const [service = ""] = request.action.split(":", 1);
  const dialect = toDialect(environment.service ?? service);
  if (principal.type === "anonymous" && (dialect === "s3" || request.resourcePolicy === undefined)) {
    return missingAuthentication(dialect);
  }
  // AWS: whoever shows a token is not named.
  if (principal.type === "webIdentity") return accessDenied("query", `Not authorized to perform ${request.action}`);
  const resource = dialect === "s3" ? JSON.stringify(request.resource) : request.resource;
  const who = `User: ${toName(principal)} is not authorized to perform: ${request.action} on resource: ${resource}`;
  // AWS: STS gives no reason, so that a stranger does not learn which roles exist.
  if (service === "sts") return accessDenied(dialect, who);
  const why =
    decision.decision === "explicitDeny"
      ? `with an explicit deny in ${article(decision.policyType)}`
      : `because no ${decision.policyType} allows the ${request.action} action`;
  return accessDenied(dialect, `${who} ${why}`);
}

function article(policyType: string): string {
  return /^[aeiou]/.test(policyType) ? `an ${policyType}` : `a ${policyType}`;
}
