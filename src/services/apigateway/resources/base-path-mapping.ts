import type * as sdk from "@aws-sdk/client-api-gateway";
import { AwsError } from "../../../aws/error.ts";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const basePathMappingType: ResourceType = {
  type: "AWS::ApiGateway::BasePathMapping",
  properties: ["BasePath", "DomainName", "RestApiId", "Stage"],
  attributes: [],
  create: async ({ client: clientOf, properties, resumed }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const input = { ...addressOf(properties), restApiId: textOf(properties, "RestApiId") };
    try {
      await client.CreateBasePathMapping({ ...input, stage: textOf(properties, "Stage") });
    } catch (error) {
      // Made by a process that died before it could say so.
      const exists = error instanceof AwsError && error.code === "ConflictException";
      if (resumed !== true || !exists) throw error;
      const { restApiId } = await client.GetBasePathMapping(addressOf(properties));
      if (restApiId !== input.restApiId) throw error;
    }
    const { domainName, basePath } = addressOf(properties);
    return { physicalId: `${domainName}|${basePath}`, attributes: {} };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").UpdateBasePathMapping({
      ...addressOf(properties),
      patchOperations: [
        { op: "replace", path: "/restapiId", value: textOf(properties, "RestApiId") ?? "" },
        { op: "replace", path: "/stage", value: textOf(properties, "Stage") ?? "" },
      ],
    });
    return state;
  },
  delete: async ({ client, properties }) => {
    await unlessGone(client<typeof sdk>("apigateway").DeleteBasePathMapping(addressOf(properties)));
  },
};

function addressOf(properties: Properties): { readonly domainName: string; readonly basePath: string } {
  return { domainName: textOf(properties, "DomainName") ?? "", basePath: textOf(properties, "BasePath") || "(none)" };
}
