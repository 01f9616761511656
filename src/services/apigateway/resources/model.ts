import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { objectOf, textOf, unlessGone } from "./properties.ts";
import { createOnce } from "./resumed.ts";

export const modelType: ResourceType = {
  type: "AWS::ApiGateway::Model",
  properties: ["ContentType", "Description", "Name", "RestApiId", "Schema.*"],
  attributes: [],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigateway");
    const { properties } = context;
    const restApiId = textOf(properties, "RestApiId");
    const name = textOf(properties, "Name") ?? context.generateName(128).replaceAll(/[^A-Za-z0-9]/g, "");
    await createOnce(
      context,
      async () => (await client.GetModels({ restApiId, limit: 500 })).items?.find((model) => model.name === name),
      () =>
        client.CreateModel({
          restApiId,
          name,
          contentType: textOf(properties, "ContentType") ?? "application/json",
          description: textOf(properties, "Description"),
          schema: schemaOf(properties),
        }),
    );
    return { physicalId: name, attributes: {} };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").UpdateModel({
      restApiId: textOf(properties, "RestApiId"),
      modelName: state.physicalId,
      patchOperations: [
        { op: "replace", path: "/description", value: textOf(properties, "Description") ?? "" },
        { op: "replace", path: "/schema", value: schemaOf(properties) },
      ],
    });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(client<typeof sdk>("apigateway").DeleteModel({ restApiId, modelName: state.physicalId }));
  },
};

/** The schema is written as an object, or as its text. */
function schemaOf(properties: Properties): string {
  const schema = objectOf(properties, "Schema");
  return schema === undefined ? (textOf(properties, "Schema") ?? "{}") : JSON.stringify(schema);
}
