import type { Clock } from "../../../kernel/clock.ts";

/** What a poller waits for. What comes while it does not wait is not missed. */
export interface Waits {
  /** There may be more to read. */
  tellNews(): void;
  /** It is to let go: every wait ends, now and from now on. */
  halt(): void;
  readonly isHalted: boolean;
  /** Until there are news, or so long; whether there were. */
  forNews(ms: number): Promise<boolean>;
  /** So long, whatever there is to read. */
  pause(ms: number): Promise<void>;
}

export function createWaits(clock: Clock): Waits {
  let halted = false;
  let news = false;
  let wake: (() => void) | undefined;
  const wait = (ms: number, until: () => boolean) =>
    new Promise<void>((resolve) => {
      if (halted || until()) return resolve();
      const end = () => {
        wake = undefined;
        cancel();
        resolve();
      };
      const cancel = clock.after(ms, end);
      wake = () => {
        if (halted || until()) end();
      };
    });
  return {
    tellNews: () => {
      news = true;
      wake?.();
    },
    halt: () => {
      halted = true;
      wake?.();
    },
    get isHalted() {
      return halted;
    },
    forNews: async (ms) => {
      await wait(ms, () => news);
      const came = news;
      news = false;
      return came;
    },
    pause: (ms) => wait(ms, () => false),
  };
}
