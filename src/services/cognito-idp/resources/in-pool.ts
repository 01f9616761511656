import type {
  AdminCreateUserRequest,
  CreateGroupRequest,
  CreateIdentityProviderRequest,
  CreateResourceServerRequest,
  CreateUserPoolDomainRequest,
} from "@aws-sdk/client-cognito-identity-provider";
import type { ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { isRefusal, pick, textOf, unlessGone } from "./properties.ts";

const named = (physicalId: string) => ({ physicalId, attributes: {} });

export const userPoolGroupType: ResourceType = {
  type: "AWS::Cognito::UserPoolGroup",
  properties: ["Description", "GroupName", "Precedence", "RoleArn", "UserPoolId"],
  attributes: [],
  async create(context) {
    const GroupName = textOf(context.properties, "GroupName") ?? context.generateName(128);
    const given = pick<CreateGroupRequest>(context.properties, ["Description", "Precedence", "RoleArn", "UserPoolId"]);
    try {
      await context.client<Sdk>("cognito-idp").CreateGroup({ ...given, GroupName });
    } catch (error) {
      if (!context.resumed || !isRefusal(error, "GroupExistsException")) throw error;
    }
    return named(GroupName);
  },
  async update(context) {
    const given = pick<CreateGroupRequest>(context.properties, ["Description", "Precedence", "RoleArn", "UserPoolId"]);
    await context.client<Sdk>("cognito-idp").UpdateGroup({ ...given, GroupName: context.state.physicalId });
    return context.state;
  },
  delete: (context) =>
    unlessGone(
      context.client<Sdk>("cognito-idp").DeleteGroup({
        UserPoolId: textOf(context.properties, "UserPoolId"),
        GroupName: context.state.physicalId,
      }),
    ),
};

export const userPoolUserType: ResourceType = {
  type: "AWS::Cognito::UserPoolUser",
  properties: [
    "ClientMetadata",
    "DesiredDeliveryMediums",
    "ForceAliasCreation",
    "MessageAction",
    "UserAttributes[].Name",
    "UserAttributes[].Value",
    "UserPoolId",
    "Username",
    "ValidationData[].Name",
    "ValidationData[].Value",
  ],
  attributes: [],
  async create(context) {
    const cognito = context.client<Sdk>("cognito-idp");
    const Username = textOf(context.properties, "Username") ?? context.generateName(128);
    const given = pick<AdminCreateUserRequest>(context.properties, [
      "ClientMetadata",
      "DesiredDeliveryMediums",
      "ForceAliasCreation",
      "MessageAction",
      "UserAttributes",
      "UserPoolId",
      "ValidationData",
    ]);
    try {
      const { User } = await cognito.AdminCreateUser({ ...given, Username });
      return named(User?.Username ?? Username);
    } catch (error) {
      if (!context.resumed || !isRefusal(error, "UsernameExistsException")) throw error;
      const { Username: found } = await cognito.AdminGetUser({ UserPoolId: given.UserPoolId, Username });
      return named(found ?? Username);
    }
  },
  // Every change makes another user.
  update: async (context) => context.state,
  delete: (context) =>
    unlessGone(
      context.client<Sdk>("cognito-idp").AdminDeleteUser({
        UserPoolId: textOf(context.properties, "UserPoolId"),
        Username: context.state.physicalId,
      }),
    ),
};

export const userToGroupType: ResourceType = {
  type: "AWS::Cognito::UserPoolUserToGroupAttachment",
  properties: ["GroupName", "UserPoolId", "Username"],
  attributes: [],
  async create(context) {
    const [UserPoolId, Username, GroupName] = ["UserPoolId", "Username", "GroupName"].map((name) =>
      textOf(context.properties, name),
    );
    await context.client<Sdk>("cognito-idp").AdminAddUserToGroup({ UserPoolId, Username, GroupName });
    return named(context.generateName(128));
  },
  update: async (context) => context.state,
  delete: (context) => {
    const [UserPoolId, Username, GroupName] = ["UserPoolId", "Username", "GroupName"].map((name) =>
      textOf(context.properties, name),
    );
    return unlessGone(context.client<Sdk>("cognito-idp").AdminRemoveUserFromGroup({ UserPoolId, Username, GroupName }));
  },
};

export const userPoolDomainType: ResourceType = {
  type: "AWS::Cognito::UserPoolDomain",
  properties: ["CustomDomainConfig", "Domain", "ManagedLoginVersion", "Routing", "UserPoolId"],
  attributes: ["CloudFrontDistribution"],
  async create(context) {
    const cognito = context.client<Sdk>("cognito-idp");
    const given = pick<CreateUserPoolDomainRequest>(context.properties, [
      "CustomDomainConfig",
      "Domain",
      "ManagedLoginVersion",
      "Routing",
      "UserPoolId",
    ]);
    const Domain = given.Domain ?? "";
    const known = context.resumed ? (await cognito.DescribeUserPoolDomain({ Domain })).DomainDescription : undefined;
    if (known?.UserPoolId !== given.UserPoolId || known === undefined) await cognito.CreateUserPoolDomain(given);
    const { DomainDescription } = await cognito.DescribeUserPoolDomain({ Domain });
    return {
      physicalId: Domain,
      attributes: { CloudFrontDistribution: DomainDescription?.CloudFrontDistribution ?? "" },
    };
  },
  async update(context) {
    const given = pick<CreateUserPoolDomainRequest>(context.properties, [
      "CustomDomainConfig",
      "Domain",
      "ManagedLoginVersion",
      "Routing",
      "UserPoolId",
    ]);
    await context.client<Sdk>("cognito-idp").UpdateUserPoolDomain(given);
    return context.state;
  },
  async delete(context) {
    const cognito = context.client<Sdk>("cognito-idp");
    const Domain = context.state.physicalId;
    const { DomainDescription: known } = await cognito.DescribeUserPoolDomain({ Domain });
    if (known?.UserPoolId === undefined) return;
    await cognito.DeleteUserPoolDomain({ Domain, UserPoolId: known.UserPoolId });
  },
};

export const resourceServerType: ResourceType = {
  type: "AWS::Cognito::UserPoolResourceServer",
  properties: ["Identifier", "Name", "Scopes[].ScopeDescription", "Scopes[].ScopeName", "UserPoolId"],
  attributes: [],
  async create(context) {
    const cognito = context.client<Sdk>("cognito-idp");
    const given = pick<CreateResourceServerRequest>(context.properties, ["Identifier", "Name", "Scopes", "UserPoolId"]);
    try {
      await cognito.CreateResourceServer(given);
    } catch (error) {
      if (!context.resumed || !isRefusal(error, "InvalidParameterException")) throw error;
      await cognito.UpdateResourceServer(given);
    }
    return named(given.Identifier ?? "");
  },
  async update(context) {
    const given = pick<CreateResourceServerRequest>(context.properties, ["Identifier", "Name", "Scopes", "UserPoolId"]);
    await context.client<Sdk>("cognito-idp").UpdateResourceServer(given);
    return context.state;
  },
  delete: (context) =>
    unlessGone(
      context.client<Sdk>("cognito-idp").DeleteResourceServer({
        UserPoolId: textOf(context.properties, "UserPoolId"),
        Identifier: context.state.physicalId,
      }),
    ),
};

export const identityProviderType: ResourceType = {
  type: "AWS::Cognito::UserPoolIdentityProvider",
  properties: ["AttributeMapping", "IdpIdentifiers", "ProviderDetails", "ProviderName", "ProviderType", "UserPoolId"],
  attributes: [],
  async create(context) {
    const given = pick<CreateIdentityProviderRequest>(context.properties, [
      "AttributeMapping",
      "IdpIdentifiers",
      "ProviderDetails",
      "ProviderName",
      "ProviderType",
      "UserPoolId",
    ]);
    try {
      await context.client<Sdk>("cognito-idp").CreateIdentityProvider(given);
    } catch (error) {
      if (!context.resumed || !isRefusal(error, "DuplicateProviderException")) throw error;
    }
    return named(given.ProviderName ?? "");
  },
  async update(context) {
    const given = pick<CreateIdentityProviderRequest>(context.properties, [
      "AttributeMapping",
      "IdpIdentifiers",
      "ProviderDetails",
      "ProviderName",
      "UserPoolId",
    ]);
    await context.client<Sdk>("cognito-idp").UpdateIdentityProvider(given);
    return context.state;
  },
  delete: (context) =>
    unlessGone(
      context.client<Sdk>("cognito-idp").DeleteIdentityProvider({
        UserPoolId: textOf(context.properties, "UserPoolId"),
        ProviderName: context.state.physicalId,
      }),
    ),
};
