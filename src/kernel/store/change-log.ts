import { randomBytes } from "node:crypto";
import type { RootDatabase } from "lmdb";
import type { Clock } from "../clock.ts";
import { storeLimits } from "../limits.ts";
import type { Commit } from "./driver.ts";
import type { EncodedKey } from "./keys.ts";
import type { Watchers } from "./watchers.ts";

/**
 * How processes that share a folder learn of each other's commits: each batch leaves a record of the keys it changed
 * under its sequence number, in the same LMDB transaction; the last few hundred are kept. A process that watches reads
 * the sequence number a few dozen times a second (a look into shared memory) and the records it has not seen; a few times
 * only, as long as no other has ever written. Whoever has missed too many tells all its watchers.
 */
export interface ChangeLog {
  /** Inside the write transaction: note what these commits changed. */
  write(sequence: number, commits: readonly Commit[]): void;
  /** Begin to look for what other processes have written, from now on. */
  follow(): void;
  /** Tell now what others have written. */
  catchUp(): void;
  /** Whether another process has been seen to write since this one follows. */
  isShared(): boolean;
  stop(): void;
}

interface ChangeRecord {
  /** The process that wrote it, which has told its own watchers. */
  readonly origin: string;
  /** The sequence number of the batch before. */
  readonly before: number;
  /** Undefined when there were too many. */
  readonly keys?: readonly EncodedKey[];
}

const changePrefix = "\x00change\x00";
const lastKey = "\x00changed";

export function createChangeLog(
  database: RootDatabase<Buffer, EncodedKey>,
  watchers: Pick<Watchers, "tell" | "tellAll">,
  clock: Clock,
): ChangeLog {
  const origin = randomBytes(12).toString("hex");
  let seen = 0;
  let cancel: (() => void) | undefined;
  let shared = false;

  function catchUp(): void {
    const last = database.getBinary(lastKey)?.readDoubleBE() ?? 0;
    if (last > seen) tellSince(last);
  }

  function look(): void {
    catchUp();
    cancel = clock.after(shared ? storeLimits.changePollMs : storeLimits.changePollAloneMs, look);
  }

  function tellSince(last: number): void {
    const keys: EncodedKey[] = [];
    let sequence = last;
    // Newest first, each naming the one before.
    while (sequence > seen) {
      const record = readRecord(sequence);
      shared ||= record?.origin !== origin;
      if (!record || (record.origin !== origin && !record.keys)) {
        seen = last;
        watchers.tellAll();
        return;
      }
      if (record.origin !== origin) keys.push(...(record.keys ?? []));
      sequence = record.before;
    }
    seen = last;
    watchers.tell(keys);
  }

  function readRecord(sequence: number): ChangeRecord | undefined {
    const found = database.getBinary(recordKey(sequence));
    return found && (JSON.parse(found.toString()) as ChangeRecord);
  }

  return {
    write: (sequence, commits) => {
      const before = database.getBinary(lastKey)?.readDoubleBE() ?? 0;
      const keys = commits.flatMap((commit) => [...commit.writes.keys()]);
      const record = keys.length > storeLimits.changeKeysMax ? { origin, before } : { origin, before, keys };
      void database.put(recordKey(sequence), Buffer.from(JSON.stringify(record)));
      const last = Buffer.allocUnsafe(8);
      last.writeDoubleBE(sequence);
      void database.put(lastKey, last);
      // Not with every batch: looking for what is old costs as much as a write.
      const { changesKept, changesForgotten } = storeLimits;
      if (Math.floor(before / changesForgotten) < Math.floor(sequence / changesForgotten)) {
        forget(sequence - changesKept);
      }
    },
    follow: () => {
      if (cancel) return;
      seen = database.getBinary(lastKey)?.readDoubleBE() ?? 0;
      look();
    },
    // Nobody has been told of anything before the first who listens.
    catchUp: () => cancel && catchUp(),
    isShared: () => shared,
    stop: () => cancel?.(),
  };

  function forget(upTo: number): void {
    const old = database.getKeys({ start: recordKey(0), end: recordKey(Math.max(0, upTo)), limit: 512 });
    for (const key of Array.from(old)) void database.remove(key);
  }
}

function recordKey(sequence: number): EncodedKey {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(sequence);
  return changePrefix + bytes.toString("latin1");
}
