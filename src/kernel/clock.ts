/** Time and timers, handed in so that tests can hold and move them. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Call back once, after `delayMs`. Does not keep the process alive. The returned function cancels. */
  after(delayMs: number, action: () => void): () => void;
}

const timerMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, Math.min(Math.max(0, delayMs), timerMsMax));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Milliseconds since the process began: nobody sets this clock, and it goes on while the process is paused. For leases. */
export const steadyClock: Clock = { now: () => performance.now(), after: systemClock.after };
