import type { SubjectUse } from "../../metering/batch.ts";
import type { MetricDatum } from "../cloudwatch/port.ts";

/**
 * The metrics `AWS/Lambda` of invocations that ran, a datum for each metric, set of dimensions and minute.
 * Source: Lambda developer guide, "Types of metrics for Lambda functions" and their dimensions.
 */
export function toMetricData(uses: readonly SubjectUse[]): MetricDatum[] {
  const data: MetricDatum[] = [];
  for (const { subject, minutes } of uses) {
    for (const { minute, invocations, errors, durations } of minutes) {
      const add = (metricName: string, unit: string, values: ReadonlyMap<number, number>) => {
        data.push(...functionMetric({ ...subject, timestamp: minute }, metricName, unit, values));
      };
      add("Invocations", "Count", countsOf([1, invocations]));
      add("Errors", "Count", countsOf([1, errors], [0, invocations - errors]));
      // AWS: what ran was not throttled, so that the average is the share of what was.
      add("Throttles", "Count", countsOf([0, invocations]));
      add("Duration", "Milliseconds", durations);
    }
  }
  return data;
}

/** Whose values these are, and when. */
export interface MetricSource {
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  readonly qualifier?: string | undefined;
  /** What ran: told beside an alias. */
  readonly version?: string | undefined;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

/** One metric under all the sets of dimensions that AWS gives it: all functions, the function, the qualifier, and what ran for an alias. */
export function functionMetric(
  source: MetricSource,
  metricName: string,
  unit: string,
  values: ReadonlyMap<number, number>,
): MetricDatum[] {
  const { account, region, functionName, qualifier, version, timestamp } = source;
  const name = { name: "FunctionName", value: functionName };
  const resource = {
    name: "Resource",
    value: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
  };
  const sets: MetricDatum["dimensions"][] = [[], [name], [name, resource]];
  if (version !== undefined && qualifier !== undefined && qualifier !== version) {
    sets.push([{ name: "ExecutedVersion", value: version }, name, resource]);
  }
  const sample = toSample(values);
  return sets.map((dimensions) => ({
    account,
    region,
    namespace: "AWS/Lambda",
    metricName,
    dimensions,
    unit,
    timestamp,
    resolution: 60,
    sample,
  }));
}

/** Values and how often; what never came is left out. */
export function countsOf(...pairs: readonly (readonly [value: number, times: number])[]): ReadonlyMap<number, number> {
  return new Map(pairs.filter(([, times]) => times > 0));
}

function toSample(values: ReadonlyMap<number, number>): MetricDatum["sample"] {
  let [count, sum, minimum, maximum] = [0, 0, Infinity, -Infinity];
  for (const [value, times] of values) {
    count += times;
    sum += value * times;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { count, sum, minimum, maximum, values: [...values].flat() };
}
