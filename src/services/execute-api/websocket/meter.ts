import type { Clock } from "../../../kernel/clock.ts";
import { meteringLimits } from "../../../metering/limits.ts";
import type { MetricsPort } from "../../cloudwatch/port.ts";
import { type Dimensions, toSample } from "../stage-series.ts";
import type { PublishedWebSocketStage } from "./published.ts";

/** Source: "Monitor WebSocket API execution with CloudWatch metrics". */
type CountedMetric = "ConnectCount" | "MessageCount" | "IntegrationError" | "ClientError" | "ExecutionError";

/** Counts what happens on a stage, or on one of its routes. */
export interface RouteMeter {
  count(metric: CountedMetric): void;
  /** An integration has answered, after so long. */
  integrated(latencyMs: number): void;
}

export interface WebSocketMeter extends RouteMeter {
  /** Of one route, beside the stage's: where detailed metrics are on. */
  ofRoute(routeKey: string): RouteMeter;
}

export interface WebSocketMeters {
  of(stage: PublishedWebSocketStage): WebSocketMeter;
  /** Tells what it has counted. */
  stop(): void;
}

interface Series extends RouteMeter {
  tell(timestamp: number): void;
}

export function createWebSocketMeters(needs: {
  readonly metrics: MetricsPort;
  readonly clock: Clock;
}): WebSocketMeters {
  const { metrics, clock } = needs;
  const active = new Set<Series>();
  let telling = false;

  const tellAll = () => {
    telling = false;
    for (const series of active) series.tell(clock.now());
    active.clear();
  };
  const isActive = (series: Series) => {
    active.add(series);
    if (telling) return;
    telling = true;
    clock.after(meteringLimits.gaugesToldEveryMs, tellAll);
  };

  return {
    of(stage) {
      const api = { name: "ApiId", value: stage.apiId };
      const inStage = { name: "Stage", value: stage.stageName };
      return {
        ...createSeries(metrics, stage, [[api], [api, inStage]], isActive),
        // AWS: the dimensions of a route are named as those of a method.
        ofRoute: (routeKey) =>
          createSeries(
            metrics,
            stage,
            [[api, { name: "Method", value: routeKey }, { name: "Resource", value: routeKey }, inStage]],
            isActive,
          ),
      };
    },
    stop: tellAll,
  };
}

function createSeries(
  metrics: MetricsPort,
  { account, region }: PublishedWebSocketStage,
  dimensionSets: readonly Dimensions[],
  isActive: (series: Series) => void,
): Series {
  let counts = new Map<CountedMetric, number>();
  let latencies = new Map<number, number>();
  const series: Series = {
    count(metric) {
      counts.set(metric, (counts.get(metric) ?? 0) + 1);
      isActive(series);
    },
    integrated(latencyMs) {
      latencies.set(latencyMs, (latencies.get(latencyMs) ?? 0) + 1);
      isActive(series);
    },
    tell(timestamp) {
      const record = (metricName: string, unit: string, values: ReadonlyMap<number, number>) => {
        const sample = toSample(values);
        for (const dimensions of dimensionSets) {
          const told = { metricName, dimensions, unit, timestamp, sample };
          metrics.record({ account, region, namespace: "AWS/ApiGateway", resolution: 60, ...told });
        }
      };
      for (const [metric, count] of counts) record(metric, "Count", new Map([[1, count]]));
      if (latencies.size > 0) record("IntegrationLatency", "Milliseconds", latencies);
      counts = new Map();
      latencies = new Map();
    },
  };
  return series;
}
