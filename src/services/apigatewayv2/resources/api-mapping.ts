import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const apiMappingType: ResourceType = {
  type: "AWS::ApiGatewayV2::ApiMapping",
  properties: ["ApiId", "ApiMappingKey", "DomainName", "Stage"],
  attributes: ["ApiMappingId"],
  create: async ({ client: clientOf, properties, resumed }) => {
    const client = clientOf<typeof sdk>("apigatewayv2");
    const input = inputOf(properties);
    const key = input.ApiMappingKey ?? "";
    let id: string | undefined;
    if (resumed === true) {
      const { Items = [] } = await client.GetApiMappings({ DomainName: input.DomainName, MaxResults: "500" });
      id = Items.find((item) => item.ApiMappingKey === key && item.ApiId === input.ApiId)?.ApiMappingId;
    }
    id ??= (await client.CreateApiMapping(input)).ApiMappingId ?? "";
    return { physicalId: id, attributes: { ApiMappingId: id } };
  },
  update: async ({ client, properties, state }) => {
    const input = inputOf(properties);
    await client<typeof sdk>("apigatewayv2").UpdateApiMapping({
      ...input,
      ApiMappingKey: input.ApiMappingKey ?? "",
      ApiMappingId: state.physicalId,
    });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const DomainName = textOf(properties, "DomainName");
    const deletion = client<typeof sdk>("apigatewayv2").DeleteApiMapping({
      DomainName,
      ApiMappingId: state.physicalId,
    });
    await unlessGone(deletion);
  },
};

function inputOf(properties: Properties) {
  return {
    ApiId: textOf(properties, "ApiId"),
    ApiMappingKey: textOf(properties, "ApiMappingKey"),
    DomainName: textOf(properties, "DomainName"),
    Stage: textOf(properties, "Stage"),
  };
}
