import type { Principal } from "../../../aws/principal.ts";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import { PolicyGrammarError, parsePolicyDocument, type PolicyKind } from "../../../access/policy/document.ts";
import { evaluate, type NamedPolicy, type StatementName } from "../../../access/policy/evaluate.ts";
import type { IdentitySource } from "../../../access/identity-source.ts";
import type { Context } from "../../../access/policy/pattern.ts";
import type { Call, InputOf } from "../../../wire/service.ts";
import { entityNotFound, invalidInput, validationError } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { readEntity, type EntityKind } from "../model.ts";
import { present, toPage } from "../rules.ts";
import { onResource, type IamOperations, type OperationNeeds, type Sdk } from "./needs.ts";

type Input = Omit<InputOf<Sdk, "SimulatePrincipalPolicy">, "PolicySourceArn">;

/** What would be decided, by the evaluator that decides. */
export function simulationOperations(needs: OperationNeeds, identities: IdentitySource) {
  return {
    SimulateCustomPolicy: {
      authorize: (_input, call) => onResource(call, "*"),
      run: (input, call) => {
        const policies = (input.PolicyInputList ?? []).map((document, index) =>
          toNamed(needs, `PolicyInputList.${index + 1}`, document, "identity"),
        );
        return simulate(needs, call, input, { ...callerOf(input, call), policies });
      },
    },
    SimulatePrincipalPolicy: {
      authorize: (input, call) => onResource(call, present(input.PolicySourceArn)),
      run: async (input, call) => {
        const source = await findSource(needs, identities, call, present(input.PolicySourceArn));
        const given = (input.PolicyInputList ?? []).map((document, index) =>
          toNamed(needs, `PolicyInputList.${index + 1}`, document, "identity"),
        );
        return simulate(needs, call, input, {
          principal: input.CallerArn === undefined ? source.principal : callerOf(input, call).principal,
          policies: [...source.policies, ...given],
          boundary: source.boundary,
        });
      },
    },
  } satisfies IamOperations;
}

interface Subject {
  readonly principal: Principal;
  readonly policies: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy | undefined;
}

function simulate(needs: OperationNeeds, call: Call, input: Input, subject: Subject) {
  for (const name of ["ResourceHandlingOption", "PolicyExclusionList"] as const) {
    if (input[name] !== undefined) throw notImplemented(`The parameter ${name} of ${call.operation}`);
  }
  const pairs = (input.ActionNames?.length ?? 0) * Math.max(input.ResourceArns?.length ?? 0, 1);
  if (pairs > iamLimits.simulationPairsMax) {
    throw invalidInput(`A simulation takes up to ${iamLimits.simulationPairsMax} pairs of an action and a resource.`);
  }
  const boundaries = input.PermissionsBoundaryPolicyInputList ?? [];
  if (boundaries.length > 1) throw validationError("A simulation takes one permissions boundary.");
  const [boundary] = boundaries;
  const permissionsBoundary =
    boundary === undefined
      ? subject.boundary
      : toNamed(needs, "PermissionsBoundaryPolicyInputList.1", boundary, "identity");
  const resourcePolicy =
    input.ResourcePolicy === undefined ? undefined : toNamed(needs, "ResourcePolicy", input.ResourcePolicy, "resource");
  const context = toSimulatedContext(input);
  const inForce = [...subject.policies, ...toList(permissionsBoundary), ...toList(resourcePolicy)];
  const keys = inForce.flatMap(({ policy }) => policy.statements.flatMap(({ conditionKeys }) => conditionKeys));
  const missing = [...new Set(keys)].filter((key) => !context.has(key));
  const resources = input.ResourceArns?.length ? input.ResourceArns : ["*"];
  const toResult = (action: string, resource: string) => {
    const decision = evaluate({
      principal: subject.principal,
      action,
      resource,
      resourceAccount: parseArn(input.ResourceOwner ?? resource)?.account || call.account,
      context,
      identityPolicies: subject.policies,
      permissionsBoundary,
      sessionPolicies: [],
      resourcePolicy,
      resourcePolicyRequired: false,
    });
    const by = decision.decision === "implicitDeny" ? [] : [decision.by].flat();
    const answered = {
      EvalActionName: action,
      EvalResourceName: resource,
      EvalDecision: decision.decision,
      MatchedStatements: by.map(toMatched),
      MissingContextValues: missing,
    };
    if (!permissionsBoundary) return answered;
    const AllowedByPermissionsBoundary = allows(permissionsBoundary, action, resource, context);
    return { ...answered, PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary } };
  };
  const results = (input.ActionNames ?? []).flatMap((action) =>
    resources.map((resource) => toResult(action, resource)),
  );
  const numbered = results.map((result, index) => ({ result, at: String(index).padStart(6, "0") }));
  const { items, rest } = toPage(numbered, ({ at }) => at, input);
  return { EvaluationResults: items.map(({ result }) => result), ...rest };
}

function toList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function allows({ policy }: NamedPolicy, action: string, resource: string, context: Context): boolean {
  const matching = policy.statements.filter((statement) => statement.matches(action, resource, context));
  return matching.length > 0 && matching.every(({ effect }) => effect === "Allow");
}

function toMatched({ policy, policyType }: StatementName) {
  const kind = policyType === "resource-based policy" ? ("resource" as const) : ("none" as const);
  return { SourcePolicyId: policy, SourcePolicyType: kind };
}

function toNamed(needs: OperationNeeds, name: string, document: string, kind: PolicyKind): NamedPolicy {
  try {
    parsePolicyDocument(document, kind);
  } catch (error) {
    if (error instanceof PolicyGrammarError) throw invalidInput(error.message);
    throw error;
  }
  return { name, policy: needs.compile(document, kind) };
}

function toSimulatedContext(input: Input): Context {
  const context = new Map<string, readonly string[]>();
  for (const { ContextKeyName, ContextKeyValues } of input.ContextEntries ?? []) {
    context.set(present(ContextKeyName).toLowerCase(), ContextKeyValues ?? []);
  }
  return context;
}

/** Whom a custom simulation is for: the user of `CallerArn`, else anybody of the account. */
function callerOf(input: Pick<Input, "CallerArn">, call: Call): { readonly principal: Principal } {
  const arn = input.CallerArn ?? `arn:aws:iam::${call.account}:user/simulated`;
  const parsed = parseArn(arn);
  if (!parsed?.resource.startsWith("user/")) throw validationError("Invalid CallerArn: it must be the ARN of a user.");
  const userName = arn.slice(arn.lastIndexOf("/") + 1);
  return { principal: { type: "user", account: parsed.account, arn, userId: "", userName, accessKeyId: "" } };
}

async function findSource(
  needs: OperationNeeds,
  identities: IdentitySource,
  call: Call,
  arn: string,
): Promise<Subject> {
  const kind = (["user", "role", "group"] as const).find((each) =>
    arn.startsWith(`arn:aws:iam::${call.account}:${each}/`),
  );
  if (!kind) throw validationError(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  const principal = await toPrincipal(needs, call, kind, name, arn);
  const identity = await identities.findIdentity(principal);
  if (!identity) throw entityNotFound(kind, name);
  return { principal, policies: identity.policies, boundary: identity.permissionsBoundary };
}

async function toPrincipal(needs: OperationNeeds, call: Call, kind: EntityKind, name: string, arn: string) {
  if (kind === "group") throw notImplemented("Simulating a group");
  const entity = await needs.store.read((reader) => readEntity(reader, call.account, kind, name));
  if (entity?.arn !== arn) throw entityNotFound(kind, name);
  const { account } = call;
  if (entity.kind === "user") {
    return { type: "user", account, arn, userId: entity.id, userName: entity.name, accessKeyId: "" } as const;
  }
  return {
    type: "assumedRole",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${entity.name}/simulated`,
    roleArn: arn,
    roleId: entity.id,
    sessionName: "simulated",
    accessKeyId: "",
    sessionPolicies: [],
    sessionTags: {},
  } as const;
}
