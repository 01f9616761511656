/**
 * The ordered, transactional key-value store that every piece of durable state lives in.
 *
 * Keys are tuples, ordered part by part; values are plain data. The interface assumes nothing of one process: several
 * workers may share an embedded store, and many nodes a database. A driver MUST pass every case in `store.cases.ts`.
 */

/** One part of a key. Order between kinds: `Uint8Array` < `string` (by UTF-8 bytes) < `number` (by value) < `boolean`. */
export type KeyPart = string | number | boolean | Uint8Array;

/** A tuple key. Never empty; encodes to at most `storeLimits.keyBytesMax` bytes. */
export type Key = readonly KeyPart[];

/** Plain data: what JSON can say, plus `Uint8Array`, `bigint` and `undefined` members (which are dropped). No classes. */
export type Value = unknown;

export interface Entry<V = Value> {
  readonly key: Key;
  readonly value: V;
}

/** Which keys: all below a prefix (the prefix itself excluded), or a half-open interval `[start, end)`. */
export type Range =
  | {
      readonly prefix: Key;
      /** Only keys after this one, exclusive: the last key of the page before. */ readonly after?: Key;
    }
  | { readonly start: Key; readonly end: Key };

export interface RangeOptions {
  /** How many entries at the most; 1 to `storeLimits.rangeEntriesMax`. */
  readonly limit: number;
  /** Last key first; `after` then means "before this key". */
  readonly reverse?: boolean;
}

/** Reads against one consistent snapshot. */
export interface Reader {
  /** The value, or undefined. What comes back is the caller's own: changing it changes nothing stored. */
  get<V = Value>(key: Key): Promise<V | undefined>;
  /** The values in the order of the keys. */
  getMany<V = Value>(keys: readonly Key[]): Promise<(V | undefined)[]>;
  /** Entries in key order. Fewer than `limit` means that there are no more. */
  range<V = Value>(range: Range, options: RangeOptions): Promise<Entry<V>[]>;
  /**
   * Shows the values of a range one after another, in the order of their keys, until the visitor has enough. All of them must be
   * `Uint8Array`. Absent where entries are not at hand, as in a database elsewhere: `range` does what it does.
   */
  scan?(range: Range, options: { readonly reverse: boolean }, visit: Visit): void;
}

/**
 * A value lies in `bytes` from one place up to another, during the call alone: what is to be kept must be copied. Answers whether
 * to go on.
 */
export type Visit = (bytes: Buffer, from: number, to: number) => boolean;

/** Reads see the transaction's own writes. Writes are applied together at commit, or not at all. */
export interface Transaction extends Reader {
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  /** Run after the commit is durable (never when the body is run again or fails). For in-memory consequences only. */
  afterCommit(action: () => void): void;
}

export interface Store {
  /** Run reads against one snapshot. */
  read<T>(body: (reader: Reader) => Promise<T>): Promise<T>;
  /**
   * Run a serializable transaction. Optimistic: when something it read has changed by the time it commits, the body
   * runs again, so it must have no effect but through `tx`. Resolves when the commit is durable (it survives `kill -9`
   * and power loss). A body that throws changes nothing.
   *
   * @throws {StoreConflictError} when it still conflicts after `storeLimits.attemptsMax` attempts.
   */
  transact<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Call `listener` after commits, by any process that shares the store, that changed a key below `prefix`. Calls may
   * be merged and may come without a change, but a change is never missed, and this process's own changes are told
   * before `transact` resolves.
   */
  watch(prefix: Key, listener: () => void): () => void;
  /**
   * Resolves when listeners have been told of every commit, by any process, that was acknowledged before the call; reads
   * that begin afterwards see them. Rejects where that cannot be known, as when a connection is lost.
   */
  caughtUp?(): Promise<void>;
  close(): Promise<void>;
}

export class StoreConflictError extends Error {
  constructor(attempts: number) {
    super(`The transaction conflicted ${attempts} times and was given up`);
    this.name = "StoreConflictError";
  }
}
