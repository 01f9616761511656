import type { Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { callbackClosed } from "../durable/errors.ts";
import { findOperation, isRunning, openJournal, saveJournal, type Journal } from "../durable/journal.ts";
import { readExecution, type OperationRecord } from "../durable/model.ts";
import { parseCallbackId } from "../durable/names.ts";
import { beat, endOperation } from "../durable/outcomes.ts";
import { onCallback } from "../durable/permissions.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";

/** What the world tells executions that wait for it. */
export function durableCallbackOperations({ store, jobs, clock }: OperationNeeds) {
  const authorize = async (action: string, id: string | undefined) => {
    const callback = parseCallbackId(id ?? "");
    return onCallback(action, callback, await store.read((reader) => readExecution(reader, callback)));
  };

  const change = (
    id: string | undefined,
    call: Call,
    how: (journal: Journal, operation: Extract<OperationRecord, { type: "CALLBACK" }>) => void,
  ) =>
    store.transact(async (tx: Transaction) => {
      const callback = parseCallbackId(id ?? "");
      const journal = callback.region === call.region ? await openJournal(tx, jobs, callback, clock.now()) : undefined;
      if (!journal || !isRunning(journal)) throw callbackClosed();
      const operation = await findOperation(journal, callback.operationId);
      if (operation?.type !== "CALLBACK" || operation.status !== "STARTED" || operation.callbackId !== id) {
        throw callbackClosed();
      }
      // Its time is over, though the timer may not have fired yet.
      const endsAt = Math.min(operation.timeoutAt ?? Infinity, operation.heartbeatAt ?? Infinity);
      if (endsAt <= journal.now) throw callbackClosed();
      how(journal, operation);
      await saveJournal(journal);
      return {};
    });

  return {
    SendDurableExecutionCallbackSuccess: {
      authorize: (input) => authorize("SendDurableExecutionCallbackSuccess", input.CallbackId),
      run: (input, call) =>
        change(input.CallbackId, call, (journal, operation) => {
          const result = input.Result?.byteLength ? Buffer.from(input.Result).toString("utf8") : undefined;
          endOperation(journal, operation, { status: "SUCCEEDED", result });
        }),
    },

    SendDurableExecutionCallbackFailure: {
      authorize: (input) => authorize("SendDurableExecutionCallbackFailure", input.CallbackId),
      run: (input, call) =>
        change(input.CallbackId, call, (journal, operation) => {
          endOperation(journal, operation, { status: "FAILED", error: input.Error });
        }),
    },

    SendDurableExecutionCallbackHeartbeat: {
      authorize: (input) => authorize("SendDurableExecutionCallbackHeartbeat", input.CallbackId),
      run: (input, call) => change(input.CallbackId, call, beat),
    },
  } satisfies OperationsOf<Sdk>;
}
