import { availableParallelism, totalmem } from "node:os";

/** Every bound of the compute layer. Sources: AWS Lambda quotas page (read 2026-11) unless a line says otherwise. */
export interface ComputeLimits {
  /** Largest answer of a function. AWS says 6 MB; its message and its behaviour say this number. */
  readonly responseBytesMax: number;
  /** Largest answer that is streamed: 200 MB, since July 2025. */
  readonly streamedBytesMax: number;
  /** Largest event given to a function (the control plane has refused larger ones before). */
  readonly requestBytesMax: number;
  /** Error documents (`trace` and all) beyond this are refused as the answer would be. */
  readonly errorBytesMax: number;
  /** Headers of a request to the Runtime API. Official clients send stack traces of up to 1 MB in one (awslambdaric 4, 2026-11). */
  readonly runtimeHeaderBytesMax: number;
  /** The init phase. */
  readonly initTimeoutMs: number;
  /** Ours: how long a sandbox may take until its runtime says that it is ready for code. */
  readonly spawnTimeoutMs: number;
  /** CloudWatch Logs: one event. */
  readonly logEventBytesMax: number;
  /** Ours: what an environment may print; beyond, its writes block until the allowance refills. */
  readonly logBytesPerSecondMax: number;
  readonly logBurstBytesMax: number;
  /** The tail of the log that Invoke answers. */
  readonly logTailBytes: number;
  /** How long a tail waits for what an environment of several invocations has printed, after its answer. */
  readonly tailSettleMs: number;
  /** Ours: an idle environment is frozen after, and removed after. AWS does not publish its numbers. */
  readonly freezeAfterMs: number;
  readonly idleMs: number;
  /** Ours: environments on this host at a time, and invocations that may wait for one. */
  readonly environmentsMax: number;
  readonly waitingMax: number;
  /**
   * Ours: a further environment is started at once for an invocation that would wait longer than this for a running one, as
   * far as the function's recent durations tell; and after this time where they did not tell the truth.
   */
  readonly patienceMs: number;
  /** Ours: who runs longer than this is not expected to end soon, whatever its function's durations were. */
  readonly stuckMs: number;
  /** Ours: invocations as short as this only compute; no more of one function than this run at a time while others wait. */
  readonly quickMs: number;
  readonly quickRunsMax: number;
  /**
   * Ours: an environment whose function takes no longer than this on average, and of late never longer than `patienceMs`, may
   * have so many invocations at a time: one that runs and others that it finds when it has answered.
   */
  readonly steadyMs: number;
  readonly followersMax: number;
  /** Ours: environments that start at a time, from their sandbox to the end of their init. */
  readonly startsMax: number;
  /** Ours: sandboxes that are made at a time, while somebody waits for one and while nobody does; functions start in more. */
  readonly sandboxStartsMax: number;
  readonly refillsMax: number;
  /**
   * Ours: sandboxes that wait for code, per interpreter and size, once one such has been used; and in all, after bursts:
   * what a twenty-fifth of this host's memory holds.
   */
  readonly blanksMin: number;
  readonly blanksMax: number;
  /** Ours: sandboxes without a runtime that wait on this host at least while functions run, and at most. */
  readonly bareMin: number;
  readonly bareMax: number;
  /** Ours: so long after a burst half of the additional ones are let go, and so on; so long after the last use all of them. */
  readonly blankBurstMs: number;
  readonly blankIdleMs: number;
  /** Environments initialised ahead may take this long, or the function's timeout where that is longer. Source: developer guide, "Lambda execution environment". */
  readonly keptInitTimeoutMs: number;
  /** SnapStart: loading the runtime and the hooks that follow a restore. Source: developer guide, "Implement code before or after Lambda function snapshots". */
  readonly restoreTimeoutMs: number;
  /** Ours: such environments on this host, how many of a function start at a time, and the pauses after inits that failed. */
  readonly keptMax: number;
  readonly keptStartsMax: number;
  readonly keptRetryFirstMs: number;
  readonly keptRetryMostMs: number;
  /** Ours: environments with several invocations at once on this host, and how many of a function start at a time. */
  readonly fleetEnvironmentsMax: number;
  readonly fleetStartsMax: number;
  /** Ours: how often fleets are looked at, and how long one must have been too large before it shrinks. */
  readonly fleetSweepMs: number;
  readonly fleetShrinkAfterMs: number;
  /** Extensions of a function. Source: "Lambda quotas". */
  readonly extensionsMax: number;
  /** How long an environment's end may take with extensions. Source: developer guide, "Shutdown phase". */
  readonly shutdownInternalMs: number;
  readonly shutdownExternalMs: number;
  /** Ours: what an extension sends to register or to subscribe. */
  readonly registrationBytesMax: number;
  /** Ours: telemetry that waits for one subscriber; what comes beyond is dropped, counted and told. */
  readonly telemetryQueueBytesMax: number;
  /** Ours: an environment is retired this long before the credentials in its variables expire. */
  readonly credentialsMarginMs: number;
  /** Ours: an init of so long is worth keeping what it compiled; how long after, in what storage, within what time and bytes that is made. */
  readonly compileWorthMs: number;
  readonly compileDelayMs: number;
  readonly compileStorageMb: number;
  readonly compileTimeoutMs: number;
  readonly compileBytesMax: number;
  /** Ours: how many functions wait for theirs, and how many are kept on this host. */
  readonly compileQueueMax: number;
  readonly compileCachesMax: number;
  /** Processes and threads in one environment. */
  readonly processesMax: number;
  /** File descriptors in one environment. */
  readonly filesMax: number;
}

/** Private memory of a Node.js runtime that waits for code, rounded up. */
const blankBytes = 10 * 1_048_576;

export const computeLimits: ComputeLimits = {
  responseBytesMax: 6_291_556,
  streamedBytesMax: 209_715_200,
  requestBytesMax: 6_291_556,
  errorBytesMax: 6_291_556,
  runtimeHeaderBytesMax: 1_048_576 + 65_536,
  initTimeoutMs: 10_000,
  spawnTimeoutMs: 10_000,
  logEventBytesMax: 262_144 - 26,
  logBytesPerSecondMax: 8_388_608,
  logBurstBytesMax: 33_554_432,
  logTailBytes: 4_096,
  tailSettleMs: 50,
  freezeAfterMs: 1_000,
  idleMs: 300_000,
  environmentsMax: 500,
  waitingMax: 2_000,
  patienceMs: 10,
  stuckMs: 100,
  quickMs: 2,
  quickRunsMax: availableParallelism(),
  steadyMs: 2,
  followersMax: 8,
  startsMax: 64,
  sandboxStartsMax: 2 * availableParallelism(),
  // Half of the processors are left to those who are served meanwhile.
  refillsMax: Math.max(1, Math.floor(availableParallelism() / 2)),
  blanksMin: 2,
  blanksMax: Math.min(128, blanksIn(totalmem() / 25)),
  bareMin: 4,
  bareMax: Math.min(64, blanksIn(totalmem() / 50)),
  blankBurstMs: 120_000,
  blankIdleMs: 600_000,
  keptInitTimeoutMs: 130_000,
  restoreTimeoutMs: 10_000,
  keptMax: 400,
  keptStartsMax: 2,
  keptRetryFirstMs: 1_000,
  keptRetryMostMs: 300_000,
  fleetEnvironmentsMax: 200,
  fleetStartsMax: 3,
  fleetSweepMs: 1_000,
  fleetShrinkAfterMs: 60_000,
  extensionsMax: 10,
  shutdownInternalMs: 500,
  shutdownExternalMs: 2_000,
  registrationBytesMax: 65_536,
  telemetryQueueBytesMax: 4_194_304,
  credentialsMarginMs: 900_000,
  compileWorthMs: 30,
  compileDelayMs: 500,
  compileStorageMb: 64,
  compileTimeoutMs: 15_000,
  compileBytesMax: 33_554_432,
  compileQueueMax: 100,
  compileCachesMax: 500,
  processesMax: 1_024,
  filesMax: 1_024,
};

function blanksIn(bytes: number): number {
  return Math.max(2, Math.floor(bytes / blankBytes));
}
