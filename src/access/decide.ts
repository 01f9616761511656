import type { Principal } from "../aws/principal.ts";
import type { AuthorizationRequest, RequestEnvironment } from "./authorization.ts";
import { createRequestContext, type RequestContext } from "./context.ts";
import type { Identity, IdentityPrincipal, IdentitySource } from "./identity-source.ts";
import type { ConditionKeys, ResourceFacts } from "./further-keys.ts";
import type { CompiledStatement, PolicyCompiler } from "./policy/compile.ts";
import { evaluate, type Decision, type NamedPolicy } from "./policy/evaluate.ts";
import { isKnownAction } from "./reference/known-actions.ts";

export interface DecideNeeds {
  readonly identities: IdentitySource;
  readonly compile: PolicyCompiler;
  /** What the operator lets accounts do at the most. */
  readonly guardRails?: NamedPolicy | undefined;
  /** What services know of their resources. */
  readonly resourceFacts?: readonly ResourceFacts[];
}

/** A decision with what it was made from, for whoever has to explain it. */
export interface Reasoned {
  readonly decision: Decision;
  readonly context: Iterable<readonly [key: string, values: readonly string[]]>;
  /** The names of the policies that were looked at, by type. */
  readonly policies: Readonly<Record<string, readonly string[]>>;
  /** Where no policy was asked. */
  readonly because?: "unknown action" | "no such identity" | "unreadable policy";
}

const noIdentity: Identity = { policies: [], permissionsBoundary: undefined, tags: {} };

/**
 * Gather the policies that have a say, and decide: at once, where nothing has to be waited for.
 *
 * @throws {PolicyGrammarError} for a stored policy that cannot be read
 */
export function decide(
  needs: DecideNeeds,
  principal: Principal,
  request: AuthorizationRequest,
  environment: RequestEnvironment,
): Promise<Reasoned> | Reasoned {
  // No policy could allow or deny it by its name: `*` alone is no permission for what nobody has documented.
  if (!isKnownAction(request.action)) {
    return { ...nothingAsked, because: "unknown action" };
  }
  const holder = toHolder(principal);
  const identity = holder ? needs.identities.findIdentity(holder) : noIdentity;
  const asked: Asked = { needs, principal, request, environment };
  if (identity instanceof Promise) return identity.then((found) => decideFor(asked, found));
  return decideFor(asked, identity);
}

interface Asked {
  readonly needs: DecideNeeds;
  readonly principal: Principal;
  readonly request: AuthorizationRequest;
  readonly environment: RequestEnvironment;
}

function decideFor(asked: Asked, identity: Identity | undefined): Promise<Reasoned> | Reasoned {
  if (!identity) return { ...nothingAsked, because: "no such identity" };
  const { needs, principal } = asked;
  if (!("sessionPolicies" in principal) || principal.sessionPolicies.length === 0) return weigh(asked, identity, []);
  const session = sessionPolicies(needs, principal.account, principal.sessionPolicies);
  return session.then((policies) => weigh(asked, identity, policies));
}

function weigh(asked: Asked, identity: Identity, session: readonly NamedPolicy[]): Promise<Reasoned> | Reasoned {
  const { needs, principal, request, environment } = asked;
  const { resourcePolicy: text } = request;
  const resourcePolicy = text === undefined ? undefined : toResourcePolicy(needs, request, text);
  const context = createRequestContext(principal, request, environment, identity.tags);
  const policies = { identity, session, resourcePolicy };
  const looks = [[needs.guardRails, identity.permissionsBoundary, resourcePolicy], identity.policies, session].reduce(
    (found: Looks | undefined, each) => looksFurther(request.action, each, found),
    undefined,
  );
  if (!looks) return conclude(asked, policies, context);
  return furtherContext(asked, looks, context).then((further) => conclude(asked, policies, further));
}

function conclude(
  { needs, principal, request, environment }: Asked,
  policies: {
    readonly identity: Identity;
    readonly session: readonly NamedPolicy[];
    readonly resourcePolicy: NamedPolicy | undefined;
  },
  context: RequestContext,
): Reasoned {
  const { identity, session, resourcePolicy } = policies;
  const { accessControlList: list } = request;
  const accessControlList =
    list === undefined
      ? undefined
      : { name: `access control list of ${request.resource}`, policy: needs.compile(list, "resource") };
  const decision = evaluate({
    principal,
    action: request.action,
    resource: request.resource,
    resourceAccount: request.resourceAccount ?? environment.account,
    context,
    identityPolicies: identity.policies,
    permissionsBoundary: identity.permissionsBoundary,
    sessionPolicies: session,
    resourcePolicy,
    accessControlList,
    resourcePolicyRequired: request.resourcePolicyRequired ?? false,
    guardRails: needs.guardRails,
  });
  if (decision.decision === "allowed") return { decision, context, policies: {} };
  return {
    decision,
    context,
    policies: {
      "service control policy": namesOf([needs.guardRails]),
      "identity-based policy": namesOf(identity.policies),
      "permissions boundary": namesOf([identity.permissionsBoundary]),
      "session policy": namesOf(session),
      "resource-based policy": namesOf([resourcePolicy, accessControlList]),
    },
  };
}

type Looks = CompiledStatement["looksFurther"];

/** Undefined, for most, where no policy asks for more than every request has. */
function looksFurther(
  action: string,
  policies: readonly (NamedPolicy | undefined)[],
  before: Looks | undefined,
): Looks | undefined {
  let looks = before;
  for (const named of policies) {
    if (named?.policy.looksFurther !== true) continue;
    for (const { looksFurther: each } of named.policy.statementsFor?.(action) ?? named.policy.statements) {
      looks = {
        atRequest: each.atRequest || (looks?.atRequest ?? false),
        atResource: each.atResource || (looks?.atResource ?? false),
      };
    }
  }
  return looks;
}

/** What is known already goes before what the request says, and that before what is known of the resource. */
async function furtherContext(
  { needs: { resourceFacts = [] }, request, environment }: Asked,
  looks: Looks,
  known: RequestContext,
): Promise<RequestContext> {
  const context = new Map(known);
  const add = (keys: ConditionKeys) => {
    for (const [name, values] of Object.entries(keys)) {
      const key = name.toLowerCase();
      if (!context.has(key)) context.set(key, values);
    }
  };
  if (looks.atRequest && request.furtherContext) add(await request.furtherContext());
  if (!looks.atResource) return context;
  const service = request.resource.split(":", 3)[2];
  const { resource: arn, resourceAccount: account = environment.account } = request;
  for (const facts of resourceFacts) {
    if (facts.service === service) add(await facts.read({ arn, account, region: environment.region, context }));
  }
  return context;
}

const nothingAsked: Reasoned = {
  decision: { decision: "implicitDeny", policyType: "identity-based policy" },
  context: new Map(),
  policies: {},
};

function namesOf(policies: readonly (NamedPolicy | undefined)[]): readonly string[] {
  return policies.flatMap((policy) => (policy ? [policy.name] : []));
}

/** Whose policies say what the principal may do: a federated user has those of the user who asked for its session. */
function toHolder(principal: Principal): IdentityPrincipal | undefined {
  if (principal.type === "user" || principal.type === "assumedRole") return principal;
  if (principal.type !== "federatedUser" || principal.issuer.type === "root") return undefined;
  return { ...principal.issuer, account: principal.account, accessKeyId: "" };
}

function toResourcePolicy(needs: DecideNeeds, request: AuthorizationRequest, text: string): NamedPolicy {
  const kind = request.action.startsWith("sts:") ? "trust" : "resource";
  return { name: request.resource, policy: needs.compile(text, kind) };
}

const nothing: NamedPolicy = { name: "deleted", policy: { statements: [] } };

function sessionPolicies(
  needs: DecideNeeds,
  account: string,
  policies: readonly string[],
): Promise<readonly NamedPolicy[]> {
  return Promise.all(
    policies.map(async (policy, index) => {
      if (!policy.startsWith("arn:"))
        return { name: `session policy ${index + 1}`, policy: needs.compile(policy, "identity") };
      // A policy that was deleted must go on narrowing: it allows nothing.
      return (await needs.identities.findManagedPolicy(account, policy)) ?? nothing;
    }),
  );
}
