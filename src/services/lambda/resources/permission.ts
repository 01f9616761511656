import type { ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { defined, isAwsError, textOf, unlessGone } from "./properties.ts";

export const permissionType: ResourceType = {
  type: "AWS::Lambda::Permission",
  properties: [
    "Action",
    "EventSourceToken",
    "FunctionName",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
    "Principal",
    "PrincipalOrgID",
    "SourceAccount",
    "SourceArn",
  ],
  attributes: ["Id"],

  async create(context) {
    const { properties } = context;
    const id = context.generateName(100);
    const authType = textOf(properties, "FunctionUrlAuthType");
    const viaUrl = textOf(properties, "InvokedViaFunctionUrl");
    try {
      await context.client<Sdk>("lambda").AddPermission({
        FunctionName: textOf(properties, "FunctionName"),
        StatementId: id,
        Action: textOf(properties, "Action"),
        Principal: textOf(properties, "Principal"),
        ...defined({
          SourceArn: textOf(properties, "SourceArn"),
          SourceAccount: textOf(properties, "SourceAccount"),
          EventSourceToken: textOf(properties, "EventSourceToken"),
          PrincipalOrgID: textOf(properties, "PrincipalOrgID"),
        }),
        ...(authType !== undefined && { FunctionUrlAuthType: toAuthType(authType) }),
        ...(viaUrl !== undefined && { InvokedViaFunctionUrl: viaUrl === "true" }),
      });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceConflictException")) throw error;
    }
    return { physicalId: id, attributes: { Id: id } };
  },

  update: (context) => Promise.resolve(context.state),

  async delete(context) {
    await unlessGone(
      context.client<Sdk>("lambda").RemovePermission({
        FunctionName: textOf(context.properties, "FunctionName"),
        StatementId: context.state.physicalId,
      }),
    );
  },
};

// The operation checks it against the model's enumeration.
function toAuthType(text: string): "NONE" | "AWS_IAM" {
  return text as "NONE" | "AWS_IAM";
}
