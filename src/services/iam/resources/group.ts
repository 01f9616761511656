import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { removePolicies, syncPolicies } from "./entity-policies.ts";
import { iamOf, textOf, textsOf, unlessGone, unlessResumed, wholly, without } from "./properties.ts";

export const groupType: ResourceType = {
  type: "AWS::IAM::Group",
  properties: ["GroupName", "ManagedPolicyArns", "Path", "Policies[].PolicyName", "Policies[].PolicyDocument"],
  attributes: ["Arn"],

  async create(context) {
    const iam = iamOf(context);
    const { properties } = context;
    const GroupName = textOf(properties["GroupName"]) ?? context.generateName(128);
    await unlessResumed(
      context,
      iam.CreateGroup({ GroupName, ...(properties["Path"] !== undefined && { Path: String(properties["Path"]) }) }),
    );
    return await wholly(
      async () => {
        await syncPolicies(iam, "group", GroupName, properties);
        const { Group } = await iam.GetGroup({ GroupName });
        return { physicalId: GroupName, attributes: { Arn: Group?.Arn } };
      },
      () => remove(context, GroupName),
    );
  },

  async update(context) {
    const iam = iamOf(context);
    const GroupName = context.state.physicalId;
    if (context.properties["Path"] !== context.previous["Path"]) {
      await iam.UpdateGroup({ GroupName, NewPath: String(context.properties["Path"] ?? "/") });
    }
    await syncPolicies(iam, "group", GroupName, context.properties, context.previous);
    const { Group } = await iam.GetGroup({ GroupName });
    return { physicalId: GroupName, attributes: { Arn: Group?.Arn } };
  },

  delete: (context) => remove(context, context.state.physicalId),
};

async function remove(context: ResourceContext, name: string): Promise<void> {
  const iam = iamOf(context);
  await removePolicies(iam, "group", name, context.properties);
  await unlessGone(iam.DeleteGroup({ GroupName: name }));
}

export const userToGroupAdditionType: ResourceType = {
  type: "AWS::IAM::UserToGroupAddition",
  properties: ["GroupName", "Users"],
  attributes: ["Id"],

  async create(context) {
    const iam = iamOf(context);
    const GroupName = String(context.properties["GroupName"]);
    const users = textsOf(context.properties["Users"]);
    await wholly(
      async () => {
        for (const UserName of users) await iam.AddUserToGroup({ GroupName, UserName });
      },
      async () => {
        for (const UserName of users) await unlessGone(iam.RemoveUserFromGroup({ GroupName, UserName }));
      },
    );
    const physicalId = context.generateName(128);
    return { physicalId, attributes: { Id: physicalId } };
  },

  async update(context) {
    const iam = iamOf(context);
    const GroupName = String(context.properties["GroupName"]);
    const before = String(context.previous["GroupName"]);
    const users = textsOf(context.properties["Users"]);
    for (const UserName of users) await iam.AddUserToGroup({ GroupName, UserName });
    const had = textsOf(context.previous["Users"]);
    for (const UserName of before === GroupName ? without(had, users) : had) {
      await unlessGone(iam.RemoveUserFromGroup({ GroupName: before, UserName }));
    }
    return context.state;
  },

  async delete(context) {
    const GroupName = String(context.properties["GroupName"]);
    for (const UserName of textsOf(context.properties["Users"])) {
      await unlessGone(iamOf(context).RemoveUserFromGroup({ GroupName, UserName }));
    }
  },
};
