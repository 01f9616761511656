import type * as sdk from "@aws-sdk/client-api-gateway";
import type { ResourceType } from "../../cloudformation/port.ts";
import { textOf, unlessGone } from "./properties.ts";

export const usagePlanKeyType: ResourceType = {
  type: "AWS::ApiGateway::UsagePlanKey",
  properties: ["KeyId", "KeyType", "UsagePlanId"],
  attributes: ["Id"],
  create: async ({ client: clientOf, properties, resumed }) => {
    const client = clientOf<typeof sdk>("apigateway");
    const usagePlanId = textOf(properties, "UsagePlanId");
    const keyId = textOf(properties, "KeyId");
    const { items = [] } = resumed === true ? await client.GetUsagePlans({ keyId, limit: 500 }) : {};
    if (!items.some((plan) => plan.id === usagePlanId)) {
      await client.CreateUsagePlanKey({ usagePlanId, keyId, keyType: textOf(properties, "KeyType") });
    }
    const id = `${keyId}:${usagePlanId}`;
    return { physicalId: id, attributes: { Id: id } };
  },
  // Every property's change replaces it.
  update: async ({ state }) => state,
  delete: async ({ client, properties }) => {
    await unlessGone(
      client<typeof sdk>("apigateway").DeleteUsagePlanKey({
        usagePlanId: textOf(properties, "UsagePlanId"),
        keyId: textOf(properties, "KeyId"),
      }),
    );
  },
};
