import type { Ids } from "../../../kernel/ids.ts";
import type { LogsPort } from "../../logs/port.ts";

/** Writes to log groups, soon and without waiting. */
export interface GatewayLogs {
  write(place: LogPlace, events: readonly LogEvent[]): void;
}

interface LogEvent {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

interface LogPlace {
  readonly account: string;
  readonly region: string;
  readonly logGroup: string;
}

/** Each process writes to a stream of its own, whose name says nothing, as AWS's do. */
export function createGatewayLogs(logs: Pick<LogsPort, "append">, ids: Ids): GatewayLogs {
  const logStream = Buffer.from(ids.bytes(16)).toString("hex");
  return {
    write: ({ account, region, logGroup }, events) => logs.append({ account, region, logGroup, logStream, events }),
  };
}
