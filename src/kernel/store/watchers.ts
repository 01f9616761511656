import { type EncodedKey, encodePrefix, firstPart } from "./keys.ts";
import type { Key } from "./store.ts";

/** Who wants to be told of changes below a prefix. */
export interface Watchers {
  add(prefix: Key, listener: () => void): () => void;
  /** Tell those whose prefix lies above, below or at one of these keys or prefixes. */
  tell(changed: Iterable<EncodedKey>): void;
  tellAll(): void;
}

interface Watcher {
  readonly prefix: EncodedKey;
  readonly listener: () => void;
}

export function createWatchers(): Watchers {
  const watchers = new Set<Watcher>();
  /** By the first part of their prefixes: a commit changes keys of a part or two, and few watch those. */
  const byPart = new Map<EncodedKey, Set<Watcher>>();

  const concerned = (key: EncodedKey, told: ReadonlySet<Watcher>): readonly Watcher[] => {
    const part = firstPart(key);
    const among = part === undefined ? watchers : byPart.get(part);
    const found: Watcher[] = [];
    const note = (watcher: Watcher) => {
      if (told.has(watcher) || !(key.startsWith(watcher.prefix) || watcher.prefix.startsWith(key))) return;
      found.push(watcher);
    };
    among?.forEach(note);
    if (part !== undefined) byPart.get("")?.forEach(note);
    return found;
  };

  return {
    add: (prefix, listener) => {
      const watcher = { prefix: encodePrefix(prefix), listener };
      const part = firstPart(watcher.prefix) ?? "";
      const group = byPart.get(part) ?? new Set();
      byPart.set(part, group.add(watcher));
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
        group.delete(watcher);
        if (group.size === 0 && byPart.get(part) === group) byPart.delete(part);
      };
    },
    tell: (changed) => {
      if (watchers.size === 0) return;
      const told = new Set<Watcher>();
      for (const key of changed) {
        for (const watcher of concerned(key, told)) {
          told.add(watcher);
          watcher.listener();
        }
      }
    },
    tellAll: () => {
      for (const watcher of new Set(watchers)) watcher.listener();
    },
  };
}
