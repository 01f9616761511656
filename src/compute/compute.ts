/**
 * Execution environments: starts, pools, feeds, freezes and removes them. Knows functions only as `FunctionSpec`; where
 * code, credentials and log lines come from and go to is handed in as `ComputeNeeds`.
 */
export interface Compute {
  /**
   * Run one invocation in a free environment, or in a new one. Never rejects for what a function does: every way a
   * function can end is an `InvocationOutcome`. Rejects when the platform stops or the runtime cannot be had
   * (`RuntimeUnavailableError`).
   */
  invoke(spec: FunctionSpec, invocation: Invocation): Promise<InvocationOutcome>;
  /** Let the environments of this function version end after what they are doing: its code or configuration is gone. */
  retire(specId: string): void;
  /**
   * Initialise environments before anybody asks for them, and keep them: these, and no others from now on. They are made
   * again when they end. Invocations of the function take them first; further ones get environments as usual.
   */
  keep(functions: readonly KeptFunction[]): void;
  /** How far that is with a function that is kept. */
  kept(specId: string): KeptState | undefined;
  /** Keep fleets of environments that take several invocations at once: these, and no others from now on. */
  maintain(fleets: readonly FleetPlan[]): void;
  /** How far that is with a function that has a fleet. */
  fleet(specId: string): FleetState | undefined;
  /** Invocations running now, by function ARN without qualifier. */
  running(functionArn: string): number;
  /** What this host can run and isolate: for `doctor`, `cumulet runtimes` and answers that name a substitute. */
  capabilities(): Promise<ComputeCapabilities>;
  /** Which interpreter runs functions of this runtime here: quick enough to be asked for every answer about a function. */
  runtime(runtime: string): Promise<RuntimeAvailability>;
  stop(graceMs: number): Promise<void>;
}

export interface KeptFunction {
  readonly spec: FunctionSpec;
  readonly environments: number;
  /** What these environments find in `AWS_LAMBDA_INITIALIZATION_TYPE`. */
  readonly initializationType: "provisioned-concurrency" | "snap-start";
}

export interface KeptState {
  readonly wanted: number;
  /** Environments that are initialised, whether they run an invocation or wait for one. */
  readonly ready: number;
  /** Why there are not as many as wanted, and will not be soon. */
  readonly failure?: string;
}

/** One immutable revision of a function's code and configuration. */
export interface FunctionSpec {
  /** Unique per function, version and revision: environments are pooled under it. */
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  /** Unqualified ARN. */
  readonly functionArn: string;
  readonly roleArn: string;
  /** `nodejs22.x`, `python3.12`, `provided.al2023` … */
  readonly runtime: string;
  /** As configured: `index.handler`, `app.lambda_handler`, or what a custom runtime makes of it. */
  readonly handler: string;
  /** The unpacked package on this host; read-only; appears as `/var/task`. */
  readonly codeDir: string;
  /** The unpacked layers, merged in order; appears as `/opt`. */
  readonly layersDir?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  /** Size of `/tmp`. */
  readonly ephemeralStorageMb: number;
  readonly logGroup: string;
  readonly logFormat: "Text" | "JSON";
  /** With the JSON format: from which level on lines of the function, and of the platform, are logged. INFO where absent. */
  readonly applicationLogLevel?: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  readonly systemLogLevel?: "DEBUG" | "INFO" | "WARN";
  readonly architecture: "x86_64" | "arm64";
  /** The function is a container image: `codeDir` is its file system, and `runtime` and `handler` are empty. */
  readonly image?: ImageSpec;
  /** The function's tags, for the usage ledger. */
  readonly tags?: Readonly<Record<string, string>>;
  /** SnapStart: its environments run the runtime hooks for snapshots, and restore before their first invocation. */
  readonly snapStart?: true;
  /** Its environments take several invocations at once; they are kept by `maintain`, not started for an invocation. */
  readonly multiConcurrency?: MultiConcurrency;
}

/** How a function shares its environments between invocations. */
interface MultiConcurrency {
  /** Invocations that one environment takes at once. */
  readonly slots: number;
  /** Processors that one environment has, by its memory: what runtimes choose the number of their workers by. */
  readonly vcpus: number;
}

/** The environments of a function with multi-concurrency. */
export interface FleetPlan {
  readonly spec: FunctionSpec;
  readonly environmentsMin: number;
  readonly environmentsMax: number;
  /** More environments are started above this share of their processors or of their places, 0 to 1. */
  readonly utilizationTarget: number;
  /** Fleets that share processors, and how many these are. */
  readonly group: string;
  readonly groupVcpusMax: number;
}

export interface FleetState {
  /** How many there ought to be now. */
  readonly wanted: number;
  /** Those that are initialised. */
  readonly ready: number;
  /** Why there are not as many as wanted, and will not be soon. */
  readonly failure?: string;
}

/** What of a container image runs, and how. */
export interface ImageSpec {
  /** The program, and what it is given before `command`; together they are not empty. */
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** The image's own variables, below those of the function. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Invocation {
  readonly requestId: string;
  /** The event, JSON text as bytes. */
  readonly payload: Uint8Array;
  /** The ARN that was invoked, with its qualifier if there was one. */
  readonly invokedFunctionArn: string;
  /** `X-Amzn-Trace-Id` value. */
  readonly traceId?: string;
  /** JSON text, already decoded from base64. */
  readonly clientContext?: string;
  readonly cognitoIdentity?: string;
  /** Tenant isolation: environments that have run this tenant's invocations run no other's. */
  readonly tenantId?: string;
  /** Takes the answer as the function streams it. Without one a streamed answer is gathered, up to what a function may answer. */
  readonly sink?: ResponseSink;
  /** Give the last 4 KiB of this invocation's log in the outcome. */
  readonly logTail?: boolean;
  /** Who invokes, for the usage ledger: `async`, `apigateway.amazonaws.com` …; Invoke itself where absent. */
  readonly trigger?: string;
}

/**
 * Where a function's answer goes while the function still runs. Functions that do not stream never touch it: their answer is
 * the outcome's `payload`. None of these may throw or reject.
 */
export interface ResponseSink {
  /** Before the first bytes. `contentType` is as the runtime says: of HTTP answers with a prelude it is AWS's own media type. */
  start(contentType: string): void;
  /** Bytes are the sink's to keep. With a promise no more are read from the function until it settles. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** The function has ended its answer; it may still be running. Not called when it fails midway: the outcome says so. */
  end(): void;
}

export type InvocationOutcome = (
  | { readonly outcome: "success"; /** The function's answer, bytes as it sent them. */ readonly payload: Uint8Array }
  /** An error: `payload` is the JSON document AWS answers (`errorMessage`, `errorType`, `trace` …). Everything AWS calls `Unhandled`. */
  | { readonly outcome: "error"; readonly payload: Uint8Array }
) & {
  readonly report: InvocationReport;
  /** The function streamed, or had begun to. */
  readonly stream?: {
    readonly contentType: string;
    /** The sink has had the bytes: a success has no `payload` left. */
    readonly delivered: boolean;
  };
  /** When asked for: the last 4 KiB of the log of this invocation. */
  readonly logTail?: Uint8Array;
};

/** What the REPORT line says, and what is billed. */
export interface InvocationReport {
  readonly requestId: string;
  readonly durationMs: number;
  readonly billedDurationMs: number;
  readonly memorySizeMb: number;
  readonly maxMemoryUsedMb: number;
  /** Processor time that its environment has used since the reading before; absent where the host does not count it. */
  readonly cpuMs?: number;
  /** Only on a cold start. */
  readonly initDurationMs?: number;
  /** SnapStart, only at the first invocation: billed as well. */
  readonly restoreDurationMs?: number;
  /** Part of `durationMs`: what extensions took after the runtime was done. Only with extensions. */
  readonly postRuntimeExtensionsDurationMs?: number;
  readonly status: "success" | "error" | "timeout";
}

export interface ComputeNeeds {
  /** The execution role's temporary credentials; asked again before they expire. */
  credentials(spec: FunctionSpec): Promise<RoleCredentials>;
  /** Log lines of an environment, in order. Must not throw; must not block. */
  log(spec: FunctionSpec, logStream: string, events: readonly LogLine[]): void;
  /** The port, on the host's loopback, where the platform listens: functions reach it as `AWS_ENDPOINT_URL`. */
  endpointPort(): number;
}

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface LogLine {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

export interface ComputeCapabilities {
  /** The sandbox driver in use, and why not a better one. */
  readonly driver: { readonly name: "process" | "namespaces"; readonly isolates: boolean; readonly why: string };
  /** How functions reach the network, and how memory, CPU and processes are limited. */
  readonly network: { readonly name: string; readonly why: string };
  readonly cgroups: { readonly name: "v2" | "v1" | "none"; readonly why: string };
  readonly runtimes: readonly RuntimeAvailability[];
}

export type RuntimeAvailability =
  | { readonly runtime: string; readonly state: "available"; readonly version: string; readonly path: string }
  /** The nearest newer interpreter stands in; of Ruby also an older one. */
  | {
      readonly runtime: string;
      readonly state: "substituted";
      readonly version: string;
      readonly path: string;
      /** How to get the version itself, as a sentence. */
      readonly remedy: string;
    }
  | {
      readonly runtime: string;
      readonly state: "missing";
      /** What to install, as a sentence. */ readonly remedy: string;
    };

export class RuntimeUnavailableError extends Error {
  /** What to install, as a sentence. */
  readonly remedy: string;
  constructor(runtime: string, remedy: string) {
    super(`The runtime ${runtime} is not available on this host. ${remedy}`);
    this.name = "RuntimeUnavailableError";
    this.remedy = remedy;
  }
}

/** More invocations wait for an environment than this host lets wait. To the caller it is a throttled invocation. */
export class ComputeSaturatedError extends Error {
  constructor() {
    super("Too many invocations are waiting for an execution environment");
    this.name = "ComputeSaturatedError";
  }
}
