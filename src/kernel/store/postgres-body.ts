import type { Reads } from "./postgres-reads.ts";
import type { SnapshotReads } from "./postgres-snapshots.ts";
import { createAsyncReader } from "./postgres-transaction.ts";
import type { Reader } from "./store.ts";

/**
 * Run a body of reads. One that hands back its only read, as `(reader) => reader.get(key)` does, needs no snapshot: a
 * statement sees one moment anyhow. All others read a snapshot, which is taken with the first read.
 */
export async function runReads<T>(
  body: (reader: Reader) => Promise<T>,
  shared: Reads,
  takeSnapshot: () => SnapshotReads,
): Promise<T> {
  let snapshot: SnapshotReads | undefined;
  let target: (() => Reads) | undefined;
  /** Reads that began before the body gave its promise. */
  const early: (() => void)[] = [];
  const when = <R>(read: (reads: Reads) => Promise<R>): Promise<R> => {
    if (target) return read(target());
    return new Promise((resolve, reject) => {
      early.push(() => target && read(target()).then(resolve, reject));
    });
  };
  const reader = createAsyncReader({
    points: (keys) => when((reads) => reads.points(keys)),
    range: (interval, limit, reverse) => when((reads) => reads.range(interval, limit, reverse)),
  });
  const given: Promise<unknown>[] = [];
  const noting = <P extends Promise<unknown>>(promise: P): P => {
    given.push(promise);
    return promise;
  };
  try {
    const result = body({
      get: (key) => noting(reader.get(key)),
      getMany: (keys) => noting(reader.getMany(keys)),
      range: (range, options) => noting(reader.range(range, options)),
    });
    const isLone = given.length === 1 && result === given[0];
    target = () => (isLone ? shared : (snapshot ??= takeSnapshot()));
    for (const start of early) start();
    return await result;
  } finally {
    snapshot?.end();
  }
}
