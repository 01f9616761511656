import type { Principal } from "../../../aws/principal.ts";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import { evaluate, type Decision, type NamedPolicy } from "../../../access/policy/evaluate.ts";
import type { Context } from "../../../access/policy/pattern.ts";
import type { Call, InputOf } from "../../../wire/service.ts";
import { entityNotFound, invalidInput, validationError } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { readEntity, type Entity } from "../model.ts";
import { defaultDocument, findPolicy, policySourcesOf } from "../policy-sources.ts";
import { present, toPage } from "../rules.ts";
import { toMatched, toSimulated, type SimulatedPolicy } from "../simulated-policies.ts";
import { contextKeysOf } from "./context-keys.ts";
import { onResource, type IamOperations, type OperationNeeds, type Sdk } from "./needs.ts";

type Input = Omit<InputOf<Sdk, "SimulatePrincipalPolicy">, "PolicySourceArn">;

/** What would be decided, by the evaluator that decides. `guardRails`: what the operator lets accounts do at the most. */
export function simulationOperations(needs: OperationNeeds, guardRails?: NamedPolicy) {
  return {
    SimulateCustomPolicy: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input, call) => simulate(call, input, { principal: callerOf(input, call), policies: givenPolicies(input) }),
    },
    SimulatePrincipalPolicy: {
      authorize: (input, call) => onResource(call, present(input.PolicySourceArn)),
      run: async (input, call) => {
        const source = await findSource(needs, call, present(input.PolicySourceArn));
        return simulate(call, input, {
          principal: input.CallerArn === undefined ? source.principal : callerOf(input, call),
          policies: [...source.policies, ...givenPolicies(input)],
          boundary: source.boundary,
          guardRails,
        });
      },
    },
  } satisfies IamOperations;
}

interface Subject {
  readonly principal: Principal;
  readonly policies: readonly SimulatedPolicy[];
  readonly boundary?: SimulatedPolicy | undefined;
  readonly guardRails?: NamedPolicy | undefined;
}

function givenPolicies(input: Input): readonly SimulatedPolicy[] {
  return (input.PolicyInputList ?? []).map((text, index) =>
    toSimulated(`PolicyInputList.${index + 1}`, text, "identity"),
  );
}

async function simulate(call: Call, input: Input, subject: Subject) {
  for (const name of ["ResourceHandlingOption", "PolicyExclusionList"] as const) {
    if (input[name] !== undefined) throw notImplemented(`The parameter ${name} of ${call.operation}`);
  }
  const pairs = (input.ActionNames?.length ?? 0) * Math.max(input.ResourceArns?.length ?? 0, 1);
  if (pairs > iamLimits.simulationPairsMax) {
    throw invalidInput(`A simulation takes up to ${iamLimits.simulationPairsMax} pairs of an action and a resource.`);
  }
  const simulation = toSimulation(call, input, subject);
  const numbered = (input.ActionNames ?? []).map((action, index) => ({ action, at: String(index).padStart(6, "0") }));
  const { items, rest } = toPage(numbered, ({ at }) => at, input);
  const results = await Promise.all(items.map(({ action }) => resultOf(simulation, action, input.ResourceArns ?? [])));
  return { EvaluationResults: results, ...rest };
}

/** All that is the same for each action and resource. */
interface Simulation {
  readonly decide: (action: string, resource: string) => Decision;
  readonly policies: readonly SimulatedPolicy[];
  readonly missing: readonly string[];
  readonly boundaryAllows: ((action: string, resource: string) => boolean) | undefined;
  readonly guardRailsAllow: ((action: string, resource: string) => boolean) | undefined;
  /** What each account says where the resource is another's; nothing within one. */
  readonly crossAccount: (action: string, resource: string) => Record<string, Decision["decision"]>;
}

function toSimulation(call: Call, input: Input, subject: Subject): Simulation {
  const boundaries = input.PermissionsBoundaryPolicyInputList ?? [];
  if (boundaries.length > 1) throw validationError("A simulation takes one permissions boundary.");
  const [given] = boundaries;
  const name = "PermissionsBoundaryPolicyInputList.1";
  const boundary = given === undefined ? subject.boundary : toSimulated(name, given, "identity");
  const resourcePolicy =
    input.ResourcePolicy === undefined ? undefined : toSimulated("ResourcePolicy", input.ResourcePolicy, "resource");
  const context = toSimulatedContext(input);
  const policies = [...subject.policies, ...toList(boundary), ...toList(resourcePolicy)];
  const ownerOf = (resource: string) => parseArn(input.ResourceOwner ?? resource)?.account || call.account;
  const { principal, guardRails } = subject;
  const question = (action: string, resource: string) => ({
    principal,
    action,
    resource,
    resourceAccount: ownerOf(resource),
    context,
    identityPolicies: subject.policies.map(({ named }) => named),
    permissionsBoundary: boundary?.named,
    sessionPolicies: [],
    resourcePolicy: resourcePolicy?.named,
    resourcePolicyRequired: false,
    guardRails,
  });
  const isForeign = (resource: string) => "account" in principal && ownerOf(resource) !== principal.account;
  return {
    decide: (action, resource) => evaluate(question(action, resource)),
    policies,
    missing: contextKeysOf(policies.map(({ text }) => text)).filter((key) => !context.has(key.toLowerCase())),
    boundaryAllows: boundary && ((action, resource) => allows(boundary.named, action, resource, context)),
    guardRailsAllow: guardRails && ((action, resource) => allows(guardRails, action, resource, context)),
    crossAccount: (action, resource) => {
      if (!isForeign(resource)) return {};
      const asked = question(action, resource);
      const own = { ...asked, resourceAccount: "account" in principal ? principal.account : "" };
      return {
        "IAM Policy": evaluate({ ...own, resourcePolicy: undefined }).decision,
        "Resource Policy": evaluate({ ...own, identityPolicies: [] }).decision,
      };
    },
  };
}

/** AWS: one result for an action; with several resources it sums up what is told of each. */
async function resultOf(simulation: Simulation, action: string, resources: readonly string[]) {
  const { missing, guardRailsAllow, boundaryAllows } = simulation;
  const wanted = resources.length > 0 ? resources : ["*"];
  const decided = wanted.map((resource) => {
    const decision = simulation.decide(action, resource);
    const by = decision.decision === "implicitDeny" ? [] : [decision.by].flat();
    const matched = by
      .filter(({ policyType }) => policyType !== "service control policy")
      .map((each) => toMatched(each, simulation.policies));
    return { resource, decision: decision.decision, matched };
  });
  const boundaryOf = (...of: readonly string[]) =>
    boundaryAllows && { AllowedByPermissionsBoundary: of.every((resource) => boundaryAllows(action, resource)) };
  const [first] = decided;
  const isOfAll = wanted.length === 1 && first?.resource === "*";
  const unique = new Map(decided.flatMap(({ matched }) => matched).map((each) => [JSON.stringify(each), each]));
  return {
    EvalActionName: action,
    EvalResourceName: wanted.length === 1 ? (first?.resource ?? "*") : await resourceFormOf(action, wanted),
    EvalDecision: sumUp(decided.map(({ decision }) => decision)),
    MatchedStatements: [...unique.values()],
    MissingContextValues: isOfAll ? [...missing] : [],
    ...(guardRailsAllow && {
      OrganizationsDecisionDetail: { AllowedByOrganizations: wanted.every((each) => guardRailsAllow(action, each)) },
    }),
    PermissionsBoundaryDecisionDetail: boundaryOf(...wanted),
    ...(!isOfAll && {
      EvalDecisionDetails: wanted.length === 1 ? simulation.crossAccount(action, wanted[0] ?? "*") : {},
      ResourceSpecificResults: decided.map(({ resource, decision, matched }) => ({
        EvalResourceName: resource,
        EvalResourceDecision: decision,
        MatchedStatements: matched,
        MissingContextValues: [...missing],
        EvalDecisionDetails: simulation.crossAccount(action, resource),
        PermissionsBoundaryDecisionDetail: boundaryOf(resource),
      })),
    }),
  };
}

/** The form of ARN that AWS documents for the action's resources. Its table is large, and seldom asked. */
async function resourceFormOf(action: string, resources: readonly string[]): Promise<string> {
  const { authorizationReference } = await import("../../../access/reference/reference.generated.ts");
  const [prefix = "", name = ""] = action.split(":");
  const service = Object.hasOwn(authorizationReference, prefix) ? authorizationReference[prefix] : undefined;
  const [types] = service && Object.hasOwn(service.actions, name) ? (service.actions[name] ?? []) : [];
  const forms = (types ?? []).flatMap((type) => service?.resources[type]?.[0].split(", ") ?? []);
  const found = forms.find((form) => resources.some((resource) => isOfForm(resource, form))) ?? forms[0];
  return found?.replace("${Partition}", "aws") ?? "*";
}

/** As long a path: a placeholder stands for one part of an ARN, or of what its last part has between slashes. */
function isOfForm(resource: string, form: string): boolean {
  const parts = form.split(/([:/])/);
  const given = resource.split(/([:/])/);
  const own = (part: string | undefined, at: number) => part === given[at] || (part ?? "").includes("${");
  return given.length >= parts.length && parts.every(own);
}

function sumUp(decisions: readonly Decision["decision"][]): Decision["decision"] {
  if (decisions.includes("explicitDeny")) return "explicitDeny";
  return decisions.includes("implicitDeny") ? "implicitDeny" : "allowed";
}

function toList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function allows({ policy }: NamedPolicy, action: string, resource: string, context: Context): boolean {
  const matching = policy.statements.filter((statement) => statement.matches(action, resource, context));
  return matching.length > 0 && matching.every(({ effect }) => effect === "Allow");
}

function toSimulatedContext(input: Input): ReadonlyMap<string, readonly string[]> {
  const context = new Map<string, readonly string[]>();
  for (const { ContextKeyName, ContextKeyValues } of input.ContextEntries ?? []) {
    context.set(present(ContextKeyName).toLowerCase(), ContextKeyValues ?? []);
  }
  return context;
}

/** Whom a custom simulation is for: the user of `CallerArn`, else anybody of the account. */
function callerOf(input: Pick<Input, "CallerArn">, call: Pick<Call, "account">): Principal {
  const arn = input.CallerArn ?? `arn:aws:iam::${call.account}:user/simulated`;
  const parsed = parseArn(arn);
  if (!parsed?.resource.startsWith("user/")) throw validationError("Invalid CallerArn: it must be the ARN of a user.");
  const userName = arn.slice(arn.lastIndexOf("/") + 1);
  return { type: "user", account: parsed.account, arn, userId: "", userName, accessKeyId: "" };
}

function findSource({ store }: OperationNeeds, call: Call, arn: string): Promise<Subject> {
  const kind = (["user", "role", "group"] as const).find((each) =>
    arn.startsWith(`arn:aws:iam::${call.account}:${each}/`),
  );
  if (!kind) throw validationError(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  return store.read(async (reader) => {
    const entity = await readEntity(reader, call.account, kind, name);
    if (entity?.arn !== arn) throw entityNotFound(kind, name);
    const sources = await policySourcesOf(reader, call.account, entity);
    const policies = sources.map(({ policyName, policyArn, document, holder }) => {
      // AWS: a managed policy by its name, an inline one with that of who has it.
      const sourceId = policyArn === undefined ? `${holder.kind}_${holder.name}_${policyName}` : policyName;
      return toSimulated(sourceId, document, "identity");
    });
    const boundaryArn = entity.kind === "group" ? undefined : entity.permissionsBoundary;
    if (boundaryArn === undefined) return { principal: toPrincipal(entity, call), policies };
    const policy = await findPolicy(reader, call.account, boundaryArn);
    const document = policy && defaultDocument(policy);
    const boundary: SimulatedPolicy =
      document === undefined
        ? // A boundary that is gone goes on bounding: it allows nothing.
          { named: { name: boundaryArn, policy: { statements: [] } }, text: '{"Statement":[]}' }
        : toSimulated(policy?.name ?? "", document, "identity");
    return { principal: toPrincipal(entity, call), policies, boundary };
  });
}

function toPrincipal(entity: Entity, { account }: Call): Principal {
  const { arn, id, name } = entity;
  if (entity.kind === "user") return { type: "user", account, arn, userId: id, userName: name, accessKeyId: "" };
  // A group calls nobody: it is some user of it.
  if (entity.kind === "group") return callerOf({ CallerArn: undefined }, { account });
  return {
    type: "assumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${name}/simulated`,
    roleArn: arn,
    roleId: id,
    sessionName: "simulated",
    accessKeyId: "",
    sessionPolicies: [],
    sessionTags: {},
    tokenIssuedAt: 0,
  };
}
