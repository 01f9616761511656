import { constants } from "node:os";

/** The documents AWS answers when a function ends otherwise than by its own answer. Texts as observed on AWS. */
export interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
}

export function timedOut(requestId: string, timeoutMs: number): Failure {
  return {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  };
}

export interface RuntimeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The kernel ended it for using more memory than the function has. */
  readonly outOfMemory: boolean;
}

export function exited(requestId: string, exit: RuntimeExit): Failure {
  const reason = exitReason(exit);
  return {
    errorType: exit.outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError",
    errorMessage: `RequestId: ${requestId} Error: ${reason}`,
  };
}

/** Go's words for how a process ended: AWS's supervisor is written in Go. */
export function exitReason(exit: RuntimeExit): string {
  if (exit.outOfMemory) return "Runtime exited with error: signal: killed";
  const signal = exit.signal ?? (exit.code !== null && exit.code > 128 ? signalOf(exit.code - 128) : undefined);
  if (signal !== undefined) return `Runtime exited with error: signal: ${signalText[signal] ?? signal}`;
  if (exit.code === 0) return "Runtime exited without providing a reason";
  return `Runtime exited with error: exit status ${String(exit.code)}`;
}

export function extensionFailed(requestId: string, failure: { errorType: string; reason: string }): Failure {
  return { errorType: failure.errorType, errorMessage: `RequestId: ${requestId} Error: ${failure.reason}` };
}

/** A signal's name by its number, as wait(2) tells it. */
export function signalName(number: number | null): NodeJS.Signals | null {
  for (const [name, value] of Object.entries(constants.signals)) if (value === number) return name as NodeJS.Signals;
  return null;
}

export function responseTooLarge(limitBytes: number): Failure {
  return {
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${limitBytes} bytes).`,
  };
}

export function toDocument(failure: Failure): Uint8Array {
  return Buffer.from(JSON.stringify({ errorType: failure.errorType, errorMessage: failure.errorMessage }));
}

/** The `errorType` of a document that a runtime sent, for the log; never trusted to be there. */
export function errorTypeOf(document: Uint8Array): string | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(document).toString("utf8"));
    if (typeof parsed !== "object" || parsed === null || !("errorType" in parsed)) return undefined;
    return typeof parsed.errorType === "string" ? parsed.errorType : undefined;
  } catch {
    return undefined;
  }
}

const signalText: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: "killed",
  SIGABRT: "aborted",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
  SIGBUS: "bus error",
  SIGILL: "illegal instruction",
  SIGFPE: "floating point exception",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
  SIGQUIT: "quit",
  SIGTRAP: "trace/breakpoint trap",
  SIGSYS: "bad system call",
};

/** A sandbox's init answers 128 + n for a runtime that signal n ended. Only signals that end processes from outside count:
 * Node itself exits with 128 and 129 for unhandled rejections and exceptions on AWS. */
function signalOf(number: number): NodeJS.Signals | undefined {
  if (number < 3) return undefined;
  for (const name of Object.keys(signalText) as NodeJS.Signals[]) {
    if (constants.signals[name] === number) return name;
  }
  return undefined;
}
