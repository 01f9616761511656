import { postgresLimits, storeLimits } from "../limits.ts";
import type { Log } from "../log.ts";
import { createCommitter } from "./committer.ts";
import { runReads } from "./postgres-body.ts";
import { createChangeFeed, type ChangeFeed } from "./postgres-changes.ts";
import { createCommits, type PostgresCommit } from "./postgres-commits.ts";
import { connect } from "./postgres-connection.ts";
import { createDialer } from "./postgres-dialer.ts";
import { createSharedReads } from "./postgres-reads.ts";
import { explain, StoreUnavailableError } from "./postgres-errors.ts";
import { openSchema } from "./postgres-schema.ts";
import { createSnapshots } from "./postgres-snapshots.ts";
import { statements } from "./postgres-statements.ts";
import { startAsyncTransaction } from "./postgres-transaction.ts";
import { type Store, StoreConflictError, type Transaction } from "./store.ts";
import { createWatchers } from "./watchers.ts";

/**
 * The store in a PostgreSQL database, shared by any number of nodes. Tables named `cumulet_…` are made when absent, in the
 * first schema of the search path. How it works and why: `docs/decisions/0008-store-on-postgresql.md`.
 *
 * @param needs.url `postgres://user:password@host:port/database`, as libpq takes it
 * @throws {StoreUnavailableError} when the database cannot be used; one sentence says why.
 */
export async function openPostgresStore(needs: { readonly url: string; readonly log: Log }): Promise<Store> {
  const { url, log } = needs;
  const setup = await connect(url, false);
  const { sequence, channel } = await openSchema(setup, log)
    .catch((error: unknown) => {
      throw error instanceof StoreUnavailableError ? error : explain(error, setup.address);
    })
    .finally(() => setup.close());
  const dialer = createDialer(url, log);
  const watchers = createWatchers();
  const reads = createSharedReads(dialer);
  const snapshots = createSnapshots(dialer);
  const commits = createCommits({ dialer, channel, feed: () => feed });
  const feed: ChangeFeed = createChangeFeed({
    from: sequence,
    channel,
    isOwn: commits.isOwn,
    reads,
    dialer,
    watchers,
    log,
  });
  const committer = createCommitter((batch: readonly PostgresCommit[]) => commits.apply(batch), pause);
  const forgetting = setInterval(() => {
    const values = [String(postgresLimits.changesKeptSeconds)];
    void reads.run([{ statement: statements.forget, values }]).catch(() => {});
  }, postgresLimits.forgetEveryMs);
  forgetting.unref();
  let closed: Promise<void> | undefined;

  /** Run the body once; the result, or undefined when it conflicted. */
  async function attempt<T>(
    body: (tx: Transaction) => Promise<T>,
    commit: (commit: PostgresCommit) => Promise<boolean>,
  ): Promise<{ readonly result: T } | undefined> {
    assertOpen();
    const run = startAsyncTransaction(reads, feed);
    let result: T;
    try {
      result = await body(run.tx);
    } catch (error) {
      if (run.hasConflicted()) return undefined;
      throw error;
    } finally {
      run.end();
    }
    if (run.hasConflicted()) return undefined;
    // Without a write there is nothing to check: all was read as of one moment.
    if (run.commit.writes.size > 0 && !(await commit(run.commit))) return undefined;
    watchers.tell(run.commit.writes.keys());
    for (const action of run.afterCommit) action();
    return { result };
  }

  function assertOpen(): void {
    if (closed) throw new Error("The store is closed");
  }

  async function close(): Promise<void> {
    await committer.idle();
    dialer.stop();
    clearInterval(forgetting);
    await feed.stop();
    await Promise.all([commits.close(), reads.close(), snapshots.close()]);
  }

  return {
    read: async (body) => {
      assertOpen();
      return runReads(body, reads, () => snapshots.take());
    },
    transact: async (body) => {
      let outcome = await attempt(body, committer.commit);
      for (let attempts = 1; !outcome; attempts += 1) {
        if (attempts >= storeLimits.attemptsMax) throw new StoreConflictError(attempts);
        outcome = await committer.ahead((commit) => attempt(body, commit));
      }
      return outcome.result;
    },
    watch: (prefix, listener) => {
      const stop = watchers.add(prefix, listener);
      feed.follow();
      return stop;
    },
    caughtUp: async () => {
      assertOpen();
      await feed.catchUp();
    },
    close: () => {
      closed ??= close();
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
