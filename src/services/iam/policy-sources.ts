import type { Reader } from "../../kernel/store/store.ts";
import { findAwsPolicy } from "./managed-policies.ts";
import { readEntity, readPolicy, type Entity, type EntityKind, type ManagedPolicy } from "./model.ts";

/** A policy that an entity has, with its text, and where it has it from. */
export interface PolicySource {
  readonly policyName: string;
  /** Of managed policies. */
  readonly policyArn?: string;
  readonly document: string;
  readonly holder: { readonly kind: EntityKind; readonly name: string };
}

/** The policies of a role, user (with its groups') or group; not its permissions boundary. */
export async function policySourcesOf(reader: Reader, account: string, entity: Entity): Promise<PolicySource[]> {
  const holder = { kind: entity.kind, name: entity.name };
  const sources: PolicySource[] = Object.entries(entity.inlinePolicies).map(([policyName, document]) => ({
    policyName,
    document,
    holder,
  }));
  for (const policyArn of entity.attachedPolicies) {
    const policy = await findPolicy(reader, account, policyArn);
    const document = policy && defaultDocument(policy);
    if (document !== undefined) sources.push({ policyName: policy?.name ?? "", policyArn, document, holder });
  }
  if (entity.kind !== "user") return sources;
  for (const name of entity.groups) {
    const group = await readEntity(reader, account, "group", name);
    if (group) sources.push(...(await policySourcesOf(reader, account, group)));
  }
  return sources;
}

export async function findPolicy(reader: Reader, account: string, arn: string): Promise<ManagedPolicy | undefined> {
  return (await findAwsPolicy(arn)) ?? (await readPolicy(reader, account, arn));
}

export function defaultDocument(policy: ManagedPolicy): string | undefined {
  return policy.versions.find(({ id }) => id === policy.defaultVersionId)?.document;
}
