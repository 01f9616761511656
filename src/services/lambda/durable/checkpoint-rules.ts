import type { OperationAction, OperationType, OperationUpdate } from "@aws-sdk/client-lambda";
import { invalidParameter } from "../errors.ts";
import { durableLimits } from "./limits.ts";
import type { OperationRecord } from "./model.ts";

/** An update with the members that its constraints require. */
export type Update = OperationUpdate & {
  readonly Id: string;
  readonly Type: OperationType;
  readonly Action: OperationAction;
};

export function toUpdates(updates: readonly OperationUpdate[]): Update[] {
  return updates.map((update) => {
    const { Id, Type, Action } = update;
    if (Id === undefined || Type === undefined || Action === undefined) throw new Error("Required members are missing");
    return { ...update, Id, Type, Action };
  });
}

/**
 * Throws InvalidParameterValueException for updates that do not fit each other or what they update. All are checked
 * against the state before the checkpoint. Source of the order and the words: the official local runner.
 */
export function checkUpdates(updates: readonly Update[], current: ReadonlyMap<string, OperationRecord>): void {
  const executions = updates.filter(({ Type }) => Type === "EXECUTION");
  if (executions.length > 1) throw invalidParameter("Cannot checkpoint multiple EXECUTION updates.");
  if (executions.length === 1 && updates.at(-1)?.Type !== "EXECUTION") {
    throw invalidParameter("EXECUTION checkpoint must be the last update.");
  }
  checkTogether(updates, current);
  for (const update of updates) {
    const operation = current.get(update.Id);
    if (operation) checkSameOperation(update, operation);
    checkSizes(update);
    checkAction(update);
    checkTransition(update, operation);
  }
}

function checkTogether(updates: readonly Update[], current: ReadonlyMap<string, OperationRecord>): void {
  const started = new Map<string, Update>();
  const last = new Map<string, Update>();
  for (const update of updates) {
    const before = last.get(update.Id);
    if (before && !mayFollow(before, update)) {
      throw invalidParameter("Cannot checkpoint multiple operations with the same ID.");
    }
    if (update.ParentId !== undefined) {
      const parent = started.get(update.ParentId)?.Type ?? current.get(update.ParentId)?.type;
      if (parent !== "CONTEXT") throw invalidParameter("Invalid parent operation id.");
    }
    if (update.Action === "START") started.set(update.Id, update);
    last.set(update.Id, update);
  }
}

/** A step or context may start and go on in one checkpoint. */
function mayFollow(before: Update, update: Update): boolean {
  const mayGoOn = before.Type === "STEP" || before.Type === "CONTEXT";
  return mayGoOn && before.Action === "START" && update.Action !== "START";
}

function checkSameOperation(update: Update, operation: OperationRecord): void {
  const { Type, SubType, Name, ParentId } = update;
  if (Type !== operation.type) throw invalidParameter("Inconsistent operation type.");
  if (SubType !== undefined && SubType !== operation.subType) {
    throw invalidParameter("Inconsistent operation subtype.");
  }
  if (Name !== undefined && Name !== operation.name) throw invalidParameter("Inconsistent operation name.");
  if (ParentId !== undefined && ParentId !== operation.parentId) {
    throw invalidParameter("Inconsistent parent operation id.");
  }
}

function checkSizes(update: Update): void {
  const most = update.Type === "EXECUTION" ? durableLimits.synchronousPayloadBytesMax : durableLimits.payloadBytesMax;
  if (update.Payload !== undefined && Buffer.byteLength(update.Payload) > most) {
    const what = update.Type === "CHAINED_INVOKE" ? "input" : "output";
    throw invalidParameter(`${update.Type} ${what} payload size must be less than or equal to ${most} bytes.`);
  }
  if (update.Error !== undefined && Buffer.byteLength(JSON.stringify(update.Error)) > durableLimits.errorBytesMax) {
    throw invalidParameter(`Error object size must be less than ${durableLimits.errorBytesMax} bytes.`);
  }
}

const actions: Readonly<Record<OperationType, readonly OperationAction[]>> = {
  EXECUTION: ["SUCCEED", "FAIL"],
  CONTEXT: ["START", "SUCCEED", "FAIL"],
  STEP: ["START", "SUCCEED", "FAIL", "RETRY"],
  WAIT: ["START", "CANCEL"],
  CALLBACK: ["START"],
  CHAINED_INVOKE: ["START"],
};

function checkAction(update: Update): void {
  if (!actions[update.Type].includes(update.Action)) {
    throw invalidParameter("Invalid action for the given operation type.");
  }
  if (update.Action === "FAIL" && update.Payload !== undefined) {
    throw invalidParameter("Cannot provide a Payload for FAIL action.");
  }
  if (update.Action === "SUCCEED" && update.Error !== undefined) {
    throw invalidParameter("Cannot provide an Error for SUCCEED action.");
  }
}

function checkTransition(update: Update, operation: OperationRecord | undefined): void {
  const status = operation?.status;
  switch (update.Type) {
    case "STEP":
      return checkStep(update, status);
    case "CONTEXT":
      if (update.Action === "START" && operation) throw invalidParameter("Cannot start a CONTEXT that already exist.");
      if (operation && status !== "STARTED") throw invalidParameter("Invalid current CONTEXT state to close.");
      return;
    case "WAIT":
      if (update.Action === "START") {
        if (operation) throw invalidParameter("Cannot start a WAIT that already exist.");
        // Ours, as AWS's words are not known.
        if (update.WaitOptions?.WaitSeconds === undefined)
          throw invalidParameter("Invalid WaitOptions for the given action.");
      } else if (status !== "STARTED") {
        throw invalidParameter("Cannot cancel a WAIT that does not exist or has already completed.");
      }
      return;
    case "CALLBACK":
      if (operation) throw invalidParameter("Cannot start a CALLBACK that already exist.");
      return;
    case "CHAINED_INVOKE":
      if (operation) throw invalidParameter("Cannot start a CHAINED_INVOKE operation that already exists.");
      if (!update.ChainedInvokeOptions) {
        throw invalidParameter("Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.");
      }
      return;
    case "EXECUTION":
      return;
  }
}

function checkStep(update: Update, status: OperationRecord["status"] | undefined): void {
  if (update.Action === "RETRY") {
    if (update.StepOptions?.NextAttemptDelaySeconds === undefined) {
      throw invalidParameter("Invalid StepOptions for the given action.");
    }
    if (update.Error !== undefined && update.Payload !== undefined) {
      throw invalidParameter("Cannot provide both error and payload to RETRY a STEP.");
    }
  }
  if (status === undefined) return;
  const open = status === "STARTED" || status === "READY";
  if (update.Action === "START") {
    if (status !== "READY") throw invalidParameter("Invalid current STEP state to start.");
  } else if (!open) {
    throw invalidParameter(`Invalid current STEP state to ${update.Action === "RETRY" ? "re-attempt" : "close"}.`);
  }
}
