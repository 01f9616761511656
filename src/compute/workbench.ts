import type { Compute, FunctionSpec } from "./compute.ts";

/** What developers ask of environments beside invocations. Nothing here runs unless it was asked for. */
export interface Workbench {
  /** Initialise an environment of this function now, so that the next invocation finds it; how that went. */
  warm(spec: FunctionSpec): Promise<WarmOutcome>;
  /**
   * Let a debugger attach to a function. Until the session is stopped the function has one environment at a time, which is
   * there before anybody invokes it, is replaced when it ends or `latest` has changed, and has hours for what it does.
   *
   * @throws DebugRefusedError where it cannot be
   */
  debug(debugging: Debugging): Promise<DebugSession>;
  /** Whether a debugger may hold this function, given by its ARN with or without a qualifier: whoever waits for it has to be patient. */
  isDebugged(functionArn: string): boolean;
}

export type HostCompute = Compute & { readonly workbench: Workbench };

export type WarmOutcome =
  | { readonly outcome: "initialized"; readonly initMs: number }
  | { readonly outcome: "failed"; readonly errorType: string; readonly errorMessage: string };

export interface Debugging {
  readonly functionArn: string;
  /** The function's `$LATEST` as it is now; undefined when it is gone. */
  latest(): Promise<FunctionSpec | undefined>;
  /** The port, on this host's loopback, that debuggers attach to; 0 for any that is free; the one they expect where absent. */
  readonly port?: number;
  report(event: DebugEvent): void;
}

export type DebugEvent =
  /** An environment is there, with the code of `latest`. */
  | { readonly kind: "environment" }
  | { readonly kind: "attached" }
  | { readonly kind: "detached" }
  /** There is no environment until the function changes or is invoked. */
  | { readonly kind: "failed"; readonly message: string };

export interface DebugSession {
  readonly protocol: DebugProtocol;
  readonly port: number;
  /** Of the inspector's WebSocket: the same as long as the session. */
  readonly path?: string;
  /** Resumes what a debugger holds. */
  stop(): void;
}

/** `dap`: the Debug Adapter Protocol, as debugpy speaks it. */
export type DebugProtocol = "inspector" | "jdwp" | "dap";

/** Why a function cannot be debugged, as a sentence. */
export class DebugRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DebugRefusedError";
  }
}
