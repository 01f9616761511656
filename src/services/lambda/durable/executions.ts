import type { InvocationOutcome } from "../../../compute/compute.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { CompiledFunction } from "../functions.ts";
import type { InvocationRequest, Invoked, Invoker } from "../invoker.ts";
import { resolveVersion } from "../routing.ts";
import { alreadyStarted, executionNotFound, tooLongToWaitFor, unqualified } from "./errors.ts";
import { durableLimits } from "./limits.ts";
import {
  endedPrefix,
  findByName,
  readExecution,
  type Closed,
  type ExecutionKey,
  type ExecutionRecord,
} from "./model.ts";
import { executionArn } from "./names.ts";
import { toFunctionError } from "./output.ts";
import { readError } from "./present.ts";
import { hashInput, startExecution } from "./start.ts";
import { readText } from "./texts.ts";

/** Starts durable executions, and waits for them. */
export interface DurableExecutions {
  /** An execution of this name and input goes on as it is. Throws what Invoke answers when it may not be started. */
  start(fn: CompiledFunction, request: StartRequest): Promise<StartedExecution>;
  /** What Invoke answers when the execution has ended. */
  wait(started: StartedExecution, requestId: string, signal?: AbortSignal): Promise<InvocationOutcome>;
  /** Runs durable functions as whole executions, and all others as `plain` does. */
  readonly invoker: Invoker;
  stop(): void;
}

export interface StartRequest {
  readonly qualifier: string | undefined;
  readonly payload: Uint8Array;
  /** Somebody waits for its result. */
  readonly synchronous: boolean;
  readonly name?: string | undefined;
  readonly traceId?: string | undefined;
  readonly clientContext?: string | undefined;
}

export interface StartedExecution {
  readonly key: ExecutionKey;
  readonly record: ExecutionRecord;
  readonly arn: string;
  readonly memoryMb: number;
}

/** Whether Invoke starts executions of a function: decided when it is created, and the same for all its versions. */
export function isDurable(fn: CompiledFunction): boolean {
  return fn.record.latest.settings.durable !== undefined;
}

export function createDurableExecutions(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly plain: Invoker;
}): DurableExecutions {
  const { store, jobs, clock, ids, plain } = needs;
  const stopped = new AbortController();
  const fraction = () => (ids.bytes(1)[0] ?? 0) / 256;

  const start: DurableExecutions["start"] = async (fn, request) => {
    const version = await checkStart(fn, request.qualifier, request.synchronous, fraction);
    const { place, record: functionRecord } = fn;
    const functionName = functionRecord.name;
    const input = Buffer.from(request.payload).toString("utf8");
    const id = ids.uuid();
    const { key, record } = await store.transact(async (tx) => {
      const known = request.name === undefined ? undefined : await findByName(tx, place, functionName, request.name);
      if (known?.record.functionId === functionRecord.id) {
        const same = known.record.version === version.version && known.record.inputSha256 === hashInput(input);
        if (!same) throw alreadyStarted(executionArn(known.key, known.record));
        return known;
      }
      const fresh: ExecutionKey = { account: place.account, region: place.region, functionName, id };
      const started = await startExecution(tx, jobs, {
        key: fresh,
        name: request.name ?? id,
        functionId: functionRecord.id,
        version: version.version,
        durable: version.durable,
        input,
        resultBytesMax: request.synchronous ? durableLimits.synchronousPayloadBytesMax : durableLimits.payloadBytesMax,
        traceId: request.traceId,
        clientContext: request.clientContext,
        now: clock.now(),
      });
      return { key: fresh, record: started };
    });
    return { key, record, arn: executionArn(key, record), memoryMb: version.memoryMb };
  };

  const wait: DurableExecutions["wait"] = async (started, requestId, signal) => {
    const { key } = started;
    const stop = signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal;
    let change = Promise.withResolvers<undefined>();
    const onChange = () => change.resolve(undefined);
    const unwatch = store.watch(endedPrefix(key), onChange);
    stop.addEventListener("abort", onChange);
    try {
      for (;;) {
        change = Promise.withResolvers();
        stop.throwIfAborted();
        const record = await store.read((reader) => readExecution(reader, key));
        if (!record) throw executionNotFound();
        if (record.progress.state === "closed") return await toOutcome(started, record.progress, requestId);
        await change.promise;
      }
    } finally {
      unwatch();
      stop.removeEventListener("abort", onChange);
    }
  };

  const toOutcome = async (
    { key, record, memoryMb }: StartedExecution,
    closed: Closed,
    requestId: string,
  ): Promise<InvocationOutcome> => {
    const succeeded = closed.status === "SUCCEEDED";
    const { result, error } = closed;
    const payload = await store.read(async (reader) => {
      if (!succeeded) return toFunctionError(error === undefined ? {} : await readError(reader, key, error));
      return Buffer.from(result === undefined ? "null" : await readText(reader, key, result));
    });
    const durationMs = closed.endedAt - record.startedAt;
    return {
      outcome: succeeded ? "success" : "error",
      payload,
      ...(closed.logTail && { logTail: closed.logTail }),
      // Its invocations are reported and billed each for itself.
      report: {
        requestId,
        durationMs,
        billedDurationMs: 0,
        memorySizeMb: memoryMb,
        maxMemoryUsedMb: 0,
        status: succeeded ? "success" : "error",
      },
    };
  };

  const runWhole = async (fn: CompiledFunction, request: InvocationRequest): Promise<Invoked> => {
    const { qualifier, payload, traceId, clientContext, requestId } = request;
    const started = await start(fn, { qualifier, payload, synchronous: true, traceId, clientContext });
    const outcome = await wait(started, requestId);
    return { outcome, version: started.record.version, traceId: started.record.traceId ?? "" };
  };

  return {
    start,
    wait,
    invoker: {
      ...plain,
      run: (fn, request) => (isDurable(fn) ? runWhole(fn, request) : plain.run(fn, request)),
    },
    stop: () => stopped.abort(new Error("The platform stops")),
  };
}

/** The version that an execution would run. Throws what Invoke answers when it may not be started. */
export async function checkStart(
  fn: CompiledFunction,
  qualifier: string | undefined,
  synchronous: boolean,
  fraction: () => number,
) {
  if (qualifier === undefined) throw unqualified();
  const { version, settings } = await resolveVersion(fn, qualifier, fraction);
  const { durable, memoryMb } = settings;
  if (!durable) throw new Error("The function is not durable");
  if (synchronous && durable.executionTimeoutSeconds > durableLimits.synchronousTimeoutSecondsMax) {
    throw tooLongToWaitFor();
  }
  return { version, durable, memoryMb };
}
