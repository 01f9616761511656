import { lowerAlphanumeric, type Ids } from "../../../kernel/ids.ts";
import { invalidParameter } from "../errors.ts";
import { checkUpdates, type Update } from "./checkpoint-rules.ts";
import { startChainedInvoke, type Target } from "./chained-invokes.ts";
import {
  addEvent,
  clearTimer,
  findOperation,
  putOperation,
  setTimer,
  storeError,
  storeText,
  type Journal,
} from "./journal.ts";
import { durableLimits } from "./limits.ts";
import { callbackId } from "./names.ts";
import { endExecution } from "./outcomes.ts";
import type { OperationDetails, OperationFacts, OperationRecord } from "./model.ts";

/** Apply a checkpoint's updates, all or none. `targets`: what the chained invokes among them are found to be, by operation. */
export async function applyUpdates(
  journal: Journal,
  updates: readonly Update[],
  targets: ReadonlyMap<string, Target>,
  ids: Ids,
): Promise<void> {
  const current = new Map<string, OperationRecord>();
  for (const { Id, ParentId } of updates) {
    for (const id of [Id, ParentId]) {
      if (id === undefined || current.has(id)) continue;
      const operation = await findOperation(journal, id);
      if (operation) current.set(id, operation);
    }
  }
  checkUpdates(updates, current);
  for (const update of updates) {
    if (update.Type === "EXECUTION") {
      const most = journal.record.resultBytesMax;
      if (update.Payload !== undefined && Buffer.byteLength(update.Payload) > most) {
        throw invalidParameter(`Execution output payload size must be less than or equal to ${most} bytes.`);
      }
      await endExecution(
        journal,
        update.Action === "SUCCEED"
          ? { status: "SUCCEEDED", result: update.Payload }
          : { status: "FAILED", error: update.Error },
      );
      return;
    }
    const before = current.get(update.Id);
    const known = before ? { operation: before } : startOf(journal, update);
    current.set(update.Id, await applyUpdate(journal, update, known, targets, ids));
  }
  const { operations, bytes } = journal.record;
  if (operations > durableLimits.operationsMax) {
    throw invalidParameter(`A durable execution may have at most ${durableLimits.operationsMax} operations.`);
  }
  if (bytes > durableLimits.executionBytesMax) {
    throw invalidParameter(`A durable execution may store at most ${durableLimits.executionBytesMax} bytes.`);
  }
}

/** An operation that exists, or the facts of one that starts now. */
type Known =
  { readonly operation: OperationRecord } | { readonly operation?: undefined; readonly facts: OperationFacts };

function startOf(journal: Journal, update: Update): Known {
  const order = journal.record.operations + 1;
  journal.record = { ...journal.record, operations: order };
  return {
    facts: {
      v: 1,
      id: update.Id,
      order,
      ...(update.ParentId !== undefined && { parentId: update.ParentId }),
      ...(update.Name !== undefined && { name: update.Name }),
      ...(update.SubType !== undefined && { subType: update.SubType }),
      status: "STARTED",
      startedAt: journal.now,
    },
  };
}

async function applyUpdate(
  journal: Journal,
  update: Update,
  known: Known,
  targets: ReadonlyMap<string, Target>,
  ids: Ids,
): Promise<OperationRecord> {
  switch (update.Type) {
    case "STEP":
      return applyStep(journal, update, known);
    case "CONTEXT":
      return applyContext(journal, update, known);
    case "WAIT":
      return applyWait(journal, update, known);
    case "CALLBACK":
      return startCallback(journal, update, known, ids);
    case "CHAINED_INVOKE": {
      const target = targets.get(update.Id);
      if (!target) throw new Error("The target of a chained invoke has not been looked up");
      return startChainedInvoke(journal, update, started(known, { type: "CHAINED_INVOKE" as const }), target, ids);
    }
    case "EXECUTION":
      throw new Error("An EXECUTION update ends the execution");
  }
}

function started<D extends OperationDetails>(known: Known, details: D): OperationFacts & D {
  if (known.operation) throw new Error("The operation exists already");
  return { ...known.facts, ...details };
}

function applyStep(journal: Journal, update: Update, known: Known): OperationRecord {
  const before = known.operation;
  const step = before?.type === "STEP" ? before : started(known, { type: "STEP" as const, attempt: 0 });
  const { result, error: _error, ...kept } = step;
  if (update.Action === "START") {
    // What the last attempt has left for the next one stays: the function may be cut short before it says more.
    const after = { ...kept, status: "STARTED" as const, ...(result !== undefined && { result }) };
    putOperation(journal, after, before);
    addEvent(journal, "StepStarted", after, {});
    return after;
  }
  const attempt = step.attempt + 1;
  const error = update.Error && storeError(journal, update.Error);
  const payload = update.Payload === undefined ? undefined : storeText(journal, update.Payload);
  const outcome = { ...(payload !== undefined && { result: payload }), ...(error !== undefined && { error }) };
  const delaySeconds = update.StepOptions?.NextAttemptDelaySeconds;
  if (update.Action === "RETRY" && delaySeconds !== undefined) {
    const nextAttemptAt = journal.now + delaySeconds * 1000;
    const after = { ...kept, ...outcome, status: "PENDING" as const, attempt, nextAttemptAt };
    setTimer(journal, nextAttemptAt, "retry", step.id);
    putOperation(journal, after, before);
    const RetryDetails = { CurrentAttempt: attempt, NextAttemptDelaySeconds: delaySeconds };
    // A retry without an error is a condition that is polled again.
    if (error !== undefined) addEvent(journal, "StepFailed", after, { error, members: { RetryDetails } });
    else addEvent(journal, "StepSucceeded", after, { result: payload ?? null, members: { RetryDetails } });
    return after;
  }
  const status = update.Action === "SUCCEED" ? ("SUCCEEDED" as const) : ("FAILED" as const);
  const after = { ...kept, ...outcome, status, attempt, endedAt: journal.now };
  putOperation(journal, after, before);
  const members = { RetryDetails: { CurrentAttempt: attempt } };
  if (status === "SUCCEEDED") addEvent(journal, "StepSucceeded", after, { result: payload ?? null, members });
  else addEvent(journal, "StepFailed", after, { error: error ?? null, members });
  return after;
}

function applyContext(journal: Journal, update: Update, known: Known): OperationRecord {
  const before = known.operation;
  const context =
    before?.type === "CONTEXT" ? before : started(known, { type: "CONTEXT" as const, replayChildren: false });
  if (update.Action === "START") {
    putOperation(journal, context, before);
    addEvent(journal, "ContextStarted", context, {});
    return context;
  }
  const error = update.Error && storeError(journal, update.Error);
  const payload = update.Payload === undefined ? undefined : storeText(journal, update.Payload);
  const after: OperationRecord = {
    ...context,
    status: update.Action === "SUCCEED" ? "SUCCEEDED" : "FAILED",
    replayChildren: update.ContextOptions?.ReplayChildren ?? false,
    endedAt: journal.now,
    ...(payload !== undefined && { result: payload }),
    ...(error !== undefined && { error }),
  };
  putOperation(journal, after, before);
  if (update.Action === "SUCCEED") addEvent(journal, "ContextSucceeded", after, { result: payload ?? null });
  else addEvent(journal, "ContextFailed", after, { error: error ?? null });
  return after;
}

function applyWait(journal: Journal, update: Update, known: Known): OperationRecord {
  const before = known.operation;
  if (before?.type === "WAIT") {
    const after = { ...before, status: "CANCELLED" as const, endedAt: journal.now };
    clearTimer(journal, before.endsAt, "wait", before.id);
    putOperation(journal, after, before);
    const error = update.Error && storeError(journal, update.Error);
    addEvent(journal, "WaitCancelled", after, { ...(error !== undefined && { error }) });
    return after;
  }
  const seconds = update.WaitOptions?.WaitSeconds ?? 0;
  const endsAt = journal.now + seconds * 1000;
  const after = started(known, { type: "WAIT" as const, seconds, endsAt });
  setTimer(journal, endsAt, "wait", after.id);
  putOperation(journal, after, undefined);
  addEvent(journal, "WaitStarted", after, {
    members: { Duration: seconds, ScheduledEndTimestamp: { at: endsAt } },
  });
  return after;
}

function startCallback(journal: Journal, update: Update, known: Known, ids: Ids): OperationRecord {
  // Zero is none.
  const timeout = update.CallbackOptions?.TimeoutSeconds || undefined;
  const heartbeat = update.CallbackOptions?.HeartbeatTimeoutSeconds || undefined;
  const id = callbackId(journal.key, update.Id, ids.random(16, lowerAlphanumeric));
  const timeoutAt = timeout === undefined ? undefined : journal.now + timeout * 1000;
  const heartbeatAt = heartbeat === undefined ? undefined : journal.now + heartbeat * 1000;
  const after = started(known, {
    type: "CALLBACK" as const,
    callbackId: id,
    ...(timeoutAt !== undefined && { timeoutAt }),
    ...(heartbeat !== undefined && { heartbeatSeconds: heartbeat }),
    ...(heartbeatAt !== undefined && { heartbeatAt }),
  });
  if (timeoutAt !== undefined) setTimer(journal, timeoutAt, "callback", after.id);
  if (heartbeatAt !== undefined) setTimer(journal, heartbeatAt, "heartbeat", after.id);
  putOperation(journal, after, undefined);
  addEvent(journal, "CallbackStarted", after, {
    members: {
      CallbackId: id,
      ...(timeout !== undefined && { Timeout: timeout }),
      ...(heartbeat !== undefined && { HeartbeatTimeout: heartbeat }),
    },
  });
  return after;
}
