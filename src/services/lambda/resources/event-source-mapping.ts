import type { CreateEventSourceMappingRequest, UpdateEventSourceMappingRequest } from "@aws-sdk/client-lambda";
import type { Properties, ResourceContext, ResourceType } from "../../cloudformation/port.ts";
import { mappingArn } from "../event-sources/model.ts";
import type { Sdk } from "../needs.ts";
import { defined, isAwsError, numberOf, objectOf, stringsOf, tagsOf, textOf, unlessGone } from "./properties.ts";

/** Properties of event sources that are not built are refused by name with these sources. */
export const eventSourceMappingType: ResourceType = {
  type: "AWS::Lambda::EventSourceMapping",
  properties: [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig.OnFailure.Destination",
    "Enabled",
    "EventSourceArn",
    "FilterCriteria.Filters[].Pattern",
    "FunctionName",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig.Metrics",
    "ParallelizationFactor",
    "StartingPosition",
    "Tags[].Key",
    "Tags[].Value",
    "TumblingWindowInSeconds",
  ],
  attributes: ["EventSourceMappingArn", "Id"],

  async create(context) {
    const { properties } = context;
    const lambda = context.client<Sdk>("lambda");
    const EventSourceArn = textOf(properties, "EventSourceArn");
    const FunctionName = textOf(properties, "FunctionName");
    const uuid = await lambda
      .CreateEventSourceMapping({
        ...settingsOf(properties),
        EventSourceArn,
        FunctionName,
        // Checked against the model's values by the operation.
        StartingPosition: textOf(properties, "StartingPosition") as CreateEventSourceMappingRequest["StartingPosition"],
        Tags: tagsOf(context),
      })
      .then(({ UUID }) => UUID)
      .catch(async (error: unknown) => {
        if (!context.resumed || !isAwsError(error, "ResourceConflictException")) throw error;
        const { EventSourceMappings } = await lambda.ListEventSourceMappings({ EventSourceArn, FunctionName });
        return EventSourceMappings?.[0]?.UUID;
      });
    return settled(context, uuid ?? "");
  },

  async update(context) {
    const { physicalId: UUID } = context.state;
    const lambda = context.client<Sdk>("lambda");
    await free(context, UUID);
    await lambda.UpdateEventSourceMapping({
      UUID,
      FunctionName: textOf(context.properties, "FunctionName"),
      // What a template no longer says goes back to its default.
      ...defaults,
      ...settingsOf(context.properties),
    });
    const Resource = mappingArn({ ...context, uuid: UUID });
    const tags = tagsOf(context);
    const had = (await lambda.ListTags({ Resource })).Tags ?? {};
    const gone = Object.keys(had).filter((key) => !(key in tags));
    if (gone.length > 0) await lambda.UntagResource({ Resource, TagKeys: gone });
    if (Object.keys(tags).length > 0) await lambda.TagResource({ Resource, Tags: tags });
    return settled(context, UUID);
  },

  async delete(context) {
    const { physicalId: UUID } = context.state;
    if ((await free(context, UUID)) === undefined) return;
    await unlessGone(context.client<Sdk>("lambda").DeleteEventSourceMapping({ UUID }));
    // Another one of the same source and function can be made when it has gone.
    await free(context, UUID);
  },
};

/** The state that a mapping has come to, once it is on its way to none; undefined when it is gone. */
async function free(context: ResourceContext, UUID: string): Promise<string | undefined> {
  const lambda = context.client<Sdk>("lambda");
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 1000)) {
    try {
      const { State } = await lambda.GetEventSourceMapping({ UUID });
      if (State === "Enabled" || State === "Disabled") return State;
    } catch (error) {
      if (isAwsError(error, "ResourceNotFoundException")) return undefined;
      throw error;
    }
    await context.wait(waitMs);
  }
}

async function settled(context: ResourceContext, uuid: string) {
  await free(context, uuid);
  return { physicalId: uuid, attributes: { Id: uuid, EventSourceMappingArn: mappingArn({ ...context, uuid }) } };
}

type Settings = Omit<UpdateEventSourceMappingRequest, "UUID" | "FunctionName">;

const defaults: Settings = {
  Enabled: true,
  BatchSize: 100,
  BisectBatchOnFunctionError: false,
  DestinationConfig: {},
  FilterCriteria: {},
  FunctionResponseTypes: [],
  MaximumBatchingWindowInSeconds: 0,
  MaximumRecordAgeInSeconds: -1,
  MaximumRetryAttempts: -1,
  MetricsConfig: { Metrics: [] },
  ParallelizationFactor: 1,
  TumblingWindowInSeconds: 0,
};

// The operations check these against the model's enumerations.
function settingsOf(properties: Properties): Settings {
  const destinations = objectOf(properties, "DestinationConfig");
  const metrics = objectOf(properties, "MetricsConfig");
  return defined({
    Enabled: booleanOf(properties, "Enabled"),
    BatchSize: numberOf(properties, "BatchSize"),
    BisectBatchOnFunctionError: booleanOf(properties, "BisectBatchOnFunctionError"),
    DestinationConfig: destinations && {
      OnFailure: { Destination: textOf(objectOf(destinations, "OnFailure") ?? {}, "Destination") ?? "" },
    },
    FilterCriteria: filtersOf(objectOf(properties, "FilterCriteria")),
    FunctionResponseTypes: stringsOf(properties, "FunctionResponseTypes"),
    MaximumBatchingWindowInSeconds: numberOf(properties, "MaximumBatchingWindowInSeconds"),
    MaximumRecordAgeInSeconds: numberOf(properties, "MaximumRecordAgeInSeconds"),
    MaximumRetryAttempts: numberOf(properties, "MaximumRetryAttempts"),
    MetricsConfig: metrics && { Metrics: stringsOf(metrics, "Metrics") ?? [] },
    ParallelizationFactor: numberOf(properties, "ParallelizationFactor"),
    TumblingWindowInSeconds: numberOf(properties, "TumblingWindowInSeconds"),
  }) as Settings;
}

function filtersOf(criteria: Properties | undefined) {
  if (criteria === undefined) return undefined;
  const listed = criteria["Filters"];
  return {
    Filters: (Array.isArray(listed) ? listed : []).map((each: unknown) => {
      const filter: Properties = typeof each === "object" && each !== null ? { ...each } : {};
      return { Pattern: textOf(filter, "Pattern") ?? "" };
    }),
  };
}

function booleanOf(properties: Properties, name: string): boolean | undefined {
  const text = textOf(properties, name);
  return text === undefined ? undefined : text === "true";
}
