import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { flagOf, textOf, unlessGone } from "./properties.ts";

export const requestValidatorType: ResourceType = {
  type: "AWS::ApiGateway::RequestValidator",
  properties: ["Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters"],
  attributes: ["RequestValidatorId"],
  create: async ({ client, clientToken, properties }) => {
    const { id = "" } = await client<typeof sdk>("apigateway", clientToken).CreateRequestValidator({
      restApiId: textOf(properties, "RestApiId"),
      name: textOf(properties, "Name"),
      validateRequestBody: flagOf(properties, "ValidateRequestBody"),
      validateRequestParameters: flagOf(properties, "ValidateRequestParameters"),
    });
    return { physicalId: id, attributes: { RequestValidatorId: id } };
  },
  update: async ({ client, properties, state }) => {
    const flag = (name: string) => String(flagOf(properties, name) ?? false);
    await client<typeof sdk>("apigateway").UpdateRequestValidator({
      restApiId: textOf(properties, "RestApiId"),
      requestValidatorId: state.physicalId,
      patchOperations: [
        { op: "replace", path: "/validateRequestBody", value: flag("ValidateRequestBody") },
        { op: "replace", path: "/validateRequestParameters", value: flag("ValidateRequestParameters") },
      ],
    });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(
      client<typeof sdk>("apigateway").DeleteRequestValidator({ restApiId, requestValidatorId: state.physicalId }),
    );
  },
};
