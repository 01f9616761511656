import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { removePolicies, syncPolicies } from "./entity-policies.ts";
import { documentOf, iamOf, tagsOf, textOf, unlessGone, unlessResumed, wholly } from "./properties.ts";

export const roleType: ResourceType = {
  type: "AWS::IAM::Role",
  properties: [
    "AssumeRolePolicyDocument",
    "Description",
    "ManagedPolicyArns",
    "MaxSessionDuration",
    "Path",
    "PermissionsBoundary",
    "Policies[].PolicyName",
    "Policies[].PolicyDocument",
    "RoleName",
    "Tags[].Key",
    "Tags[].Value",
  ],
  attributes: ["Arn", "RoleId"],

  async create(context) {
    const iam = iamOf(context);
    const { properties } = context;
    const RoleName = textOf(properties["RoleName"]) ?? context.generateName(64);
    await unlessResumed(
      context,
      iam.CreateRole({
        RoleName,
        AssumeRolePolicyDocument: documentOf(properties["AssumeRolePolicyDocument"]),
        ...(properties["Path"] !== undefined && { Path: String(properties["Path"]) }),
        ...(properties["Description"] !== undefined && { Description: String(properties["Description"]) }),
        ...(properties["MaxSessionDuration"] !== undefined && {
          MaxSessionDuration: Number(properties["MaxSessionDuration"]),
        }),
        ...(properties["PermissionsBoundary"] !== undefined && {
          PermissionsBoundary: String(properties["PermissionsBoundary"]),
        }),
        ...(tagsOf(context).length > 0 && { Tags: tagsOf(context) }),
      }),
    );
    return await wholly(
      async () => {
        await syncPolicies(iam, "role", RoleName, properties);
        const { Role } = await iam.GetRole({ RoleName });
        return { physicalId: RoleName, attributes: { Arn: Role?.Arn, RoleId: Role?.RoleId } };
      },
      () => remove(context, RoleName),
    );
  },

  async update(context) {
    const iam = iamOf(context);
    const { properties, previous, state } = context;
    const RoleName = state.physicalId;
    await iam.UpdateAssumeRolePolicy({
      RoleName,
      PolicyDocument: documentOf(properties["AssumeRolePolicyDocument"]),
    });
    await iam.UpdateRole({
      RoleName,
      Description: String(properties["Description"] ?? ""),
      ...(properties["MaxSessionDuration"] !== undefined && {
        MaxSessionDuration: Number(properties["MaxSessionDuration"]),
      }),
    });
    const boundary = textOf(properties["PermissionsBoundary"]);
    if (boundary !== undefined) await iam.PutRolePermissionsBoundary({ RoleName, PermissionsBoundary: boundary });
    else if (previous["PermissionsBoundary"] !== undefined) {
      await unlessGone(iam.DeleteRolePermissionsBoundary({ RoleName }));
    }
    await syncPolicies(iam, "role", RoleName, properties, previous);
    const tags = tagsOf(context);
    const { Tags: had = [] } = await iam.ListRoleTags({ RoleName });
    const gone = had.flatMap(({ Key }) => (Key === undefined || tags.some((tag) => tag.Key === Key) ? [] : [Key]));
    if (gone.length > 0) await iam.UntagRole({ RoleName, TagKeys: gone });
    if (tags.length > 0) await iam.TagRole({ RoleName, Tags: tags });
    return state;
  },

  delete: (context) => remove(context, context.state.physicalId),
};

async function remove(context: ResourceContext, name: string): Promise<void> {
  const iam = iamOf(context);
  await removePolicies(iam, "role", name, context.properties);
  await unlessGone(iam.DeleteRole({ RoleName: name }));
}
