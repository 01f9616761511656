import { mkdir } from "node:fs/promises";
import { open, type RootDatabase } from "lmdb";
import type { Clock } from "../clock.ts";
import { storeLimits } from "../limits.ts";
import { type ChangeLog, createChangeLog } from "./change-log.ts";
import { type Commit, isCurrent, type StoreDriver } from "./driver.ts";
import { createEndGuard, type EndGuard } from "./end-guard.ts";
import type { EncodedKey } from "./keys.ts";
import { createLmdbCodec, type LmdbCodec, LmdbView, withVersion } from "./lmdb-view.ts";
import { createOptimisticStore } from "./optimistic-store.ts";
import type { Key, Store } from "./store.ts";
import { createWatchers } from "./watchers.ts";

/** What a data folder says of itself. Raised when what is stored changes so that older programs would misread it. */
const storeFormat = 1;

/** Keys of the driver's own: no encoded key begins with a zero byte. */
const formatKey = "\x00format";
const sequenceKey = "\x00sequence";

/** The data folder was written by a newer version of the program, or by something else. */
export class StoreFormatError extends Error {
  constructor(folder: string, found: string) {
    super(
      `The store in ${folder} has format ${found}; this version of the program reads format ${storeFormat}. Nothing was changed.`,
    );
    this.name = "StoreFormatError";
  }
}

/**
 * The store in a folder of this machine's disk (LMDB). Commits are synced before they are acknowledged, many at a time.
 * Several processes may open the same folder: what a transaction read is checked again inside LMDB's one write
 * transaction. The folder is made when absent, for this user alone.
 *
 * @throws {StoreFormatError} when a newer version of the program has written it.
 */
export async function openLmdbStore(needs: { readonly folder: string; readonly clock: Clock }): Promise<Store> {
  const { folder, clock } = needs;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const codec = createLmdbCodec();
  const options = {
    path: folder,
    noSubdir: false,
    encoding: "binary",
    encoder: codec.values,
    keyEncoder: codec.keys,
    // A commit is seen by nobody before it is on disk.
    overlappingSync: false,
    // The commits of a turn are gathered here already. Its own gathering leaves a promise that nobody can catch when a commit
    // fails, as on a full disk.
    eventTurnBatching: false,
    mapSize: storeLimits.fileBytesMax,
    maxReaders: storeLimits.readersMax,
    permissionsMode: 0o600,
  } as const;
  const database = open<Buffer, EncodedKey>(options);
  const guard = createEndGuard();
  try {
    // Give back what processes that were killed had held.
    database.readerCheck();
    await guard.around(() => checkFormat(database, folder));
  } catch (error) {
    guard.release();
    await database.close();
    throw error;
  }
  const watchers = createWatchers();
  const changes = createChangeLog(database, watchers, clock);
  const following = {
    ...watchers,
    add: (prefix: Key, listener: () => void) => {
      const stop = watchers.add(prefix, listener);
      changes.follow();
      return stop;
    },
  };
  return createOptimisticStore(createLmdbDriver(database, codec, changes, guard), following, () => {
    // What was read in this turn may be of before.
    database.resetReadTxn();
    changes.catchUp();
  });
}

async function checkFormat(database: RootDatabase<Buffer, EncodedKey>, folder: string): Promise<void> {
  const found = await database.transaction(() => {
    const format = database.getBinary(formatKey)?.toString();
    if (format !== undefined) return format;
    if (database.getKeysCount({ start: "\x00", limit: 1 }) > 0) return "none";
    void database.put(formatKey, Buffer.from(String(storeFormat)));
    return String(storeFormat);
  });
  if (found !== String(storeFormat)) throw new StoreFormatError(folder, found);
}

function createLmdbDriver(
  database: RootDatabase<Buffer, EncodedKey>,
  codec: LmdbCodec,
  changes: ChangeLog,
  guard: EndGuard,
): StoreDriver {
  const written = new LmdbView(database, codec);

  /** Apply one commit inside LMDB's write transaction. */
  function apply(commit: Commit, version: number): boolean {
    if (!isCurrent(written, commit)) return false;
    for (const [key, value] of commit.writes) {
      if (value === undefined) void database.remove(key);
      else void database.put(key, withVersion(version, value));
    }
    return true;
  }

  /** One LMDB transaction for the whole batch: what each commit read is checked with those before it in view. */
  async function applyAll(batch: readonly Commit[]): Promise<readonly boolean[]> {
    try {
      // A child transaction: whatever fails in it takes back the whole batch.
      return await database.childTransaction(() => {
        let sequence = readSequence(database);
        const before = sequence;
        const outcome = batch.map((commit) => {
          const done = apply(commit, sequence + 1);
          if (done) sequence += 1;
          return done;
        });
        if (sequence > before) {
          void database.put(sequenceKey, withVersion(sequence, Buffer.alloc(0)));
          changes.write(
            sequence,
            batch.filter((_, at) => outcome[at]),
          );
        }
        return outcome;
      });
    } catch (error) {
      throw await causeOf(error);
    }
  }

  return {
    snapshot: () => {
      // LMDB's binding keeps a snapshot for a millisecond: long enough to miss what another process was acknowledged.
      if (changes.isShared()) database.resetReadTxn();
      const transaction = database.useReadTransaction();
      return new LmdbView(database, codec, transaction);
    },
    commit: async (batch) => {
      const applied = await guard.around(() => applyAll(batch));
      // A run that conflicted reads anew what another process may have written in this very turn.
      if (applied.includes(false)) database.resetReadTxn();
      return applied;
    },
    close: async () => {
      changes.stop();
      await database.close();
      guard.release();
    },
  };
}

/** LMDB tells why a commit failed by a second promise, which must not stay unheard. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return new Error("The commit failed", { cause });
  }
}

function readSequence(database: RootDatabase<Buffer, EncodedKey>): number {
  return database.getBinary(sequenceKey)?.readDoubleBE() ?? 0;
}
