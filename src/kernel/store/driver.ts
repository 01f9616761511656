import type { EncodedKey, Interval } from "./keys.ts";
import type { Visit } from "./store.ts";

/** What a driver of the optimistic store does: snapshots, and commits that are checked and made durable together. */
export interface StoreDriver {
  snapshot(): Snapshot;
  /**
   * Check and apply each commit in turn, those before it in view; resolves when what was applied is durable. False for
   * a commit of which something read has changed: nothing of it is applied.
   */
  commit(batch: readonly Commit[]): Promise<readonly boolean[]>;
  close(): Promise<void>;
}

/** Entries as they were at one moment. */
export interface View {
  /** Whether the bytes that it hands out are nobody else's: they need not be copied for the caller. */
  readonly isFresh?: boolean;
  get(key: EncodedKey): Stored | undefined;
  /** The version alone; 0 for a key that is absent. */
  version(key: EncodedKey): number;
  range(interval: Interval, limit: number, reverse: boolean): readonly StoredEntry[];
  /** Encoded values, as in `Reader.scan`. */
  scan(interval: Interval, reverse: boolean, visit: Visit): void;
}

export interface Snapshot extends View {
  end(): void;
}

export interface Stored {
  /** Never the same twice for one key, also when it was deleted in between. Above 0. */
  readonly version: number;
  readonly bytes: Buffer;
}

export type StoredEntry = readonly [key: EncodedKey, stored: Stored];

/** What a transaction read and wants to write. */
export interface Commit {
  /** The version that was read; 0 for a key that was absent. */
  readonly reads: ReadonlyMap<EncodedKey, number>;
  readonly ranges: readonly RangeRead[];
  /** Undefined deletes. */
  readonly writes: ReadonlyMap<EncodedKey, Buffer | undefined>;
}

export interface RangeRead {
  readonly interval: Interval;
  readonly limit: number;
  readonly reverse: boolean;
  readonly found: readonly StoredEntry[];
}

/** Whether everything a transaction read is still so. */
export function isCurrent(view: View, commit: Commit): boolean {
  for (const [key, version] of commit.reads) {
    if (view.version(key) !== version) return false;
  }
  return commit.ranges.every((read) => {
    const found = view.range(read.interval, read.limit, read.reverse);
    return (
      found.length === read.found.length &&
      found.every(([key, stored], at) => {
        const [keyRead, storedRead] = read.found[at] ?? [];
        return key === keyRead && stored.version === storedRead?.version;
      })
    );
  });
}
