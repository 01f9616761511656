import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { parseResponseType } from "../gateway-response-rules.ts";
import { textOf, textsOf, unlessGone } from "./properties.ts";

export const gatewayResponseType: ResourceType = {
  type: "AWS::ApiGateway::GatewayResponse",
  properties: ["ResponseParameters.*", "ResponseTemplates.*", "ResponseType", "RestApiId", "StatusCode"],
  attributes: ["Id"],
  create: async ({ client, properties }) => {
    await client<typeof sdk>("apigateway").PutGatewayResponse(inputOf(properties));
    const id = `${textOf(properties, "RestApiId")}|${textOf(properties, "ResponseType")}`;
    return { physicalId: id, attributes: { Id: id } };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigateway").PutGatewayResponse(inputOf(properties));
    return state;
  },
  delete: async ({ client, properties }) => {
    const { restApiId, responseType } = inputOf(properties);
    await unlessGone(client<typeof sdk>("apigateway").DeleteGatewayResponse({ restApiId, responseType }));
  },
};

function inputOf(properties: Properties) {
  return {
    restApiId: textOf(properties, "RestApiId"),
    responseType: parseResponseType(textOf(properties, "ResponseType") ?? ""),
    statusCode: textOf(properties, "StatusCode"),
    responseParameters: textsOf(properties, "ResponseParameters"),
    responseTemplates: textsOf(properties, "ResponseTemplates"),
  };
}
