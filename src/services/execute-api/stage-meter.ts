import type { Clock } from "../../kernel/clock.ts";
import type { Collector, MetricFamily } from "../../metering/exposition.ts";
import { meteringLimits } from "../../metering/limits.ts";
import type { ExchangeMeter } from "../../proxy/exchange.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import type { PublishedStage } from "./port.ts";
import { createSeries, type Series } from "./stage-series.ts";

/** Counts requests by stage: the metrics of `AWS/ApiGateway`, and what Prometheus is told. */
export interface StageMeters {
  of(stage: PublishedStage): ExchangeMeter;
  readonly collect: Collector;
  /** Tells what it has counted. */
  stop(): void;
}

interface StageClasses {
  readonly stage: PublishedStage;
  /** By first digit of the status, since the start. */
  readonly classes: number[];
}

export function createStageMeters(needs: { readonly metrics: MetricsPort; readonly clock: Clock }): StageMeters {
  const { metrics, clock } = needs;
  const stages = new Map<string, StageClasses>();
  const active = new Set<Series>();
  let telling = false;

  const tellAll = () => {
    telling = false;
    for (const series of active) series.tell(metrics, clock.now());
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
      const classes = stages.get(key)?.classes ?? [0, 0, 0, 0, 0, 0];
      stages.set(key, { stage, classes });
      const api =
        stage.kind === "rest"
          ? { name: "ApiName", value: stage.apiName ?? stage.apiId }
          : { name: "ApiId", value: stage.apiId };
      const inStage = { name: "Stage", value: stage.stageName };
      const series = createSeries(stage, [[api], [api, inStage]]);
      // Source: "Amazon API Gateway dimensions and metrics": metrics by method have no others' dimensions.
      const detail = (method: string, resource: string): ReturnType<NonNullable<ExchangeMeter["ofMethod"]>> => {
        // In the order of their names, as metrics are kept.
        const dimensions = [api, { name: "Method", value: method }, { name: "Resource", value: resource }, inStage];
        const own = createSeries(stage, [dimensions]);
        return (status, latencyMs, integrationLatencyMs) => {
          own.answered(status, latencyMs);
          if (integrationLatencyMs !== undefined) own.integrated(integrationLatencyMs);
          active.add(own);
          tellSoon();
        };
      };
      return {
        answered(status, startedAt) {
          const digit = Math.floor(status / 100);
          classes[digit] = (classes[digit] ?? 0) + 1;
          series.answered(status, clock.now() - startedAt);
          active.add(series);
          tellSoon();
        },
        integrated: (latencyMs) => series.integrated(latencyMs),
        cached: (hit) => series.cached(hit),
        processed: (bytes) => series.processed(bytes),
        ofMethod: (path, httpMethod) => detail(httpMethod, path),
        ofRoute: (routeKey) => {
          const [method = "", resource = routeKey] = routeKey.split(" ");
          return detail(method, resource);
        },
      };
    },
    collect: () => [toFamily([...stages.values()])],
    stop: tellAll,
  };
}

function toFamily(stages: readonly StageClasses[]): MetricFamily {
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
