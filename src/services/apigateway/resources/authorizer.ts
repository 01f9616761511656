import type * as sdk from "@aws-sdk/client-api-gateway";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { numberOf, oneOf, stringsOf, textOf, unlessGone } from "./properties.ts";
import { createOnce } from "./resumed.ts";

export const authorizerType: ResourceType = {
  type: "AWS::ApiGateway::Authorizer",
  properties: [
    "AuthType",
    "AuthorizerCredentials",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerUri",
    "IdentitySource",
    "IdentityValidationExpression",
    "Name",
    "ProviderARNs",
    "RestApiId",
    "Type",
  ],
  attributes: ["AuthorizerId"],
  create: async (context) => {
    const { properties } = context;
    const client = context.client<typeof sdk>("apigateway");
    const restApiId = textOf(properties, "RestApiId");
    const name = textOf(properties, "Name");
    const find = async () => {
      const { items = [] } = await client.GetAuthorizers({ restApiId, limit: 500 });
      return items.find((authorizer) => authorizer.name === name);
    };
    const make = () =>
      client.CreateAuthorizer({
        restApiId,
        name,
        type: oneOf(["TOKEN", "REQUEST", "COGNITO_USER_POOLS"] as const, properties, "Type"),
        providerARNs: stringsOf(properties, "ProviderARNs"),
        authType: textOf(properties, "AuthType"),
        authorizerUri: textOf(properties, "AuthorizerUri"),
        authorizerCredentials: textOf(properties, "AuthorizerCredentials"),
        identitySource: textOf(properties, "IdentitySource"),
        identityValidationExpression: textOf(properties, "IdentityValidationExpression"),
        authorizerResultTtlInSeconds: numberOf(properties, "AuthorizerResultTtlInSeconds"),
      });
    const { id = "" } = await createOnce(context, find, make);
    return { physicalId: id, attributes: { AuthorizerId: id } };
  },
  update: async ({ client, properties, previous, state }) => {
    const patchOperations = patchesOf(properties, previous);
    if (patchOperations.length > 0) {
      await client<typeof sdk>("apigateway").UpdateAuthorizer({
        restApiId: textOf(properties, "RestApiId"),
        authorizerId: state.physicalId,
        patchOperations,
      });
    }
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const restApiId = textOf(properties, "RestApiId");
    await unlessGone(client<typeof sdk>("apigateway").DeleteAuthorizer({ restApiId, authorizerId: state.physicalId }));
  },
};

/** Each property, its path, and what it is when a template no longer says. */
const paths = [
  ["Name", "/name", ""],
  ["Type", "/type", ""],
  ["AuthorizerUri", "/authorizerUri", ""],
  ["AuthorizerCredentials", "/authorizerCredentials", ""],
  ["AuthorizerResultTtlInSeconds", "/authorizerResultTtlInSeconds", "300"],
  ["AuthType", "/authType", "custom"],
  ["IdentitySource", "/identitySource", ""],
  ["IdentityValidationExpression", "/identityValidationExpression", ""],
] as const;

function patchesOf(properties: Properties, previous: Properties) {
  const patches: { op: "add" | "replace" | "remove"; path: string; value: string }[] = [];
  for (const [name, path, absent] of paths) {
    const value = textOf(properties, name);
    if (value !== textOf(previous, name)) patches.push({ op: "replace", path, value: value ?? absent });
  }
  const wanted = stringsOf(properties, "ProviderARNs") ?? [];
  const known = stringsOf(previous, "ProviderARNs") ?? [];
  for (const value of wanted) if (!known.includes(value)) patches.push({ op: "add", path: "/providerARNs", value });
  for (const value of known) if (!wanted.includes(value)) patches.push({ op: "remove", path: "/providerARNs", value });
  return patches;
}
