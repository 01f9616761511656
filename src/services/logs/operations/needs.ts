import type * as LogsSdk from "@aws-sdk/client-cloudwatch-logs";
import type * as LambdaSdk from "@aws-sdk/client-lambda";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { Call, CallAs, ClientOf } from "../../../wire/service.ts";
import type { MetricsPort } from "../../cloudwatch/port.ts";
import { groupNotFound } from "../errors.ts";
import { groupArn, readGroup, type LogGroup, type Place } from "../model.ts";
import type { LogWriter } from "../writer.ts";

export type Sdk = typeof LogsSdk;

export interface LogsNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Where metric filters write. */
  readonly metrics: MetricsPort;
  /** Invokes the functions that subscribe to groups. */
  lambda(as: CallAs): Pick<ClientOf<typeof LambdaSdk>, "Invoke">;
}

export interface OperationNeeds extends LogsNeeds {
  readonly writer: LogWriter;
}

export async function existingGroup(reader: Reader, place: Place, name: string): Promise<LogGroup> {
  const group = await readGroup(reader, place, name);
  if (!group) throw groupNotFound();
  return group;
}

/** AWS asks for a group as `…:log-group:NAME:log-stream:`, which the documented `…:NAME:*` covers. */
export function onGroup(action: string, name: string, call: Call) {
  return [{ action: `logs:${action}`, resource: `${groupArn(call, name)}:log-stream:` }];
}

export function onStream(action: string, group: string, stream: string, call: Call) {
  return [{ action: `logs:${action}`, resource: `${groupArn(call, group)}:log-stream:${stream}` }];
}
