import type { ResourceContext, ResourceState, ResourceType } from "../../cloudformation/port.ts";
import { iamLimits } from "../limits.ts";
import { policyArn } from "../rules.ts";
import { attach, detach, formerHolders, holdersOf } from "./entity-policies.ts";
import { documentOf, iamOf, textOf, unlessGone, unlessResumed, wholly } from "./properties.ts";

export const managedPolicyType: ResourceType = {
  type: "AWS::IAM::ManagedPolicy",
  properties: ["ManagedPolicyName", "PolicyDocument.*", "Path", "Description", "Roles", "Users", "Groups"],
  attributes: [
    "PolicyArn",
    "PolicyId",
    "DefaultVersionId",
    "AttachmentCount",
    "PermissionsBoundaryUsageCount",
    "IsAttachable",
    "CreateDate",
    "UpdateDate",
  ],

  async create(context) {
    const iam = iamOf(context);
    const { properties } = context;
    const name = textOf(properties["ManagedPolicyName"]) ?? context.generateName(128);
    const path = textOf(properties["Path"]) ?? "/";
    const arn = policyArn(context.account, path, name);
    await unlessResumed(
      context,
      iam.CreatePolicy({
        PolicyName: name,
        Path: path,
        PolicyDocument: documentOf(properties["PolicyDocument"]),
        ...(properties["Description"] !== undefined && { Description: String(properties["Description"]) }),
      }),
    );
    return await wholly(
      async () => {
        for (const holder of holdersOf(properties)) await attach(iam, holder.kind, holder.name, arn);
        return await toState(context, arn);
      },
      () => remove(context, arn),
    );
  },

  async update(context) {
    const iam = iamOf(context);
    const arn = context.state.physicalId;
    const document = documentOf(context.properties["PolicyDocument"]);
    if (document !== documentOf(context.previous["PolicyDocument"])) {
      await makeRoom(context, arn);
      await iam.CreatePolicyVersion({ PolicyArn: arn, PolicyDocument: document, SetAsDefault: true });
    }
    for (const holder of holdersOf(context.properties)) await attach(iam, holder.kind, holder.name, arn);
    for (const holder of formerHolders(context.properties, context.previous)) {
      await unlessGone(detach(iam, holder.kind, holder.name, arn));
    }
    return await toState(context, arn);
  },

  delete: (context) => remove(context, context.state.physicalId),
};

/** A policy keeps so many versions: the oldest that is not in force goes. */
async function makeRoom(context: ResourceContext, arn: string): Promise<void> {
  const iam = iamOf(context);
  const { Versions = [] } = await iam.ListPolicyVersions({ PolicyArn: arn });
  if (Versions.length < iamLimits.policyVersionsMax) return;
  const oldest = Versions.findLast(({ IsDefaultVersion }) => !IsDefaultVersion);
  if (oldest?.VersionId) await iam.DeletePolicyVersion({ PolicyArn: arn, VersionId: oldest.VersionId });
}

async function remove(context: ResourceContext, arn: string): Promise<void> {
  const iam = iamOf(context);
  for (const { kind, name } of holdersOf(context.properties)) await unlessGone(detach(iam, kind, name, arn));
  await unlessGone(removeVersions(context, arn));
  await unlessGone(iam.DeletePolicy({ PolicyArn: arn }));
}

async function removeVersions(context: ResourceContext, arn: string): Promise<void> {
  const iam = iamOf(context);
  const { Versions = [] } = await iam.ListPolicyVersions({ PolicyArn: arn });
  for (const { VersionId, IsDefaultVersion } of Versions) {
    if (VersionId && !IsDefaultVersion) await iam.DeletePolicyVersion({ PolicyArn: arn, VersionId });
  }
}

async function toState(context: ResourceContext, arn: string): Promise<ResourceState> {
  const { Policy } = await iamOf(context).GetPolicy({ PolicyArn: arn });
  return {
    physicalId: arn,
    attributes: {
      PolicyArn: arn,
      PolicyId: Policy?.PolicyId,
      DefaultVersionId: Policy?.DefaultVersionId,
      AttachmentCount: Policy?.AttachmentCount,
      PermissionsBoundaryUsageCount: Policy?.PermissionsBoundaryUsageCount,
      IsAttachable: Policy?.IsAttachable,
      CreateDate: Policy?.CreateDate?.toISOString(),
      UpdateDate: Policy?.UpdateDate?.toISOString(),
    },
  };
}
