import { notImplemented } from "../../../aws/error.ts";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { isMadeFor } from "../../../aws/stack-tags.ts";
import { poolArn } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { flagOf, objectsOf, textOf, textsOf, unlessGone } from "./properties.ts";

export const identityPoolType: ResourceType = {
  type: "AWS::Cognito::IdentityPool",
  properties: [
    "AllowClassicFlow",
    "AllowUnauthenticatedIdentities",
    "CognitoIdentityProviders[].ClientId",
    "CognitoIdentityProviders[].ProviderName",
    "CognitoIdentityProviders[].ServerSideTokenCheck",
    "DeveloperProviderName",
    "IdentityPoolName",
    "IdentityPoolTags[].Key",
    "IdentityPoolTags[].Value",
    "OpenIdConnectProviderARNs",
    "SamlProviderARNs",
    "SupportedLoginProviders",
  ],
  attributes: ["Id", "Name"],

  async create(context) {
    const identity = context.client<Sdk>("cognito-identity");
    const found = context.resumed ? await findOwn(context) : undefined;
    const settings = toSettings(context);
    const id =
      found ?? (await identity.CreateIdentityPool({ ...settings, IdentityPoolTags: tagsOf(context) })).IdentityPoolId;
    return toState(id ?? "", settings.IdentityPoolName);
  },

  async update(context) {
    const { physicalId, attributes } = context.state;
    const identity = context.client<Sdk>("cognito-identity");
    const IdentityPoolName = textOf(context.properties, "IdentityPoolName") ?? String(attributes["Name"]);
    const settings = { ...toSettings(context), IdentityPoolName };
    await identity.UpdateIdentityPool({ ...settings, IdentityPoolId: physicalId });
    const ResourceArn = poolArn(context, physicalId);
    const tags = tagsOf(context);
    const { Tags: had } = await identity.ListTagsForResource({ ResourceArn });
    const TagKeys = Object.keys(had ?? {}).filter((key) => !Object.hasOwn(tags, key));
    if (TagKeys.length > 0) await identity.UntagResource({ ResourceArn, TagKeys });
    if (Object.keys(tags).length > 0) await identity.TagResource({ ResourceArn, Tags: tags });
    return toState(physicalId, IdentityPoolName);
  },

  delete: (context) =>
    unlessGone(
      context.client<Sdk>("cognito-identity").DeleteIdentityPool({ IdentityPoolId: context.state.physicalId }),
    ),
};

function toState(physicalId: string, name: string) {
  return { physicalId, attributes: { Id: physicalId, Name: name } };
}

function toSettings(context: ResourceContext) {
  const { properties } = context;
  const { OpenIdConnectProviderARNs: openIdArns, SamlProviderARNs: samlArns } = properties;
  if (Array.isArray(samlArns) && samlArns.length > 0) {
    throw notImplemented("The property SamlProviderARNs of AWS::Cognito::IdentityPool");
  }
  const publicProviders = textsOf(properties, "SupportedLoginProviders");
  const userPools = objectsOf(properties, "CognitoIdentityProviders")?.map((each) => ({
    ProviderName: textOf(each, "ProviderName"),
    ClientId: textOf(each, "ClientId"),
    ServerSideTokenCheck: flagOf(each, "ServerSideTokenCheck") ?? false,
  }));
  return {
    IdentityPoolName: textOf(properties, "IdentityPoolName") ?? context.generateName(128),
    AllowUnauthenticatedIdentities: flagOf(properties, "AllowUnauthenticatedIdentities") ?? false,
    AllowClassicFlow: flagOf(properties, "AllowClassicFlow"),
    DeveloperProviderName: textOf(properties, "DeveloperProviderName"),
    ...(publicProviders && { SupportedLoginProviders: publicProviders }),
    ...(Array.isArray(openIdArns) && { OpenIdConnectProviderARNs: openIdArns.map(String) }),
    ...(userPools && { CognitoIdentityProviders: userPools }),
  };
}

function tagsOf(context: ResourceContext): Record<string, string> {
  const tags: Record<string, string> = { ...context.tags };
  for (const tag of objectsOf(context.properties, "IdentityPoolTags") ?? []) {
    tags[textOf(tag, "Key") ?? ""] = textOf(tag, "Value") ?? "";
  }
  return tags;
}

/** The pool that this step has made before it was cut off: it has the stack's tags. */
async function findOwn(context: ResourceContext): Promise<string | undefined> {
  const identity = context.client<Sdk>("cognito-identity");
  const { IdentityPoolName: name } = toSettings(context);
  let NextToken: string | undefined;
  do {
    const page = await identity.ListIdentityPools({ MaxResults: 60, NextToken });
    for (const { IdentityPoolId: id = "", IdentityPoolName: each } of page.IdentityPools ?? []) {
      if (each !== name) continue;
      const { Tags: tags } = await identity.ListTagsForResource({ ResourceArn: poolArn(context, id) });
      if (isMadeFor(context, tags)) return id;
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return undefined;
}
