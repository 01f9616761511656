import type { Clock } from "../../kernel/clock.ts";
import type { Collector, MetricFamily } from "../../metering/exposition.ts";
import { meteringLimits } from "../../metering/limits.ts";
import type { ExchangeMeter } from "../../proxy/exchange.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import type { PublishedStage } from "./port.ts";

/** Counts requests by stage: the metrics of `AWS/ApiGateway`, and what Prometheus is told. */
export interface StageMeters {
  of(stage: PublishedStage): ExchangeMeter;
  readonly collect: Collector;
  /** Tells what it has counted. */
  stop(): void;
}

interface Counts {
  readonly stage: PublishedStage;
  /** By first digit of the status, since the start. */
  readonly classes: number[];
  /** Since they were told last. */
  requests: number;
  clientErrors: number;
  serverErrors: number;
  cacheHits: number;
  cacheMisses: number;
  latencies: Map<number, number>;
}

export function createStageMeters(needs: { readonly metrics: MetricsPort; readonly clock: Clock }): StageMeters {
  const { metrics, clock } = needs;
  const stages = new Map<string, Counts>();
  const active = new Set<Counts>();
  let telling = false;

  const tellAll = () => {
    telling = false;
    for (const counts of active) tell(counts, metrics, clock.now());
    active.clear();
  };
  const tellSoon = () => {
    if (telling) return;
    telling = true;
    clock.after(meteringLimits.gaugesToldEveryMs, tellAll);
  };

  return {
    of(stage) {
      const key = `${stage.apiId}/${stage.stageName}`;
      const counts: Counts = {
        stage,
        classes: stages.get(key)?.classes ?? [0, 0, 0, 0, 0, 0],
        requests: 0,
        clientErrors: 0,
        serverErrors: 0,
        cacheHits: 0,
        cacheMisses: 0,
        latencies: new Map(),
      };
      stages.set(key, counts);
      return {
        answered(status, startedAt) {
          const digit = Math.floor(status / 100);
          counts.classes[digit] = (counts.classes[digit] ?? 0) + 1;
          counts.requests += 1;
          if (digit === 4) counts.clientErrors += 1;
          else if (digit === 5) counts.serverErrors += 1;
          const latency = clock.now() - startedAt;
          counts.latencies.set(latency, (counts.latencies.get(latency) ?? 0) + 1);
          active.add(counts);
          tellSoon();
        },
        cached(hit) {
          if (hit) counts.cacheHits += 1;
          else counts.cacheMisses += 1;
        },
      };
    },
    collect: () => [toFamily([...stages.values()])],
    stop: tellAll,
  };
}

/** Source: "Amazon API Gateway dimensions and metrics" of REST APIs and of HTTP APIs, which name them differently. */
function tell(counts: Counts, metrics: MetricsPort, timestamp: number): void {
  const { stage, requests, clientErrors, serverErrors, latencies, cacheHits, cacheMisses } = counts;
  counts.requests = 0;
  counts.clientErrors = 0;
  counts.serverErrors = 0;
  counts.cacheHits = 0;
  counts.cacheMisses = 0;
  counts.latencies = new Map();
  const rest = stage.kind === "rest";
  const api = rest ? { name: "ApiName", value: stage.apiName ?? stage.apiId } : { name: "ApiId", value: stage.apiId };
  const record = (metricName: string, unit: string, values: ReadonlyMap<number, number>) => {
    let [count, sum, minimum, maximum] = [0, 0, Infinity, -Infinity];
    for (const [value, times] of values) {
      if (times === 0) continue;
      count += times;
      sum += value * times;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    }
    const pairs = [...values].filter(([, times]) => times > 0).flat();
    for (const dimensions of [[api], [api, { name: "Stage", value: stage.stageName }]]) {
      metrics.record({
        account: stage.account,
        region: stage.region,
        namespace: "AWS/ApiGateway",
        metricName,
        dimensions,
        unit,
        timestamp,
        resolution: 60,
        sample: { count, sum, minimum, maximum, values: pairs },
      });
    }
  };
  const share = (errors: number) =>
    new Map([
      [1, errors],
      [0, requests - errors],
    ]);
  record("Count", "Count", new Map([[1, requests]]));
  record(rest ? "4XXError" : "4xx", "Count", share(clientErrors));
  record(rest ? "5XXError" : "5xx", "Count", share(serverErrors));
  record("Latency", "Milliseconds", latencies);
  if (cacheHits + cacheMisses > 0) {
    record("CacheHitCount", "Count", new Map([[1, cacheHits]]));
    record("CacheMissCount", "Count", new Map([[1, cacheMisses]]));
  }
}

function toFamily(stages: readonly Counts[]): MetricFamily {
  return {
    name: "cumulet_http_requests_total",
    help: "Requests to APIs, by stage and class of status",
    type: "counter",
    values: stages.flatMap(({ stage, classes }) =>
      [2, 3, 4, 5].map((digit) => ({
        labels: { api: stage.apiId, stage: stage.stageName, status: `${digit}xx` },
        value: classes[digit] ?? 0,
      })),
    ),
  };
}
