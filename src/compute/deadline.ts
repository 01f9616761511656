import type { Clock } from "../kernel/clock.ts";

/** A moment by which something must have happened, moved again and again: one timer serves all of them. */
export interface Deadline {
  /** Instead of the one before. */
  set(at: number): void;
  cancel(): void;
}

/** @param due called at the last moment that was set, if that has come */
export function createDeadline(clock: Clock, due: () => void): Deadline {
  let deadlineAt = 0;
  let timerAt = 0;
  let cancelTimer: (() => void) | undefined;

  const set = (at: number) => {
    deadlineAt = at;
    // It looks when the first was due, and again when the last is.
    if (cancelTimer !== undefined && timerAt <= at) return;
    cancelTimer?.();
    timerAt = at;
    cancelTimer = clock.after(at - clock.now(), () => {
      cancelTimer = undefined;
      if (clock.now() < deadlineAt) set(deadlineAt);
      else due();
    });
  };
  return {
    set,
    cancel() {
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
