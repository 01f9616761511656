import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { iamOf, unlessGone } from "./properties.ts";

export const accessKeyType: ResourceType = {
  type: "AWS::IAM::AccessKey",
  // A changed Serial makes a new key: it says nothing else.
  properties: ["UserName", "Status", "Serial"],
  attributes: ["SecretAccessKey", "Id"],

  async create(context) {
    const UserName = String(context.properties["UserName"]);
    const { AccessKey } = await iamOf(context).CreateAccessKey({ UserName });
    const physicalId = AccessKey?.AccessKeyId ?? "";
    if (context.properties["Status"] === "Inactive") await setStatus(context, physicalId);
    return { physicalId, attributes: { SecretAccessKey: AccessKey?.SecretAccessKey, Id: physicalId } };
  },

  async update(context) {
    await setStatus(context, context.state.physicalId);
    return context.state;
  },

  async delete(context) {
    const UserName = String(context.properties["UserName"]);
    await unlessGone(iamOf(context).DeleteAccessKey({ UserName, AccessKeyId: context.state.physicalId }));
  },
};

async function setStatus(context: ResourceContext, AccessKeyId: string): Promise<void> {
  await iamOf(context).UpdateAccessKey({
    UserName: String(context.properties["UserName"]),
    AccessKeyId,
    Status: context.properties["Status"] === "Inactive" ? "Inactive" : "Active",
  });
}
