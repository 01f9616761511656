import type { CapacityProviderScalingConfig } from "@aws-sdk/client-lambda";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { capacityProviderArn } from "../capacity/model.ts";
import { toArchitecture } from "../configuration.ts";
import type { Sdk } from "../needs.ts";
import { defined, isAwsError, numberOf, objectOf, stringsOf, tagsOf, textOf, unlessGone } from "./properties.ts";

export const capacityProviderType: ResourceType = {
  type: "AWS::Lambda::CapacityProvider",
  properties: [
    "CapacityProviderName",
    "CapacityProviderScalingConfig.MaxVCpuCount",
    "CapacityProviderScalingConfig.ScalingMode",
    "CapacityProviderScalingConfig.ScalingPolicies[].PredefinedMetricType",
    "CapacityProviderScalingConfig.ScalingPolicies[].TargetValue",
    "InstanceRequirements.Architectures",
    "PermissionsConfig.CapacityProviderOperatorRoleArn",
    "PropagateTags.Mode",
    "Tags[].Key",
    "Tags[].Value",
    "VpcConfig.SecurityGroupIds",
    "VpcConfig.SubnetIds",
  ],
  attributes: ["Arn", "State"],

  async create(context) {
    const { properties } = context;
    const lambda = context.client<Sdk>("lambda");
    const name = textOf(properties, "CapacityProviderName") ?? context.generateName(64);
    const vpc = objectOf(properties, "VpcConfig") ?? {};
    const permissions = objectOf(properties, "PermissionsConfig") ?? {};
    const architectures = stringsOf(objectOf(properties, "InstanceRequirements") ?? {}, "Architectures");
    try {
      await lambda.CreateCapacityProvider({
        CapacityProviderName: name,
        VpcConfig: {
          SubnetIds: stringsOf(vpc, "SubnetIds"),
          SecurityGroupIds: stringsOf(vpc, "SecurityGroupIds") ?? [],
        },
        PermissionsConfig: {
          CapacityProviderOperatorRoleArn: textOf(permissions, "CapacityProviderOperatorRoleArn"),
        },
        ...(architectures && { InstanceRequirements: { Architectures: architectures.map(toArchitecture) } }),
        ...scalingOf(properties),
        ...propagationOf(properties),
        Tags: tagsOf(context),
      });
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceConflictException")) throw error;
      await change(context, name);
    }
    return { physicalId: name, attributes: { Arn: capacityProviderArn(context, name), State: "Active" } };
  },

  async update(context) {
    await change(context, context.state.physicalId);
    return context.state;
  },

  async delete(context) {
    const lambda = context.client<Sdk>("lambda");
    await unlessGone(lambda.DeleteCapacityProvider({ CapacityProviderName: context.state.physicalId }));
  },
};

async function change(context: ResourceContext, name: string): Promise<void> {
  const lambda = context.client<Sdk>("lambda");
  await lambda.UpdateCapacityProvider({
    CapacityProviderName: name,
    // What a template no longer says goes back to its default.
    CapacityProviderScalingConfig: { MaxVCpuCount: 400, ScalingMode: "Auto" },
    ...scalingOf(context.properties),
    ...propagationOf(context.properties),
  });
  const Resource = capacityProviderArn(context, name);
  const tags = tagsOf(context);
  const had = (await lambda.ListTags({ Resource })).Tags ?? {};
  const gone = Object.keys(had).filter((key) => !(key in tags));
  if (gone.length > 0) await lambda.UntagResource({ Resource, TagKeys: gone });
  if (Object.keys(tags).length > 0) await lambda.TagResource({ Resource, Tags: tags });
}

// The operations check these against the model's enumerations.
function scalingOf(properties: Properties): { CapacityProviderScalingConfig?: CapacityProviderScalingConfig } {
  const scaling = objectOf(properties, "CapacityProviderScalingConfig");
  if (scaling === undefined) return {};
  const listed = scaling["ScalingPolicies"];
  return {
    CapacityProviderScalingConfig: defined({
      MaxVCpuCount: numberOf(scaling, "MaxVCpuCount"),
      ScalingMode: textOf(scaling, "ScalingMode"),
      ScalingPolicies: Array.isArray(listed)
        ? listed.map((each) => {
            const policy: Properties = typeof each === "object" && each !== null ? { ...each } : {};
            return {
              PredefinedMetricType: textOf(policy, "PredefinedMetricType"),
              TargetValue: numberOf(policy, "TargetValue"),
            };
          })
        : undefined,
    }) as CapacityProviderScalingConfig,
  };
}

function propagationOf(properties: Properties) {
  const mode = textOf(objectOf(properties, "PropagateTags") ?? {}, "Mode");
  return mode === undefined ? {} : { PropagateTags: { Mode: mode as "None" | "Explicit" } };
}
