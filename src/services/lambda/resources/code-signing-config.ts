import type { CreateCodeSigningConfigCommandInput } from "@aws-sdk/client-lambda";
import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { objectOf, stringsOf, tagsOf, textOf, unlessGone } from "./properties.ts";

export const codeSigningConfigType: ResourceType = {
  type: "AWS::Lambda::CodeSigningConfig",
  properties: [
    "AllowedPublishers.SigningProfileVersionArns",
    "CodeSigningPolicies.UntrustedArtifactOnDeployment",
    "Description",
    "Tags[].Key",
    "Tags[].Value",
  ],
  attributes: ["CodeSigningConfigArn", "CodeSigningConfigId"],

  async create(context) {
    const tags = tagsOf(context);
    const { CodeSigningConfig: made } = await context.client<Sdk>("lambda").CreateCodeSigningConfig({
      ...inputOf(context.properties),
      ...(Object.keys(tags).length > 0 && { Tags: tags }),
    });
    const arn = made?.CodeSigningConfigArn ?? "";
    return {
      physicalId: arn,
      attributes: { CodeSigningConfigArn: arn, CodeSigningConfigId: made?.CodeSigningConfigId },
    };
  },

  async update(context) {
    const lambda = context.client<Sdk>("lambda");
    const { physicalId: arn } = context.state;
    await lambda.UpdateCodeSigningConfig({ ...inputOf(context.properties), CodeSigningConfigArn: arn });
    const [tags, had] = [tagsOf(context), (await lambda.ListTags({ Resource: arn })).Tags ?? {}];
    const gone = Object.keys(had).filter((key) => !(key in tags));
    if (gone.length > 0) await lambda.UntagResource({ Resource: arn, TagKeys: gone });
    if (Object.keys(tags).length > 0) await lambda.TagResource({ Resource: arn, Tags: tags });
    return context.state;
  },

  async delete(context) {
    const { physicalId } = context.state;
    await unlessGone(context.client<Sdk>("lambda").DeleteCodeSigningConfig({ CodeSigningConfigArn: physicalId }));
  },
};

/** What a template does not say is the default again. */
function inputOf(properties: Properties) {
  const publishers = objectOf(properties, "AllowedPublishers") ?? {};
  const policies = objectOf(properties, "CodeSigningPolicies") ?? {};
  return {
    AllowedPublishers: { SigningProfileVersionArns: stringsOf(publishers, "SigningProfileVersionArns") ?? [] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: toPolicy(textOf(policies, "UntrustedArtifactOnDeployment")) },
    Description: textOf(properties, "Description") ?? "",
  };
}

type Policies = NonNullable<CreateCodeSigningConfigCommandInput["CodeSigningPolicies"]>;

// The operation checks it against the model's enumeration.
function toPolicy(text: string | undefined): Policies["UntrustedArtifactOnDeployment"] {
  return (text ?? "Warn") as Policies["UntrustedArtifactOnDeployment"];
}
