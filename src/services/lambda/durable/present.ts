import type { Reader } from "../../../kernel/store/store.ts";
import type { ErrorFacts } from "./journal.ts";
import type { ExecutionKey, ExecutionRecord, OperationRecord } from "./model.ts";
import { readText, type StoredText } from "./texts.ts";

/** An `Operation` of Lambda's API. `Time`: a `Date` in answers, epoch milliseconds in what a function is handed. */
export interface PresentedOperation<Time> {
  Id: string;
  ParentId?: string;
  Name?: string;
  Type: "EXECUTION" | OperationRecord["type"];
  SubType?: string;
  StartTimestamp: Time;
  EndTimestamp?: Time;
  Status: OperationRecord["status"];
  ExecutionDetails?: { InputPayload?: string };
  ContextDetails?: { ReplayChildren?: boolean; Result?: string; Error?: ErrorObject };
  StepDetails?: { Attempt: number; NextAttemptTimestamp?: Time; Result?: string; Error?: ErrorObject };
  WaitDetails?: { ScheduledEndTimestamp: Time };
  CallbackDetails?: { CallbackId: string; Result?: string; Error?: ErrorObject };
  ChainedInvokeDetails?: { Result?: string; Error?: ErrorObject };
}

/** An `ErrorObject`, as answers want it. */
export interface ErrorObject {
  ErrorMessage?: string;
  ErrorType?: string;
  ErrorData?: string;
  StackTrace?: string[];
}

export async function presentOperation<Time>(
  reader: Reader,
  key: ExecutionKey,
  operation: OperationRecord,
  time: (ms: number) => Time,
): Promise<PresentedOperation<Time>> {
  const { name, parentId, subType, endedAt } = operation;
  return {
    Id: operation.id,
    ...(parentId !== undefined && { ParentId: parentId }),
    ...(name !== undefined && { Name: name }),
    Type: operation.type,
    ...(subType !== undefined && { SubType: subType }),
    StartTimestamp: time(operation.startedAt),
    ...(endedAt !== undefined && { EndTimestamp: time(endedAt) }),
    Status: operation.status,
    ...(await presentDetails(reader, key, operation, time)),
  };
}

async function presentDetails<Time>(
  reader: Reader,
  key: ExecutionKey,
  operation: OperationRecord,
  time: (ms: number) => Time,
): Promise<Partial<PresentedOperation<Time>>> {
  const { result, error } = operation;
  const outcome = {
    ...(result !== undefined && { Result: await readText(reader, key, result) }),
    ...(error !== undefined && { Error: await readError(reader, key, error) }),
  };
  switch (operation.type) {
    case "CONTEXT":
      return {
        ContextDetails: { ...(operation.replayChildren && { ReplayChildren: true }), ...outcome },
      };
    case "STEP": {
      const { attempt, nextAttemptAt } = operation;
      return {
        StepDetails: {
          Attempt: attempt,
          ...(nextAttemptAt !== undefined && { NextAttemptTimestamp: time(nextAttemptAt) }),
          ...outcome,
        },
      };
    }
    case "WAIT":
      return { WaitDetails: { ScheduledEndTimestamp: time(operation.endsAt) } };
    case "CALLBACK":
      return { CallbackDetails: { CallbackId: operation.callbackId, ...outcome } };
    case "CHAINED_INVOKE":
      return { ChainedInvokeDetails: outcome };
  }
}

/** The execution itself, the first of its operations. */
export async function presentExecution<Time>(
  reader: Reader,
  key: ExecutionKey,
  record: ExecutionRecord,
  time: (ms: number) => Time,
): Promise<PresentedOperation<Time>> {
  const { progress, input } = record;
  return {
    Id: key.id,
    Name: record.name,
    Type: "EXECUTION",
    StartTimestamp: time(record.startedAt),
    ...(progress.state === "closed" && { EndTimestamp: time(progress.endedAt) }),
    Status: progress.state === "closed" ? progress.status : "STARTED",
    ExecutionDetails: { ...(input !== undefined && { InputPayload: await readText(reader, key, input) }) },
  };
}

export async function readError(reader: Reader, key: ExecutionKey, error: StoredText): Promise<ErrorObject> {
  // Written by `storeError`, and by nobody else.
  const facts = JSON.parse(await readText(reader, key, error)) as ErrorFacts;
  const { ErrorMessage, ErrorType, ErrorData, StackTrace } = facts;
  return {
    ...(ErrorMessage !== undefined && { ErrorMessage }),
    ...(ErrorType !== undefined && { ErrorType }),
    ...(ErrorData !== undefined && { ErrorData }),
    ...(StackTrace && { StackTrace: [...StackTrace] }),
  };
}
