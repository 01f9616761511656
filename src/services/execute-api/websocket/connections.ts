import type { Nodes } from "../../../kernel/nodes/nodes.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { type ConnectionsPort, gone } from "./ask.ts";
import { findHolder } from "./connection-record.ts";
import type { OpenConnections } from "./open-connections.ts";
import type { Relay } from "./relay.ts";

export interface ConnectionsNeeds {
  readonly store: Store;
  readonly nodes: Pick<Nodes, "id">;
  readonly open: OpenConnections;
  readonly relay: Relay;
}

/** Connections by id, wherever they are held: those of this process in memory, those of others by a question to their node. */
export function createConnections({ store, nodes, open, relay }: ConnectionsNeeds): ConnectionsPort {
  return {
    async ask(place, connectionId, ask) {
      if (open.find(connectionId) !== undefined) return open.answer(place, connectionId, ask);
      if (!connectionIdPattern.test(connectionId)) return gone;
      const holder = await store.read((reader) => findHolder(reader, connectionId));
      // Of this process, and not in memory: it has just ended.
      if (holder === undefined || holder === nodes.id) return gone;
      return relay.ask(holder, { place, connectionId, ask });
    },
  };
}

const connectionIdPattern = /^[\w=-]{1,64}$/;
