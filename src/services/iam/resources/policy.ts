import type { ResourceType } from "../../cloudformation/port.ts";
import { deleteInline, formerHolders, holdersOf, putInline } from "./entity-policies.ts";
import { documentOf, iamOf, textOf, unlessGone, wholly } from "./properties.ts";

/** An inline policy, put into each of its roles, users and groups. */
export const policyType: ResourceType = {
  type: "AWS::IAM::Policy",
  properties: ["PolicyName", "PolicyDocument.*", "Roles", "Users", "Groups"],
  attributes: ["Id"],

  async create(context) {
    const iam = iamOf(context);
    const policyName = textOf(context.properties["PolicyName"]) ?? "";
    const document = documentOf(context.properties["PolicyDocument"]);
    const holders = holdersOf(context.properties);
    await wholly(
      async () => {
        for (const { kind, name } of holders) await putInline(iam, kind, name, policyName, document);
      },
      async () => {
        for (const { kind, name } of holders) await unlessGone(deleteInline(iam, kind, name, policyName));
      },
    );
    const physicalId = context.generateName(128);
    return { physicalId, attributes: { Id: physicalId } };
  },

  async update(context) {
    const iam = iamOf(context);
    const policyName = textOf(context.properties["PolicyName"]) ?? "";
    const before = textOf(context.previous["PolicyName"]) ?? "";
    const document = documentOf(context.properties["PolicyDocument"]);
    for (const { kind, name } of holdersOf(context.properties)) await putInline(iam, kind, name, policyName, document);
    const left =
      before === policyName ? formerHolders(context.properties, context.previous) : holdersOf(context.previous);
    for (const { kind, name } of left) await unlessGone(deleteInline(iam, kind, name, before));
    return context.state;
  },

  async delete(context) {
    const policyName = textOf(context.properties["PolicyName"]) ?? "";
    for (const { kind, name } of holdersOf(context.properties)) {
      await unlessGone(deleteInline(iamOf(context), kind, name, policyName));
    }
  },
};
