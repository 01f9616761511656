import assert from "node:assert/strict";
import type { EncodedKey } from "./keys.ts";
import { encodeKey, toInterval } from "./keys.ts";
import type { ChangeFeed } from "./postgres-changes.ts";
import type { PostgresCommit, RangeSeen } from "./postgres-commits.ts";
import type { Reads } from "./postgres-reads.ts";
import type { Reader, Transaction } from "./store.ts";
import { checkRange, createWrites, decodeFound, toEntry, withOwnWrites } from "./transaction.ts";

/** A reader over reads that are each of one moment. */
export function createAsyncReader(reads: Reads): Reader {
  return {
    get: async (key) => {
      const { found } = await reads.points([encodeKey(key)]);
      return decodeFound(found[0]?.bytes);
    },
    getMany: async (keys) => {
      if (keys.length === 0) return [];
      const { found } = await reads.points(keys.map(encodeKey));
      return found.map((each) => decodeFound(each?.bytes));
    },
    range: async (range, options) => {
      const { limit, reverse } = checkRange(options);
      const interval = toInterval(range, reverse);
      if (interval.start >= interval.end) return [];
      const { found } = await reads.range(interval, limit, reverse);
      return found.map((each) => toEntry(each));
    },
  };
}

/** What was read has changed while the body ran. It runs again, whatever it makes of this error. */
export class ChangedError extends Error {
  constructor() {
    super("What the transaction has read has changed; it runs again");
    this.name = "ChangedError";
  }
}

export interface AsyncRun {
  readonly tx: Transaction;
  readonly commit: PostgresCommit;
  readonly afterCommit: readonly (() => void)[];
  /** What it read was not of one moment: the run counts for nothing. */
  hasConflicted(): boolean;
  /** The body has ended: nothing more may come. */
  end(): void;
}

/**
 * One run of a transaction's body. It holds no connection and no snapshot: every read tells its moment, and when a later read
 * is of a later moment, the changes in between must not touch what was read before.
 */
export function startAsyncTransaction(reads: Reads, feed: Pick<ChangeFeed, "reach" | "touched">): AsyncRun {
  const points = new Map<EncodedKey, number>();
  const ranges: RangeSeen[] = [];
  const afterCommit: (() => void)[] = [];
  let moment: number | undefined;
  let conflicted = false;
  let ended = false;
  const assertOpen = () => assert(!ended, "A transaction was used after its body had ended");
  const writes = createWrites();

  const wasRead = (key: EncodedKey) =>
    points.has(key) || ranges.some(({ first, beyond }) => key >= first && key < beyond);

  /** All that was read, and what is read now, must be as of one moment. */
  async function join(sequence: number, isReadNow: (key: EncodedKey) => boolean): Promise<void> {
    if (moment !== undefined && moment !== sequence) await feed.reach(Math.max(moment, sequence));
    const before = moment ?? sequence;
    moment = Math.max(before, sequence);
    const stale = feed.touched(before, sequence, wasRead) || feed.touched(sequence, before, isReadNow);
    if (!stale) return;
    conflicted = true;
    throw new ChangedError();
  }

  async function find(keys: readonly EncodedKey[]): Promise<(Buffer | undefined)[]> {
    const absent = keys.filter((key) => !writes.all.has(key));
    const values = new Map<EncodedKey, Buffer | undefined>();
    if (absent.length > 0) {
      const { sequence, found } = await reads.points(absent);
      const now = new Set(absent);
      await join(sequence, (key) => now.has(key));
      absent.forEach((key, at) => {
        points.set(key, found[at]?.version ?? 0);
        values.set(key, found[at]?.bytes);
      });
    }
    return keys.map((key) => (writes.all.has(key) ? writes.all.get(key) : values.get(key)));
  }

  return {
    commit: { points, ranges, writes: writes.all },
    afterCommit,
    hasConflicted: () => conflicted,
    end: () => {
      ended = true;
    },
    tx: {
      get: async (key) => {
        assertOpen();
        const [value] = await find([encodeKey(key)]);
        return decodeFound(value);
      },
      getMany: async (keys) => {
        assertOpen();
        return (await find(keys.map(encodeKey))).map((bytes) => decodeFound(bytes));
      },
      range: async (range, options) => {
        assertOpen();
        const { limit, reverse } = checkRange(options);
        const interval = toInterval(range, reverse);
        if (interval.start >= interval.end) return [];
        // As many more as the transaction's own deletions may take away.
        const fetched = limit + writes.removedWithin(interval);
        const { sequence, found } = await reads.range(interval, fetched, reverse);
        const last = found.length < fetched ? undefined : found.at(-1)?.[0];
        const first = reverse ? (last ?? interval.start) : interval.start;
        // The least key above the last.
        const beyond = reverse || last === undefined ? interval.end : `${last}\x00`;
        await join(sequence, (key) => key >= first && key < beyond);
        ranges.push({ first, beyond, found: found.length, seen: sequence });
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
