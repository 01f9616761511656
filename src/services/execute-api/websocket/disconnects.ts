import type { Log } from "../../../kernel/log.ts";
import type { Nodes } from "../../../kernel/nodes/nodes.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { deleteConnection } from "./connection-record.ts";
import { webSocketLimits as limits } from "./limits.ts";
import { type ConnectionFacts, createWebSocketRequest } from "./request.ts";
import type { WebSocketRoutes } from "./stage.ts";

/** How a connection has ended. */
export interface Ending {
  readonly facts: ConnectionFacts;
  readonly code: number;
  readonly reason: string;
}

/** Runs the `$disconnect` routes of connections that have ended, so many at once. */
export interface Disconnects {
  /** Run it, then forget the connection: until then it is on record, for another node to run it should this one be lost. */
  add(ending: Ending): void;
  /** Resolves when all are done. */
  settled(): Promise<void>;
}

export interface DisconnectNeeds {
  readonly store: Store;
  readonly nodes: Pick<Nodes, "id">;
  readonly log: Log;
  readonly stageOf: (apiId: string, stageName: string) => Promise<WebSocketRoutes | undefined>;
}

export function createDisconnects(needs: DisconnectNeeds): Disconnects {
  const { store, nodes, log } = needs;
  const queue: Ending[] = [];
  let next = 0;
  let running = 0;
  let waiters: (() => void)[] = [];

  const runNext = () => {
    while (running < limits.disconnectsAtOnce && next < queue.length) {
      const ending = queue[next];
      next += 1;
      if (ending === undefined) continue;
      running += 1;
      void runOne(ending).finally(() => {
        running -= 1;
        runNext();
      });
    }
    if (next < queue.length) return;
    queue.length = 0;
    next = 0;
    if (running > 0) return;
    for (const done of waiters) done();
    waiters = [];
  };
  const runOne = async (ending: Ending) => {
    const { connectionId } = ending.facts;
    try {
      await runDisconnect(needs.stageOf, ending);
      await store.transact(async (tx) => deleteConnection(tx, nodes.id, connectionId));
    } catch (error) {
      log.warn("The end of a connection could not be told", { connectionId, error });
    }
  };

  return {
    add(ending) {
      queue.push(ending);
      runNext();
    },
    settled: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        runNext();
      }),
  };
}

/** Run the `$disconnect` route, if there is one. AWS: best effort; how its integration ends matters to nobody. */
export async function runDisconnect(
  stageOf: DisconnectNeeds["stageOf"],
  { facts, code, reason }: Ending,
): Promise<void> {
  const routes = await stageOf(facts.apiId, facts.stageName);
  const route = routes?.disconnect;
  if (routes === undefined || route === undefined) return;
  const { stage } = routes;
  const { clock, identities } = stage.needs;
  const now = clock.now();
  const request = createWebSocketRequest({
    stage,
    route: route.route,
    connection: facts,
    event: { type: "DISCONNECT", code, reason },
    requestId: identities.extendedId(),
    trace: identities.traceRoot(now),
    now,
  });
  await new Promise<void>((resolve) => route.run(request, () => resolve()));
}

/** AWS's words where a client gave no reason of its own. As users report them. */
export function reasonOf(code: number): string {
  if (code === 1005) return "Client-side close frame status not set";
  return code === 1006 ? "Connection closed abnormally" : "";
}
