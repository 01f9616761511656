import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { lowerAlphanumeric, type Ids } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { Store, Transaction } from "../kernel/store/store.ts";
import { createJournal, findJournals, type JournalEntry } from "./journal.ts";
import { meteringLimits } from "./limits.ts";
import {
  chunkKey,
  claimKey,
  hourMs,
  spanStart,
  subjectId,
  subjectKey,
  toStored,
  totalsKey,
  writerKey,
  type RecordChunk,
  type Span,
  type StoredTotals,
} from "./model.ts";
import { hasEnded, processIdentity } from "../kernel/process-identity.ts";
import { addRecord, addTotals, noUsage, type RunningTotals, type UsageRecord, type UsageSubject } from "./usage.ts";

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
  /** Written in the transaction that commits the records: what follows from them happens exactly once, too. */
  readonly follow?: (tx: Transaction, entries: readonly JournalEntry[]) => Promise<void>;
}

export function createLedger(needs: LedgerNeeds): Ledger {
  const { store, clock, log } = needs;
  const folder = join(needs.dataDir, "usage");
  let writer = needs.ids.random(12, lowerAlphanumeric);
  let journal = createJournal(folder, writer, processIdentity(process.pid));
  /** Journal files whose records are committed, or will be with the next that are. */
  let removals: (() => void)[] = [];
  const subjectIds = new Map<UsageSubject, string>();
  let sequence = 0;
  let pending: JournalEntry[] = [];
  let cancelTimer: (() => void) | undefined;
  let committing: Promise<void> = Promise.resolve();
  let journalFails = false;

  const idOf = (subject: UsageSubject): string => {
    let id = subjectIds.get(subject);
    if (id === undefined) {
      // Subjects are made anew when a function changes; the old ones are not asked for again.
      if (subjectIds.size >= 10_000) subjectIds.clear();
      id = subjectId(subject);
      subjectIds.set(subject, id);
    }
    return id;
  };

  const commit = async (by: string, entries: readonly JournalEntry[]) => {
    for (let from = 0; from < entries.length; from += meteringLimits.commitRecordsMax) {
      const some = entries.slice(from, from + meteringLimits.commitRecordsMax);
      await store.transact(async (tx) => {
        const last = (await tx.get<number>(writerKey(by))) ?? 0;
        const fresh = some.filter(({ sequence: at }) => at > last);
        const newest = fresh.at(-1);
        if (newest === undefined) return;
        tx.set(writerKey(by), newest.sequence);
        writeRecords(tx, by, fresh, clock.now(), idOf);
        await writeTotals(tx, by, fresh, idOf);
        await needs.follow?.(tx, fresh);
      });
    }
  };

  const commitPending = async () => {
    cancelTimer?.();
    cancelTimer = undefined;
    const entries = pending;
    if (entries.length === 0) return;
    pending = [];
    writeJournal();
    removals.push(journal.cut());
    try {
      await commit(writer, entries);
      for (const remove of removals) remove();
      removals = [];
    } catch (error) {
      log.error("Usage records could not be committed; they are kept", { error, records: entries.length });
      if (entries.length + pending.length <= meteringLimits.heldRecordsMax) pending = entries.concat(pending);
      else leaveToJournal(entries.length);
      cancelTimer ??= clock.after(meteringLimits.retryAfterMs, () => void flush());
    }
  };

  /** Under another name, so that what this one leaves in its files still counts as not committed. */
  const leaveToJournal = (records: number) => {
    log.error("Usage records are left in their journal: the next start commits them", { records });
    removals = [];
    writer = needs.ids.random(12, lowerAlphanumeric);
    journal.close();
    journal = createJournal(folder, writer, processIdentity(process.pid));
    for (const entry of pending) journal.append(entry);
    writeJournal();
  };

  let writing = false;
  const writeJournal = () => {
    writing = false;
    try {
      journal.flush();
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

  const flush = (): Promise<void> => {
    committing = committing.then(commitPending);
    return committing;
  };

  return {
    add(subject, record) {
      const entry = { sequence: (sequence += 1), subject, record };
      journal.append(entry);
      // Before anything that follows from the callers' answers: invocations that end together are written at once.
      if (!writing) {
        writing = true;
        queueMicrotask(writeJournal);
      }
      pending.push(entry);
      if (pending.length === meteringLimits.commitRecordsMax) void flush();
      cancelTimer ??= clock.after(meteringLimits.commitAfterMs, () => void flush());
    },
    flush,
    async recover() {
      for (const found of findJournals(folder, hasEnded)) {
        if (!(await claim(found.writer))) continue;
        // Only now: before, another process may have been committing and removing them.
        const entries = found.readEntries();
        await commit(found.writer, entries);
        found.remove();
        await store.transact(async (tx) => {
          tx.delete(writerKey(found.writer));
          tx.delete(claimKey(found.writer));
        });
        log.info("Usage records of a process that had died are committed", { records: entries.length });
      }
    },
    async stop() {
      await flush();
      journal.close();
      // Nothing is left that its number could keep from counting twice.
      if (sequence > 0 && removals.length === 0) {
        await store.transact((tx) => Promise.resolve(tx.delete(writerKey(writer))));
      }
    },
  };
}

function writeRecords(
  tx: Transaction,
  writer: string,
  entries: readonly JournalEntry[],
  now: number,
  idOf: (subject: UsageSubject) => string,
): void {
  for (let from = 0; from < entries.length; from += meteringLimits.chunkRecordsMax) {
    const some = entries.slice(from, from + meteringLimits.chunkRecordsMax);
    const subjects: string[] = [];
    const places = new Map<UsageSubject, number>();
    const records = some.map(({ subject, record }) => {
      let place = places.get(subject);
      if (place === undefined) {
        place = subjects.push(idOf(subject)) - 1;
        places.set(subject, place);
        tx.set(subjectKey(idOf(subject)), subject);
      }
      return toStored(record, place);
    });
    const chunk: RecordChunk = { v: 1, subjects, records };
    tx.set(chunkKey(now - (now % hourMs), writer, some[0]?.sequence ?? 0), chunk);
  }
}

async function writeTotals(
  tx: Transaction,
  writer: string,
  entries: readonly JournalEntry[],
  idOf: (subject: UsageSubject) => string,
): Promise<void> {
  const sums = new Map<UsageSubject, { readonly hour: number; readonly sum: RunningTotals }[]>();
  for (const { subject, record } of entries) {
    let hours = sums.get(subject);
    if (hours === undefined) sums.set(subject, (hours = []));
    const { startedAt } = record;
    let found = hours.find(({ hour }) => startedAt >= hour && startedAt < hour + hourMs);
    if (found === undefined) {
      found = { hour: spanStart("hour", startedAt), sum: { ...noUsage } };
      hours.push(found);
    }
    addRecord(found.sum, record, subject.memoryMb);
  }
  const spans: readonly Span[] = ["hour", "day"];
  for (const [subject, hours] of sums) {
    for (const { hour, sum } of hours) {
      for (const span of spans) {
        const key = totalsKey(span, spanStart(span, hour), subject.account, idOf(subject), writer);
        const before = await tx.get<StoredTotals>(key);
        tx.set(key, { v: 1, ...addTotals(before ?? noUsage, sum) });
      }
    }
  }
}
