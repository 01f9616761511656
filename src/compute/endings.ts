import type { ExtensionFailure } from "./extensions.ts";
import type { RuntimeExit } from "./outcomes.ts";
import type { InitReport, RuntimeDone } from "./system-records.ts";

/** Ways in which inits and invocations end, and what each is for a report. */
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
  | { readonly outcome: "extension"; readonly durationMs: number; readonly failure: ExtensionFailure }
  | { readonly outcome: "timeout"; readonly durationMs: number };

/** How a runtime has ended an invocation, or was kept from ending it. */
export type Answer =
  | { readonly kind: "response"; readonly payload: Uint8Array }
  | { readonly kind: "error"; readonly payload: Uint8Array; readonly errorType: string | undefined }
  | { readonly kind: "exit"; readonly exit: RuntimeExit }
  | { readonly kind: "extension"; readonly failure: ExtensionFailure }
  | { readonly kind: "timeout" };

/** An invocation in whose course the init failed ends as that did. */
export function fromFailedInit(failed: InitOutcome): Answer {
  switch (failed.outcome) {
    case "error":
      return { kind: "error", payload: failed.document, errorType: failed.errorType };
    case "exit":
      return { kind: "exit", exit: failed.exit };
    case "extension":
      return { kind: "extension", failure: failed.failure };
    case "timeout":
      return { kind: "timeout" };
    case "initialized":
      throw new Error("An init that succeeded was taken for one that failed");
  }
}

export function failedInit(outcome: Exclude<InitOutcome, { outcome: "initialized" }>, phase: InitPhase): InitReport {
  const { durationMs } = outcome;
  switch (outcome.outcome) {
    case "timeout":
      return { durationMs, phase, status: "timeout" };
    case "exit":
      return { durationMs, phase, status: "error", errorType: exitType(outcome.exit) };
    case "extension":
      return { durationMs, phase, status: "error", errorType: outcome.failure.errorType };
    case "error":
      return { durationMs, phase, status: "error", errorType: outcome.errorType };
  }
}

export function exitType(exit: RuntimeExit): string {
  return exit.outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError";
}

export function runtimeStatus(answer: Answer): readonly [RuntimeDone["status"], string | undefined] {
  switch (answer.kind) {
    case "response":
      return ["success", undefined];
    case "error":
      return ["error", answer.errorType];
    case "exit":
      return ["failure", exitType(answer.exit)];
    case "extension":
      return ["failure", answer.failure.errorType];
    case "timeout":
      return ["timeout", undefined];
  }
}
