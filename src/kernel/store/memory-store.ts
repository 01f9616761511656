import {
  type Commit,
  isCurrent,
  type Snapshot,
  type Stored,
  type StoredEntry,
  type StoreDriver,
  type View,
} from "./driver.ts";
import type { EncodedKey, Interval } from "./keys.ts";
import { createOptimisticStore } from "./optimistic-store.ts";
import type { Store } from "./store.ts";
import { createWatchers } from "./watchers.ts";

/** The store in memory, for tests: everything but the durability. */
export function createMemoryStore(): Store {
  return createOptimisticStore(createMemoryDriver(), createWatchers());
}

/** Oldest first. `stored` is undefined where the key was deleted. */
type History = { readonly sequence: number; readonly stored: Stored | undefined }[];

/** Beneath that store, for simulations. Keeps the past of a key for as long as a snapshot may ask for it. */
export function createMemoryDriver(): StoreDriver {
  const histories = new Map<EncodedKey, History>();
  /** Every key that has a history, in order. */
  const keys: EncodedKey[] = [];
  const snapshots = new Map<symbol, number>();
  let sequence = 0;

  const at = (moment: number): View => ({
    get: (key: EncodedKey) => histories.get(key)?.findLast((each) => each.sequence <= moment)?.stored,
    version: (key) => at(moment).get(key)?.version ?? 0,
    scan: (interval, reverse, visit) => {
      for (const [, { bytes }] of at(moment).range(interval, Number.POSITIVE_INFINITY, reverse)) {
        if (!visit(bytes, 0, bytes.length)) return;
      }
    },
    range: (interval: Interval, limit: number, reverse: boolean) => {
      const found: StoredEntry[] = [];
      const first = position(keys, interval.start);
      const beyond = position(keys, interval.end);
      for (let step = 0; step < beyond - first && found.length < limit; step += 1) {
        const key = keys[reverse ? beyond - 1 - step : first + step] ?? "";
        const stored = histories.get(key)?.findLast((each) => each.sequence <= moment)?.stored;
        if (stored) found.push([key, stored]);
      }
      return found;
    },
  });

  function apply(commit: Commit, oldest: number): boolean {
    if (!isCurrent(at(sequence), commit)) return false;
    sequence += 1;
    for (const [key, bytes] of commit.writes) {
      const history = histories.get(key) ?? insert(key);
      history.push({ sequence, stored: bytes && { version: sequence, bytes } });
      forget(key, history, oldest);
    }
    return true;
  }

  function insert(key: EncodedKey): History {
    const history: History = [];
    histories.set(key, history);
    keys.splice(position(keys, key), 0, key);
    return history;
  }

  /** Drop what no snapshot can see any more. */
  function forget(key: EncodedKey, history: History, oldest: number): void {
    const seen = history.findLastIndex((each) => each.sequence <= oldest);
    if (seen > 0) history.splice(0, seen);
    if (history.length === 1 && history[0]?.stored === undefined && (history[0]?.sequence ?? 0) <= oldest) {
      histories.delete(key);
      keys.splice(position(keys, key), 1);
    }
  }

  return {
    snapshot: (): Snapshot => {
      const id = Symbol("snapshot");
      snapshots.set(id, sequence);
      return {
        ...at(sequence),
        end: () => {
          snapshots.delete(id);
        },
      };
    },
    commit: async (batch) => {
      return batch.map((commit) => apply(commit, Math.min(sequence + 1, ...snapshots.values())));
    },
    close: async () => {},
  };
}

/** Where a key is, or would be. */
function position(keys: readonly EncodedKey[], key: EncodedKey): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
