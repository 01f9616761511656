import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { lowerAlphanumeric, type Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { Store, Transaction } from "../kernel/store/store.ts";
import { createBatch, type Batch, type SubjectUse } from "./batch.ts";
import { createJournal, findJournals } from "./journal.ts";
import { meteringLimits } from "./limits.ts";
import type { RecordEntry } from "./lines.ts";
import {
  chunkKey,
  claimKey,
  hourMs,
  spanStart,
  subjectId,
  subjectKey,
  totalsKey,
  writerKey,
  type Span,
  type StoredTotals,
} from "./model.ts";
import { hasEnded, processIdentity } from "../kernel/process-identity.ts";
import { addTotals, noUsage, type UsageRecord, type UsageSubject } from "./usage.ts";

/**
 * The usage ledger: every invocation leaves a record, once. A record stands in this process's journal when the
 * microtask after `add` has run, and in the store within a second; a journal that its process could not commit is committed by the next
 * that starts. See `docs/decisions/0006-usage-ledger.md` for what each kind of failure can take.
 */
export interface Ledger {
  /**
   * Note an invocation; its answer may be given from the next microtask on. Keep the subject: it is known by identity. Never
   * throws.
   */
  add(subject: UsageSubject, record: UsageRecord): void;
  /** Resolves when everything added before is committed and can be read. */
  flush(): Promise<void>;
  /** Commit what processes that have died left behind. */
  recover(): Promise<void>;
  stop(): Promise<void>;
}

export interface LedgerNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Where journals are kept. */
  readonly dataDir: string;
  /** How many records wait in memory while the store does not take them, before they are left to journals. */
  readonly heldRecordsMax?: number;
  /** Written in the transaction that commits the records: what follows from them happens exactly once, too. */
  readonly follow?: (tx: Transaction, uses: readonly SubjectUse[]) => Promise<void>;
}

/** A batch that waits for its commit, and what removes its journal files after. */
interface Waiting {
  readonly batch: Batch;
  readonly remove: () => void;
}

export function createLedger(needs: LedgerNeeds): Ledger {
  const { store, clock, log } = needs;
  const folder = join(needs.dataDir, "usage");
  let writer = needs.ids.random(12, lowerAlphanumeric);
  let journal = createJournal(folder, writer, processIdentity(process.pid));
  let sequence = 0;
  let batch = createBatch();
  /** Lines that were added in this turn. */
  let lines = "";
  let writing = false;
  let waiting: Waiting[] = [];
  let cancelTimer: (() => void) | undefined;
  let committing: Promise<void> = Promise.resolve();
  let journalFails = false;
  let stopped = false;

  const writeJournal = () => {
    writing = false;
    if (lines === "") return;
    const bytes = Buffer.from(lines);
    lines = "";
    batch.hold(bytes);
    try {
      journal.write(bytes, batch.subjects);
      journalFails = false;
    } catch (error) {
      if (!journalFails) log.error("The usage journal cannot be written: records wait in memory alone", { error });
      journalFails = true;
    }
  };

  /** Processes that start together would commit the same journals. Who has claimed one and died leaves it to the next. */
  const claim = (of: string): Promise<boolean> => {
    const own = `${processIdentity(process.pid)} ${writer}`;
    return store.transact(async (tx) => {
      const by = await tx.get<string>(claimKey(of));
      if (by !== undefined && by !== own && !hasEnded(by.split(" ")[0] ?? "")) return false;
      tx.set(claimKey(of), own);
      return true;
    });
  };

  const commitWaiting = async () => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (batch.records > 0) {
      writeJournal();
      waiting.push({ batch, remove: journal.cut() });
      batch = createBatch();
    }
    try {
      for (let next = waiting[0]; next; next = waiting[0]) {
        await commitBatch(next.batch);
        waiting.shift();
        next.remove();
      }
    } catch (error) {
      const held = waiting.reduce((sum, each) => sum + each.batch.records, 0);
      log.error("Usage records could not be committed; they are kept", { error, records: held });
      if (held > (needs.heldRecordsMax ?? meteringLimits.heldRecordsMax)) leaveToJournal(held);
      // The journal has them then: the next start commits them.
      if (!stopped) cancelTimer ??= clock.after(meteringLimits.retryAfterMs, () => void flush());
    }
  };

  const commitBatch = async (one: Batch) => {
    await store.transact(async (tx) => {
      // The answer to a commit may have been lost, but not the commit.
      const last = (await tx.get<number>(writerKey(writer))) ?? 0;
      if (last >= one.lastSequence) return;
      await writeBatch(tx, writer, one, last + 1);
    });
  };

  const writeBatch = async (tx: Transaction, by: string, one: Batch, first: number) => {
    tx.set(writerKey(by), one.lastSequence);
    writeRecords(tx, by, one, first, clock.now());
    const uses = [...one.uses];
    await writeTotals(tx, by, uses);
    await needs.follow?.(tx, uses);
  };

  /** All that stands in files is left to them, and what comes is under another name, so that nothing counts twice. */
  const leaveToJournal = (records: number) => {
    log.error("Usage records are left in their journal: the next start commits them", { records });
    writeJournal();
    waiting = [];
    batch = createBatch();
    writer = needs.ids.random(12, lowerAlphanumeric);
    const left = journal;
    journal = createJournal(folder, writer, processIdentity(process.pid));
    left.close();
  };

  const flush = (): Promise<void> => {
    committing = committing.then(commitWaiting);
    return committing;
  };

  /** Commit some of what a dead process left, unless another process has done so. False when nothing was left to commit. */
  const commitLeft = (by: string, entries: readonly RecordEntry[]): Promise<boolean> =>
    store.transact(async (tx) => {
      const last = (await tx.get<number>(writerKey(by))) ?? 0;
      const some = entries.filter((entry) => entry.sequence > last).slice(0, meteringLimits.recoverRecordsMax);
      if (some.length === 0) return false;
      const left = createBatch();
      left.hold(Buffer.from(some.map((each) => left.add(each.sequence, each.subject, each.record)).join("")));
      await writeBatch(tx, by, left, some[0]?.sequence ?? 0);
      return true;
    });

  return {
    add(subject, record) {
      lines += batch.add((sequence += 1), subject, record);
      // Before anything that follows from the callers' answers: invocations that end together are written at once.
      if (!writing) {
        writing = true;
        queueMicrotask(writeJournal);
      }
      if (batch.records === meteringLimits.commitRecordsMax) void flush();
      if (!stopped) cancelTimer ??= clock.after(meteringLimits.commitAfterMs, () => void flush());
    },
    flush,
    async recover() {
      for (const found of findJournals(folder, hasEnded)) {
        if (!(await claim(found.writer))) continue;
        // Only now: before, another process may have been committing and removing them.
        const entries = found.readEntries();
        while (await commitLeft(found.writer, entries));
        found.remove();
        await store.transact(async (tx) => {
          tx.delete(writerKey(found.writer));
          tx.delete(claimKey(found.writer));
        });
        log.info("Usage records of a process that had died are committed", { records: entries.length });
      }
    },
    async stop() {
      stopped = true;
      await flush();
      journal.close();
      // Nothing is left that its number could keep from counting twice.
      if (sequence > 0 && waiting.length === 0) {
        await store.transact((tx) => Promise.resolve(tx.delete(writerKey(writer))));
      }
    },
  };
}

/** In values of a size that a reader takes at once, each readable by itself. */
function writeRecords(tx: Transaction, writer: string, batch: Batch, first: number, now: number): void {
  const hour = now - (now % hourMs);
  const head = Buffer.from(batch.subjects);
  let some: Uint8Array[] = [head];
  let bytes = head.length;
  let place = first;
  const close = () => {
    if (some.length > 1) tx.set(chunkKey(hour, writer, place), new Uint8Array(Buffer.concat(some)));
    place += 1;
    some = [head];
    bytes = head.length;
  };
  for (const lines of batch.held) {
    if (bytes + lines.length > meteringLimits.chunkBytesMax) close();
    some.push(lines);
    bytes += lines.length;
  }
  close();
}

async function writeTotals(tx: Transaction, writer: string, uses: readonly SubjectUse[]): Promise<void> {
  const spans: readonly Span[] = ["hour", "day"];
  for (const { subject, hours } of uses) {
    const id = subjectId(subject);
    tx.set(subjectKey(id), subject);
    for (const { hour, sum } of hours) {
      for (const span of spans) {
        const key = totalsKey(span, spanStart(span, hour), subject.account, id, writer);
        const before = await tx.get<StoredTotals>(key);
        tx.set(key, { v: 1, ...addTotals(before ?? noUsage, sum) });
      }
    }
  }
}
