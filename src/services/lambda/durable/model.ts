import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Place } from "../model.ts";
import type { StoredText } from "./texts.ts";

/** Which durable execution: where its function is, and the identifier it was given. */
export interface ExecutionKey extends Place {
  readonly functionName: string;
  readonly id: string;
}

export interface ExecutionRecord {
  readonly v: 1;
  readonly name: string;
  /** The incarnation of the function, and its version: every invocation runs that one. */
  readonly functionId: string;
  readonly version: string;
  readonly executionTimeoutSeconds: number;
  readonly retentionDays: number;
  readonly startedAt: number;
  readonly input?: StoredText;
  /** Hash of the input: whoever starts an execution of the same name must bring the same. */
  readonly inputSha256: string;
  /** What its result may take. */
  readonly resultBytesMax: number;
  readonly traceId?: string;
  readonly clientContext?: string;
  /** Whose chained invoke it is. */
  readonly parent?: { readonly functionName: string; readonly id: string; readonly operationId: string };
  /** Numbers given so far: to operations, history events and long texts. */
  readonly operations: number;
  readonly events: number;
  readonly texts: number;
  /** What its operations carry. */
  readonly bytes: number;
  readonly progress: Running | Closed;
}

export interface Running {
  readonly state: "running";
  readonly lane: Lane;
  /** Counts checkpoints: a token is good for the one that follows. */
  readonly sequence: number;
  /** Operations that have changed since the function last saw the state, oldest change first. */
  readonly unseen: readonly string[];
  /** Operations that go on without the function: waits, retries, callbacks, chained invokes. */
  readonly pending: number;
  /** Invocations in a row that failed; that answered PENDING with nothing pending; that were throttled. */
  readonly failures: number;
  readonly idle: number;
  readonly throttles: number;
  /** When the job for its earliest timer runs. */
  readonly wakeAt?: number;
  /** The last checkpoint, to answer it again. */
  readonly last?: { readonly clientToken: string; readonly token: string; readonly operations: readonly string[] };
}

/** At most one invocation at a time: none, one that a job will make, or one that runs. */
export type Lane =
  | { readonly phase: "idle" }
  | { readonly phase: "scheduled" }
  | { readonly phase: "invoking"; readonly invocation: string };

export interface Closed {
  readonly state: "closed";
  readonly status: ClosedStatus;
  readonly endedAt: number;
  readonly result?: StoredText;
  /** An error object, as JSON. */
  readonly error?: StoredText;
  /** Of the invocation that ended it. */
  readonly logTail?: Uint8Array;
}

export type ClosedStatus = "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "STOPPED";

export type RunningRecord = ExecutionRecord & { readonly progress: Running };

/** A step, wait, context … as the function has checkpointed it, and what has become of it since. */
export type OperationRecord = OperationFacts & OperationDetails;

export interface OperationFacts {
  readonly v: 1;
  readonly id: string;
  /** Its place in the order of starts. */
  readonly order: number;
  readonly parentId?: string;
  readonly name?: string;
  readonly subType?: string;
  readonly status: OperationStatus;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly result?: StoredText;
  /** An error object, as JSON. */
  readonly error?: StoredText;
}

export type OperationStatus =
  "STARTED" | "PENDING" | "READY" | "SUCCEEDED" | "FAILED" | "CANCELLED" | "TIMED_OUT" | "STOPPED";

export type OperationDetails =
  | { readonly type: "CONTEXT"; readonly replayChildren: boolean }
  | {
      readonly type: "STEP";
      /** Attempts that have ended. */
      readonly attempt: number;
      readonly nextAttemptAt?: number;
    }
  | { readonly type: "WAIT"; readonly seconds: number; readonly endsAt: number }
  | {
      readonly type: "CALLBACK";
      readonly callbackId: string;
      readonly timeoutAt?: number;
      readonly heartbeatSeconds?: number;
      readonly heartbeatAt?: number;
    }
  | {
      readonly type: "CHAINED_INVOKE";
      /** The execution it has started, when the target is durable. */
      readonly childId?: string;
    };

/** One event of the history. */
export interface EventRecord {
  readonly v: 1;
  readonly id: number;
  readonly type: string;
  readonly at: number;
  readonly operation?: {
    readonly id: string;
    readonly name?: string;
    readonly parentId?: string;
    readonly subType?: string;
  };
  readonly details: EventDetails;
}

/** Payloads as they are stored; everything else as the history answers it. */
export interface EventDetails {
  readonly input?: StoredText;
  readonly result?: StoredText | null;
  readonly error?: StoredText | null;
  /** Further members; `Date`s as `{ at: epoch milliseconds }`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

const executionPrefix = (place: Place, functionName: string): Key => [
  "durable",
  "execution",
  place.account,
  place.region,
  functionName,
];

/** Everything of an execution but its record. */
export const dataPrefix = (key: ExecutionKey): Key => [
  "durable",
  "data",
  key.account,
  key.region,
  key.functionName,
  key.id,
];

const recordKey = (key: ExecutionKey): Key => [...executionPrefix(key, key.functionName), key.id];
const operationKey = (key: ExecutionKey, id: string): Key => [...dataPrefix(key), "operation", id];
export const operationsPrefix = (key: ExecutionKey): Key => [...dataPrefix(key), "operation"];
export const eventsPrefix = (key: ExecutionKey): Key => [...dataPrefix(key), "event"];
/** Changes when the execution ends. */
export const endedPrefix = (key: ExecutionKey): Key => [...dataPrefix(key), "ended"];
export const startedPrefix = (place: Place, functionName: string): Key => [
  "durable",
  "started",
  place.account,
  place.region,
  functionName,
];
const startedKey = (key: ExecutionKey, startedAt: number): Key => [
  ...startedPrefix(key, key.functionName),
  startedAt,
  key.id,
];
const nameKey = (place: Place, functionName: string, name: string): Key => [
  "durable",
  "name",
  place.account,
  place.region,
  functionName,
  name,
];

export function readExecution(reader: Reader, key: ExecutionKey): Promise<ExecutionRecord | undefined> {
  return reader.get<ExecutionRecord>(recordKey(key));
}

export function writeExecution(tx: Transaction, key: ExecutionKey, record: ExecutionRecord): void {
  tx.set(recordKey(key), record);
}

/** Make an execution findable: by its name and by when it started. */
export function indexExecution(tx: Transaction, key: ExecutionKey, record: ExecutionRecord): void {
  tx.set(nameKey(key, key.functionName, record.name), key.id);
  tx.set(startedKey(key, record.startedAt), null);
}

export async function deleteExecution(tx: Transaction, key: ExecutionKey, record: ExecutionRecord): Promise<void> {
  tx.delete(recordKey(key));
  // A function that was made anew under the name of one that is gone may have given it to another execution.
  const named = nameKey(key, key.functionName, record.name);
  if ((await tx.get<string>(named)) === key.id) tx.delete(named);
  tx.delete(startedKey(key, record.startedAt));
}

export async function findByName(
  reader: Reader,
  place: Place,
  functionName: string,
  name: string,
): Promise<{ readonly key: ExecutionKey; readonly record: ExecutionRecord } | undefined> {
  const id = await reader.get<string>(nameKey(place, functionName, name));
  if (id === undefined) return undefined;
  const key = { account: place.account, region: place.region, functionName, id };
  const record = await readExecution(reader, key);
  return record && { key, record };
}

export function readOperation(reader: Reader, key: ExecutionKey, id: string): Promise<OperationRecord | undefined> {
  return reader.get<OperationRecord>(operationKey(key, id));
}

export function writeOperation(tx: Transaction, key: ExecutionKey, operation: OperationRecord): void {
  tx.set(operationKey(key, operation.id), operation);
}

export function writeEvent(tx: Transaction, key: ExecutionKey, event: EventRecord): void {
  tx.set([...eventsPrefix(key), event.id], event);
}

export function markEnded(tx: Transaction, key: ExecutionKey): void {
  tx.set([...endedPrefix(key), 1], null);
}
