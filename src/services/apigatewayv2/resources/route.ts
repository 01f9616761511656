import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { flagOf, oneOf, stringsOf, textOf, unlessGone } from "./properties.ts";

export const routeType: ResourceType = {
  type: "AWS::ApiGatewayV2::Route",
  properties: [
    "ApiId",
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "OperationName",
    "RouteKey",
    "RouteResponseSelectionExpression",
    "Target",
  ],
  attributes: ["RouteId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const { RouteId = "" } = await client.CreateRoute(inputOf(context.properties));
    return { physicalId: RouteId, attributes: { RouteId } };
  },
  update: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    await client.UpdateRoute({ ...inputOf(context.properties), RouteId: context.state.physicalId });
    return context.state;
  },
  delete: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2");
    const ApiId = textOf(context.properties, "ApiId");
    await unlessGone(client.DeleteRoute({ ApiId, RouteId: context.state.physicalId }));
  },
};

function inputOf(properties: Properties) {
  return {
    ApiId: textOf(properties, "ApiId"),
    RouteKey: textOf(properties, "RouteKey"),
    // Refused where it is true.
    ApiKeyRequired: flagOf(properties, "ApiKeyRequired"),
    AuthorizationType: oneOf(["NONE", "AWS_IAM", "CUSTOM", "JWT"] as const, properties, "AuthorizationType") ?? "NONE",
    AuthorizationScopes: stringsOf(properties, "AuthorizationScopes") ?? [],
    AuthorizerId: textOf(properties, "AuthorizerId"),
    OperationName: textOf(properties, "OperationName"),
    RouteResponseSelectionExpression: textOf(properties, "RouteResponseSelectionExpression"),
    Target: textOf(properties, "Target"),
  };
}
