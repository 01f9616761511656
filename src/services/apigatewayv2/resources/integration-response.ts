import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { oneOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const integrationResponseType: ResourceType = {
  type: "AWS::ApiGatewayV2::IntegrationResponse",
  properties: [
    "ApiId",
    "ContentHandlingStrategy",
    "IntegrationId",
    "IntegrationResponseKey",
    "ResponseParameters.*",
    "ResponseTemplates.*",
    "TemplateSelectionExpression",
  ],
  attributes: ["IntegrationResponseId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2", context.clientToken);
    const { IntegrationResponseId = "" } = await client.CreateIntegrationResponse(inputOf(context.properties));
    return { physicalId: IntegrationResponseId, attributes: { IntegrationResponseId } };
  },
  update: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const IntegrationResponseId = context.state.physicalId;
    await client.UpdateIntegrationResponse({ ...inputOf(context.properties), IntegrationResponseId });
    return context.state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const { ApiId, IntegrationId } = inputOf(context.properties);
    const IntegrationResponseId = context.state.physicalId;
    await unlessGone(client.DeleteIntegrationResponse({ ApiId, IntegrationId, IntegrationResponseId }));
  },
};

const conversions = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"] as const;

function inputOf(properties: Properties) {
  return {
    ApiId: textOf(properties, "ApiId"),
    IntegrationId: textOf(properties, "IntegrationId"),
    IntegrationResponseKey: textOf(properties, "IntegrationResponseKey"),
    ContentHandlingStrategy: oneOf(conversions, properties, "ContentHandlingStrategy"),
    // What the template does not have any more is taken away by an empty value.
    ResponseParameters: textsOf(properties, "ResponseParameters"),
    ResponseTemplates: textsOf(properties, "ResponseTemplates"),
    TemplateSelectionExpression: textOf(properties, "TemplateSelectionExpression") ?? "",
  };
}
