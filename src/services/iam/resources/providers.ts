import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { oidcProviderArn } from "../oidc-providers.ts";
import { iamOf, tagsOf, textsOf, unlessGone, unlessResumed, without, wholly } from "./properties.ts";

export const oidcProviderType: ResourceType = {
  type: "AWS::IAM::OIDCProvider",
  properties: ["ClientIdList", "Tags[].Key", "Tags[].Value", "ThumbprintList", "Url"],
  attributes: ["Arn"],

  async create(context) {
    const { properties } = context;
    const Url = String(properties["Url"] ?? "");
    await unlessResumed(
      context,
      iamOf(context).CreateOpenIDConnectProvider({
        Url,
        ClientIDList: [...textsOf(properties["ClientIdList"])],
        ThumbprintList: [...textsOf(properties["ThumbprintList"])],
        ...(tagsOf(context).length > 0 && { Tags: tagsOf(context) }),
      }),
    );
    const arn = oidcProviderArn(context.account, Url);
    return { physicalId: arn, attributes: { Arn: arn } };
  },

  async update(context) {
    const iam = iamOf(context);
    const { properties, previous, state } = context;
    const OpenIDConnectProviderArn = state.physicalId;
    const wanted = textsOf(properties["ClientIdList"]);
    const had = textsOf(previous["ClientIdList"]);
    for (const ClientID of wanted) await iam.AddClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID });
    for (const ClientID of without(had, wanted)) {
      await iam.RemoveClientIDFromOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID });
    }
    const ThumbprintList = [...textsOf(properties["ThumbprintList"])];
    await iam.UpdateOpenIDConnectProviderThumbprint({ OpenIDConnectProviderArn, ThumbprintList });
    const { Tags: tagged = [] } = await iam.ListOpenIDConnectProviderTags({ OpenIDConnectProviderArn });
    const { gone, tags } = changedTags(context, tagged);
    if (gone.length > 0) await iam.UntagOpenIDConnectProvider({ OpenIDConnectProviderArn, TagKeys: gone });
    if (tags.length > 0) await iam.TagOpenIDConnectProvider({ OpenIDConnectProviderArn, Tags: tags });
    return state;
  },

  async delete(context) {
    const OpenIDConnectProviderArn = context.state.physicalId;
    await unlessGone(iamOf(context).DeleteOpenIDConnectProvider({ OpenIDConnectProviderArn }));
  },
};

export const samlProviderType: ResourceType = {
  type: "AWS::IAM::SAMLProvider",
  properties: ["Name", "SamlMetadataDocument", "Tags[].Key", "Tags[].Value"],
  attributes: ["Arn", "SamlProviderUUID"],

  async create(context) {
    const iam = iamOf(context);
    const { properties } = context;
    const Name = properties["Name"] === undefined ? context.generateName(128) : String(properties["Name"]);
    const arn = `arn:aws:iam::${context.account}:saml-provider/${Name}`;
    await unlessResumed(
      context,
      iam.CreateSAMLProvider({
        Name,
        SAMLMetadataDocument: String(properties["SamlMetadataDocument"] ?? ""),
        ...(tagsOf(context).length > 0 && { Tags: tagsOf(context) }),
      }),
    );
    const { SAMLProviderUUID } = await iam.GetSAMLProvider({ SAMLProviderArn: arn });
    return { physicalId: arn, attributes: { Arn: arn, SamlProviderUUID: SAMLProviderUUID } };
  },

  async update(context) {
    const iam = iamOf(context);
    const SAMLProviderArn = context.state.physicalId;
    const SAMLMetadataDocument = String(context.properties["SamlMetadataDocument"] ?? "");
    await iam.UpdateSAMLProvider({ SAMLProviderArn, SAMLMetadataDocument });
    const { Tags: tagged = [] } = await iam.ListSAMLProviderTags({ SAMLProviderArn });
    const { gone, tags } = changedTags(context, tagged);
    if (gone.length > 0) await iam.UntagSAMLProvider({ SAMLProviderArn, TagKeys: gone });
    if (tags.length > 0) await iam.TagSAMLProvider({ SAMLProviderArn, Tags: tags });
    return context.state;
  },

  async delete(context) {
    await unlessGone(iamOf(context).DeleteSAMLProvider({ SAMLProviderArn: context.state.physicalId }));
  },
};

export const virtualMfaDeviceType: ResourceType = {
  type: "AWS::IAM::VirtualMFADevice",
  // AWS: who has the device enables it with two of its codes; the template's list of users does not.
  properties: ["Path", "Tags[].Key", "Tags[].Value", "Users", "VirtualMfaDeviceName"],
  attributes: ["SerialNumber"],

  async create(context) {
    const { properties } = context;
    const name = properties["VirtualMfaDeviceName"];
    const VirtualMFADeviceName = name === undefined ? context.generateName(226) : String(name);
    const path = properties["Path"] === undefined ? "/" : String(properties["Path"]);
    await unlessResumed(
      context,
      iamOf(context).CreateVirtualMFADevice({
        VirtualMFADeviceName,
        Path: path,
        ...(tagsOf(context).length > 0 && { Tags: tagsOf(context) }),
      }),
    );
    const serial = `arn:aws:iam::${context.account}:mfa${path}${VirtualMFADeviceName}`;
    return { physicalId: serial, attributes: { SerialNumber: serial } };
  },

  async update(context) {
    const iam = iamOf(context);
    const SerialNumber = context.state.physicalId;
    const { Tags: tagged = [] } = await iam.ListMFADeviceTags({ SerialNumber });
    const { gone, tags } = changedTags(context, tagged);
    if (gone.length > 0) await iam.UntagMFADevice({ SerialNumber, TagKeys: gone });
    if (tags.length > 0) await iam.TagMFADevice({ SerialNumber, Tags: tags });
    return context.state;
  },

  async delete(context) {
    await unlessGone(iamOf(context).DeleteVirtualMFADevice({ SerialNumber: context.state.physicalId }));
  },
};

export const serviceLinkedRoleType: ResourceType = {
  type: "AWS::IAM::ServiceLinkedRole",
  properties: ["AWSServiceName", "CustomSuffix", "Description"],
  attributes: ["RoleName"],

  async create(context) {
    const { properties } = context;
    const of = (name: string) => (properties[name] === undefined ? undefined : String(properties[name]));
    const { Role } = await iamOf(context).CreateServiceLinkedRole({
      AWSServiceName: of("AWSServiceName"),
      CustomSuffix: of("CustomSuffix"),
      Description: of("Description"),
    });
    return { physicalId: Role?.RoleName ?? "", attributes: { RoleName: Role?.RoleName } };
  },

  async update(context) {
    const Description = String(context.properties["Description"] ?? "");
    await iamOf(context).UpdateRoleDescription({ RoleName: context.state.physicalId, Description });
    return context.state;
  },

  async delete(context) {
    await unlessGone(iamOf(context).DeleteServiceLinkedRole({ RoleName: context.state.physicalId }));
  },
};

export const instanceProfileType: ResourceType = {
  type: "AWS::IAM::InstanceProfile",
  properties: ["InstanceProfileName", "Path", "Roles"],
  attributes: ["Arn"],

  async create(context) {
    const iam = iamOf(context);
    const { properties } = context;
    const name = properties["InstanceProfileName"];
    const InstanceProfileName = name === undefined ? context.generateName(128) : String(name);
    await unlessResumed(
      context,
      iam.CreateInstanceProfile({
        InstanceProfileName,
        ...(properties["Path"] !== undefined && { Path: String(properties["Path"]) }),
      }),
    );
    return await wholly(
      async () => {
        await setRoles(context, InstanceProfileName);
        const { InstanceProfile } = await iam.GetInstanceProfile({ InstanceProfileName });
        return { physicalId: InstanceProfileName, attributes: { Arn: InstanceProfile?.Arn } };
      },
      () => removeProfile(context, InstanceProfileName),
    );
  },

  async update(context) {
    await setRoles(context, context.state.physicalId);
    return context.state;
  },

  delete: (context) => removeProfile(context, context.state.physicalId),
};

async function setRoles(context: ResourceContext, InstanceProfileName: string): Promise<void> {
  const iam = iamOf(context);
  const wanted = textsOf(context.properties["Roles"]);
  const { InstanceProfile } = await iam.GetInstanceProfile({ InstanceProfileName });
  const had = (InstanceProfile?.Roles ?? []).map(({ RoleName }) => RoleName ?? "");
  for (const RoleName of without(had, wanted)) {
    await iam.RemoveRoleFromInstanceProfile({ InstanceProfileName, RoleName });
  }
  for (const RoleName of without(wanted, had)) await iam.AddRoleToInstanceProfile({ InstanceProfileName, RoleName });
}

async function removeProfile(context: ResourceContext, InstanceProfileName: string): Promise<void> {
  const iam = iamOf(context);
  for (const RoleName of textsOf(context.properties["Roles"])) {
    await unlessGone(iam.RemoveRoleFromInstanceProfile({ InstanceProfileName, RoleName }));
  }
  await unlessGone(iam.DeleteInstanceProfile({ InstanceProfileName }));
}

function changedTags(context: ResourceContext, had: readonly { readonly Key?: string | undefined }[]) {
  const tags = tagsOf(context);
  const wanted = tags.map(({ Key }) => Key);
  return {
    tags,
    gone: [
      ...without(
        had.map(({ Key }) => Key ?? ""),
        wanted,
      ),
    ],
  };
}
