import { createHash } from "node:crypto";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import type { DurableSettings } from "../model.ts";
import { addEvent, saveJournal, setTimer, storeText, wake, type Journal } from "./journal.ts";
import { indexExecution, type ExecutionKey, type ExecutionRecord } from "./model.ts";

export interface NewExecution {
  readonly key: ExecutionKey;
  readonly name: string;
  readonly functionId: string;
  readonly version: string;
  readonly durable: DurableSettings;
  readonly input: string | undefined;
  readonly resultBytesMax: number;
  readonly traceId?: string | undefined;
  readonly clientContext?: string | undefined;
  readonly parent?: ExecutionRecord["parent"];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Start an execution: its record, its timeout and its first invocation come with the transaction. */
export async function startExecution(tx: Transaction, jobs: Jobs, start: NewExecution): Promise<ExecutionRecord> {
  const { key, durable, now } = start;
  const journal: Journal = {
    tx,
    jobs,
    key,
    now,
    record: {
      v: 1,
      name: start.name,
      functionId: start.functionId,
      version: start.version,
      executionTimeoutSeconds: durable.executionTimeoutSeconds,
      retentionDays: durable.retentionDays,
      startedAt: now,
      inputSha256: hashInput(start.input),
      resultBytesMax: start.resultBytesMax,
      ...(start.traceId !== undefined && { traceId: start.traceId }),
      ...(start.clientContext !== undefined && { clientContext: start.clientContext }),
      ...(start.parent && { parent: start.parent }),
      operations: 0,
      events: 0,
      texts: 0,
      bytes: 0,
      progress: {
        state: "running",
        lane: { phase: "idle" },
        sequence: 0,
        unseen: [],
        pending: 0,
        failures: 0,
        idle: 0,
        throttles: 0,
      },
    },
  };
  const input = start.input === undefined ? undefined : storeText(journal, start.input);
  if (input !== undefined) journal.record = { ...journal.record, input };
  addEvent(journal, "ExecutionStarted", "execution", {
    ...(input !== undefined && { input }),
    members: { ExecutionTimeout: durable.executionTimeoutSeconds },
  });
  setTimer(journal, now + durable.executionTimeoutSeconds * 1000, "execution", key.id);
  wake(journal);
  await saveJournal(journal);
  indexExecution(tx, key, journal.record);
  return journal.record;
}

export function hashInput(input: string | undefined): string {
  return createHash("sha256")
    .update(input ?? "")
    .digest("base64");
}
