import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Nodes } from "../../../kernel/nodes/nodes.ts";
import type { Entry, Key, Store } from "../../../kernel/store/store.ts";
import { type Answer, type Ask, type ConnectionPlace, gone } from "./ask.ts";
import { asksPrefix, isRegistered, repliesPrefix, writeHolder } from "./connection-record.ts";
import { webSocketLimits as limits } from "./limits.ts";

/** Carries questions about connections to the node that holds them, through the store. */
export interface Relay {
  /** `gone` when that node is lost. Rejects when it does not answer in time. */
  ask(holder: string, question: Question): Promise<Answer>;
  stop(): void;
}

export interface Question {
  readonly place: ConnectionPlace;
  readonly connectionId: string;
  readonly ask: Ask;
}

interface AskRecord {
  readonly v: 1;
  /** The node that is to be answered. */
  readonly from: string;
  readonly question: Question;
}

interface ReplyRecord {
  readonly v: 1;
  readonly answer: Answer;
}

export interface RelayNeeds {
  readonly store: Store;
  readonly nodes: Pick<Nodes, "id" | "watch">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Answers for the connections that this node holds. */
  readonly answer: (question: Question) => Answer;
}

interface Waiter {
  readonly holder: string;
  readonly settle: (answer: Answer) => void;
}

export function createRelay({ store, nodes, clock, ids, log, answer }: RelayNeeds): Relay {
  const waiting = new Map<string, Waiter>();
  const outgoing: { readonly id: string; readonly holder: string; readonly question: Question }[] = [];
  /** Questions that were answered, by key: what was posted is not posted again while its record is still there. */
  const answered = new Map<string, Answer>();

  const send = inTurn("Questions to other nodes could not be written", async () => {
    while (outgoing.length > 0) {
      const batch = outgoing.splice(0, limits.asksAtOnce);
      try {
        await store.transact(async (tx) => {
          // What is answered to a node that is lost meanwhile is removed by whoever looks for what it left.
          writeHolder(tx, nodes.id);
          for (const holder of new Set(batch.map((each) => each.holder))) {
            const here = await isRegistered(tx, holder);
            for (const { id, question } of batch.filter((each) => each.holder === holder)) {
              if (here) tx.set([...asksPrefix(holder), id], { v: 1, from: nodes.id, question } satisfies AskRecord);
            }
          }
        });
      } catch (error) {
        log.warn("Questions to other nodes could not be written", { error });
      }
      // Whoever was lost before the question was written is not waited for.
      lookForLost();
    }
  });

  const answerAll = inTurn("Questions of other nodes could not be answered", async () => {
    for (;;) {
      const asks = await read<AskRecord>(asksPrefix(nodes.id));
      if (asks.length === 0) return;
      const replies = asks.map(({ key, value }) => {
        const id = String(key.at(-1));
        const reply = answered.get(id) ?? answer(value.question);
        answered.set(id, reply);
        return { id, key, to: value.from, reply };
      });
      await store.transact(async (tx) => {
        for (const { id, key, to, reply } of replies) {
          tx.delete(key);
          tx.set([...repliesPrefix(to), id], { v: 1, answer: reply } satisfies ReplyRecord);
        }
      });
      for (const { id } of replies) answered.delete(id);
    }
  });

  const takeReplies = inTurn("Answers of other nodes could not be read", async () => {
    for (;;) {
      const replies = await read<ReplyRecord>(repliesPrefix(nodes.id));
      if (replies.length === 0) return;
      for (const { key, value } of replies) waiting.get(String(key.at(-1)))?.settle(value.answer);
      await store.transact(async (tx) => {
        for (const { key } of replies) tx.delete(key);
      });
    }
  });

  const lookForLost = inTurn("Nodes that were asked could not be looked for", async () => {
    const holders = new Set([...waiting.values()].map(({ holder }) => holder));
    for (const holder of holders) {
      if (await store.read((reader) => isRegistered(reader, holder))) continue;
      for (const waiter of waiting.values()) if (waiter.holder === holder) waiter.settle(gone);
    }
  });

  const unwatch = [
    store.watch(asksPrefix(nodes.id), answerAll),
    store.watch(repliesPrefix(nodes.id), takeReplies),
    nodes.watch(lookForLost),
  ];

  return {
    ask: (holder, question) =>
      new Promise((resolve, reject) => {
        const id = ids.uuid();
        const end = () => {
          cancel();
          waiting.delete(id);
        };
        const cancel = clock.after(limits.askMsMax, () => {
          end();
          reject(new Error(`The node ${holder} did not answer`));
        });
        waiting.set(id, {
          holder,
          settle: (reply) => {
            end();
            resolve(reply);
          },
        });
        outgoing.push({ id, holder, question });
        send();
      }),
    stop: () => {
      for (const stop of unwatch) stop();
    },
  };

  function read<V>(prefix: Key): Promise<Entry<V>[]> {
    return store.read((reader) => reader.range<V>({ prefix }, { limit: limits.asksAtOnce }));
  }

  /** One run at a time; when it was asked for during a run, there is another after it. */
  function inTurn(failure: string, work: () => Promise<void>): () => void {
    let running = false;
    let again = false;
    const run = async () => {
      running = true;
      do {
        again = false;
        await work().catch((error: unknown) => log.warn(failure, { error }));
      } while (again);
      running = false;
    };
    return () => {
      again = true;
      if (!running) void run();
    };
  }
}
