import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import type { MetricDatum, MetricsPort } from "../cloudwatch/port.ts";
import type { StoredEvent } from "./chunks.ts";
import { scheduleDeliveries } from "./deliveries.ts";
import { compileFilterPattern, type FilterPattern } from "./filter-pattern/fields.ts";
import { logsLimits } from "./limits.ts";
import type { LogGroup, MetricFilter, Place } from "./model.ts";

/** What a group's metric and subscription filters do with new events. */
export interface LogFilters {
  /** In the transaction that stores the events: metrics and deliveries share their fate. */
  apply(
    tx: Transaction,
    place: Place,
    group: LogGroup,
    stream: string,
    events: readonly StoredEvent[],
    now: number,
  ): Promise<void>;
}

export function hasFilters(group: LogGroup): boolean {
  return (group.subscriptionFilters?.length ?? 0) + (group.metricFilters?.length ?? 0) > 0;
}

export function createLogFilters(needs: {
  readonly jobs: Jobs;
  readonly ids: Ids;
  readonly metrics: MetricsPort;
}): LogFilters {
  const patterns = new Map<string, FilterPattern>();
  const compile = (pattern: string): FilterPattern => {
    const known = patterns.get(pattern);
    if (known) return known;
    if (patterns.size >= logsLimits.patternsMax) patterns.clear();
    const compiled = compileFilterPattern(pattern);
    patterns.set(pattern, compiled);
    return compiled;
  };

  return {
    async apply(tx, place, group, stream, events, now) {
      for (const filter of group.subscriptionFilters ?? []) {
        const pattern = compile(filter.pattern);
        const matching = events.filter(({ message }) => pattern.matches(message));
        scheduleDeliveries(tx, needs, { place, group, stream, filter, pattern, events: matching, now });
      }
      const data = (group.metricFilters ?? []).flatMap((filter) =>
        toData(place, filter, compile(filter.pattern), events),
      );
      if (data.length > 0) await needs.metrics.write(tx, data);
    },
  };
}

/** What a filter makes of events: for each minute and set of dimensions the values, or the default where nothing matched. */
function toData(
  place: Place,
  filter: MetricFilter,
  pattern: FilterPattern,
  events: readonly StoredEvent[],
): MetricDatum[] {
  const points = new Map<string, { timestamp: number; dimensions: MetricDatum["dimensions"]; values: number[] }>();
  let matched = false;
  for (const { message, timestamp } of events) {
    if (!pattern.matches(message)) continue;
    matched = true;
    const value = readNumber(filter.metricValue, pattern, message);
    const dimensions = readDimensions(filter.dimensions ?? {}, pattern, message);
    if (value === undefined || dimensions === undefined) continue;
    const key = JSON.stringify([Math.floor(timestamp / 60_000), dimensions]);
    const point = points.get(key);
    if (point) point.values.push(value);
    else points.set(key, { timestamp, dimensions, values: [value] });
  }
  const last = events.at(-1);
  if (!matched && filter.defaultValue !== undefined && last) {
    points.set("", { timestamp: last.timestamp, dimensions: [], values: [filter.defaultValue] });
  }
  return [...points.values()].map(({ timestamp, dimensions, values }) => ({
    account: place.account,
    region: place.region,
    namespace: filter.metricNamespace,
    metricName: filter.metricName,
    dimensions,
    unit: filter.unit,
    timestamp,
    resolution: 60,
    sample: {
      count: values.length,
      sum: values.reduce((sum, each) => sum + each, 0),
      minimum: Math.min(...values),
      maximum: Math.max(...values),
      values: countsOf(values),
    },
  }));
}

function readNumber(metricValue: string, pattern: FilterPattern, message: string): number | undefined {
  const text = metricValue.startsWith("$") ? pattern.read(message, metricValue) : metricValue;
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** AWS: an event without the value of a dimension gives no data. */
function readDimensions(
  wanted: Readonly<Record<string, string>>,
  pattern: FilterPattern,
  message: string,
): MetricDatum["dimensions"] | undefined {
  const dimensions: { name: string; value: string }[] = [];
  for (const [name, selector] of Object.entries(wanted)) {
    const value = pattern.read(message, selector)?.slice(0, logsLimits.dimensionValueMax);
    if (value === undefined || value.trim() === "") return undefined;
    dimensions.push({ name, value });
  }
  return dimensions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Values and how often, in turn. */
function countsOf(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].flat();
}
