import { storeLimits } from "../limits.ts";
import { createCommitter } from "./committer.ts";
import type { Commit, StoreDriver } from "./driver.ts";
import { type Store, StoreConflictError, type Transaction } from "./store.ts";
import { createReader, startTransaction } from "./transaction.ts";
import type { Watchers } from "./watchers.ts";

/** The store over a driver that offers snapshots and checked commits. */
export function createOptimisticStore(
  driver: StoreDriver,
  watchers: Watchers,
  /** Tell the watchers what other processes have committed. */
  catchUp: () => void = () => {},
): Store {
  let closed: Promise<void> | undefined;
  const committer = createCommitter((batch) => driver.commit(batch), pause);

  /** Run the body once, on a snapshot; the result, or undefined when it conflicted. */
  async function attempt<T>(
    body: (tx: Transaction) => Promise<T>,
    commit: (commit: Commit) => Promise<boolean>,
  ): Promise<{ readonly result: T } | undefined> {
    assertOpen();
    const snapshot = driver.snapshot();
    const run = startTransaction(snapshot);
    let result: T;
    try {
      result = await body(run.tx);
    } finally {
      run.end();
      snapshot.end();
    }
    // Without a write there is nothing to check: all was read at one moment.
    if (run.commit.writes.size > 0 && !(await commit(run.commit))) return undefined;
    watchers.tell(run.commit.writes.keys());
    for (const action of run.afterCommit) action();
    return { result };
  }

  function assertOpen(): void {
    if (closed) throw new Error("The store is closed");
  }

  return {
    read: async (body) => {
      assertOpen();
      const snapshot = driver.snapshot();
      try {
        return await body(createReader(snapshot));
      } finally {
        snapshot.end();
      }
    },
    transact: async (body) => {
      let outcome = await attempt(body, committer.commit);
      for (let attempts = 1; !outcome; attempts += 1) {
        if (attempts >= storeLimits.attemptsMax) throw new StoreConflictError(attempts);
        outcome = await committer.ahead((commit) => attempt(body, commit));
      }
      return outcome.result;
    },
    watch: (prefix, listener) => watchers.add(prefix, listener),
    caughtUp: async () => {
      assertOpen();
      catchUp();
    },
    close: () => {
      closed ??= committer.idle().then(() => driver.close());
      return closed;
    },
  };
}

/** Real time on purpose: it bounds a wait inside the process and decides nothing that is stored. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
