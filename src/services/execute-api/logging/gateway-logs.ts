import type { Ids } from "../../../kernel/ids.ts";
import type { LogsPort } from "../../logs/port.ts";

/** Writes to log groups, soon and without waiting. */
export interface GatewayLogs {
  /** One event for each message, all of one moment. */
  write(place: LogPlace, timestamp: number, messages: readonly string[]): void;
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
    write: ({ account, region, logGroup }, timestamp, messages) =>
      logs.append({
        account,
        region,
        logGroup,
        logStream,
        events: messages.map((message) => ({ timestamp, message })),
      }),
  };
}
