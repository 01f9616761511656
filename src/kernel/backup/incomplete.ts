import type { Key, Store } from "../store/store.ts";

/** A store into which a copy is being written carries this until the copy is whole. */
const incompleteKey: Key = ["incomplete"];

export class StoreIncompleteError extends Error {
  constructor() {
    super(
      "The store holds a copy that was not finished: a restore or migration was broken off. Run it again (or start with an empty store).",
    );
    this.name = "StoreIncompleteError";
  }
}

/** @throws {StoreIncompleteError} */
export async function assertComplete(store: Store): Promise<void> {
  if (await store.read((reader) => reader.get(incompleteKey))) throw new StoreIncompleteError();
}

/** What may be written over: nothing, or a copy that was not finished. */
export async function findState(store: Store): Promise<"empty" | "incomplete" | "in use"> {
  return store.read(async (reader) => {
    if (await reader.get(incompleteKey)) return "incomplete";
    return (await reader.range({ prefix: [] }, { limit: 1 })).length === 0 ? "empty" : "in use";
  });
}

/** Empty the store and write a copy into it; whole when it resolves, refused by `assertComplete` until then. */
export async function fillStore(store: Store, fill: () => Promise<void>): Promise<void> {
  await store.transact(async (tx) => tx.set(incompleteKey, true));
  await clear(store);
  await fill();
  await store.transact(async (tx) => tx.delete(incompleteKey));
}

async function clear(store: Store): Promise<void> {
  const limit = 128;
  for (;;) {
    const removed = await store.transact(async (tx) => {
      const page = await tx.range({ prefix: [] }, { limit });
      for (const { key } of page) if (key[0] !== incompleteKey[0] || key.length > 1) tx.delete(key);
      return page.length;
    });
    if (removed <= 1) return;
  }
}
