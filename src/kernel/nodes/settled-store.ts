import type { Key, Store, Transaction } from "../store/store.ts";
import type { Nodes } from "./nodes.ts";

/**
 * The same store, for those who change what nodes keep in memory: a transaction that writes below one of these prefixes
 * resolves when every node has taken it in. Alone, that is at once. What it writes is committed even where it rejects with
 * `NodesUnsettledError`.
 */
export function createSettledStore(store: Store, nodes: Pick<Nodes, "settled">, prefixes: readonly Key[]): Store {
  const concerns = (key: Key) => prefixes.some((prefix) => prefix.every((part, at) => key[at] === part));
  return {
    ...store,
    transact: async (body) => {
      let changed = false;
      const result = await store.transact((tx) => {
        changed = false;
        const noting: Transaction = {
          ...tx,
          set: (key, value) => {
            changed ||= concerns(key);
            tx.set(key, value);
          },
          delete: (key) => {
            changed ||= concerns(key);
            tx.delete(key);
          },
        };
        return body(noting);
      });
      if (changed) await nodes.settled();
      return result;
    },
  };
}
