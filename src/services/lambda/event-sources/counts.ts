import type { MetricsPort } from "../../cloudwatch/port.ts";
import type { Place } from "../model.ts";
import type { MappingRecord } from "./model.ts";

/** Source: developer guide, "Types of metrics for event source mappings". */
export type EventCount =
  | "PolledEventCount"
  | "FilteredOutEventCount"
  | "InvokedEventCount"
  | "FailedInvokeEventCount"
  | "DroppedEventCount"
  | "OnFailureDestinationDeliveredEventCount";

/** Counts events of a mapping that asks for it, in CloudWatch under its id. */
export type CountEvents = (metricName: EventCount, events: number) => void;

export function createCounts(
  metrics: Pick<MetricsPort, "record"> | undefined,
  place: Place,
  { uuid, settings }: MappingRecord,
  now: () => number,
): CountEvents {
  if (metrics === undefined || !settings.metrics?.includes("EventCount")) return () => {};
  return (metricName, events) => {
    metrics.record({
      account: place.account,
      region: place.region,
      namespace: "AWS/Lambda",
      metricName,
      dimensions: [{ name: "EventSourceMappingUUID", value: uuid }],
      unit: "Count",
      timestamp: now(),
      resolution: 60,
      sample: { count: 1, sum: events, minimum: events, maximum: events, values: [events, 1] },
    });
  };
}
