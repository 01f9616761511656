import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { textOf } from "./properties.ts";

export const accountType: ResourceType = {
  type: "AWS::ApiGateway::Account",
  properties: ["CloudWatchRoleArn"],
  attributes: ["Id"],
  create: async ({ client, properties, account }) => {
    await client<typeof sdk>("apigateway").UpdateAccount(inputOf(properties));
    return { physicalId: account, attributes: { Id: account } };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").UpdateAccount(inputOf(properties));
    return state;
  },
  // AWS: the account's settings stay as they are when the resource goes.
  delete: async () => undefined,
};

function inputOf(properties: Properties) {
  const value = textOf(properties, "CloudWatchRoleArn") ?? "";
  return { patchOperations: [{ op: "replace" as const, path: "/cloudwatchRoleArn", value }] };
}
