import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import { flagOf, numberOf, objectOf, oneOf, stringsOf, textOf, unlessGone } from "./properties.ts";

export const authorizerType: ResourceType = {
  type: "AWS::ApiGatewayV2::Authorizer",
  properties: [
    "ApiId",
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerType",
    "AuthorizerUri",
    "EnableSimpleResponses",
    "IdentitySource",
    "IdentityValidationExpression",
    "JwtConfiguration.Audience",
    "JwtConfiguration.Issuer",
    "Name",
  ],
  attributes: ["AuthorizerId"],
  create: async ({ client: clientOf, properties, resumed }) => {
    const client = clientOf<typeof sdk>("apigatewayv2");
    const input = inputOf(properties);
    // One that a crash cut off has the name: it is taken over.
    const { Items = [] } =
      resumed === true ? await client.GetAuthorizers({ ApiId: input.ApiId, MaxResults: "500" }) : {};
    const { AuthorizerId = "" } =
      Items.find(({ Name }) => Name === input.Name) ?? (await client.CreateAuthorizer(input));
    return { physicalId: AuthorizerId, attributes: { AuthorizerId } };
  },
  update: async ({ client, properties, state }) => {
    await client<typeof sdk>("apigatewayv2").UpdateAuthorizer({
      ...inputOf(properties),
      AuthorizerId: state.physicalId,
    });
    return state;
  },
  delete: async ({ client, properties, state }) => {
    const ApiId = textOf(properties, "ApiId");
    await unlessGone(client<typeof sdk>("apigatewayv2").DeleteAuthorizer({ ApiId, AuthorizerId: state.physicalId }));
  },
};

function inputOf(properties: Properties) {
  const jwt = objectOf(properties, "JwtConfiguration");
  const version = textOf(properties, "AuthorizerPayloadFormatVersion");
  return {
    ApiId: textOf(properties, "ApiId"),
    Name: textOf(properties, "Name"),
    AuthorizerType: oneOf(["REQUEST", "JWT"] as const, properties, "AuthorizerType"),
    AuthorizerUri: textOf(properties, "AuthorizerUri"),
    AuthorizerCredentialsArn: textOf(properties, "AuthorizerCredentialsArn"),
    // YAML reads an unquoted 2.0 as the number 2.
    AuthorizerPayloadFormatVersion: version !== undefined && /^\d$/.test(version) ? `${version}.0` : version,
    AuthorizerResultTtlInSeconds: numberOf(properties, "AuthorizerResultTtlInSeconds"),
    EnableSimpleResponses: flagOf(properties, "EnableSimpleResponses"),
    IdentitySource: stringsOf(properties, "IdentitySource"),
    IdentityValidationExpression: textOf(properties, "IdentityValidationExpression"),
    ...(jwt === undefined
      ? {}
      : { JwtConfiguration: { Issuer: textOf(jwt, "Issuer"), Audience: stringsOf(jwt, "Audience") } }),
  };
}
