import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { textOf, unlessGone } from "./properties.ts";

/** The style sheet of the hosted pages, of one client or of all. */
export const uiCustomizationType: ResourceType = {
  type: "AWS::Cognito::UserPoolUICustomizationAttachment",
  properties: ["CSS", "ClientId", "UserPoolId"],
  attributes: [],
  async create(context) {
    await set(context, textOf(context.properties, "CSS"));
    const { stackName, logicalId } = context;
    return { physicalId: `UserPoolUICustomizationAttachment-${stackName}-${logicalId}`, attributes: {} };
  },
  async update(context) {
    await set(context, textOf(context.properties, "CSS"));
    return context.state;
  },
  // A look is not deleted: it is emptied.
  delete: (context) => unlessGone(set(context, undefined)),
};

function set(context: ResourceContext, CSS: string | undefined) {
  return context.client<Sdk>("cognito-idp").SetUICustomization({
    UserPoolId: textOf(context.properties, "UserPoolId"),
    ClientId: textOf(context.properties, "ClientId"),
    ...(CSS !== undefined && { CSS }),
  });
}
