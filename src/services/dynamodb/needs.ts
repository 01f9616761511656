import type * as DynamoSdk from "@aws-sdk/client-dynamodb";
import type * as S3Sdk from "@aws-sdk/client-s3";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { CallAs, ClientOf } from "../../wire/service.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import type { LogsPort } from "../logs/port.ts";

export type Sdk = typeof DynamoSdk;

export interface DynamoNeeds {
  readonly store: Store;
  /** The same store, where a change of what nodes remember is acknowledged when all have dropped it. */
  readonly settledStore: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: MetricsPort;
  /** Where imports tell what they could not read. */
  readonly logs: LogsPort;
  readonly s3: (as: CallAs) => ClientOf<typeof S3Sdk>;
}
