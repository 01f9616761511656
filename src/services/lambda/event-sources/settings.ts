import type { CreateEventSourceMappingRequest, UpdateEventSourceMappingRequest } from "@aws-sdk/client-lambda";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import { compileEventPattern, EventPatternError } from "../../../aws/event-pattern/event-pattern.ts";
import { toDestination } from "../destinations.ts";
import { invalidParameter } from "../errors.ts";
import { invalidFilter } from "./errors.ts";
import type { EventSource } from "./event-source.ts";
import { eventSourceLimits } from "./limits.ts";

/** What a mapping's request says, defaults included. -1 is no limit. */
export interface MappingSettings {
  readonly startingPosition: string;
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly parallelizationFactor: number;
  readonly maximumRecordAgeSeconds: number;
  readonly maximumRetryAttempts: number;
  readonly bisectsBatches: boolean;
  readonly tumblingWindowSeconds: number;
  readonly reportsFailures: boolean;
  /** An event pattern each; records that none matches are passed over. */
  readonly filters?: readonly string[];
  /** The ARN of a bucket. */
  readonly onFailure?: string;
  readonly metrics?: readonly string[];
}

const defaults: MappingSettings = {
  startingPosition: "",
  batchSize: eventSourceLimits.batchSizeDefault,
  batchingWindowSeconds: 0,
  parallelizationFactor: 1,
  maximumRecordAgeSeconds: -1,
  maximumRetryAttempts: -1,
  bisectsBatches: false,
  tumblingWindowSeconds: 0,
  reportsFailures: false,
};

type Input = Partial<CreateEventSourceMappingRequest & UpdateEventSourceMappingRequest>;

/**
 * The settings that a request leads to: what it leaves out stays as it was, and is AWS's default when there was nothing before.
 * Ranges that the model states have been checked.
 *
 * @throws InvalidParameterValueException, and the 501 for what is not built
 */
export function readSettings(
  input: Input,
  source: EventSource,
  operation: string,
  before: MappingSettings = defaults,
): MappingSettings {
  refuseForeign(input, source, operation);
  const age = input.MaximumRecordAgeInSeconds ?? before.maximumRecordAgeSeconds;
  if (age !== -1 && age < eventSourceLimits.recordAgeSecondsMin) {
    throw invalidParameter("MaximumRecordAgeInSeconds is -1, or between 60 and 604800.");
  }
  const { FilterCriteria, DestinationConfig, FunctionResponseTypes, MetricsConfig } = input;
  const { filters: _filters, onFailure: _onFailure, metrics: _metrics, ...rest } = before;
  const filters = FilterCriteria ? readFilters(FilterCriteria.Filters ?? []) : before.filters;
  const onFailure = DestinationConfig ? readDestination(DestinationConfig, operation) : before.onFailure;
  const metrics = MetricsConfig ? readMetrics(MetricsConfig.Metrics ?? []) : before.metrics;
  return {
    ...rest,
    batchSize: input.BatchSize ?? before.batchSize,
    batchingWindowSeconds: input.MaximumBatchingWindowInSeconds ?? before.batchingWindowSeconds,
    parallelizationFactor: input.ParallelizationFactor ?? before.parallelizationFactor,
    maximumRecordAgeSeconds: age,
    maximumRetryAttempts: input.MaximumRetryAttempts ?? before.maximumRetryAttempts,
    bisectsBatches: input.BisectBatchOnFunctionError ?? before.bisectsBatches,
    tumblingWindowSeconds: input.TumblingWindowInSeconds ?? before.tumblingWindowSeconds,
    reportsFailures: FunctionResponseTypes ? FunctionResponseTypes.length > 0 : before.reportsFailures,
    ...(filters && filters.length > 0 && { filters }),
    ...(onFailure !== undefined && { onFailure }),
    ...(metrics && { metrics }),
  };
}

/** Where a new mapping begins. */
export function readStart(input: Input, source: EventSource): string {
  const { StartingPosition, StartingPositionTimestamp, EventSourceArn } = input;
  if (StartingPosition === undefined) {
    throw invalidParameter(
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    );
  }
  if (!source.startingPositions.includes(StartingPosition)) {
    throw invalidParameter(`Unsupported starting position for arn type: ${EventSourceArn}`);
  }
  if (StartingPositionTimestamp !== undefined) {
    throw invalidParameter("StartingPositionTimestamp is for the starting position AT_TIMESTAMP alone.");
  }
  return StartingPosition;
}

/** Members that other kinds of event sources have. */
const foreign = [
  "Topics",
  "Queues",
  "SourceAccessConfigurations",
  "SelfManagedEventSource",
  "ScalingConfig",
  "ProvisionedPollerConfig",
  "AmazonManagedKafkaEventSourceConfig",
  "SelfManagedKafkaEventSourceConfig",
  "DocumentDBEventSourceConfig",
  "LoggingConfig",
] as const satisfies readonly (keyof Input)[];

function refuseForeign(input: Input, { title }: EventSource, operation: string): void {
  for (const member of foreign) {
    const value = input[member];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    throw invalidParameter(`${member} is not supported for ${title} event sources.`);
  }
  if (input.KMSKeyArn !== undefined && input.KMSKeyArn !== "") throw notImplemented(`KMSKeyArn of ${operation}`);
}

function readFilters(filters: readonly { readonly Pattern?: string | undefined }[]): readonly string[] {
  if (filters.length > eventSourceLimits.filtersMax) {
    throw invalidParameter(`FilterCriteria has at most ${eventSourceLimits.filtersMax} filters.`);
  }
  return filters.map(({ Pattern = "" }) => {
    try {
      compileEventPattern(Pattern);
    } catch (error) {
      throw error instanceof EventPatternError ? invalidFilter() : error;
    }
    return Pattern;
  });
}

/** AWS: an empty `Destination` is none. Streams have no destination for what succeeded. */
function readDestination(config: NonNullable<Input["DestinationConfig"]>, operation: string): string | undefined {
  if (config.OnSuccess?.Destination) throw invalidParameter("DestinationConfig.OnSuccess is not supported.");
  const arn = config.OnFailure?.Destination;
  if (arn === undefined || arn === "") return undefined;
  const service = arn.startsWith("kafka://") ? "kafka" : parseArn(arn)?.service;
  if (service !== undefined && ["sqs", "sns", "kafka"].includes(service)) {
    throw notImplemented(`The destination ${service} in DestinationConfig.OnFailure of ${operation}`);
  }
  if (toDestination(arn)?.kind !== "bucket") throw invalidParameter(`The destination ARN ${arn} is invalid.`);
  return arn;
}

function readMetrics(metrics: readonly string[]): readonly string[] {
  const other = metrics.find((each) => each !== "EventCount");
  if (other !== undefined) throw invalidParameter(`The metrics ${other} are for Kafka event sources.`);
  return metrics.length > 0 ? ["EventCount"] : [];
}
