import type { Key } from "../../../kernel/store/store.ts";
import { durableLimits } from "./limits.ts";
import {
  addEvent,
  changeRunning,
  clearTimer,
  findOperation,
  isRunning,
  jobKey,
  jobKinds,
  openJournal,
  putOperation,
  runningOf,
  saveJournal,
  setTimer,
  storeError,
  storeText,
  timersPrefix,
  wake,
  type ErrorFacts,
  type Journal,
  type TimerKind,
} from "./journal.ts";
import { markEnded, type Closed, type ClosedStatus, type OperationRecord, type OperationStatus } from "./model.ts";
import type { StoredText } from "./texts.ts";

/** How an operation that goes on without the function has ended. */
export interface Outcome {
  readonly status: Extract<OperationStatus, "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "STOPPED">;
  readonly result?: string | undefined;
  readonly error?: ErrorFacts | undefined;
}

const eventNames = { SUCCEEDED: "Succeeded", FAILED: "Failed", TIMED_OUT: "TimedOut", STOPPED: "Stopped" } as const;

/** End a callback or a chained invoke, and have the function see it. */
export function endOperation(journal: Journal, operation: OperationRecord, outcome: Outcome): void {
  const ended: OperationRecord = { ...operation, status: outcome.status, endedAt: journal.now };
  const prefix = operation.type === "CALLBACK" ? "Callback" : "ChainedInvoke";
  if (operation.type === "CALLBACK") {
    clearTimer(journal, operation.timeoutAt, "callback", operation.id);
    clearTimer(journal, operation.heartbeatAt, "heartbeat", operation.id);
  }
  if (outcome.status === "SUCCEEDED") {
    const stored = outcome.result === undefined ? undefined : storeText(journal, outcome.result);
    putOperation(journal, { ...ended, ...(stored !== undefined && { result: stored }) }, operation);
    addEvent(journal, `${prefix}Succeeded`, operation, { result: stored ?? null });
  } else {
    const stored = storeError(journal, outcome.error);
    putOperation(journal, { ...ended, error: stored }, operation);
    addEvent(journal, `${prefix}${eventNames[outcome.status]}`, operation, { error: stored });
  }
  wake(journal);
}

/** What an execution comes to. */
export interface Ending {
  readonly status: ClosedStatus;
  readonly result?: string | undefined;
  readonly error?: ErrorFacts | undefined;
  readonly logTail?: Uint8Array | undefined;
}

/** End the execution: all that was pending ends with it, and who has invoked it is told, in the same transaction. */
export async function endExecution(journal: Journal, ending: Ending): Promise<void> {
  const { tx, jobs, key, now } = journal;
  const before = runningOf(journal);
  const result = ending.result === undefined ? undefined : storeText(journal, ending.result);
  const error: StoredText | undefined = ending.status === "SUCCEEDED" ? undefined : storeError(journal, ending.error);
  const details = error === undefined ? { result: result ?? null } : { error };
  addEvent(journal, `Execution${eventNames[ending.status]}`, "execution", details);
  const closed: Closed = {
    state: "closed",
    status: ending.status,
    endedAt: now,
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
    ...(ending.logTail && { logTail: ending.logTail }),
  };
  for (const timer of await tx.range({ prefix: timersPrefix(key) }, { limit: 10_000 })) tx.delete(timer.key);
  if (before.wakeAt !== undefined) jobs.cancel(tx, jobKinds.timer, jobKey(key));
  if (before.lane.phase === "scheduled") jobs.cancel(tx, jobKinds.invoke, jobKey(key));
  jobs.schedule(tx, {
    kind: jobKinds.remove,
    key: jobKey(key),
    at: now + journal.record.retentionDays * 86_400_000,
  });
  markEnded(tx, key);
  journal.record = { ...journal.record, progress: closed };

  const { parent } = journal.record;
  if (!parent) return;
  const above = await openJournal(tx, jobs, { ...key, functionName: parent.functionName, id: parent.id }, now);
  if (!above || !isRunning(above)) return;
  const operation = await findOperation(above, parent.operationId);
  if (operation?.type !== "CHAINED_INVOKE" || operation.status !== "STARTED") return;
  endOperation(above, operation, toParent(ending, journal.record.executionTimeoutSeconds));
  await saveJournal(above);
}

/** Source: the official local runner. */
function toParent(ending: Ending, timeoutSeconds: number): Outcome {
  if (ending.status !== "TIMED_OUT") return ending;
  const ErrorMessage = `CHAINED_INVOKE timed out after ${timeoutSeconds} seconds.`;
  return { status: "TIMED_OUT", error: { ErrorMessage, ErrorType: "ChainedInvoke.Timeout" } };
}

/** Do what timers say that are due. */
export async function fireTimers(journal: Journal): Promise<void> {
  const prefix = timersPrefix(journal.key);
  const due = await journal.tx.range(
    { start: prefix, end: [...prefix, journal.now + 1] },
    { limit: durableLimits.timersAtOnce },
  );
  for (const { key } of due) {
    if (!isRunning(journal)) return;
    journal.tx.delete(key);
    await fire(journal, key);
  }
}

async function fire(journal: Journal, key: Key): Promise<void> {
  const [kind, id] = key.slice(-2);
  if ((kind as TimerKind) === "execution") {
    const ErrorMessage = `Execution timed out after ${journal.record.executionTimeoutSeconds} seconds.`;
    return endExecution(journal, { status: "TIMED_OUT", error: { ErrorMessage } });
  }
  const operation = await findOperation(journal, String(id));
  if (operation) fireOperation(journal, operation, kind as TimerKind);
}

function fireOperation(journal: Journal, operation: OperationRecord, kind: TimerKind): void {
  if (operation.type === "WAIT" && operation.status === "STARTED") {
    putOperation(journal, { ...operation, status: "SUCCEEDED", endedAt: journal.now }, operation);
    addEvent(journal, "WaitSucceeded", operation, { members: { Duration: operation.seconds } });
    wake(journal);
  } else if (operation.type === "STEP" && operation.status === "PENDING") {
    const { nextAttemptAt: _past, ...step } = operation;
    putOperation(journal, { ...step, status: "READY" }, operation);
    wake(journal);
  } else if (operation.type === "CALLBACK" && operation.status === "STARTED") {
    const error =
      kind === "heartbeat"
        ? { ErrorMessage: "Callback timed out on heartbeat", ErrorType: "Callback.Heartbeat" }
        : { ErrorMessage: "Callback timed out", ErrorType: "Callback.Timeout" };
    endOperation(journal, operation, { status: "TIMED_OUT", error });
  }
}

/** A heartbeat starts the heartbeat timeout anew. */
export function beat(journal: Journal, operation: Extract<OperationRecord, { type: "CALLBACK" }>): void {
  if (operation.heartbeatSeconds === undefined) return;
  const heartbeatAt = journal.now + operation.heartbeatSeconds * 1000;
  clearTimer(journal, operation.heartbeatAt, "heartbeat", operation.id);
  setTimer(journal, heartbeatAt, "heartbeat", operation.id);
  const { unseen } = runningOf(journal);
  putOperation(journal, { ...operation, heartbeatAt }, operation);
  // Nothing that the function could see has changed.
  changeRunning(journal, { unseen });
}
