import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { constraintsOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const routeResponseType: ResourceType = {
  type: "AWS::ApiGatewayV2::RouteResponse",
  properties: [
    "ApiId",
    "ModelSelectionExpression",
    "ResponseModels.*",
    "ResponseParameters.*",
    "RouteId",
    "RouteResponseKey",
  ],
  attributes: ["RouteResponseId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2", context.clientToken);
    const { RouteResponseId = "" } = await client.CreateRouteResponse(inputOf(context.properties));
    return { physicalId: RouteResponseId, attributes: { RouteResponseId } };
  },
  update: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    await client.UpdateRouteResponse({ ...inputOf(context.properties), RouteResponseId: context.state.physicalId });
    return context.state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const { ApiId, RouteId } = inputOf(context.properties);
    await unlessGone(client.DeleteRouteResponse({ ApiId, RouteId, RouteResponseId: context.state.physicalId }));
  },
};

function inputOf(properties: Properties) {
  return {
    ApiId: textOf(properties, "ApiId"),
    RouteId: textOf(properties, "RouteId"),
    RouteResponseKey: textOf(properties, "RouteResponseKey"),
    ModelSelectionExpression: textOf(properties, "ModelSelectionExpression") ?? "",
    ResponseModels: textsOf(properties, "ResponseModels"),
    ResponseParameters: constraintsOf(properties, "ResponseParameters"),
  };
}
