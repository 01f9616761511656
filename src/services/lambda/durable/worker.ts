import { AwsError } from "../../../aws/error.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Job, Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Store, Transaction } from "../../../kernel/store/store.ts";
import { functionNotFound } from "../errors.ts";
import type { Functions } from "../functions.ts";
import type { Invoker } from "../invoker.ts";
import { functionArn } from "../model.ts";
import type { ChainedInvokePayload } from "./chained-invokes.ts";
import { findOperation, isRunning, jobKinds, openJournal, runningOf, saveJournal } from "./journal.ts";
import { durableLimits } from "./limits.ts";
import { dataPrefix, deleteExecution, readExecution, type ExecutionKey } from "./model.ts";
import { endOperation, fireTimers, type Outcome } from "./outcomes.ts";
import { parseFunctionError } from "./output.ts";
import { readText } from "./texts.ts";

interface WorkerNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly functions: Functions;
  readonly invoker: Pick<Invoker, "run">;
}

/** Answers the jobs of executions other than their invocations: timers, chained invokes, and removal after retention. */
export function handleDurableJobs(needs: WorkerNeeds): void {
  const { jobs } = needs;
  jobs.handle(jobKinds.timer, { concurrency: 20, attemptsMax: 1_000_000, run: (job) => runTimers(needs, job) });
  jobs.handle(jobKinds.chainedInvoke, {
    concurrency: durableLimits.invocationConcurrency,
    attemptsMax: 1_000_000,
    run: (job) => runChainedInvoke(needs, job),
  });
  jobs.handle(jobKinds.remove, { concurrency: 1, attemptsMax: 1_000_000, run: (job) => removeExecution(needs, job) });
}

function keyOf(job: Job): ExecutionKey {
  const [account = "", region = "", functionName = "", id = ""] = job.key.map(String);
  return { account, region, functionName, id };
}

async function runTimers({ jobs, clock }: WorkerNeeds, job: Job): Promise<void> {
  await job.finish(async (tx) => {
    const journal = await openJournal(tx, jobs, keyOf(job), clock.now());
    if (!journal || !isRunning(journal)) return;
    const { wakeAt: _this, ...progress } = runningOf(journal);
    journal.record = { ...journal.record, progress };
    await fireTimers(journal);
    await saveJournal(journal);
  });
}

async function runChainedInvoke(needs: WorkerNeeds, job: Job): Promise<void> {
  const { store, jobs, clock } = needs;
  const key = keyOf(job);
  const operationId = String(job.key[4]);
  // Written by `startChainedInvoke`, and by nobody else.
  const payload = job.payload as ChainedInvokePayload;
  const open = async (tx: Transaction) => {
    const journal = await openJournal(tx, jobs, key, clock.now());
    if (!journal || !isRunning(journal)) return undefined;
    const operation = await findOperation(journal, operationId);
    return operation?.type === "CHAINED_INVOKE" && operation.status === "STARTED" ? { journal, operation } : undefined;
  };
  const input = await store.read(async (reader) => {
    const record = await readExecution(reader, key);
    if (record?.progress.state !== "running") return undefined;
    return payload.input === undefined ? "{}" : readText(reader, key, payload.input);
  });
  if (input === undefined) return;
  const outcome = await invokePlain(needs, key, payload, input);
  if (outcome === "later") {
    const delayMs = durableLimits.throttleBackoffMs * 2 ** Math.min(payload.deferrals, 20);
    const at = clock.now() + Math.min(delayMs, durableLimits.throttleBackoffMsMax);
    return job.repeat(at, { ...payload, deferrals: payload.deferrals + 1 }, () => Promise.resolve());
  }
  if (outcome.status !== "SUCCEEDED") job.signal.throwIfAborted();
  await job.finish(async (tx) => {
    const opened = await open(tx);
    if (!opened) return;
    endOperation(opened.journal, opened.operation, outcome);
    await saveJournal(opened.journal);
  });
}

async function invokePlain(
  { functions, invoker, ids }: WorkerNeeds,
  key: ExecutionKey,
  payload: ChainedInvokePayload,
  input: string,
): Promise<Outcome | "later"> {
  const { functionName, qualifier, traceId } = payload;
  const fn = await functions.find(key, functionName);
  if (!fn) return failed(functionNotFound(functionArn(key, functionName, qualifier ?? "$LATEST")));
  try {
    const { outcome } = await invoker.run(fn, {
      qualifier,
      payload: Buffer.from(input),
      requestId: ids.uuid(),
      traceId,
    });
    if (outcome.outcome === "error") return { status: "FAILED", error: parseFunctionError(outcome.payload) };
    if (outcome.payload.byteLength > durableLimits.payloadBytesMax) {
      const most = durableLimits.payloadBytesMax;
      const ErrorMessage = `CHAINED_INVOKE output payload size must be less than or equal to ${most} bytes.`;
      return { status: "FAILED", error: { ErrorMessage } };
    }
    return { status: "SUCCEEDED", result: Buffer.from(outcome.payload).toString("utf8") };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return error.status === 429 || error.status >= 500 ? "later" : failed(error);
  }
}

function failed(error: AwsError): Outcome {
  return { status: "FAILED", error: { ErrorMessage: error.message, ErrorType: error.code } };
}

/** An execution is kept for its retention period after its end. */
async function removeExecution({ store, clock }: WorkerNeeds, job: Job): Promise<void> {
  const key = keyOf(job);
  for (;;) {
    job.signal.throwIfAborted();
    const more = await store.transact(async (tx) => {
      const entries = await tx.range({ prefix: dataPrefix(key) }, { limit: durableLimits.removedAtOnce });
      for (const entry of entries) tx.delete(entry.key);
      return entries.length === durableLimits.removedAtOnce;
    });
    if (!more) break;
  }
  await job.finish(async (tx) => {
    const record = await readExecution(tx, key);
    if (record?.progress.state === "closed" && record.progress.endedAt <= clock.now())
      await deleteExecution(tx, key, record);
  });
}
