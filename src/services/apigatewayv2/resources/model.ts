import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { objectOf, textOf, unlessGone } from "./properties.ts";

export const modelType: ResourceType = {
  type: "AWS::ApiGatewayV2::Model",
  properties: ["ApiId", "ContentType", "Description", "Name", "Schema.*"],
  attributes: ["ModelId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const input = inputOf(context.properties);
    // One that a crash cut off has the name: it is taken over.
    const { Items = [] } = context.resumed === true ? await client.GetModels({ ApiId: input.ApiId }) : {};
    const { ModelId = "" } = Items.find((model) => model.Name === input.Name) ?? (await client.CreateModel(input));
    return { physicalId: ModelId, attributes: { ModelId } };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigatewayv2").UpdateModel({ ...inputOf(properties), ModelId: state.physicalId });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const ApiId = textOf(properties, "ApiId");
    await unlessGone(client<typeof sdk>("apigatewayv2").DeleteModel({ ApiId, ModelId: state.physicalId }));
  },
};

function inputOf(properties: Properties) {
  const schema = objectOf(properties, "Schema");
  return {
    ApiId: textOf(properties, "ApiId"),
    ContentType: textOf(properties, "ContentType"),
    Description: textOf(properties, "Description"),
    Name: textOf(properties, "Name"),
    Schema: schema === undefined ? textOf(properties, "Schema") : JSON.stringify(schema),
  };
}
