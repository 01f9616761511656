import type * as CognitoSdk from "@aws-sdk/client-cognito-identity-provider";
import type { Seal } from "../../access/server-keys.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { LambdaPort } from "../lambda/port.ts";
import type { LogsPort } from "../logs/port.ts";

export type Sdk = typeof CognitoSdk;

export interface CognitoNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Seals what is secret at rest, and what is handed out to come back: password verifiers, keys, sessions, tokens. */
  readonly seal: Seal;
  readonly lambda: LambdaPort;
  readonly logs: Pick<LogsPort, "append">;
  /** How issuers are named (decision 0015): `aws`, or a base address. Absent: by the address a client reaches the platform at. */
  readonly issuer?: string;
  /** Where messages of the outbox are sent on, `smtp://…`. Absent: they stay there to be read. */
  readonly smtpUrl?: string;
}
