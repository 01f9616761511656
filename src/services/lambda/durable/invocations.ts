import { AwsError } from "../../../aws/error.ts";
import type { InvocationOutcome } from "../../../compute/compute.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Store, Transaction } from "../../../kernel/store/store.ts";
import type { Functions } from "../functions.ts";
import { functionArn } from "../model.ts";
import type { Invoker } from "../invoker.ts";
import {
  addEvent,
  changeRunning,
  isRunning,
  jobKinds,
  openJournal,
  runningOf,
  saveJournal,
  storeError,
  wake,
  type ErrorFacts,
  type Journal,
} from "./journal.ts";
import { durableLimits } from "./limits.ts";
import type { ExecutionKey, ExecutionRecord } from "./model.ts";
import { checkpointToken, executionArn } from "./names.ts";
import { endExecution, fireTimers, type Ending } from "./outcomes.ts";
import { parseFunctionError, parseOutput, type Output } from "./output.ts";
import { readState } from "./state.ts";

/** Runs the invocations that executions ask for, one at a time for each execution, and takes in what they answer. */
export function handleInvocations(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly functions: Functions;
  readonly invoker: Pick<Invoker, "run">;
}): void {
  const { store, jobs, clock, ids, functions, invoker } = needs;

  /** Claim the execution for a new invocation: tokens of those before are void. Undefined when there is nothing to do. */
  const begin = (key: ExecutionKey): Promise<Begun | undefined> => {
    const invocation = ids.uuid();
    return store.transact(async (tx) => {
      const journal = await openJournal(tx, jobs, key, clock.now());
      if (!journal || !isRunning(journal)) return undefined;
      changeRunning(journal, { lane: { phase: "invoking", invocation } });
      await fireTimers(journal);
      if (!isRunning(journal)) {
        await saveJournal(journal);
        return undefined;
      }
      const { unseen, sequence } = runningOf(journal);
      changeRunning(journal, { unseen: [] });
      const page = await readState(tx, key, journal.record, { limit: durableLimits.pageMax }, (ms) => ms);
      await saveJournal(journal);
      const event = {
        DurableExecutionArn: executionArn(key, journal.record),
        CheckpointToken: checkpointToken(key, invocation, sequence),
        InitialExecutionState: { Operations: page.operations, NextMarker: page.nextMarker ?? "" },
        UpdatedOperationIds: unseen,
      };
      return { record: journal.record, payload: Buffer.from(JSON.stringify(event)), startedAt: journal.now };
    });
  };

  const invoke = async (key: ExecutionKey, begun: Begun, requestId: string): Promise<InvocationOutcome | AwsError> => {
    const { record, payload } = begun;
    const fn = await functions.find(key, key.functionName);
    const gone = () => {
      const arn = functionArn(key, key.functionName, record.version);
      return new AwsError("ResourceNotFoundException", 404, `Function not found: ${arn}`);
    };
    if (!fn || fn.record.id !== record.functionId) return gone();
    try {
      const { outcome } = await invoker.run(fn, {
        qualifier: record.version,
        payload,
        requestId,
        traceId: record.traceId,
        clientContext: record.clientContext,
        logTail: true,
      });
      return outcome;
    } catch (error) {
      if (error instanceof AwsError) return error;
      throw error;
    }
  };

  const run = async (job: Job) => {
    const [account = "", region = "", functionName = "", id = ""] = job.key.map(String);
    const key = { account, region, functionName, id };
    const begun = await begin(key);
    if (!begun) return;
    const requestId = ids.uuid();
    const outcome = await invoke(key, begun, requestId);
    // An environment that the platform's own stop has killed is no failure of the function: it runs again.
    if (outcome instanceof AwsError || outcome.outcome === "error") job.signal.throwIfAborted();
    await job.finish(async (tx: Transaction) => {
      const journal = await openJournal(tx, jobs, key, clock.now());
      if (!journal) return;
      await takeIn(journal, outcome, { ...begun, requestId });
      await saveJournal(journal);
    });
  };

  // `attemptsMax` counts runs that a dying process cut short: no number of those loses an execution.
  jobs.handle(jobKinds.invoke, { concurrency: durableLimits.invocationConcurrency, attemptsMax: 1_000_000, run });
}

interface Begun {
  readonly record: ExecutionRecord;
  readonly payload: Uint8Array;
  readonly startedAt: number;
}

interface Invocation {
  readonly startedAt: number;
  readonly requestId: string;
}

/** What an invocation has come to, and what follows from it. */
async function takeIn(journal: Journal, outcome: InvocationOutcome | AwsError, by: Invocation): Promise<void> {
  if (outcome instanceof AwsError) {
    if (!isRunning(journal)) return;
    changeRunning(journal, { lane: { phase: "idle" } });
    if (outcome.status !== 429 && outcome.status < 500) {
      return fail(journal, { ErrorMessage: outcome.message, ErrorType: outcome.code });
    }
    // A throttle or our own failure: tried until the execution's time is over.
    const { throttles } = runningOf(journal);
    changeRunning(journal, { throttles: throttles + 1 });
    const delayMs = durableLimits.throttleBackoffMs * 2 ** Math.min(throttles, 20);
    return wake(journal, journal.now + Math.min(delayMs, durableLimits.throttleBackoffMsMax));
  }
  if (outcome.outcome === "error") {
    const error = parseFunctionError(outcome.payload);
    addCompletion(journal, by, error);
    if (isRunning(journal)) return retry(journal, error);
    return;
  }
  const output = parseOutput(outcome.payload, journal.record.resultBytesMax);
  addCompletion(journal, by, output.status === "FAILED" ? output.error : undefined);
  if (!isRunning(journal)) return;
  changeRunning(journal, { lane: { phase: "idle" }, failures: 0, throttles: 0 });
  const ending = await takeOutput(journal, output);
  if (ending) await endExecution(journal, { ...ending, logTail: outcome.logTail });
}

/** What an answer of the function ends the execution with; undefined when it goes on. */
async function takeOutput(journal: Journal, output: Output): Promise<Ending | undefined> {
  if (output.status !== "PENDING") return output;
  await fireTimers(journal);
  if (!isRunning(journal)) return undefined;
  const { pending, unseen, idle, lane } = runningOf(journal);
  if (lane.phase === "scheduled") return undefined;
  if (unseen.length > 0) {
    // What has ended since the function last looked: it would otherwise wait for it forever.
    wake(journal);
    return undefined;
  }
  if (pending > 0) {
    changeRunning(journal, { idle: 0 });
    return undefined;
  }
  if (idle + 1 < durableLimits.idlePendingMax) {
    changeRunning(journal, { idle: idle + 1 });
    wake(journal, journal.now + durableLimits.invocationBackoffMs);
    return undefined;
  }
  const ErrorMessage = "Cannot return PENDING status with no pending operations.";
  return { status: "FAILED", error: { ErrorMessage, ErrorType: "InvalidParameterValueException" } };
}

async function retry(journal: Journal, error: ErrorFacts): Promise<void> {
  const failures = runningOf(journal).failures + 1;
  changeRunning(journal, { lane: { phase: "idle" }, failures, throttles: 0 });
  if (failures >= durableLimits.invocationFailuresMax) return fail(journal, error);
  wake(journal, journal.now + durableLimits.invocationBackoffMs * 2 ** (failures - 1));
}

function fail(journal: Journal, error: ErrorFacts): Promise<void> {
  return endExecution(journal, { status: "FAILED", error });
}

function addCompletion(journal: Journal, by: Invocation, error: ErrorFacts | undefined): void {
  addEvent(journal, "InvocationCompleted", undefined, {
    ...(error && { error: storeError(journal, error) }),
    members: {
      StartTimestamp: { at: by.startedAt },
      EndTimestamp: { at: journal.now },
      RequestId: by.requestId,
    },
  });
}
