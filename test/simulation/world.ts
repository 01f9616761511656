import type { Clock } from "../../src/kernel/clock.ts";
import type { Random } from "./random.ts";

/** Virtual time, in which things happen one after the other. */
export interface World {
  readonly now: () => number;
  /** Do something so much later. */
  at(delayMs: number, action: () => void): () => void;
  /** Let things happen until it is enough, or so much time has passed, or nothing more will happen. */
  run(isEnough: () => boolean, forMs: number): Promise<void>;
}

interface Happening {
  readonly time: number;
  readonly turn: number;
  action: (() => void) | undefined;
}

export function createWorld(): World {
  const heap: Happening[] = [];
  let now = 0;
  let turn = 0;

  const isBefore = (a: Happening, b: Happening) => a.time < b.time || (a.time === b.time && a.turn < b.turn);

  function push(happening: Happening): void {
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || !isBefore(happening, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = happening;
  }

  function pop(): Happening | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      const other = heap[below + 1];
      if (other && child && isBefore(other, child)) {
        child = other;
        below += 1;
      }
      if (!child || !isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }

  return {
    now: () => now,
    at: (delayMs, action) => {
      const happening: Happening = { time: now + Math.max(0, delayMs), turn: (turn += 1), action };
      push(happening);
      return () => {
        happening.action = undefined;
      };
    },
    run: (isEnough, forMs) =>
      new Promise((resolve, reject) => {
        const until = now + forMs;
        // Node runs a tick only when no promise has anything left to do: each happening is carried to its end.
        const later = () => void process.nextTick(step);
        function step(): void {
          try {
            let next: Happening | undefined;
            do next = pop();
            while (next && !next.action);
            if (!next || next.time > until) {
              now = until;
              if (next) push(next);
              resolve();
              return;
            }
            now = next.time;
            next.action?.();
            if (isEnough()) resolve();
            else queueMicrotask(later);
          } catch (error) {
            reject(error);
          }
        }
        queueMicrotask(later);
      }),
  };
}

/** A process of its own clock, which may stand still, and end. What is meant for it comes through `deliver`. */
export interface SimulatedProcess {
  readonly clock: Clock;
  /** One that nobody sets. */
  readonly steady: Pick<Clock, "now">;
  /** Since it began it stood still until this time; -1 if never. */
  readonly lastPausedAt: () => number;
  readonly isPaused: () => boolean;
  readonly isDead: () => boolean;
  deliver(action: () => void): void;
  pause(): void;
  resume(): void;
  /** As `kill -9`. */
  kill(): void;
}

/** How far a clock is from the world's, and how much faster it runs. */
export interface ClockError {
  skewMs: number;
  readonly rate: number;
}

export function createProcess(world: World, error: ClockError): SimulatedProcess {
  let dead = false;
  let paused = false;
  let lastPaused = -1;
  let backlog: (() => void)[] = [];

  const deliver = (action: () => void): void => {
    if (dead) return;
    if (paused) backlog.push(action);
    else action();
  };
  return {
    clock: {
      now: () => Math.floor(1_700_000_000_000 + world.now() * error.rate + error.skewMs),
      after: (delayMs, action) => {
        let cancelled = false;
        const run = () => {
          if (!cancelled) action();
        };
        const cancel = world.at(delayMs / error.rate, () => deliver(run));
        return () => {
          cancelled = true;
          cancel();
        };
      },
    },
    steady: { now: () => world.now() * error.rate },
    lastPausedAt: () => lastPaused,
    isPaused: () => paused,
    isDead: () => dead,
    deliver,
    pause: () => {
      paused = true;
    },
    resume: () => {
      if (!paused) return;
      paused = false;
      lastPaused = world.now();
      const waiting = backlog;
      backlog = [];
      for (const action of waiting) world.at(0, () => deliver(action));
    },
    kill: () => {
      dead = true;
      backlog = [];
    },
  };
}

/** What a process's messages to the store suffer. */
export interface Weather {
  delayMsMax: number;
  lostRequest: number;
  lostAnswer: number;
  /** The request arrives after its sender has given up. */
  late: number;
  /** The store says that there was a conflict where there was none. */
  conflict: number;
}

export const calm: Readonly<Weather> = { delayMsMax: 5, lostRequest: 0, lostAnswer: 0, late: 0, conflict: 0 };

const patienceMs = 3_000;

/** Send a request; reject when no answer has come in time, whether or not it was carried out. */
export function ask<T>(
  world: World,
  random: Random,
  weather: Weather,
  asker: SimulatedProcess,
  carryOut: () => T | Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const isLate = random.chance(weather.late);
    const isLost = random.chance(weather.lostRequest);
    const isAnswerLost = isLate || random.chance(weather.lostAnswer);
    const delay = () => random.fraction() * weather.delayMsMax;
    if (isLost || isAnswerLost) {
      asker.clock.after(patienceMs, () => reject(new Error("The store did not answer")));
    }
    if (isLost) return;
    world.at(isLate ? patienceMs + random.fraction() * 20_000 : delay(), () => {
      void Promise.resolve(carryOut()).then((answer) => {
        if (!isAnswerLost) world.at(delay(), () => asker.deliver(() => resolve(answer)));
      });
    });
  });
}
