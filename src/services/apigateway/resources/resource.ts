import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const resourceType: ResourceType = {
  type: "AWS::ApiGateway::Resource",
  properties: ["ParentId", "PathPart", "RestApiId"],
  attributes: ["ResourceId"],
  create: async ({ client, properties }) => {
    const { id = "" } = await client<typeof sdk>("apigateway").CreateResource({
      restApiId: textOf(properties, "RestApiId"),
      parentId: textOf(properties, "ParentId"),
      pathPart: textOf(properties, "PathPart"),
    });
    return { physicalId: id, attributes: { ResourceId: id } };
  },
  // Every property's change replaces the resource.
  update: async ({ state }) => state,
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(client<typeof sdk>("apigateway").DeleteResource({ restApiId, resourceId: state.physicalId }));
  },
};
