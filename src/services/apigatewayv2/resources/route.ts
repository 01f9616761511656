import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { constraintsOf, flagOf, oneOf, stringsOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const routeType: ResourceType = {
  type: "AWS::ApiGatewayV2::Route",
  properties: [
    "ApiId",
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "ModelSelectionExpression",
    "OperationName",
    "RequestModels.*",
    "RequestParameters.*",
    "RouteKey",
    "RouteResponseSelectionExpression",
    "Target",
  ],
  attributes: ["RouteId"],
  create: async (context) => {
    const client = context.client<typeof sdk>("apigatewayv2", context.clientToken);
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
    ApiKeyRequired: flagOf(properties, "ApiKeyRequired") ?? false,
    AuthorizationType: oneOf(["NONE", "AWS_IAM", "CUSTOM", "JWT"] as const, properties, "AuthorizationType") ?? "NONE",
    AuthorizationScopes: stringsOf(properties, "AuthorizationScopes") ?? [],
    AuthorizerId: textOf(properties, "AuthorizerId"),
    // What the template does not have any more is taken away by an empty value.
    ModelSelectionExpression: textOf(properties, "ModelSelectionExpression") ?? "",
    OperationName: textOf(properties, "OperationName"),
    RequestModels: textsOf(properties, "RequestModels"),
    RequestParameters: constraintsOf(properties, "RequestParameters"),
    RouteResponseSelectionExpression: textOf(properties, "RouteResponseSelectionExpression") ?? "",
    Target: textOf(properties, "Target"),
  };
}
