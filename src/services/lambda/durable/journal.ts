import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Key, Transaction } from "../../../kernel/store/store.ts";
import {
  dataPrefix,
  readExecution,
  readOperation,
  writeEvent,
  writeExecution,
  writeOperation,
  type EventDetails,
  type ExecutionKey,
  type ExecutionRecord,
  type OperationRecord,
  type Running,
  type RunningRecord,
} from "./model.ts";
import { bytesOf, writeText, type StoredText } from "./texts.ts";

/**
 * A running execution within one transaction: the working copy of its record, which `saveJournal` writes with the jobs
 * that follow from it. Everything that happens to executions goes through one.
 */
export interface Journal {
  readonly tx: Transaction;
  readonly jobs: Jobs;
  readonly key: ExecutionKey;
  readonly now: number;
  record: ExecutionRecord;
}

/** What a job about one execution is called by. */
export const jobKey = (key: ExecutionKey): Key => [key.account, key.region, key.functionName, key.id];

export const jobKinds = {
  invoke: "lambda.durableInvoke",
  timer: "lambda.durableTimer",
  chainedInvoke: "lambda.durableChainedInvoke",
  remove: "lambda.durableRemove",
} as const;

/** Undefined when there is no such execution. */
export async function openJournal(
  tx: Transaction,
  jobs: Jobs,
  key: ExecutionKey,
  now: number,
): Promise<Journal | undefined> {
  const record = await readExecution(tx, key);
  return record && { tx, jobs, key, now, record };
}

/** The execution goes on. */
export function isRunning(journal: Journal): journal is Journal & { record: RunningRecord } {
  return journal.record.progress.state === "running";
}

export function runningOf(journal: Journal): Running {
  const { progress } = journal.record;
  if (progress.state === "closed") throw new Error("The durable execution has ended");
  return progress;
}

export function changeRunning(journal: Journal, change: Partial<Running>): void {
  journal.record = { ...journal.record, progress: { ...runningOf(journal), ...change } };
}

/** Keep a payload under the execution. */
export function storeText(journal: Journal, text: string): StoredText {
  const { record } = journal;
  const stored = writeText(journal.tx, journal.key, record.texts, text);
  journal.record = { ...record, texts: record.texts + 1, bytes: record.bytes + bytesOf(stored) };
  return stored;
}

/** Keep an error object under the execution. */
export function storeError(journal: Journal, error: ErrorFacts | undefined): StoredText {
  return storeText(journal, JSON.stringify(error ?? {}));
}

/** An `ErrorObject` of Lambda's API. */
export interface ErrorFacts {
  readonly ErrorMessage?: string | undefined;
  readonly ErrorType?: string | undefined;
  readonly ErrorData?: string | undefined;
  readonly StackTrace?: readonly string[] | undefined;
}

export function addEvent(
  journal: Journal,
  type: string,
  operation: OperationRecord | "execution" | undefined,
  details: EventDetails,
): void {
  const id = journal.record.events + 1;
  journal.record = { ...journal.record, events: id };
  const about =
    operation === "execution" ? { id: journal.key.id, name: journal.record.name } : operation && factsOf(operation);
  writeEvent(journal.tx, journal.key, {
    v: 1,
    id,
    type,
    at: journal.now,
    ...(about && { operation: about }),
    details,
  });
}

function factsOf({ id, name, parentId, subType }: OperationRecord) {
  return {
    id,
    ...(name !== undefined && { name }),
    ...(parentId !== undefined && { parentId }),
    ...(subType !== undefined && { subType }),
  };
}

export function findOperation(journal: Journal, id: string): Promise<OperationRecord | undefined> {
  return readOperation(journal.tx, journal.key, id);
}

/** Keep an operation as it is now; the function has yet to see it. */
export function putOperation(journal: Journal, operation: OperationRecord, before: OperationRecord | undefined): void {
  writeOperation(journal.tx, journal.key, operation);
  const { pending, unseen } = runningOf(journal);
  changeRunning(journal, {
    pending: pending + Number(isPending(operation)) - Number(before !== undefined && isPending(before)),
    unseen: unseen.includes(operation.id) ? unseen : [...unseen, operation.id],
  });
}

/** It goes on without the function. */
export function isPending(operation: OperationRecord): boolean {
  switch (operation.type) {
    case "STEP":
      return operation.status === "PENDING";
    case "WAIT":
    case "CALLBACK":
    case "CHAINED_INVOKE":
      return operation.status === "STARTED";
    case "CONTEXT":
      return false;
  }
}

export type TimerKind = "execution" | "wait" | "retry" | "callback" | "heartbeat";

export const timersPrefix = (key: ExecutionKey): Key => [...dataPrefix(key), "timer"];
const timerKey = (key: ExecutionKey, at: number, kind: TimerKind, operationId: string): Key => [
  ...timersPrefix(key),
  at,
  kind,
  operationId,
];

export function setTimer(journal: Journal, at: number, kind: TimerKind, operationId: string): void {
  journal.tx.set(timerKey(journal.key, at, kind, operationId), null);
}

export function clearTimer(journal: Journal, at: number | undefined, kind: TimerKind, operationId: string): void {
  if (at !== undefined) journal.tx.delete(timerKey(journal.key, at, kind, operationId));
}

/** Have the function invoked, unless it is or will be: it then sees what has changed without that. */
export function wake(journal: Journal, at: number = journal.now): void {
  if (runningOf(journal).lane.phase !== "idle") return;
  changeRunning(journal, { lane: { phase: "scheduled" } });
  journal.jobs.schedule(journal.tx, { kind: jobKinds.invoke, key: jobKey(journal.key), at });
}

/** Write the record, and the job for the earliest timer. */
export async function saveJournal(journal: Journal): Promise<void> {
  const { tx, jobs, key } = journal;
  if (isRunning(journal)) {
    const [earliest] = await tx.range({ prefix: timersPrefix(key) }, { limit: 1 });
    const at = earliest && Number(earliest.key[timersPrefix(key).length]);
    const { wakeAt, ...progress } = runningOf(journal);
    if (at !== wakeAt) {
      if (at === undefined) jobs.cancel(tx, jobKinds.timer, jobKey(key));
      else jobs.schedule(tx, { kind: jobKinds.timer, key: jobKey(key), at });
      journal.record = { ...journal.record, progress: { ...progress, ...(at !== undefined && { wakeAt: at }) } };
    }
  }
  writeExecution(tx, key, journal.record);
}
