import { type EncodedKey, encodePrefix } from "./keys.ts";
import type { Key } from "./store.ts";

/** Who wants to be told of changes below a prefix. */
export interface Watchers {
  add(prefix: Key, listener: () => void): () => void;
  /** Tell those whose prefix lies above, below or at one of these keys or prefixes. */
  tell(changed: Iterable<EncodedKey>): void;
  tellAll(): void;
  isEmpty(): boolean;
}

export function createWatchers(): Watchers {
  const watchers = new Set<{ readonly prefix: EncodedKey; readonly listener: () => void }>();
  return {
    add: (prefix, listener) => {
      const watcher = { prefix: encodePrefix(prefix), listener };
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
    tell: (changed) => {
      if (watchers.size === 0) return;
      const waiting = new Set(watchers);
      for (const key of changed) {
        for (const watcher of waiting) {
          if (!key.startsWith(watcher.prefix) && !watcher.prefix.startsWith(key)) continue;
          waiting.delete(watcher);
          watcher.listener();
        }
        if (waiting.size === 0) return;
      }
    },
    tellAll: () => {
      for (const watcher of new Set(watchers)) watcher.listener();
    },
    isEmpty: () => watchers.size === 0,
  };
}
