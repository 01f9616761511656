/** A map of bounded size that forgets what was not used for long. */
export interface Lru<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
}

/**
 * In two generations: what is used moves to the young one, and when that is half of all the old one is forgotten. The latest
 * half of `sizeMax` that were used are always there, and a use of what is young is one look into a map: it costs a third of
 * keeping all in the exact order of their uses.
 */
export function createLru<V>(sizeMax: number): Lru<V> {
  const generationMax = Math.max(1, Math.floor(sizeMax / 2));
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  const keep = (key: string, value: V) => {
    if (young.size >= generationMax && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    get: (key) => {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) keep(key, older);
      return older;
    },
    set: keep,
    delete: (key) => {
      young.delete(key);
      old.delete(key);
    },
    clear: () => {
      young = new Map();
      old = new Map();
    },
  };
}
