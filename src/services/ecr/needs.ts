import type * as EcrSdk from "@aws-sdk/client-ecr";
import type { Authorizer } from "../../access/authorization.ts";
import type { Seal } from "../../access/server-keys.ts";
import type { Blobs } from "../../kernel/blobs/blobs.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store } from "../../kernel/store/store.ts";

export type Sdk = typeof EcrSdk;

export interface EcrNeeds {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly authorizer: Authorizer;
  /** Seals the passwords and the download addresses that are given out. */
  readonly seal: Seal;
}
