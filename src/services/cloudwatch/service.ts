import type { Service } from "../../wire/service.ts";
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
    start: () => scheduleRollUp(needs),
    stop: () => writer.stop(),
  };
}
