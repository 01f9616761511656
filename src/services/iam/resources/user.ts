import { AwsError } from "../../../aws/error.ts";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { removePolicies, syncPolicies } from "./entity-policies.ts";
import { iamOf, tagsOf, textOf, textsOf, unlessGone, unlessResumed, wholly, without } from "./properties.ts";

export const userType: ResourceType = {
  type: "AWS::IAM::User",
  properties: [
    "Groups",
    "LoginProfile.Password",
    "LoginProfile.PasswordResetRequired",
    "ManagedPolicyArns",
    "Path",
    "PermissionsBoundary",
    "Policies[].PolicyName",
    "Policies[].PolicyDocument",
    "Tags[].Key",
    "Tags[].Value",
    "UserName",
  ],
  attributes: ["Arn"],

  async create(context) {
    const iam = iamOf(context);
    const { properties } = context;
    const UserName = textOf(properties["UserName"]) ?? context.generateName(64);
    await unlessResumed(
      context,
      iam.CreateUser({
        UserName,
        ...(properties["Path"] !== undefined && { Path: String(properties["Path"]) }),
        ...(properties["PermissionsBoundary"] !== undefined && {
          PermissionsBoundary: String(properties["PermissionsBoundary"]),
        }),
        ...(tagsOf(context).length > 0 && { Tags: tagsOf(context) }),
      }),
    );
    return await wholly(
      async () => {
        await syncPolicies(iam, "user", UserName, properties);
        for (const GroupName of textsOf(properties["Groups"])) await iam.AddUserToGroup({ GroupName, UserName });
        await setLoginProfile(context, UserName);
        const { User } = await iam.GetUser({ UserName });
        return { physicalId: UserName, attributes: { Arn: User?.Arn } };
      },
      () => remove(context, UserName),
    );
  },

  async update(context) {
    const iam = iamOf(context);
    const { properties, previous, state } = context;
    const UserName = state.physicalId;
    if (properties["Path"] !== previous["Path"]) {
      await iam.UpdateUser({ UserName, NewPath: String(properties["Path"] ?? "/") });
    }
    const boundary = textOf(properties["PermissionsBoundary"]);
    if (boundary !== undefined) await iam.PutUserPermissionsBoundary({ UserName, PermissionsBoundary: boundary });
    else if (previous["PermissionsBoundary"] !== undefined) {
      await unlessGone(iam.DeleteUserPermissionsBoundary({ UserName }));
    }
    await syncPolicies(iam, "user", UserName, properties, previous);
    const groups = textsOf(properties["Groups"]);
    for (const GroupName of groups) await iam.AddUserToGroup({ GroupName, UserName });
    for (const GroupName of without(textsOf(previous["Groups"]), groups)) {
      await unlessGone(iam.RemoveUserFromGroup({ GroupName, UserName }));
    }
    const tags = tagsOf(context);
    const { Tags: had = [] } = await iam.ListUserTags({ UserName });
    const gone = had.flatMap(({ Key }) => (Key === undefined || tags.some((tag) => tag.Key === Key) ? [] : [Key]));
    if (gone.length > 0) await iam.UntagUser({ UserName, TagKeys: gone });
    if (tags.length > 0) await iam.TagUser({ UserName, Tags: tags });
    if (JSON.stringify(properties["LoginProfile"]) !== JSON.stringify(previous["LoginProfile"])) {
      await setLoginProfile(context, UserName);
    }
    const { User } = await iam.GetUser({ UserName });
    return { physicalId: UserName, attributes: { Arn: User?.Arn } };
  },

  delete: (context) => remove(context, context.state.physicalId),
};

/** The password that the template gives, or none. */
async function setLoginProfile(context: ResourceContext, UserName: string): Promise<void> {
  const iam = iamOf(context);
  const wanted = context.properties["LoginProfile"];
  if (typeof wanted !== "object" || wanted === null || !("Password" in wanted)) {
    await unlessGone(iam.DeleteLoginProfile({ UserName }));
    return;
  }
  const profile = {
    UserName,
    Password: String(wanted.Password),
    PasswordResetRequired: "PasswordResetRequired" in wanted && wanted.PasswordResetRequired === true,
  };
  try {
    await iam.UpdateLoginProfile(profile);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "NoSuchEntity") throw error;
    await iam.CreateLoginProfile(profile);
  }
}

async function remove(context: ResourceContext, UserName: string): Promise<void> {
  const iam = iamOf(context);
  for (const GroupName of textsOf(context.properties["Groups"])) {
    await unlessGone(iam.RemoveUserFromGroup({ GroupName, UserName }));
  }
  await removePolicies(iam, "user", UserName, context.properties);
  if (context.properties["LoginProfile"] !== undefined) await unlessGone(iam.DeleteLoginProfile({ UserName }));
  await unlessGone(iam.DeleteUser({ UserName }));
}
