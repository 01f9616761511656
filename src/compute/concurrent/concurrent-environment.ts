import type { Socket } from "node:net";
import type { FunctionSpec, Invocation, InvocationOutcome } from "../compute.ts";
import { exitType, failedInit, runtimeStatus, type Answer, type InitOutcome } from "../endings.ts";
import { createEnvironmentLog } from "../environment-log.ts";
import type { EnvironmentNeeds, EnvironmentStart } from "../environment.ts";
import { encodeFrame, frameKind } from "../frames.ts";
import { createTail } from "../output.ts";
import {
  errorTypeOf,
  exitReason,
  exited,
  responseTooLarge,
  timedOut,
  toDocument,
  type RuntimeExit,
} from "../outcomes.ts";
import { openResponseStream, type ResponseStream } from "../response-stream.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { createSystemLog } from "../system-log.ts";
import { createSystemRecords } from "../system-records.ts";
import { createTelemetry } from "../telemetry.ts";
import { createUsageReader } from "../usage-reader.ts";
import { createConcurrentFrames } from "./concurrent-frames.ts";
import type { ConcurrentEvents, ConcurrentLink } from "./concurrent-link.ts";
import { createConcurrentRuntimeApi } from "./concurrent-runtime-api.ts";

/**
 * A function in its sandbox, with several invocations at once. It is never frozen, and never reset: what fails ends, and is
 * replaced by whoever keeps it. Source: "Understanding the Lambda Managed Instances execution environment" (2026).
 */
export interface ConcurrentEnvironment {
  readonly sandbox: Sandbox;
  /** Its variables hold credentials until then (epoch ms). */
  readonly credentialsExpireAt: number;
  /** Invocations that occupy it: those that run, and those that timed out and have not come back. */
  readonly load: number;
  /** Invocations that it takes at once. */
  readonly slots: number;
  /** Resolves when a worker first asks for work, or with the reason why none ever will. */
  init(timeoutMs: number): Promise<InitOutcome>;
  /** Never rejects for what the function does. To be called only while `load` is less than `slots`. */
  run(invocation: Invocation): Promise<InvocationOutcome>;
  end(): void;
}

interface Run {
  readonly invocation: Invocation;
  readonly startedAt: number;
  readonly tail: ReturnType<typeof createTail> | undefined;
  readonly resolve: (outcome: InvocationOutcome) => void;
  stream: ResponseStream | undefined;
  answered: boolean;
  cancelTimer: (() => void) | undefined;
}

/** How a worker that had an invocation has ended, as far as anybody knows. */
const lostExit: RuntimeExit = { code: 1, signal: null, outOfMemory: false };

export function createConcurrentEnvironment(
  spec: FunctionSpec,
  start: EnvironmentStart,
  needs: EnvironmentNeeds,
): ConcurrentEnvironment {
  const { sandbox, logStream } = start;
  const { clock, limits, elapsed } = needs;
  const slotsMax = spec.multiConcurrency?.slots ?? 1;
  const records = createSystemRecords(spec, start.initializationType);
  const telemetry = createTelemetry({ clock, limits, records, connect: sandbox.connect, jsonLines: true });
  const systemLog = createSystemLog(spec, clock.now, start.initializationType, telemetry);
  const usage = createUsageReader(sandbox, spec.memoryMb, elapsed);
  /** By request id. Whatever timed out stays until the runtime has come back with it, or has ended. */
  const runs = new Map<string, Run>();
  /** Those whose log somebody wants to see, until they have their outcome. */
  const tailed = new Set<Run>();
  let state: "initializing" | "running" | "failed" | "ended" = "initializing";
  let slots = 0;
  let initStartedAt = 0;
  let initAnswer: ((outcome: InitOutcome) => void) | undefined;

  const log = createEnvironmentLog({
    sandbox,
    clock,
    limits,
    telemetry,
    write(events) {
      needs.log(spec, logStream, events);
      // Lines of all invocations come mixed: those that name the request are its own.
      for (const { tail, invocation } of tailed) {
        for (const event of events) if (event.message.includes(invocation.requestId)) tail?.add(event);
      }
    },
  });
  const { emit } = log;
  const initTime = () => elapsed() - initStartedAt;
  const answerInit = (outcome: InitOutcome) => {
    const answer = initAnswer;
    initAnswer = undefined;
    answer?.(outcome);
  };

  /** The invocation is over for who waits for it. */
  const conclude = (run: Run, answer: Answer) => {
    if (run.answered) return;
    run.answered = true;
    run.cancelTimer?.();
    run.stream?.close();
    const finishedAt = elapsed();
    const finish = () => run.resolve(outcomeOf(run, answer, finishedAt - run.startedAt));
    // What was printed before an answer is read in the same round; before a failure it may not have arrived yet.
    // Threads print through their process, by and by: whoever wants to see what was printed waits for it.
    if (run.tail !== undefined) clock.after(limits.tailSettleMs, finish);
    else if (answer.kind === "response") setImmediate(finish);
    else setImmediate(() => setImmediate(finish));
  };
  const settle = (id: string, answer: Answer): boolean => {
    const run = runs.get(id);
    if (run === undefined) return false;
    runs.delete(id);
    conclude(run, answer);
    return true;
  };
  const tooLarge = (id: string, bytesMax: number): boolean => {
    const failure = responseTooLarge(bytesMax);
    return settle(id, { kind: "error", payload: toDocument(failure), errorType: failure.errorType });
  };

  const events: ConcurrentEvents = {
    slots(count) {
      slots = Math.min(count, slotsMax);
      if (state !== "initializing" || slots === 0) return true;
      state = "running";
      emit(systemLog.initRuntimeDone({ durationMs: initTime(), phase: "init", status: "success" }));
      answerInit({ outcome: "initialized", durationMs: initTime() });
      return true;
    },
    initError(document) {
      if (state !== "initializing") return false;
      state = "failed";
      const errorType = errorTypeOf(document) ?? "Runtime.Unknown";
      answerInit({ outcome: "error", durationMs: initTime(), document, errorType });
      return true;
    },
    response: (id, payload) => settle(id, { kind: "response", payload }),
    responseTooLarge: (id) => tooLarge(id, limits.responseBytesMax),
    error: (id, payload) => settle(id, { kind: "error", payload, errorType: undefined }),
    streamStart(id, contentType) {
      const run = runs.get(id);
      if (run === undefined || run.stream !== undefined) return false;
      run.stream = openResponseStream(contentType, run.answered ? undefined : run.invocation.sink, limits);
      return true;
    },
    streamChunk(id, bytes) {
      const run = runs.get(id);
      if (run?.stream === undefined) return false;
      if (!run.answered) run.stream.write(bytes);
      return true;
    },
    streamBlocked(id) {
      const run = runs.get(id);
      return run?.answered === true ? undefined : run?.stream?.blocked();
    },
    streamEnd(id) {
      const run = runs.get(id);
      if (run?.stream === undefined) return false;
      if (run.answered) return runs.delete(id);
      const payload = run.stream.end();
      if (payload !== undefined) return settle(id, { kind: "response", payload });
      return tooLarge(id, run.stream.delivered ? limits.streamedBytesMax : limits.responseBytesMax);
    },
    lost: (id) => settle(id, { kind: "exit", exit: lostExit }),
    violation: () => sandbox.kill(),
  };
  const link = connect();
  function connect(): ConcurrentLink {
    if (start.speaks === "runtime API") {
      return createConcurrentRuntimeApi(sandbox.runtimeApi, events, limits, spec.functionArn, slotsMax);
    }
    // Gap: there is no Extensions API here yet. Whoever asks for it is told at once.
    sandbox.runtimeApi.on("connection", (socket: Socket) => socket.destroy());
    return createConcurrentFrames(sandbox.channel, events, limits);
  }

  void sandbox.ended.then((exit) => {
    log.flush();
    log.end();
    state = "ended";
    slots = 0;
    answerInit({ outcome: "exit", durationMs: initTime(), exit });
    for (const id of runs.keys()) settle(id, { kind: "exit", exit });
    link.close();
    telemetry.close();
  });

  return {
    sandbox,
    credentialsExpireAt: start.credentialsExpireAt,
    get load() {
      return runs.size;
    },
    get slots() {
      return slots;
    },
    end: () => sandbox.kill(),
    async init(timeoutMs) {
      initStartedAt = elapsed();
      emit(systemLog.initStart(start.runtimeVersion));
      const outcome = await new Promise<InitOutcome>((resolve) => {
        const cancel = clock.after(timeoutMs, () => answerInit({ outcome: "timeout", durationMs: timeoutMs }));
        initAnswer = (answer) => {
          cancel();
          resolve(answer);
        };
        void sandbox.ended.then((exit) => answerInit({ outcome: "exit", durationMs: initTime(), exit }));
        sandbox.channel.write(encodeFrame(frameKind.begin, Buffer.from(JSON.stringify(start.begin))));
      });
      telemetry.closeSubscription();
      if (outcome.outcome === "initialized") {
        emit(systemLog.initReport({ durationMs: outcome.durationMs, phase: "init", status: "success" }));
        return outcome;
      }
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      log.flush();
      const failed = failedInit(outcome, "init");
      emit(systemLog.initRuntimeDone(failed), systemLog.initReport(failed));
      sandbox.kill();
      return outcome;
    },
    run(invocation) {
      const { promise, resolve } = Promise.withResolvers<InvocationOutcome>();
      const { requestId } = invocation;
      const run: Run = {
        invocation,
        startedAt: elapsed(),
        tail: invocation.logTail === true ? createTail(limits.logTailBytes) : undefined,
        resolve,
        stream: undefined,
        answered: false,
        cancelTimer: undefined,
      };
      runs.set(requestId, run);
      if (run.tail !== undefined) tailed.add(run);
      emit(systemLog.start(requestId, invocation.tenantId));
      // AWS: whoever waits is told, and nothing else happens: the code runs on, and its place stays taken until it is done.
      run.cancelTimer = clock.after(spec.timeoutMs, () => conclude(run, { kind: "timeout" }));
      link.invoke(invocation, clock.now() + spec.timeoutMs);
      return promise;
    },
  };

  function outcomeOf(run: Run, answer: Answer, spentMs: number): InvocationOutcome {
    const { requestId } = run.invocation;
    const durationMs = answer.kind === "timeout" ? spec.timeoutMs : Math.min(spentMs, spec.timeoutMs);
    let payload: Uint8Array = Buffer.alloc(0);
    let errorType: string | undefined;
    if (answer.kind === "timeout") {
      payload = toDocument(timedOut(requestId, spec.timeoutMs));
      emit(systemLog.timeout(requestId, spec.timeoutMs));
    } else if (answer.kind === "exit") {
      const failure = exited(requestId, answer.exit);
      payload = toDocument(failure);
      ({ errorType } = failure);
      emit(systemLog.exit(requestId, exitReason(answer.exit), exitType(answer.exit)));
    } else if (answer.kind !== "extension") {
      ({ payload } = answer);
      if (answer.kind === "error") ({ errorType } = answer);
    }
    const succeeded = answer.kind === "response";
    const report = {
      requestId,
      durationMs,
      billedDurationMs: Math.max(1, Math.ceil(durationMs)),
      memorySizeMb: spec.memoryMb,
      ...usage.read(false),
      status: answer.kind === "timeout" ? ("timeout" as const) : succeeded ? ("success" as const) : ("error" as const),
    };
    const [status, doneType] = runtimeStatus(answer);
    const producedBytes = "payload" in answer ? answer.payload.length : 0;
    emit(
      systemLog.runtimeDone({ requestId, status, errorType: doneType, durationMs, producedBytes }),
      systemLog.report(report, errorType),
    );
    tailed.delete(run);
    const outcome = {
      outcome: succeeded ? ("success" as const) : ("error" as const),
      payload,
      report,
      ...(run.tail && { logTail: run.tail.bytes() }),
    };
    const { stream } = run;
    if (stream === undefined) return outcome;
    return { ...outcome, stream: { contentType: stream.contentType, delivered: stream.delivered } };
  }
}
