import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Nodes } from "../../../kernel/nodes/nodes.ts";
import type { Key, Store, Transaction } from "../../../kernel/store/store.ts";
import {
  asksPrefix,
  deleteConnection,
  deleteHolder,
  isRegistered,
  listHeld,
  listHolders,
  repliesPrefix,
} from "./connection-record.ts";
import { webSocketLimits as limits } from "./limits.ts";
import type { ConnectionFacts } from "./request.ts";

/** Runs `$disconnect` once for the connections of nodes that are gone. */
export interface LostNodes {
  /** Look now, and whenever a node has come or gone. */
  start(): Promise<void>;
  stop(): void;
}

export interface LostNodesNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly nodes: Pick<Nodes, "id" | "watch">;
  readonly now: () => number;
  readonly log: Log;
  /** Run the `$disconnect` route of a connection that has ended with its node. */
  readonly disconnected: (facts: ConnectionFacts) => Promise<void>;
}

const jobKind = "execute-api.disconnect";

export function createLostNodes({ store, jobs, nodes, now, log, disconnected }: LostNodesNeeds): LostNodes {
  jobs.handle(jobKind, {
    concurrency: limits.disconnectsAtOnce,
    run: (job) => disconnected(parseFacts(job.payload)),
  });
  let unwatch: (() => void) | undefined;

  const look = async () => {
    const holders = await store.read((reader) => listHolders(reader, holdersMax));
    for (const node of holders) {
      if (node === nodes.id) continue;
      while (await takeOver(node)) {
        // Page by page.
      }
    }
  };

  /** @returns whether there is more */
  const takeOver = (node: string): Promise<boolean> =>
    store.transact(async (tx) => {
      if (await isRegistered(tx, node)) return false;
      const held = await listHeld(tx, node, limits.lostAtOnce);
      for (const facts of held) {
        deleteConnection(tx, node, facts.connectionId);
        // A job in the same transaction: one survivor runs $disconnect, whichever looked.
        jobs.schedule(tx, { kind: jobKind, key: [facts.connectionId], at: now(), payload: facts });
      }
      const more = held.length === limits.lostAtOnce;
      if (!more) {
        await forget(tx, asksPrefix(node));
        await forget(tx, repliesPrefix(node));
        deleteHolder(tx, node);
      }
      return more;
    });

  const lookSafely = () =>
    look().catch((error: unknown) => log.warn("Connections of lost nodes could not be looked for", { error }));

  return {
    start: async () => {
      unwatch = nodes.watch(() => void lookSafely());
      await lookSafely();
    },
    stop: () => unwatch?.(),
  };
}

const holdersMax = 1_000;
const messagesMax = 1_000;

async function forget(tx: Transaction, prefix: Key): Promise<void> {
  for (const { key } of await tx.range({ prefix }, { limit: messagesMax })) tx.delete(key);
}

/** Written by this very file. */
function parseFacts(payload: unknown): ConnectionFacts {
  return payload as ConnectionFacts;
}
