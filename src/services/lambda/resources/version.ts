import type { ResourceType } from "../../cloudformation/port.ts";
import { conflict } from "../errors.ts";
import type { Sdk } from "../needs.ts";
import { scaleVersion } from "./function-capacity.ts";
import { defined, objectOf, textOf, unlessGone } from "./properties.ts";
import { setRuntimeManagement } from "./runtime-management.ts";
import { provision } from "./provisioned-concurrency.ts";

export const versionType: ResourceType = {
  type: "AWS::Lambda::Version",
  properties: [
    "CodeSha256",
    "Description",
    "FunctionName",
    "FunctionScalingConfig.MaxExecutionEnvironments",
    "FunctionScalingConfig.MinExecutionEnvironments",
    "ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions",
    "RuntimePolicy.UpdateRuntimeOn",
  ],
  attributes: ["FunctionArn", "Version"],

  async create(context) {
    const { properties } = context;
    const lambda = context.client<Sdk>("lambda");
    const FunctionName = textOf(properties, "FunctionName");
    const before = await lambda.ListVersionsByFunction({ FunctionName });
    const published = await lambda.PublishVersion({
      FunctionName,
      ...defined({ CodeSha256: textOf(properties, "CodeSha256"), Description: textOf(properties, "Description") }),
    });
    const known = before.Versions?.some(({ Version }) => Version === published.Version);
    if (known && !context.resumed) {
      throw conflict(
        `A version for this Lambda function exists ( ${published.Version} ). Modify the function to create a new version.`,
      );
    }
    try {
      const policy = objectOf(properties, "RuntimePolicy");
      await setRuntimeManagement(context, FunctionName, published.Version, policy);
      await provision(context, published.Version ?? "");
      if ("FunctionScalingConfig" in properties) await scaleVersion(context, FunctionName, published.Version ?? "");
    } catch (error) {
      await unlessGone(lambda.DeleteFunction({ FunctionName, Qualifier: published.Version }));
      throw error;
    }
    return {
      physicalId: published.FunctionArn ?? "",
      attributes: { Version: published.Version, FunctionArn: published.FunctionArn },
    };
  },

  async update(context) {
    if ("FunctionScalingConfig" in context.properties || "FunctionScalingConfig" in context.previous) {
      const FunctionName = textOf(context.properties, "FunctionName");
      await scaleVersion(context, FunctionName, context.state.physicalId.split(":").at(-1) ?? "");
    }
    return context.state;
  },

  async delete(context) {
    await unlessGone(context.client<Sdk>("lambda").DeleteFunction({ FunctionName: context.state.physicalId }));
  },
};
