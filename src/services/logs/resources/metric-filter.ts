import type { MetricTransformation } from "@aws-sdk/client-cloudwatch-logs";
import type { ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import type { Sdk } from "../operations/needs.ts";
import { isGone, textOf } from "./log-group.ts";

export const metricFilterType: ResourceType = {
  type: "AWS::Logs::MetricFilter",
  properties: [
    "ApplyOnTransformedLogs",
    "FilterName",
    "FilterPattern",
    "LogGroupName",
    "MetricTransformations[].DefaultValue",
    "MetricTransformations[].Dimensions[].Key",
    "MetricTransformations[].Dimensions[].Value",
    "MetricTransformations[].MetricName",
    "MetricTransformations[].MetricNamespace",
    "MetricTransformations[].MetricValue",
    "MetricTransformations[].Unit",
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
      await context.client<Sdk>("logs").DeleteMetricFilter({
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
  const listed = properties["MetricTransformations"];
  await context.client<Sdk>("logs").PutMetricFilter({
    logGroupName: textOf(properties["LogGroupName"]),
    filterName,
    filterPattern: textOf(properties["FilterPattern"]),
    metricTransformations: (Array.isArray(listed) ? listed : []).map(toTransformation),
    applyOnTransformedLogs: textOf(properties["ApplyOnTransformedLogs"]) === "true",
  });
}

function toTransformation(value: unknown): MetricTransformation {
  const given: Readonly<Record<string, unknown>> = typeof value === "object" && value !== null ? { ...value } : {};
  const [defaultValue, unit, dimensions] = [given["DefaultValue"], textOf(given["Unit"]), given["Dimensions"]];
  return {
    metricName: textOf(given["MetricName"]),
    metricNamespace: textOf(given["MetricNamespace"]),
    metricValue: textOf(given["MetricValue"]),
    ...(defaultValue !== undefined && { defaultValue: Number(defaultValue) }),
    // The operation checks it against the model's enumeration.
    ...(unit !== undefined && { unit: unit as NonNullable<MetricTransformation["unit"]> }),
    ...(Array.isArray(dimensions) && { dimensions: Object.fromEntries(dimensions.map(toEntry)) }),
  };
}

function toEntry(dimension: unknown): readonly [string, string] {
  const given: Readonly<Record<string, unknown>> =
    typeof dimension === "object" && dimension !== null ? { ...dimension } : {};
  return [textOf(given["Key"]) ?? "", textOf(given["Value"]) ?? ""];
}
