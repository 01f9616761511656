import type { MetricsPort } from "../cloudwatch/port.ts";
import type { PublishedStage } from "./port.ts";

export type Dimensions = readonly { readonly name: string; readonly value: string }[];

/** Requests counted since they were told last, for some sets of dimensions. */
export interface Series {
  answered(status: number, latencyMs: number): void;
  integrated(latencyMs: number): void;
  cached(hit: boolean): void;
  processed(bytes: number): void;
  tell(metrics: MetricsPort, timestamp: number): void;
}

/** How often each value came. */
type Values = Map<number, number>;

/** Source: "Amazon API Gateway dimensions and metrics" of REST APIs and of HTTP APIs, which name them differently. */
export function createSeries(stage: PublishedStage, dimensionSets: readonly Dimensions[]): Series {
  const isRest = stage.kind === "rest";
  let counts = noCounts();
  return {
    answered: (status, latencyMs) => {
      counts.requests += 1;
      if (status >= 500) counts.serverErrors += 1;
      else if (status >= 400) counts.clientErrors += 1;
      count(counts.latencies, latencyMs);
    },
    integrated: (latencyMs) => count(counts.integrationLatencies, latencyMs),
    cached: (hit) => {
      if (hit) counts.cacheHits += 1;
      else counts.cacheMisses += 1;
    },
    processed: (bytes) => count(counts.processed, bytes),
    tell: (metrics, timestamp) => {
      const told = counts;
      counts = noCounts();
      const record = (metricName: string, unit: string, values: ReadonlyMap<number, number>) => {
        const sample = toSample(values);
        if (sample.count === 0) return;
        for (const dimensions of dimensionSets) {
          metrics.record({
            account: stage.account,
            region: stage.region,
            namespace: "AWS/ApiGateway",
            metricName,
            dimensions,
            unit,
            timestamp,
            resolution: 60,
            sample,
          });
        }
      };
      const share = (errors: number) =>
        new Map([
          [1, errors],
          [0, told.requests - errors],
        ]);
      record("Count", "Count", new Map([[1, told.requests]]));
      record(isRest ? "4XXError" : "4xx", "Count", share(told.clientErrors));
      record(isRest ? "5XXError" : "5xx", "Count", share(told.serverErrors));
      record("Latency", "Milliseconds", told.latencies);
      record("IntegrationLatency", "Milliseconds", told.integrationLatencies);
      record("DataProcessed", "Bytes", told.processed);
      if (told.cacheHits + told.cacheMisses > 0) {
        record("CacheHitCount", "Count", new Map([[1, told.cacheHits]]));
        record("CacheMissCount", "Count", new Map([[1, told.cacheMisses]]));
      }
    },
  };
}

function noCounts() {
  return {
    requests: 0,
    clientErrors: 0,
    serverErrors: 0,
    cacheHits: 0,
    cacheMisses: 0,
    latencies: new Map<number, number>(),
    integrationLatencies: new Map<number, number>(),
    processed: new Map<number, number>(),
  };
}

function count(values: Values, value: number): void {
  values.set(value, (values.get(value) ?? 0) + 1);
}

/** How often each value came, as CloudWatch takes it. */
export function toSample(values: ReadonlyMap<number, number>) {
  let [total, sum, minimum, maximum] = [0, 0, Infinity, -Infinity];
  for (const [value, times] of values) {
    if (times === 0) continue;
    total += times;
    sum += value * times;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  const pairs = [...values].filter(([, times]) => times > 0).flat();
  return { count: total, sum, minimum, maximum, values: pairs };
}
