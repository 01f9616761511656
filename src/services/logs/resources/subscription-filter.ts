import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../operations/needs.ts";
import { isGone, textOf } from "./log-group.ts";

export const subscriptionFilterType: ResourceType = {
  type: "AWS::Logs::SubscriptionFilter",
  properties: [
    "ApplyOnTransformedLogs",
    "DestinationArn",
    "Distribution",
    "FilterName",
    "FilterPattern",
    "LogGroupName",
    "RoleArn",
  ],
  attributes: [],

  async create(context) {
    const name = textOf(context.properties["FilterName"]) ?? context.generateName(512);
    await put(context, name);
    return { physicalId: name, attributes: {} };
  },

  async update(context) {
    await put(context, context.state.physicalId);
    return context.state;
  },

  async delete(context) {
    try {
      await context.client<Sdk>("logs").DeleteSubscriptionFilter({
        logGroupName: textOf(context.properties["LogGroupName"]),
        filterName: context.state.physicalId,
      });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  },
};

async function put(context: ResourceContext, filterName: string): Promise<void> {
  const { properties } = context;
  const roleArn = textOf(properties["RoleArn"]);
  await context.client<Sdk>("logs").PutSubscriptionFilter({
    logGroupName: textOf(properties["LogGroupName"]),
    filterName,
    filterPattern: textOf(properties["FilterPattern"]),
    destinationArn: textOf(properties["DestinationArn"]),
    ...distributionOf(properties),
    ...(roleArn !== undefined && { roleArn }),
    applyOnTransformedLogs: textOf(properties["ApplyOnTransformedLogs"]) === "true",
  });
}

function distributionOf(properties: Properties) {
  const text = textOf(properties["Distribution"]);
  // The operation checks it against the model's enumeration.
  return text === undefined ? {} : { distribution: text as "Random" | "ByLogStream" };
}
