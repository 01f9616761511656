import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { handleDeliveries } from "./deliveries.ts";
import { createLogFilters } from "./filters.ts";
import { filterOperations } from "./operations/filter-log-events.ts";
import { logEventOperations } from "./operations/log-events.ts";
import { logGroupOperations } from "./operations/log-groups.ts";
import { logStreamOperations } from "./operations/log-streams.ts";
import { metricFilterOperations } from "./operations/metric-filters.ts";
import type { LogsNeeds } from "./operations/needs.ts";
import { resourcePolicyOperations } from "./operations/resource-policies.ts";
import { subscriptionFilterOperations } from "./operations/subscription-filters.ts";
import { tagOperations } from "./operations/tags.ts";
import type { LogsPort } from "./port.ts";
import { logGroupType } from "./resources/log-group.ts";
import { logStreamType } from "./resources/log-stream.ts";
import { metricFilterType } from "./resources/metric-filter.ts";
import { subscriptionFilterType } from "./resources/subscription-filter.ts";
import { handleLogJobs } from "./worker.ts";
import { createLogWriter } from "./writer.ts";

export interface Logs {
  readonly service: Service;
  readonly port: LogsPort;
  readonly resourceTypes: readonly ResourceType[];
  /** Writes what is still in memory. */
  stop(): Promise<void>;
}

/** CloudWatch Logs: groups, streams, events, filters, retention. */
export function createLogs(needs: LogsNeeds): Logs {
  const writer = createLogWriter({ ...needs, filters: createLogFilters(needs) });
  handleLogJobs(needs);
  handleDeliveries(needs);
  const all = { ...needs, writer };
  return {
    service: {
      name: "logs",
      operations: {
        ...logGroupOperations(all),
        ...logStreamOperations(all),
        ...logEventOperations(all),
        ...filterOperations(all),
        ...subscriptionFilterOperations(all),
        ...metricFilterOperations(all),
        ...resourcePolicyOperations(all),
        ...tagOperations(all),
      },
    },
    port: writer,
    resourceTypes: [logGroupType, logStreamType, subscriptionFilterType, metricFilterType],
    stop: () => writer.stop(),
  };
}
