import type { Clock } from "../kernel/clock.ts";

/**
 * The processes that serve one data folder on one host, as one of them sees them: for what must not depend on which of
 * them a request has come to. Nothing here is durable; what must be kept is in the store.
 */
export interface Siblings {
  /** This worker's number, from 1. */
  readonly slot: number;
  /** How many workers there are when all are well. */
  readonly workers: number;
  /**
   * What all workers answer, this one first; who does not answer in time is left out. Questions, answers and news go through
   * JSON; of what type they are is between those who ask and answer.
   */
  ask(topic: string, question?: unknown): Promise<readonly SiblingAnswer[]>;
  /** Answers questions of a topic; one handler each. */
  answer(topic: string, handle: (question: unknown) => unknown): void;
  tell(to: number | "others", topic: string, news?: unknown): void;
  hear(topic: string, handle: (news: unknown, from: number) => void): void;
  /** Call `listener` with the numbers of the workers that serve, whenever one has come or gone. */
  watch(listener: (live: readonly number[]) => void): void;
}

export interface SiblingAnswer {
  readonly slot: number;
  readonly value: unknown;
}

/** How messages leave and arrive. */
export interface SiblingChannel {
  send(slot: number | "others", body: unknown): void;
}

/** Whoever takes longer is busy or on its way out; nobody waits for it. */
const answerMsMax = 2_000;

export interface SiblingsEnd extends Siblings {
  receive(from: number, body: unknown): void;
  /** The workers that are ready now. */
  setLive(slots: readonly number[]): void;
}

type Body =
  | { readonly ask: number; readonly topic: string; readonly value?: unknown }
  | { readonly answer: number; readonly value?: unknown }
  | { readonly tell: string; readonly value?: unknown };

export function createSiblings(
  place: { readonly slot: number; readonly workers: number },
  channel: SiblingChannel,
  clock: Clock,
): SiblingsEnd {
  const { slot, workers } = place;
  const answerers = new Map<string, (question: unknown) => unknown>();
  const hearers = new Map<string, (news: unknown, from: number) => void>();
  const watchers: ((live: readonly number[]) => void)[] = [];
  const asked = new Map<number, { readonly waitsFor: Set<number>; readonly answers: SiblingAnswer[]; done(): void }>();
  let live: readonly number[] = [slot];
  let count = 0;

  const settle = (id: number, from: number) => {
    const question = asked.get(id);
    if (question?.waitsFor.delete(from) && question.waitsFor.size === 0) question.done();
  };

  return {
    slot,
    workers,
    async ask(topic, value) {
      const id = (count += 1);
      const others = live.filter((other) => other !== slot);
      const answers: SiblingAnswer[] = [];
      const answered =
        others.length === 0
          ? Promise.resolve()
          : new Promise<void>((resolve) => {
              const done = () => {
                cancel();
                asked.delete(id);
                resolve();
              };
              const cancel = clock.after(answerMsMax, done);
              asked.set(id, { waitsFor: new Set(others), answers, done });
              channel.send("others", { ask: id, topic, value });
            });
      const own = { slot, value: await answerers.get(topic)?.(value) };
      await answered;
      return [own, ...answers.toSorted((a, b) => a.slot - b.slot)];
    },
    answer: (topic, handle) => void answerers.set(topic, handle),
    tell: (to, topic, value) => channel.send(to, { tell: topic, value }),
    hear: (topic, handle) => void hearers.set(topic, handle),
    watch: (listener) => void watchers.push(listener),
    receive(from, body) {
      const message = parseBody(body);
      if ("tell" in message) hearers.get(message.tell)?.(message.value, from);
      else if ("ask" in message) {
        void (async () => {
          const value = await answerers.get(message.topic)?.(message.value);
          channel.send(from, { answer: message.ask, value });
        })().catch(() => {
          // Who cannot answer is left out, as one that has ended is.
        });
      } else {
        asked.get(message.answer)?.answers.push({ slot: from, value: message.value });
        settle(message.answer, from);
      }
    },
    setLive(slots) {
      const left = live.filter((one) => one !== slot && !slots.includes(one));
      live = slots;
      for (const one of left) {
        for (const id of asked.keys()) settle(id, one);
      }
      for (const listener of watchers) listener(slots);
    },
  };
}

/** For a process that serves alone. */
export function noSiblings(): Siblings {
  const answerers = new Map<string, (question: unknown) => unknown>();
  return {
    slot: 1,
    workers: 1,
    ask: async (topic, question) => [{ slot: 1, value: await answerers.get(topic)?.(question) }],
    answer: (topic, handle) => void answerers.set(topic, handle),
    tell: () => {},
    hear: () => {},
    watch: () => {},
  };
}

/** From the other end of this very file. */
function parseBody(body: unknown): Body {
  return body as Body;
}
