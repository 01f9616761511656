import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { filterOperations } from "./operations/filter-log-events.ts";
import { logEventOperations } from "./operations/log-events.ts";
import { logGroupOperations } from "./operations/log-groups.ts";
import { logStreamOperations } from "./operations/log-streams.ts";
import type { LogsNeeds } from "./operations/needs.ts";
import { tagOperations } from "./operations/tags.ts";
import type { LogsPort } from "./port.ts";
import { logGroupType } from "./resources/log-group.ts";
import { logStreamType } from "./resources/log-stream.ts";
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
  const writer = createLogWriter(needs);
  handleLogJobs(needs);
  const all = { ...needs, writer };
  return {
    service: {
      name: "logs",
      operations: {
        ...logGroupOperations(all),
        ...logStreamOperations(all),
        ...logEventOperations(all),
        ...filterOperations(all),
        ...tagOperations(all),
      },
    },
    port: writer,
    resourceTypes: [logGroupType, logStreamType],
    stop: () => writer.stop(),
  };
}
