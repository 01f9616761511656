import type { PublishedCache } from "../port.ts";
import { cachingLimits as limits } from "./limits.ts";

/** An answer of an integration, as it was sent. */
export interface CachedAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string | Buffer;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What of a stage is cached in this process: bounded, what was used the longest ago goes first. */
export interface StageCache {
  /** Undefined when there is none, or it has expired. */
  get(key: string, now: number): CachedAnswer | undefined;
  /** Too large ones are not kept. */
  set(key: string, answer: CachedAnswer): void;
}

/** The caches of all stages. They outlive the compilation of a stage, but not a flush. */
export interface StageCaches {
  /** @param name of the stage, or of its canary where that has one of its own */
  of(name: string, cache: PublishedCache): StageCache;
}

interface Owned extends StageCache {
  readonly generation: string;
  readonly sizeBytes: number;
  clear(): void;
}

export function createStageCaches(): StageCaches {
  const caches = new Map<string, Owned>();
  const total = { bytes: 0 };
  return {
    of(name, { generation, sizeBytes }) {
      const known = caches.get(name);
      // Another size is another cache, as on AWS.
      if (known !== undefined && known.generation === generation && known.sizeBytes === sizeBytes) return known;
      known?.clear();
      caches.delete(name);
      const cache = createStageCache(generation, sizeBytes, total);
      caches.set(name, cache);
      const [oldest] = caches;
      if (caches.size > limits.stagesMax && oldest !== undefined) {
        oldest[1].clear();
        caches.delete(oldest[0]);
      }
      return cache;
    },
  };
}

function createStageCache(generation: string, sizeBytes: number, total: { bytes: number }): Owned {
  const bytesMax = Math.min(sizeBytes, limits.stageBytesMax);
  const entries = new Map<string, { readonly answer: CachedAnswer; readonly bytes: number }>();
  let bytes = 0;

  const remove = (key: string) => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    bytes -= entry.bytes;
    total.bytes -= entry.bytes;
  };

  return {
    generation,
    sizeBytes,
    get(key, now) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.answer.expiresAt <= now) {
        remove(key);
        return undefined;
      }
      // A Map keeps the order of insertion: the first is the one unused for the longest.
      entries.delete(key);
      entries.set(key, entry);
      return entry.answer;
    },
    set(key, answer) {
      remove(key);
      const size = sizeOf(key, answer);
      if (Buffer.byteLength(answer.body) > limits.responseBytesMax || size > bytesMax) return;
      for (const oldest of entries.keys()) {
        if (bytes + size <= bytesMax && total.bytes + size <= limits.processBytesMax) break;
        remove(oldest);
      }
      if (total.bytes + size > limits.processBytesMax) return;
      entries.set(key, { answer, bytes: size });
      bytes += size;
      total.bytes += size;
    },
    clear() {
      total.bytes -= bytes;
      bytes = 0;
      entries.clear();
    },
  };
}

function sizeOf(key: string, { headers, body }: CachedAnswer): number {
  let size = limits.entryBytes + 2 * key.length + Buffer.byteLength(body);
  for (const part of headers) size += 2 * part.length;
  return size;
}
