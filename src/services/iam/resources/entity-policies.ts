import type { Properties } from "../../cloudformation/port.ts";
import { inlinePoliciesOf, textsOf, unlessGone, without, type IamClient } from "./properties.ts";

type Kind = "role" | "user" | "group";

const nothing: Properties = {};

/** Give a role, user or group the `Policies` and `ManagedPolicyArns` of a template, and take away those it no longer lists. */
export async function syncPolicies(
  iam: IamClient,
  kind: Kind,
  name: string,
  wanted: Properties,
  previous: Properties = nothing,
): Promise<void> {
  const wantedArns = textsOf(wanted["ManagedPolicyArns"]);
  const wantedInline = inlinePoliciesOf(wanted);
  for (const arn of without(textsOf(previous["ManagedPolicyArns"]), wantedArns)) {
    await unlessGone(detach(iam, kind, name, arn));
  }
  for (const policyName of without([...inlinePoliciesOf(previous).keys()], [...wantedInline.keys()])) {
    await unlessGone(deleteInline(iam, kind, name, policyName));
  }
  for (const arn of wantedArns) await attach(iam, kind, name, arn);
  for (const [policyName, document] of wantedInline) await putInline(iam, kind, name, policyName, document);
}

/** Take away all that a template has given. */
export async function removePolicies(iam: IamClient, kind: Kind, name: string, given: Properties): Promise<void> {
  await syncPolicies(iam, kind, name, nothing, given);
}

export async function attach(iam: IamClient, kind: Kind, name: string, arn: string): Promise<void> {
  if (kind === "role") await iam.AttachRolePolicy({ RoleName: name, PolicyArn: arn });
  else if (kind === "user") await iam.AttachUserPolicy({ UserName: name, PolicyArn: arn });
  else await iam.AttachGroupPolicy({ GroupName: name, PolicyArn: arn });
}

export async function detach(iam: IamClient, kind: Kind, name: string, arn: string): Promise<void> {
  if (kind === "role") await iam.DetachRolePolicy({ RoleName: name, PolicyArn: arn });
  else if (kind === "user") await iam.DetachUserPolicy({ UserName: name, PolicyArn: arn });
  else await iam.DetachGroupPolicy({ GroupName: name, PolicyArn: arn });
}

export async function putInline(
  iam: IamClient,
  kind: Kind,
  name: string,
  policyName: string,
  document: string,
): Promise<void> {
  const policy = { PolicyName: policyName, PolicyDocument: document };
  if (kind === "role") await iam.PutRolePolicy({ RoleName: name, ...policy });
  else if (kind === "user") await iam.PutUserPolicy({ UserName: name, ...policy });
  else await iam.PutGroupPolicy({ GroupName: name, ...policy });
}

export async function deleteInline(iam: IamClient, kind: Kind, name: string, policyName: string): Promise<void> {
  if (kind === "role") await iam.DeleteRolePolicy({ RoleName: name, PolicyName: policyName });
  else if (kind === "user") await iam.DeleteUserPolicy({ UserName: name, PolicyName: policyName });
  else await iam.DeleteGroupPolicy({ GroupName: name, PolicyName: policyName });
}

/** `Roles`, `Users` and `Groups`: whom a policy resource is given to. */
export function holdersOf(properties: Properties): readonly { readonly kind: Kind; readonly name: string }[] {
  const of = (kind: Kind, property: string) => textsOf(properties[property]).map((name) => ({ kind, name }));
  return [...of("role", "Roles"), ...of("user", "Users"), ...of("group", "Groups")];
}

/** Holders of before that are none now. */
export function formerHolders(properties: Properties, previous: Properties): ReturnType<typeof holdersOf> {
  const now = new Set(holdersOf(properties).map(({ kind, name }) => `${kind}/${name}`));
  return holdersOf(previous).filter(({ kind, name }) => !now.has(`${kind}/${name}`));
}
