/**
 * Limits of durable executions. Sources: Lambda's API model (payload sizes, page sizes) and developer guide, "Lambda
 * durable functions" (2026-11), unless a line says that it is ours.
 */
export const durableLimits = {
  retentionDaysDefault: 14,
  /** Longer ones cannot be waited for by Invoke. */
  synchronousTimeoutSecondsMax: 900,
  /** What a step, context, wait, callback or chained invoke may carry, in and out; also an execution started by an event. */
  payloadBytesMax: 1_048_576,
  /** The input and result of an execution that is waited for. */
  synchronousPayloadBytesMax: 6_291_456,
  errorBytesMax: 1_048_576,
  /** Of one execution. Source: Lambda quotas, durable functions. */
  operationsMax: 3000,
  /** What the operations of one execution may carry together. Source: the same. */
  executionBytesMax: 100 * 1024 * 1024,
  pageDefault: 100,
  pageMax: 1000,
  /** Ours: how much state the function is handed at once, and GetDurableExecutionState answers at once. */
  statePageBytesMax: 5 * 1024 * 1024,
  /** Ours: how much history or how many payloads are answered at once. */
  historyPageBytesMax: 5 * 1024 * 1024,
  /** How often in a row the function may fail before the execution does. Source: the official local runner. */
  invocationFailuresMax: 5,
  /** How often in a row it may answer PENDING while nothing is pending. Source: the same. */
  idlePendingMax: 3,
  /** Ours: after a failed invocation, doubled each time. */
  invocationBackoffMs: 1000,
  /** Ours: after an invocation that was throttled or could not be had, doubled each time. */
  throttleBackoffMs: 500,
  throttleBackoffMsMax: 60_000,
  /** Ours: invocations of durable functions, and chained invocations of others, that this process runs at once. */
  invocationConcurrency: 500,
  /** Ours: timers that fire, and entries of an expired execution that are removed, in one transaction. */
  timersAtOnce: 500,
  removedAtOnce: 2000,
  /** Ours: payloads up to this size stand beside what they belong to, longer ones in pieces of their own. */
  inlineBytesMax: 1024,
  pieceBytes: 1_000_000,
} as const;
