import type { Service } from "../../wire/service.ts";
import { mayHoldMetrics, parseEmbeddedMetrics } from "./embedded-metrics.ts";
import { dataOperations } from "./operations/get-metric-data.ts";
import { statisticsOperations } from "./operations/get-metric-statistics.ts";
import { listOperations } from "./operations/list-metrics.ts";
import type { CloudWatchNeeds } from "./operations/needs.ts";
import { putOperations } from "./operations/put-metric-data.ts";
import type { MetricsPort } from "./port.ts";
import { handleRollUp, scheduleRollUp } from "./worker.ts";
import { createMetricWriter } from "./writer.ts";

export interface CloudWatch {
  readonly service: Service;
  readonly port: MetricsPort;
  /** Finds the metrics that log events of functions hold, in the Embedded Metric Format. Never throws. */
  readLog(
    place: { readonly account: string; readonly region: string },
    events: readonly { readonly message: string }[],
  ): void;
  start(): Promise<void>;
  /** Writes what is still in memory. */
  stop(): Promise<void>;
}

/** CloudWatch: metrics. */
export function createCloudWatch(needs: CloudWatchNeeds): CloudWatch {
  const writer = createMetricWriter(needs);
  handleRollUp(needs);
  const all = { ...needs, writer };
  return {
    service: {
      name: "cloudwatch",
      operations: {
        ...putOperations(all),
        ...statisticsOperations(all),
        ...dataOperations(all),
        ...listOperations(all),
      },
    },
    port: writer,
    readLog({ account, region }, events) {
      for (const { message } of events) {
        if (!mayHoldMetrics(message)) continue;
        const data = parseEmbeddedMetrics(message, { account, region }, needs.clock.now());
        for (const datum of data) writer.record(datum);
      }
    },
    start: () => scheduleRollUp(needs),
    stop: () => writer.stop(),
  };
}
