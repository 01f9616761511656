import type { EventSourceMappingConfiguration, EventSourcePosition } from "@aws-sdk/client-lambda";
import type { Reader } from "../../../kernel/store/store.ts";
import { functionArn, type Place } from "../model.ts";
import { lanesOf, mappingArn, readCheckpoint, type MappingRecord } from "./model.ts";

/** A mapping as it is answered, with all of AWS's defaults. */
export function describeMapping(
  place: Place,
  record: MappingRecord,
  result = "No records processed",
): EventSourceMappingConfiguration {
  const { uuid, settings } = record;
  const { name, qualifier } = record.function;
  return {
    UUID: uuid,
    // Parsed when the mapping was made.
    StartingPosition: settings.startingPosition as EventSourcePosition,
    BatchSize: settings.batchSize,
    MaximumBatchingWindowInSeconds: settings.batchingWindowSeconds,
    ParallelizationFactor: settings.parallelizationFactor,
    EventSourceArn: record.sourceArn,
    ...(settings.filters && { FilterCriteria: { Filters: settings.filters.map((Pattern) => ({ Pattern })) } }),
    ...(settings.metrics && {
      MetricsConfig: { Metrics: settings.metrics.length > 0 ? ["EventCount" as const] : [] },
    }),
    FunctionArn: functionArn(record.function, name, qualifier),
    LastModified: new Date(record.modifiedAt),
    LastProcessingResult: result,
    State: record.state,
    StateTransitionReason: "User action",
    DestinationConfig: {
      OnFailure: settings.onFailure === undefined ? {} : { Destination: settings.onFailure },
    },
    MaximumRecordAgeInSeconds: settings.maximumRecordAgeSeconds,
    BisectBatchOnFunctionError: settings.bisectsBatches,
    MaximumRetryAttempts: settings.maximumRetryAttempts,
    TumblingWindowInSeconds: settings.tumblingWindowSeconds,
    FunctionResponseTypes: settings.reportsFailures ? ["ReportBatchItemFailures"] : [],
    EventSourceMappingArn: mappingArn({ ...place, uuid }),
  };
}

/** What came last of any of a mapping's lanes. */
export async function readResult(reader: Reader, place: Place, record: MappingRecord): Promise<string | undefined> {
  let last: { readonly text: string; readonly at: number } | undefined;
  for (const lane of lanesOf(place, record)) {
    const { result } = (await readCheckpoint(reader, lane)) ?? {};
    if (result && (last === undefined || result.at >= last.at)) last = result;
  }
  return last?.text;
}
