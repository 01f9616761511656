/** What an environment is doing. */
export type Phase = "initializing" | "idle" | "invoking" | "responded" | "failed" | "ended";

/** What a runtime, the platform or the kernel makes happen to it. */
export type LifecycleEvent = "next" | "initError" | "restore" | "invoke" | "response" | "error" | "exit";

/** Every transition that there is; anything else is refused. */
const transitions: Readonly<Record<Phase, Partial<Record<LifecycleEvent, Phase>>>> = {
  initializing: { next: "idle", initError: "failed", exit: "ended" },
  // SnapStart: the runtime hooks run, and end as an init does.
  idle: { invoke: "invoking", restore: "initializing", exit: "ended" },
  invoking: { response: "responded", error: "responded", exit: "ended" },
  responded: { next: "idle", exit: "ended" },
  failed: { exit: "ended" },
  ended: {},
};

export interface Lifecycle {
  readonly phase: Phase;
  /** False, and nothing has changed, when this must not happen now. */
  advance(event: LifecycleEvent): boolean;
}

export function createLifecycle(): Lifecycle {
  let phase: Phase = "initializing";
  return {
    get phase() {
      return phase;
    },
    advance(event) {
      const next = transitions[phase][event];
      if (next === undefined) return false;
      phase = next;
      return true;
    },
  };
}
