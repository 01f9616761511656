import type { CreateUserPoolClientRequest } from "@aws-sdk/client-cognito-identity-provider";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { pick, textOf, unlessGone } from "./properties.ts";

const shared = [
  "AccessTokenValidity",
  "AllowedOAuthFlows",
  "AllowedOAuthFlowsUserPoolClient",
  "AllowedOAuthScopes",
  "AuthSessionValidity",
  "CallbackURLs",
  "DefaultRedirectURI",
  "EnablePropagateAdditionalUserContextData",
  "EnableTokenRevocation",
  "ExplicitAuthFlows",
  "IdTokenValidity",
  "LogoutURLs",
  "PreventUserExistenceErrors",
  "ReadAttributes",
  "RefreshTokenRotation",
  "RefreshTokenValidity",
  "SupportedIdentityProviders",
  "TokenValidityUnits",
  "WriteAttributes",
] as const satisfies readonly (keyof CreateUserPoolClientRequest)[];

export const userPoolClientType: ResourceType = {
  type: "AWS::Cognito::UserPoolClient",
  properties: [...shared, "ClientName", "GenerateSecret", "UserPoolId"],
  attributes: ["ClientId", "ClientSecret", "Name"],

  async create(context) {
    const { properties } = context;
    const cognito = context.client<Sdk>("cognito-idp");
    const ClientName = textOf(properties, "ClientName") ?? context.generateName(128);
    const UserPoolId = textOf(properties, "UserPoolId") ?? "";
    if (context.resumed) {
      const { UserPoolClients: clients } = await cognito.ListUserPoolClients({ UserPoolId, MaxResults: 60 });
      // A name that CloudFormation has made is this resource's alone.
      const own = clients?.find((client) => client.ClientName === ClientName);
      if (own?.ClientId !== undefined && properties["ClientName"] === undefined) {
        return stateOf(context, UserPoolId, own.ClientId);
      }
    }
    const { UserPoolClient: client } = await cognito.CreateUserPoolClient({
      ...pick<CreateUserPoolClientRequest>(properties, [...shared, "GenerateSecret"]),
      UserPoolId,
      ClientName,
    });
    return stateOf(context, UserPoolId, client?.ClientId ?? "");
  },

  async update(context) {
    const { properties, state } = context;
    const UserPoolId = textOf(properties, "UserPoolId") ?? "";
    const name = textOf(properties, "ClientName");
    await context.client<Sdk>("cognito-idp").UpdateUserPoolClient({
      ...pick<Partial<CreateUserPoolClientRequest>>(properties, shared),
      ...(name !== undefined && { ClientName: name }),
      UserPoolId,
      ClientId: state.physicalId,
    });
    return stateOf(context, UserPoolId, state.physicalId);
  },

  delete: (context) =>
    unlessGone(
      context.client<Sdk>("cognito-idp").DeleteUserPoolClient({
        UserPoolId: textOf(context.properties, "UserPoolId"),
        ClientId: context.state.physicalId,
      }),
    ),
};

async function stateOf(context: ResourceContext, UserPoolId: string, ClientId: string) {
  const { UserPoolClient: client } = await context
    .client<Sdk>("cognito-idp")
    .DescribeUserPoolClient({ UserPoolId, ClientId });
  return {
    physicalId: ClientId,
    attributes: {
      ClientId,
      Name: client?.ClientName ?? "",
      ...(client?.ClientSecret !== undefined && { ClientSecret: client.ClientSecret }),
    },
  };
}
