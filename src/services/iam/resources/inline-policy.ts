import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { deleteInline, putInline } from "./entity-policies.ts";
import { documentOf, iamOf, unlessGone } from "./properties.ts";

/** One inline policy of one role, user or group. */
function inlinePolicyType(type: string, kind: "role" | "user" | "group", holderProperty: string): ResourceType {
  const partsOf = (context: ResourceContext) => ({
    holder: String(context.properties[holderProperty]),
    policyName: String(context.properties["PolicyName"]),
  });
  const put = async (context: ResourceContext) => {
    const { holder, policyName } = partsOf(context);
    const document = documentOf(context.properties["PolicyDocument"] ?? {});
    await putInline(iamOf(context), kind, holder, policyName, document);
    return { physicalId: `${policyName}|${holder}`, attributes: {} };
  };
  return {
    type,
    properties: ["PolicyDocument.*", "PolicyName", holderProperty],
    attributes: [],
    create: put,
    update: put,
    async delete(context) {
      const { holder, policyName } = partsOf(context);
      await unlessGone(deleteInline(iamOf(context), kind, holder, policyName));
    },
  };
}

export const inlinePolicyTypes: readonly ResourceType[] = [
  inlinePolicyType("AWS::IAM::RolePolicy", "role", "RoleName"),
  inlinePolicyType("AWS::IAM::UserPolicy", "user", "UserName"),
  inlinePolicyType("AWS::IAM::GroupPolicy", "group", "GroupName"),
];
