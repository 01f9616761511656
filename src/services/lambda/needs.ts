import type * as EcrSdk from "@aws-sdk/client-ecr";
import type * as LambdaSdk from "@aws-sdk/client-lambda";
import type * as S3Sdk from "@aws-sdk/client-s3";
import type { Authorizer } from "../../access/authorization.ts";
import type { Verifier } from "../../access/verifier.ts";
import type { Compute } from "../../compute/compute.ts";
import type { Blobs } from "../../kernel/blobs/blobs.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Nodes } from "../../kernel/nodes/nodes.ts";
import type { Shares } from "../../kernel/nodes/shares.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { CallAs, ClientOf } from "../../wire/service.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import type { StreamsPort } from "../dynamodb/port.ts";
import type { EcrPort } from "../ecr/port.ts";
import type { IamPort } from "../iam/port.ts";
import type { CodeStore } from "./code/code-store.ts";
import type { CodeUrls } from "./code/code-urls.ts";
import type { DurableExecutions } from "./durable/executions.ts";
import type { Functions } from "./functions.ts";
import type { Invoker } from "./invoker.ts";
import type { FunctionMeter } from "./meter.ts";

export type Sdk = typeof LambdaSdk;

export interface LambdaNeeds {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly compute: Compute;
  /** Who serves the same store, and what this node may use of what they divide. Absent: it is alone. */
  readonly nodes?: Pick<Nodes, "live" | "watch">;
  readonly shares?: Shares;
  /** Whether a debugger may hold a function, given by its ARN. */
  readonly isDebugged?: (functionArn: string) => boolean;
  /** Tells metrics that no invocation stands for. */
  readonly note?: FunctionMeter["note"];
  /** Takes metrics of event source mappings. */
  readonly metrics?: Pick<MetricsPort, "record">;
  /** Streams of tables, which event source mappings read. */
  readonly streams: StreamsPort;
  readonly iam: IamPort;
  readonly authorizer: Authorizer;
  /** Who signed a request to a function URL. */
  readonly verifier: Verifier;
  readonly ecr: EcrPort;
  /** Lets Lambda pull from a repository, as the caller. */
  ecrClient(as: CallAs): Pick<ClientOf<typeof EcrSdk>, "GetRepositoryPolicy" | "SetRepositoryPolicy">;
  /** Reads packages from S3 as the caller, and puts records there as execution roles. */
  s3(as: CallAs): Pick<ClientOf<typeof S3Sdk>, "GetObject" | "PutObject">;
  /** Packages are unpacked in `code/` below it. */
  readonly dataDir: string;
}

/** What operations are handed. */
export interface OperationNeeds extends LambdaNeeds {
  readonly code: CodeStore;
  readonly codeUrls: CodeUrls;
  readonly functions: Functions;
  readonly invoker: Invoker;
  readonly durable: DurableExecutions;
}
