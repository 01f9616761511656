import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";
import { createOnce } from "./resumed.ts";

export const resourceType: ResourceType = {
  type: "AWS::ApiGateway::Resource",
  properties: ["ParentId", "PathPart", "RestApiId"],
  attributes: ["ResourceId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    const restApiId = textOf(context.properties, "RestApiId");
    const parentId = textOf(context.properties, "ParentId");
    const pathPart = textOf(context.properties, "PathPart");
    const { id = "" } = await createOnce(
      context,
      async () => {
        const { items = [] } = await client.GetResources({ restApiId, limit: 500 });
        return items.find((resource) => resource.parentId === parentId && resource.pathPart === pathPart);
      },
      () => client.CreateResource({ restApiId, parentId, pathPart }),
    );
    return { physicalId: id, attributes: { ResourceId: id } };
  },
  // Every property's change replaces the resource.
  update: async ({ state }) => state,
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(client<typeof sdk>("apigateway").DeleteResource({ restApiId, resourceId: state.physicalId }));
  },
};
