import type { Context } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { ifItems, isIf, isIntrinsic, isNoValue } from "./intrinsics.ts";
import { awsManagedPolicyArn } from "./managed-policies.ts";
import { resourceProblem, templateProblem } from "./problems.ts";
import { policyTemplates } from "./policy-templates.ts";
import { asList, includesSame, isDict, isGiven, isString, type Dict } from "./values.ts";

export function assumeRolePolicy(service: string): Dict {
  return {
    Version: "2012-10-17",
    Statement: [{ Action: ["sts:AssumeRole"], Effect: "Allow", Principal: { Service: [service] } }],
  };
}

export function allow(action: unknown, resource: unknown): Dict {
  return { Action: action, Effect: "Allow", Resource: resource };
}

export function inlinePolicy(name: string, statements: Dict[]): Dict {
  return { PolicyName: name, PolicyDocument: { Statement: statements } };
}

type PolicyKind = "managed" | "document" | "template" | "unknown";

/** What an entry of `Policies` is; the branches of an `Fn::If` must be of one kind. */
export function policyKind(policy: unknown): PolicyKind {
  if (isString(policy)) return "managed";
  if (isIf(policy)) {
    const items = ifItems(policy);
    if (isString(items)) throw templateProblem(items);
    const [, then, otherwise] = items;
    const kind = policyKind(then);
    const other = policyKind(otherwise);
    if (kind === other || isNoValue(otherwise)) return kind;
    if (isNoValue(then)) return other;
    throw templateProblem(
      "Different policy types within the same Fn::If statement is unsupported. Separate different policy types into different Fn::If statements",
    );
  }
  if (isIntrinsic(policy)) return "managed";
  if (!isDict(policy)) return "unknown";
  if (Object.hasOwn(policy, "Statement")) return "document";
  const keys = Object.keys(policy);
  return keys.length === 1 && policyTemplates.has(keys[0] ?? "") ? "template" : "unknown";
}

export interface RoleParts {
  readonly logicalId: string;
  readonly inherited: Dict;
  readonly trust: unknown;
  readonly policies: unknown;
  readonly managedPolicyArns: readonly unknown[];
  readonly inlinePolicies: readonly Dict[];
  readonly path: unknown;
  readonly permissionsBoundary: unknown;
  readonly tags: Dict[];
}

/** The role that SAM makes for a function or a state machine. */
export function constructRole(context: Context, parts: RoleParts): Generated {
  const id = `${parts.logicalId}Role`;
  const arns = [...parts.managedPolicyArns];
  const inline: unknown[] = [...parts.inlinePolicies];
  const policies = isGiven(parts.policies) ? asList(parts.policies) : [];
  for (const [index, policy] of policies.entries()) {
    const kind = policyKind(policy);
    if (kind === "document") {
      inline.push(inBranches(policy, (document) => ({ PolicyName: `${id}Policy${index}`, PolicyDocument: document })));
    } else if (kind === "managed") {
      const arn = inBranches(policy, (name) => (isString(name) ? managedPolicy(context, name) : name));
      if (!includesSame(arns, arn)) arns.push(arn);
    } else {
      throw resourceProblem(parts.logicalId, `Policy at index ${index} in the 'Policies' property is not valid`);
    }
  }
  return generate(
    id,
    "AWS::IAM::Role",
    {
      AssumeRolePolicyDocument: parts.trust,
      ManagedPolicyArns: arns,
      Policies: inline.length > 0 ? inline : undefined,
      Path: parts.path,
      PermissionsBoundary: parts.permissionsBoundary,
      Tags: parts.tags,
    },
    parts.inherited,
  );
}

/** Converts a value, or both branches of an `Fn::If` (but for `AWS::NoValue`). */
function inBranches(value: unknown, convert: (value: unknown) => unknown): unknown {
  if (!isIf(value)) return convert(value);
  const items = ifItems(value);
  if (isString(items)) throw templateProblem(items);
  const [condition, then, otherwise] = items;
  const branch = (one: unknown) => (isNoValue(one) ? one : convert(one));
  return { "Fn::If": [condition, branch(then), branch(otherwise)] };
}

/** The ARN of a managed policy given by name; an ARN and an unknown name stay as they are. */
function managedPolicy(context: Context, name: string): string {
  const given = Object.hasOwn(context.managedPolicies, name) ? context.managedPolicies[name] : undefined;
  return given ?? awsManagedPolicyArn(context.partition, name) ?? name;
}
