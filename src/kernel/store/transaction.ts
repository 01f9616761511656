import assert from "node:assert/strict";
import { storeLimits } from "../limits.ts";
import type { Commit, RangeRead, Snapshot, StoredEntry, View } from "./driver.ts";
import { decodeKey, type EncodedKey, encodeKey, type Interval, toInterval } from "./keys.ts";
import type { Entry, Key, RangeOptions, Reader, Transaction, Value } from "./store.ts";
import { bytesAt, decodeValue, encodeValue } from "./values.ts";

/** A reader over a snapshot. */
export function createReader(view: View): Reader {
  const { isFresh } = view;
  const find = (key: EncodedKey) => decodeFound(view.get(key)?.bytes, isFresh);
  return {
    get: async (key) => find(encodeKey(key)),
    getMany: async (keys) => keys.map((key) => find(encodeKey(key))),
    range: async (range, options) => {
      const { limit, reverse } = checkRange(options);
      return view.range(toInterval(range, reverse), limit, reverse).map((found) => toEntry(found, isFresh));
    },
    scan: (range, { reverse }, visit) =>
      view.scan(toInterval(range, reverse), reverse, (bytes, from, to) => visit(bytes, bytesAt(bytes, from), to)),
  };
}

/** One run of a transaction's body: what it reads is noted, what it writes is kept until the commit. */
export interface TransactionRun {
  readonly tx: Transaction;
  readonly commit: Commit;
  readonly afterCommit: readonly (() => void)[];
  /** The body has ended: nothing more may come. */
  end(): void;
}

export function startTransaction(snapshot: Snapshot): TransactionRun {
  const reads = new Map<EncodedKey, number>();
  const ranges: RangeRead[] = [];
  const writes = createWrites();
  const afterCommit: (() => void)[] = [];
  let ended = false;

  const find = (key: EncodedKey) => {
    if (writes.all.has(key)) return decodeFound(writes.all.get(key));
    const stored = snapshot.get(key);
    reads.set(key, stored?.version ?? 0);
    return decodeFound(stored?.bytes, snapshot.isFresh);
  };
  const assertOpen = () => assert(!ended, "A transaction was used after its body had ended");

  return {
    commit: { reads, ranges, writes: writes.all },
    afterCommit,
    end: () => {
      ended = true;
    },
    tx: {
      get: async (key) => {
        assertOpen();
        return find(encodeKey(key));
      },
      getMany: async (keys) => {
        assertOpen();
        return keys.map((key) => find(encodeKey(key)));
      },
      range: async (range, options) => {
        assertOpen();
        const { limit, reverse } = checkRange(options);
        const interval = toInterval(range, reverse);
        // As many more as the transaction's own deletions may take away.
        const fetched = limit + writes.removedWithin(interval);
        const found = snapshot.range(interval, fetched, reverse);
        ranges.push({ interval, limit: fetched, reverse, found });
        return withOwnWrites(found, writes.all, interval, reverse).slice(0, limit);
      },
      set: (key, value) => {
        assertOpen();
        writes.set(encodeKey(key), value);
      },
      delete: (key) => {
        assertOpen();
        writes.delete(encodeKey(key));
      },
      afterCommit: (action) => {
        assertOpen();
        afterCommit.push(action);
      },
    },
  };
}

/** What a transaction wants to write, within the limits. Undefined deletes. */
export interface Writes {
  readonly all: ReadonlyMap<EncodedKey, Buffer | undefined>;
  set(key: EncodedKey, value: Value): void;
  delete(key: EncodedKey): void;
  /** How many keys of the interval are to be deleted. */
  removedWithin(interval: Interval): number;
}

export function createWrites(): Writes {
  const all = new Map<EncodedKey, Buffer | undefined>();
  let bytesWritten = 0;
  const write = (key: EncodedKey, bytes: Buffer | undefined) => {
    all.set(key, bytes);
    bytesWritten += key.length + (bytes?.length ?? 0);
    if (all.size > storeLimits.transactionWritesMax || bytesWritten > storeLimits.transactionBytesMax) {
      throw new RangeError(
        `A transaction writes at most ${storeLimits.transactionWritesMax} keys and ${storeLimits.transactionBytesMax} bytes`,
      );
    }
  };
  return {
    all,
    set: (key, value) => write(key, encodeValue(value)),
    delete: (key) => write(key, undefined),
    removedWithin: (interval) => ownWrites(all, interval).filter(([, bytes]) => bytes === undefined).length,
  };
}

type OwnWrite = readonly [key: EncodedKey, bytes: Buffer | undefined];

function ownWrites(writes: Writes["all"], interval: Interval): OwnWrite[] {
  const own: OwnWrite[] = [];
  for (const [key, bytes] of writes) {
    if (key >= interval.start && key < interval.end) own.push([key, bytes]);
  }
  return own;
}

/** What was found with the transaction's own writes laid over it. */
export function withOwnWrites(
  found: readonly StoredEntry[],
  writes: Writes["all"],
  interval: Interval,
  reverse: boolean,
): Entry<never>[] {
  const own = ownWrites(writes, interval);
  if (own.length === 0) return found.map((each) => toEntry(each));
  const merged = new Map<EncodedKey, Buffer | undefined>();
  for (const [key, stored] of found) merged.set(key, stored.bytes);
  for (const [key, bytes] of own) merged.set(key, bytes);
  const keys = [...merged.keys()].filter((key) => merged.get(key) !== undefined).toSorted(byBytes);
  if (reverse) keys.reverse();
  return keys.map((key) => ({ key: decodeKey(key), value: decodeFound(merged.get(key)) }));
}

function byBytes(a: EncodedKey, b: EncodedKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function toEntry([encoded, stored]: StoredEntry, isFresh?: boolean): Entry<never> {
  let key: Key | undefined;
  return {
    // Decoded when first asked for: who reads a range for its values alone pays nothing for its keys.
    get key() {
      key ??= decodeKey(encoded);
      return key;
    },
    value: decodeFound(stored.bytes, isFresh),
  };
}

// The one place where stored bytes take the type that the caller says they have.
export function decodeFound(bytes: Buffer | undefined, isFresh?: boolean): never {
  return (bytes === undefined ? undefined : decodeValue(bytes, isFresh)) as never;
}

export function checkRange(options: RangeOptions): { limit: number; reverse: boolean } {
  const { limit, reverse = false } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > storeLimits.rangeEntriesMax) {
    throw new RangeError(`A range's limit is 1 to ${storeLimits.rangeEntriesMax}, not ${limit}`);
  }
  return { limit, reverse };
}
