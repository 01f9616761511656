import type { Clock } from "../kernel/clock.ts";

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  /** Move on, calling back what becomes due, in order, each at its own time. */
  advance(ms: number): void;
}

export function createFakeClock(startMs: number): FakeClock {
  let now = startMs;
  const timers = new Set<{ readonly at: number; readonly action: () => void }>();

  const nextDue = (until: number) => {
    let next: { readonly at: number; readonly action: () => void } | undefined;
    for (const timer of timers) {
      if (timer.at <= until && (!next || timer.at < next.at)) next = timer;
    }
    return next;
  };

  return {
    now: () => now,
    after: (delayMs, action) => {
      const timer = { at: now + Math.max(0, delayMs), action };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance: (ms) => {
      const until = now + ms;
      for (let timer = nextDue(until); timer; timer = nextDue(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.action();
      }
      now = until;
    },
  };
}
