import type { Clock } from "../kernel/clock.ts";
import { createDeadline } from "./deadline.ts";
import {
  exitType,
  failedInit,
  fromFailedInit,
  runtimeStatus,
  type Answer,
  type InitOutcome,
  type InitPhase,
} from "./endings.ts";
import { createEnvironmentLog } from "./environment-log.ts";
import { createUsageReader } from "./usage-reader.ts";
import type { FunctionSpec, Invocation, InvocationOutcome, LogLine } from "./compute.ts";
import { createExtensions } from "./extensions.ts";
import type { ShutdownReason } from "./extensions.ts";
import { createExtensionsApi, serveExtensions } from "./extensions-api.ts";
import { createFrameLink } from "./frame-link.ts";
import { encodeFrame, frameKind } from "./frames.ts";
import { createLifecycle } from "./lifecycle.ts";
import type { ComputeLimits } from "./limits.ts";
import type { RuntimeLink } from "./link.ts";
import { openResponseStream, type ResponseStream } from "./response-stream.ts";
import {
  errorTypeOf,
  exitReason,
  exited,
  extensionFailed,
  responseTooLarge,
  signalName,
  timedOut,
  toDocument,
} from "./outcomes.ts";
import type { RuntimeExit } from "./outcomes.ts";
import { createRuntimeApi } from "./runtime-api.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { InitializationType } from "./variables.ts";
import { createSystemLog } from "./system-log.ts";
import { createSystemRecords } from "./system-records.ts";
import { createTelemetry } from "./telemetry.ts";

/** A function in its sandbox: one invocation at a time, from its init to its end. */
export interface Environment {
  readonly sandbox: Sandbox;
  readonly logStream: string;
  /** Waits for an invocation. */
  readonly idle: boolean;
  /** Invocations it was given and has not answered: one that runs, and those that wait behind it. */
  readonly load: number;
  /** It has printed nothing for a while, so that lines of invocations that follow closely need not be told apart. */
  readonly quiet: boolean;
  /** Its variables hold credentials until then (epoch ms). */
  readonly credentialsExpireAt: number;
  /** Resolves when the runtime first asks for work, or with the reason why it never will. */
  init(phase: InitPhase, timeoutMs: number): Promise<InitOutcome>;
  /** SnapStart: run the hooks that follow the restoring of a snapshot, once, before the first invocation. */
  restore(timeoutMs: number): Promise<InitOutcome>;
  /**
   * Run an invocation after those it already has: the runtime reads it as soon as it has answered the one before, without a
   * round trip. Only a runtime that speaks frames takes more than one at a time.
   */
  run(invocation: Invocation, timeoutMs: number, end: RunEnd): void;
  /** The outcome of an invocation in whose course this environment's init failed. */
  conclude(invocation: Invocation, failed: InitOutcome): Promise<InvocationOutcome>;
  end(): void;
}

/** How a run ends: one of the two is called, once. */
export interface RunEnd {
  concluded(outcome: InvocationOutcome): void;
  /** The environment ended before this invocation had begun. */
  returned(): void;
}

export interface EnvironmentNeeds {
  readonly clock: Clock;
  /** Milliseconds, with fractions, from any origin. */
  readonly elapsed: () => number;
  readonly limits: ComputeLimits;
  readonly log: (spec: FunctionSpec, logStream: string, events: readonly LogLine[]) => void;
  /** Its init has succeeded. */
  readonly initialized?: (durationMs: number) => void;
}

export interface EnvironmentStart {
  readonly sandbox: Sandbox;
  readonly logStream: string;
  readonly credentialsExpireAt: number;
  /** What `begin` tells our bootstrap. */
  readonly begin: Readonly<Record<string, unknown>>;
  readonly speaks: "frames" | "runtime API";
  /** `nodejs:24.21.0`, with a note when it stands in for another. */
  readonly runtimeVersion: string;
  readonly initializationType: InitializationType;
  /** The bootstrap knows hooks for snapshots. */
  readonly restores: boolean;
  /** What lies in `/opt/extensions`, and the variables that extensions are started with. */
  readonly extensions: ExtensionsStart;
}

export interface ExtensionsStart {
  readonly names: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Run {
  readonly invocation: Invocation;
  readonly timeoutMs: number;
  readonly end: RunEnd;
  startedAt: number;
  startIsLogged: boolean;
  answer: Answer | undefined;
  /** Its answer, once the function has begun to stream it. */
  stream: ResponseStream | undefined;
  finishedAt: number;
  /** When its runtime was done, where extensions took longer. */
  runtimeDoneAt: number;
  /** Its runtime has answered in time, its extensions have not been done. */
  late: boolean;
  doneIsTold: boolean;
  /** Passes of the event loop until all that it printed has been read. */
  passes: number;
}

export function createEnvironment(spec: FunctionSpec, start: EnvironmentStart, needs: EnvironmentNeeds): Environment {
  const { sandbox, logStream } = start;
  const { clock, limits, elapsed } = needs;
  const lifecycle = createLifecycle();
  const telemetry = createTelemetry({
    clock,
    limits,
    records: createSystemRecords(spec, start.initializationType),
    connect: sandbox.connect,
    jsonLines: spec.logFormat === "JSON",
  });
  const systemLog = createSystemLog(spec, clock.now, start.initializationType, telemetry);
  let initAnswer: ((answer: InitOutcome) => void) | undefined;
  /** What the runtime works on, what it will find next, and what it is done with but is still to be told of. */
  let current: Run | undefined;
  const following: Run[] = [];
  const finished: Run[] = [];
  let concluding = false;
  let streams = false;
  let initStartedAt = 0;
  let initPhase: InitPhase = "init";
  let restoring = false;
  let initDurationMs: number | undefined;
  let restoreDurationMs: number | undefined;

  const log = createEnvironmentLog({
    sandbox,
    clock,
    limits,
    telemetry,
    write: (events) => needs.log(spec, logStream, events),
  });
  const { emit } = log;
  const deadline = createDeadline(clock, () => {
    if (current === undefined) return;
    if (current.answer === undefined) current.answer = { kind: "timeout" };
    else current.late = true;
    close("timeout");
    finish();
  });
  const usage = createUsageReader(sandbox, spec.memoryMb, elapsed);

  const answerInit = (outcome: InitOutcome) => {
    const answer = initAnswer;
    initAnswer = undefined;
    answer?.(outcome);
  };
  const answerRun = (answer: Answer) => {
    if (current !== undefined) current.answer = answer;
  };
  const initTime = () => elapsed() - initStartedAt;

  const extensions = createExtensions({
    ...start.extensions,
    clock,
    limits,
    processes: sandbox.extensions,
    terminate: sandbox.terminate,
    sandboxEnded: sandbox.ended,
    onReady() {
      if (lifecycle.phase !== "idle") return;
      if (initAnswer === undefined) finish();
      else answerInit({ outcome: "initialized", durationMs: initTime() });
    },
    onFailure(failure) {
      answerInit({ outcome: "extension", durationMs: initTime(), failure });
      if (current !== undefined) current.answer ??= { kind: "extension", failure };
      close("failure");
      finish();
    },
    onRuntimeExit(exit) {
      const outOfMemory = exit.signal === 9 && sandbox.extensions?.outOfMemory() === true;
      runtimeEnded({ code: exit.code, signal: signalName(exit.signal), outOfMemory });
      close("failure");
    },
  });
  const extensionsApi = createExtensionsApi(extensions, telemetry, spec, limits, (name, { api, types }) =>
    emit(systemLog.subscription(api, name, types)),
  );
  let closing = false;
  /** The end, at once or as extensions are told of it. */
  function close(reason: ShutdownReason) {
    if (!extensions.present) return sandbox.kill();
    if (closing) return;
    closing = true;
    lifecycle.advance("exit");
    void telemetry.flush();
    void extensions.shutdown(reason).then(() => sandbox.kill());
  }

  const link: RuntimeLink = connect({
    next() {
      if (!lifecycle.advance("next")) return false;
      if (initAnswer !== undefined) {
        extensions.closeRegistration();
        if (!restoring) {
          emit(systemLog.initRuntimeDone({ durationMs: initTime(), phase: initPhase, status: "success" }));
        }
        if (!extensions.busy) answerInit({ outcome: "initialized", durationMs: initTime() });
      }
      // An invocation is over when its runtime asks for the next one (or has ended): until then it may still be logging.
      finish();
      return true;
    },
    initError(document) {
      if (lifecycle.phase === "idle") {
        // Our bootstraps notice late failures (a rejection after init) this way: the environment is of no use any more.
        sandbox.kill();
        return true;
      }
      if (!lifecycle.advance("initError")) return false;
      const errorType = errorTypeOf(document) ?? "Runtime.Unknown";
      answerInit({ outcome: "error", durationMs: initTime(), document, errorType });
      return true;
    },
    response(payload) {
      if (!lifecycle.advance("response")) return false;
      answerRun({ kind: "response", payload });
      return true;
    },
    responseTooLarge() {
      if (!lifecycle.advance("response")) return false;
      const failure = responseTooLarge(limits.responseBytesMax);
      answerRun({ kind: "error", payload: toDocument(failure), errorType: failure.errorType });
      return true;
    },
    error(payload) {
      if (!lifecycle.advance("error")) return false;
      answerRun({ kind: "error", payload, errorType: undefined });
      return true;
    },
    streamStart(contentType) {
      if (lifecycle.phase !== "invoking" || current === undefined || current.stream !== undefined) return false;
      streams = true;
      current.stream = openResponseStream(contentType, current.invocation.sink, limits);
      return true;
    },
    streamChunk(bytes) {
      if (lifecycle.phase !== "invoking" || current?.stream === undefined) return false;
      current.stream.write(bytes);
      return true;
    },
    streamBlocked: () => current?.stream?.blocked(),
    streamEnd() {
      const stream = current?.stream;
      if (stream === undefined || !lifecycle.advance("response")) return false;
      const payload = stream.end();
      if (payload !== undefined) {
        answerRun({ kind: "response", payload });
      } else {
        const failure = responseTooLarge(stream.delivered ? limits.streamedBytesMax : limits.responseBytesMax);
        answerRun({ kind: "error", payload: toDocument(failure), errorType: failure.errorType });
      }
      return true;
    },
    violation() {
      if (!closing) sandbox.kill();
    },
  });

  function connect(events: Parameters<typeof createFrameLink>[1]): RuntimeLink {
    if (start.speaks === "runtime API") {
      return createRuntimeApi(sandbox.runtimeApi, events, limits, spec.functionArn, extensionsApi);
    }
    const served = serveExtensions(sandbox.runtimeApi, extensionsApi);
    void sandbox.ended.then(served.close);
    return createFrameLink(sandbox.channel, events, limits);
  }

  void sandbox.ended.then((exit) => {
    log.end();
    runtimeEnded(exit);
    link.close();
    telemetry.close();
  });
  function runtimeEnded(exit: RuntimeExit) {
    log.flush();
    // It answered and then ended, instead of asking for more: AWS says so in the log.
    if (lifecycle.phase === "responded" && current !== undefined) {
      emit(systemLog.exit(current.invocation.requestId, exitReason(exit), exitType(exit)));
    }
    lifecycle.advance("exit");
    answerInit({ outcome: "exit", durationMs: initTime(), exit });
    if (current !== undefined) current.answer ??= { kind: "exit", exit };
    finish();
    deadline.cancel();
  }

  /** The runtime turns to an invocation. */
  function begin(run: Run) {
    if (!lifecycle.advance("invoke"))
      throw new Error(`An environment that is ${lifecycle.phase} was given an invocation`);
    current = run;
    run.startedAt = elapsed();
    log.begin();
    if (finished.length === 0) logStart(run);
    const deadlineMs = clock.now() + run.timeoutMs;
    deadline.set(deadlineMs);
    if (extensions.present) extensions.invoke(run.invocation, deadlineMs);
  }

  function logStart(run: Run) {
    run.startIsLogged = true;
    log.keepTail(run.invocation.logTail === true);
    emit(systemLog.start(run.invocation.requestId, run.invocation.tenantId));
  }

  /** The current invocation is over. What follows it has begun, or goes back if the environment has ended. */
  function finish() {
    const run = current;
    if (run?.answer === undefined) return;
    if (extensions.present && lifecycle.phase === "idle") {
      if (run.runtimeDoneAt === 0) {
        run.runtimeDoneAt = elapsed();
        // After what it has printed. Extensions may wait for this before they ask for their next event.
        void drained().then(() => tellRuntimeDone(run));
      }
      // Nor is an invocation over before the extensions ask for the next.
      if (extensions.busy) return;
    }
    current = undefined;
    run.stream?.close();
    run.finishedAt = elapsed();
    run.passes = run.answer.kind === "response" ? passesOfAnswer : passesOfEnd;
    finished.push(run);
    if (!concluding) {
      concluding = true;
      setImmediate(concludeFinished);
    }
    if (lifecycle.phase === "idle") {
      const next = following.shift();
      if (next !== undefined) begin(next);
    } else {
      for (const never of following.splice(0)) never.end.returned();
    }
  }

  function tellRuntimeDone(run: Run) {
    const { answer } = run;
    if (run.doneIsTold || answer === undefined) return;
    run.doneIsTold = true;
    const [status, errorType] = runtimeStatus(answer);
    emit(
      systemLog.runtimeDone({
        requestId: run.invocation.requestId,
        status,
        errorType,
        durationMs: Math.min((run.runtimeDoneAt || run.finishedAt) - run.startedAt, spec.timeoutMs),
        producedBytes: "payload" in answer ? answer.payload.length : 0,
      }),
    );
  }

  /** In the order they ran, each after what it printed has been read. */
  function concludeFinished() {
    let ready = 0;
    for (let at = 0; at < finished.length; at += 1) {
      const run = finished[at];
      if (run === undefined) break;
      run.passes -= 1;
      if (run.passes <= 0 && ready === at) ready += 1;
    }
    const runs = finished.splice(0, ready);
    concluding = finished.length > 0;
    if (concluding) setImmediate(concludeFinished);
    const [first] = runs;
    const last = runs.at(-1);
    if (first === undefined || last === undefined) return;
    // Answers that arrived together share the time they took: when each of them was written is not known here.
    const spentMs = (last.finishedAt - first.startedAt) / runs.length;
    const outcomes: InvocationOutcome[] = [];
    for (const run of runs) {
      if (!run.startIsLogged) logStart(run);
      outcomes.push(outcomeOf(run.invocation, run.answer ?? { kind: "timeout" }, spentMs, run));
    }
    if (!concluding && current !== undefined && !current.startIsLogged) logStart(current);
    for (let at = 0; at < runs.length; at += 1) {
      const outcome = outcomes[at];
      if (outcome !== undefined) runs[at]?.end.concluded(outcome);
    }
  }

  return {
    sandbox,
    logStream,
    credentialsExpireAt: start.credentialsExpireAt,
    get idle() {
      return lifecycle.phase === "idle" && current === undefined;
    },
    get load() {
      return (current === undefined ? 0 : 1) + following.length;
    },
    get quiet() {
      // Whoever is slow to take what a function streams must keep nobody else waiting.
      return log.isQuiet && start.speaks === "frames" && !streams && !extensions.present;
    },
    end: () => close("spindown"),
    async init(phase, timeoutMs) {
      initStartedAt = elapsed();
      initPhase = phase;
      if (phase === "init") emit(systemLog.initStart(start.runtimeVersion));
      const outcome = await prepare(timeoutMs, frameKind.begin, Buffer.from(JSON.stringify(start.begin)));
      telemetry.closeSubscription();
      for (const report of extensions.reports()) emit(systemLog.extension(report));
      if (outcome.outcome === "initialized") {
        emit(systemLog.initReport({ durationMs: outcome.durationMs, phase, status: "success" }));
        needs.initialized?.(outcome.durationMs);
        if (start.initializationType !== "snap-start") {
          initDurationMs = phase === "init" ? outcome.durationMs : undefined;
        }
        return outcome;
      }
      await drained();
      const failed = failedInit(outcome, phase);
      emit(systemLog.initRuntimeDone(failed), systemLog.initReport(failed));
      close(outcome.outcome === "timeout" ? "timeout" : "failure");
      return outcome;
    },
    async restore(timeoutMs) {
      if (!lifecycle.advance("restore")) throw new Error(`An environment that is ${lifecycle.phase} was restored`);
      initStartedAt = elapsed();
      restoring = true;
      emit(systemLog.restoreStart(start.runtimeVersion));
      const restored = prepare(timeoutMs, frameKind.restore, Buffer.alloc(0));
      // Nothing to run: the runtime waits as it did.
      if (!start.restores && lifecycle.advance("next")) {
        answerInit({ outcome: "initialized", durationMs: initTime() });
      }
      const outcome = await restored;
      if (outcome.outcome !== "initialized") {
        await drained();
        close("failure");
      }
      restoreDurationMs = outcome.durationMs;
      const status = outcome.outcome === "initialized" ? "success" : "error";
      emit(systemLog.restoreRuntimeDone(status), systemLog.restoreReport(outcome.durationMs, status));
      return outcome;
    },
    run(invocation, timeoutMs, end) {
      const run: Run = {
        invocation,
        timeoutMs,
        end,
        startedAt: 0,
        startIsLogged: false,
        answer: undefined,
        stream: undefined,
        finishedAt: 0,
        runtimeDoneAt: 0,
        late: false,
        doneIsTold: false,
        passes: 0,
      };
      const follows = current !== undefined;
      if (follows) following.push(run);
      else begin(run);
      link.invoke(invocation, clock.now() + timeoutMs, follows);
    },
    async conclude(invocation, failed) {
      log.keepTail(invocation.logTail === true);
      emit(systemLog.start(invocation.requestId, invocation.tenantId));
      await drained();
      return outcomeOf(invocation, fromFailedInit(failed), failed.durationMs);
    },
  };

  /** Hands the runtime what makes it ready for invocations, and waits until it is. */
  function prepare(timeoutMs: number, kind: number, body: Buffer): Promise<InitOutcome> {
    return new Promise<InitOutcome>((resolve) => {
      const cancel = clock.after(timeoutMs, () => answerInit({ outcome: "timeout", durationMs: timeoutMs }));
      initAnswer = (answer) => {
        cancel();
        resolve(answer);
      };
      // It may have ended before anybody asked.
      void sandbox.ended.then((exit) => answerInit({ outcome: "exit", durationMs: initTime(), exit }));
      const send = () => {
        if (initAnswer !== undefined) sandbox.channel.write(encodeFrame(kind, body));
      };
      if (kind === frameKind.begin && start.extensions.names.length > 0) void extensions.start().then(send);
      else if (kind !== frameKind.restore || start.restores) send();
    });
  }

  function outcomeOf(invocation: Invocation, answer: Answer, spentMs: number, run?: Run): InvocationOutcome {
    const stream = run?.stream;
    log.flush();
    const { requestId } = invocation;
    const durationMs = answer.kind === "timeout" ? spec.timeoutMs : Math.min(spentMs, spec.timeoutMs);
    const initMs = initDurationMs;
    initDurationMs = undefined;
    const restoreMs = restoreDurationMs;
    restoreDurationMs = undefined;
    let payload: Uint8Array;
    let errorType: string | undefined;
    if (answer.kind === "timeout") {
      payload = toDocument(timedOut(requestId, spec.timeoutMs));
      emit(systemLog.timeout(requestId, spec.timeoutMs));
    } else if (answer.kind === "exit") {
      const failure = exited(requestId, answer.exit);
      payload = toDocument(failure);
      errorType = failure.errorType;
      emit(systemLog.exit(requestId, exitReason(answer.exit), failure.errorType));
    } else if (answer.kind === "extension") {
      payload = toDocument(extensionFailed(requestId, answer.failure));
      ({ errorType } = answer.failure);
    } else {
      payload = answer.payload;
      if (answer.kind === "error") errorType = answer.errorType;
    }
    if (run?.late === true) emit(systemLog.timeout(requestId, spec.timeoutMs));
    const succeeded = answer.kind === "response";
    const timedOutLate = answer.kind === "timeout" || run?.late === true;
    const report = {
      requestId,
      durationMs,
      // Since August 2025 AWS bills the init of every on-demand environment.
      billedDurationMs: Math.max(1, Math.ceil(durationMs + (initMs ?? restoreMs ?? 0))),
      memorySizeMb: spec.memoryMb,
      ...usage.read(answer.kind !== "response"),
      ...(initMs === undefined ? {} : { initDurationMs: initMs }),
      ...(restoreMs === undefined ? {} : { restoreDurationMs: restoreMs }),
      ...(run === undefined || run.runtimeDoneAt === 0
        ? {}
        : { postRuntimeExtensionsDurationMs: run.finishedAt - run.runtimeDoneAt }),
      status: timedOutLate ? ("timeout" as const) : succeeded ? ("success" as const) : ("error" as const),
    };
    if (run !== undefined && (telemetry.wanted || spec.logFormat === "JSON")) tellRuntimeDone(run);
    emit(systemLog.end(requestId), systemLog.report(report, errorType));
    const tail = log.takeTail();
    const logTail = tail === undefined ? {} : { logTail: tail };
    const outcome = { outcome: succeeded ? ("success" as const) : ("error" as const), payload, report, ...logTail };
    if (stream === undefined) return outcome;
    return { ...outcome, stream: { contentType: stream.contentType, delivered: stream.delivered } };
  }
}

/** What was printed before an answer is read in the same round as the answer, of which the first pass is the end. */
const passesOfAnswer = 1;
/** What was printed before a failure or an end may not have arrived yet: the second pass is the end of a whole round. */
const passesOfEnd = 2;

function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
