import type { Properties, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../needs.ts";
import { defined, isAwsError, numberOf, objectOf, textOf, unlessGone } from "./properties.ts";
import { provision } from "./provisioned-concurrency.ts";

export const aliasType: ResourceType = {
  type: "AWS::Lambda::Alias",
  properties: [
    "Description",
    "FunctionName",
    "FunctionVersion",
    "Name",
    "ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions",
    "RoutingConfig.AdditionalVersionWeights[].FunctionVersion",
    "RoutingConfig.AdditionalVersionWeights[].FunctionWeight",
  ],
  attributes: ["AliasArn"],

  async create(context) {
    const lambda = context.client<Sdk>("lambda");
    const input = inputOf(context.properties);
    let alias;
    try {
      alias = await lambda.CreateAlias(input);
    } catch (error) {
      if (!context.resumed || !isAwsError(error, "ResourceConflictException")) throw error;
      alias = await lambda.UpdateAlias(input);
    }
    try {
      await provision(context, alias.Name ?? "");
    } catch (error) {
      await unlessGone(lambda.DeleteAlias({ FunctionName: input.FunctionName, Name: input.Name }));
      throw error;
    }
    return { physicalId: alias.AliasArn ?? "", attributes: { AliasArn: alias.AliasArn } };
  },

  async update(context) {
    const input = inputOf(context.properties);
    await context.client<Sdk>("lambda").UpdateAlias(input);
    await provision(context, input.Name ?? "");
    return context.state;
  },

  async delete(context) {
    const { FunctionName, Name } = inputOf(context.properties);
    await unlessGone(context.client<Sdk>("lambda").DeleteAlias({ FunctionName, Name }));
  },
};

function inputOf(properties: Properties) {
  const listed = objectOf(properties, "RoutingConfig")?.["AdditionalVersionWeights"];
  const weights: Record<string, number> = {};
  for (const each of Array.isArray(listed) ? listed : []) {
    const item: Properties = typeof each === "object" && each !== null ? { ...each } : {};
    const version = textOf(item, "FunctionVersion");
    if (version !== undefined) weights[version] = numberOf(item, "FunctionWeight") ?? 0;
  }
  return {
    FunctionName: textOf(properties, "FunctionName"),
    FunctionVersion: textOf(properties, "FunctionVersion"),
    Name: textOf(properties, "Name"),
    RoutingConfig: { AdditionalVersionWeights: weights },
    ...defined({ Description: textOf(properties, "Description") ?? "" }),
  };
}
