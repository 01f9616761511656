import type * as CloudWatchSdk from "@aws-sdk/client-cloudwatch";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { sortDimensions, type Dimension } from "../model.ts";
import type { MetricWriter } from "../writer.ts";

export type Sdk = typeof CloudWatchSdk;

export interface CloudWatchNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Have what other slices hold of metrics written, so that a reader finds what happened before it asked. */
  readonly beforeRead?: () => Promise<void>;
}

export interface OperationNeeds extends CloudWatchNeeds {
  readonly writer: MetricWriter;
}

/** AWS: metrics have no ARNs; actions on them are for `*`. */
export function onMetrics(action: string, namespace?: string) {
  const context = namespace === undefined ? {} : { context: { "cloudwatch:namespace": [namespace] } };
  return [{ action: `cloudwatch:${action}`, resource: "*", ...context }];
}

export function toDimensions(
  sent: readonly { readonly Name?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): readonly Dimension[] {
  return sortDimensions((sent ?? []).map(({ Name = "", Value = "" }) => ({ name: Name, value: Value })));
}

/** Everything that was told before can be read from here on. */
export async function settle({ writer, beforeRead }: OperationNeeds): Promise<void> {
  await beforeRead?.();
  await writer.flush();
}
