import type * as CognitoSdk from "@aws-sdk/client-cognito-identity-provider";
import type * as LogsSdk from "@aws-sdk/client-cloudwatch-logs";
import type { Seal } from "../../access/server-keys.ts";
import type { Principal } from "../../aws/principal.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { ClientOf } from "../../wire/service.ts";
import type { HostCertificates } from "../execute-api/port.ts";
import type { IamPort } from "../iam/port.ts";
import type { LambdaPort } from "../lambda/port.ts";

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
  readonly iam: Pick<IamPort, "assumeRole" | "passRole">;
  /** Where imports of users tell what became of each line, as the role that the import was given. */
  readonly logs: (as: {
    readonly principal: Principal;
    readonly account: string;
    readonly region: string;
  }) => ClientOf<typeof LogsSdk>;
  /** Hosts that are custom domains are served with the certificates that they name. */
  readonly hosts: HostCertificates;
  /** How issuers are named (decision 0015): `aws`, or a base address. Absent: by the address a client reaches the platform at. */
  readonly issuer?: string;
  /** Where messages of the outbox are sent on, `smtp://…`. Absent: they stay there to be read. */
  readonly smtpUrl?: string;
}
