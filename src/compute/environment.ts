import type { Clock } from "../kernel/clock.ts";
import type { FunctionSpec, Invocation, InvocationOutcome, LogLine } from "./compute.ts";
import { createFrameLink } from "./frame-link.ts";
import { encodeFrame, frameKind } from "./frames.ts";
import { createLifecycle } from "./lifecycle.ts";
import type { ComputeLimits } from "./limits.ts";
import type { RuntimeLink } from "./link.ts";
import { errorTypeOf, exitReason, exited, responseTooLarge, timedOut, toDocument } from "./outcomes.ts";
import type { RuntimeExit } from "./outcomes.ts";
import { createLineReader, createMessageReader, createTail, meterOutput } from "./output.ts";
import { createRuntimeApi } from "./runtime-api.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { createSystemLog } from "./system-log.ts";
import type { SystemLog } from "./system-log.ts";

/** A function in its sandbox: one invocation at a time, from its init to its end. */
export interface Environment {
  readonly sandbox: Sandbox;
  readonly logStream: string;
  /** Waits for an invocation. */
  readonly idle: boolean;
  /** Its variables hold credentials until then (epoch ms). */
  readonly credentialsExpireAt: number;
  /** Resolves when the runtime first asks for work, or with the reason why it never will. */
  init(phase: InitPhase, timeoutMs: number): Promise<InitOutcome>;
  run(invocation: Invocation, timeoutMs: number, initFailed?: InitOutcome): Promise<InvocationOutcome>;
  end(): void;
}

export type InitPhase = "init" | "invoke";

export type InitOutcome =
  | { readonly outcome: "initialized"; readonly durationMs: number }
  | {
      readonly outcome: "error";
      readonly durationMs: number;
      readonly document: Uint8Array;
      readonly errorType: string;
    }
  | { readonly outcome: "exit"; readonly durationMs: number; readonly exit: RuntimeExit }
  | { readonly outcome: "timeout"; readonly durationMs: number };

export interface EnvironmentNeeds {
  readonly clock: Clock;
  /** Milliseconds, with fractions, from any origin. */
  readonly elapsed: () => number;
  readonly limits: ComputeLimits;
  readonly log: (spec: FunctionSpec, logStream: string, events: readonly LogLine[]) => void;
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
}

const memoryReadEveryMs = 100;

type Answer =
  | { readonly kind: "response"; readonly payload: Uint8Array }
  | { readonly kind: "error"; readonly payload: Uint8Array; readonly errorType: string | undefined }
  | { readonly kind: "exit"; readonly exit: RuntimeExit }
  | { readonly kind: "timeout" };

export function createEnvironment(spec: FunctionSpec, start: EnvironmentStart, needs: EnvironmentNeeds): Environment {
  const { sandbox, logStream } = start;
  const { clock, limits, elapsed } = needs;
  const lifecycle = createLifecycle();
  const systemLog = createSystemLog(spec, clock.now);
  const tail = createTail(limits.logTailBytes);
  let initAnswer: ((answer: InitOutcome) => void) | undefined;
  let runAnswer: ((answer: Answer) => void) | undefined;
  let ready: (() => void) | undefined;
  let initStartedAt = 0;
  let initDurationMs: number | undefined;
  let keepTail = false;
  let requestId: string | undefined;
  let memoryMb = 0;
  let memoryReadAt = -Infinity;

  const emit = (...messages: readonly (string | undefined)[]) => {
    const timestamp = clock.now();
    const events: LogLine[] = [];
    for (const message of messages) if (message !== undefined && message !== "") events.push({ timestamp, message });
    if (keepTail) for (const event of events) tail.add(event);
    if (events.length > 0) needs.log(spec, logStream, events);
  };
  const lines = [
    createLineReader(limits.logEventBytesMax, emit),
    createLineReader(limits.logEventBytesMax, emit),
  ] as const;
  meterOutput(sandbox.stdout, limits, clock, lines[0].write);
  meterOutput(sandbox.stderr, limits, clock, lines[1].write);
  meterOutput(
    sandbox.messages,
    limits,
    clock,
    createMessageReader(limits.logEventBytesMax, (message) => emit(message)),
  );

  const answerInit = (outcome: InitOutcome) => {
    const answer = initAnswer;
    initAnswer = undefined;
    answer?.(outcome);
  };
  const answerRun = (answer: Answer) => {
    const waiting = runAnswer;
    runAnswer = undefined;
    waiting?.(answer);
  };
  const initTime = () => elapsed() - initStartedAt;

  const link: RuntimeLink = connect({
    next() {
      if (!lifecycle.advance("next")) return false;
      if (initAnswer !== undefined) answerInit({ outcome: "initialized", durationMs: initTime() });
      ready?.();
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
    violation: () => sandbox.kill(),
  });

  function connect(events: Parameters<typeof createFrameLink>[1]): RuntimeLink {
    return start.speaks === "frames"
      ? createFrameLink(sandbox.channel, events, limits)
      : createRuntimeApi(sandbox.runtimeApi, events, limits, spec.functionArn);
  }

  void sandbox.ended.then((exit) => {
    for (const reader of lines) reader.flush();
    // It answered and then ended, instead of asking for more: AWS says so in the log.
    if (lifecycle.phase === "responded" && requestId !== undefined) {
      emit(systemLog.exit(requestId, exitReason(exit), exit.outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError"));
    }
    lifecycle.advance("exit");
    link.close();
    answerInit({ outcome: "exit", durationMs: initTime(), exit });
    answerRun({ kind: "exit", exit });
    ready?.();
  });

  return {
    sandbox,
    logStream,
    credentialsExpireAt: start.credentialsExpireAt,
    get idle() {
      return lifecycle.phase === "idle";
    },
    end() {
      sandbox.kill();
    },
    async init(phase, timeoutMs) {
      initStartedAt = elapsed();
      if (phase === "init") emit(systemLog.initStart(start.runtimeVersion));
      const outcome = await new Promise<InitOutcome>((resolve) => {
        const cancel = clock.after(timeoutMs, () => answerInit({ outcome: "timeout", durationMs: timeoutMs }));
        initAnswer = (answer) => {
          cancel();
          resolve(answer);
        };
        sandbox.channel.write(encodeFrame(frameKind.begin, Buffer.from(JSON.stringify(start.begin))));
      });
      if (outcome.outcome === "initialized") {
        initDurationMs = phase === "init" ? outcome.durationMs : undefined;
        return outcome;
      }
      await drained();
      emit(initReportLine(systemLog, outcome, phase));
      sandbox.kill();
      return outcome;
    },
    async run(invocation, timeoutMs, initFailed) {
      keepTail = invocation.logTail === true;
      tail.clear();
      emit(systemLog.start(invocation.requestId));
      const startedAt = elapsed();
      const answer = initFailed === undefined ? await invoke(invocation, timeoutMs) : fromFailedInit(initFailed);
      const spentMs = initFailed === undefined ? elapsed() - startedAt : initFailed.durationMs;
      await (answer.kind === "response" ? read() : drained());
      return conclude(invocation, answer, spentMs);
    },
  };

  async function invoke(invocation: Invocation, timeoutMs: number): Promise<Answer> {
    requestId = invocation.requestId;
    if (!lifecycle.advance("invoke"))
      throw new Error(`An environment that is ${lifecycle.phase} was given an invocation`);
    return new Promise<Answer>((resolve) => {
      const cancel = clock.after(timeoutMs, () => {
        sandbox.kill();
        ready?.();
        answerRun({ kind: "timeout" });
      });
      let given: Answer | undefined;
      // An invocation is over when its runtime asks for the next one (or has ended): until then it may still be logging.
      ready = () => {
        ready = undefined;
        cancel();
        if (given !== undefined) resolve(given);
      };
      runAnswer = (answer) => {
        given = answer;
        if (answer.kind === "exit" || answer.kind === "timeout") {
          cancel();
          resolve(answer);
        }
      };
      link.invoke(invocation, clock.now() + timeoutMs);
    });
  }

  /** The kernel's figure, asked for at most ten times a second: a warm invocation of a millisecond hardly moves it. */
  function memoryUsedMb(exactly: boolean): number {
    const now = elapsed();
    if (exactly || now - memoryReadAt >= memoryReadEveryMs) {
      memoryReadAt = now;
      memoryMb = Math.min(spec.memoryMb, sandbox.memoryUsedMb());
    }
    return memoryMb;
  }

  function conclude(invocation: Invocation, answer: Answer, spentMs: number): InvocationOutcome {
    for (const reader of lines) reader.flush();
    const { requestId } = invocation;
    const durationMs = answer.kind === "timeout" ? spec.timeoutMs : Math.min(spentMs, spec.timeoutMs);
    const initMs = initDurationMs;
    initDurationMs = undefined;
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
    } else {
      payload = answer.payload;
      if (answer.kind === "error") errorType = answer.errorType;
    }
    const succeeded = answer.kind === "response";
    const report = {
      requestId,
      durationMs,
      // Since August 2025 AWS bills the init of every on-demand environment.
      billedDurationMs: Math.max(1, Math.ceil(durationMs + (initMs ?? 0))),
      memorySizeMb: spec.memoryMb,
      maxMemoryUsedMb: memoryUsedMb(answer.kind !== "response"),
      ...(initMs === undefined ? {} : { initDurationMs: initMs }),
      status: succeeded ? ("success" as const) : answer.kind === "timeout" ? ("timeout" as const) : ("error" as const),
    };
    emit(systemLog.end(requestId), systemLog.report(report, errorType));
    const logTail = keepTail ? { logTail: tail.bytes() } : {};
    keepTail = false;
    return { outcome: succeeded ? "success" : "error", payload, report, ...logTail };
  }
}

/** What was printed before the answer is read in the same round as the answer, of which this is the end. */
function read(): Promise<void> {
  return new Promise(setImmediate);
}

/** Also what was printed, but had not arrived when a timeout or an end came: the first pass ends this round, the second is a whole one. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

function fromFailedInit(failed: InitOutcome): Answer {
  switch (failed.outcome) {
    case "error":
      return { kind: "error", payload: failed.document, errorType: failed.errorType };
    case "exit":
      return { kind: "exit", exit: failed.exit };
    case "timeout":
      return { kind: "timeout" };
    case "initialized":
      throw new Error("An init that succeeded was taken for one that failed");
  }
}

function initReportLine(
  systemLog: SystemLog,
  outcome: Exclude<InitOutcome, { outcome: "initialized" }>,
  phase: InitPhase,
) {
  const { durationMs } = outcome;
  switch (outcome.outcome) {
    case "timeout":
      return systemLog.initReport({ durationMs, phase, status: "timeout" });
    case "exit":
      return systemLog.initReport({
        durationMs,
        phase,
        status: "error",
        errorType: outcome.exit.outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError",
      });
    case "error":
      return systemLog.initReport({ durationMs, phase, status: "error", errorType: outcome.errorType });
  }
}
