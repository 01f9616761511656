import { hourMs, spanStart } from "./model.ts";
import { addRecord, noUsage, type RunningTotals, type UsageRecord, type UsageSubject } from "./usage.ts";

/**
 * Records that are committed together: as text, and summed up as they come, so that a commit of thousands of records
 * holds up nobody.
 */
export interface Batch {
  /** @returns the lines that stand for it in a journal */
  add(sequence: number, subject: UsageSubject, record: UsageRecord): string;
  /** The bytes of lines that `add` gave, to be stored. */
  hold(lines: Uint8Array): void;
  readonly records: number;
  readonly lastSequence: number;
  /** The lines of every subject so far: what makes the lines of records that follow readable by themselves. */
  readonly subjects: string;
  readonly held: readonly Uint8Array[];
  readonly uses: Iterable<SubjectUse>;
}

/** What a subject has used in a batch. */
export interface SubjectUse {
  readonly subject: UsageSubject;
  readonly hours: readonly HourUse[];
  readonly minutes: readonly MinuteUse[];
}

export interface HourUse {
  /** Its start, epoch milliseconds. */
  readonly hour: number;
  readonly sum: RunningTotals;
}

/** By the minute in which invocations started. */
export interface MinuteUse {
  /** Its start, epoch milliseconds. */
  readonly minute: number;
  invocations: number;
  errors: number;
  /** Durations in milliseconds, and how often each came. */
  readonly durations: Map<number, number>;
}

interface RunningUse extends SubjectUse {
  readonly index: number;
  readonly hours: HourUse[];
  readonly minutes: MinuteUse[];
}

const minuteMs = 60_000;

export function createBatch(): Batch {
  const uses = new Map<UsageSubject, RunningUse>();
  const held: Uint8Array[] = [];
  let subjects = "";
  let records = 0;
  let lastSequence = 0;
  return {
    add(sequence, subject, record) {
      let line = "";
      let use = uses.get(subject);
      if (use === undefined) {
        use = { index: uses.size, subject, hours: [], minutes: [] };
        uses.set(subject, use);
        line = `[${use.index},${JSON.stringify(subject)}]\n`;
        subjects += line;
      }
      records += 1;
      lastSequence = sequence;
      const { requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status } = record;
      addRecord(hourOf(use, startedAt).sum, record, subject.memoryMb);
      const minute = minuteOf(use, startedAt);
      minute.invocations += 1;
      if (status !== "success") minute.errors += 1;
      minute.durations.set(durationMs, (minute.durations.get(durationMs) ?? 0) + 1);
      return `${line}[${sequence},${use.index},${JSON.stringify(requestId)},${startedAt},${durationMs},${billedMs},${initMs},${maxMemoryMb},${cpuMs},"${status}"]\n`;
    },
    hold: (lines) => {
      held.push(lines);
    },
    get records() {
      return records;
    },
    get lastSequence() {
      return lastSequence;
    },
    get subjects() {
      return subjects;
    },
    held,
    get uses() {
      return uses.values();
    },
  };
}

function hourOf({ hours }: RunningUse, at: number): HourUse {
  let found = hours.find(({ hour }) => at >= hour && at < hour + hourMs);
  if (found === undefined) {
    found = { hour: spanStart("hour", at), sum: { ...noUsage } };
    hours.push(found);
  }
  return found;
}

function minuteOf({ minutes }: RunningUse, at: number): MinuteUse {
  let found = minutes.find(({ minute }) => at >= minute && at < minute + minuteMs);
  if (found === undefined) {
    found = { minute: at - (at % minuteMs), invocations: 0, errors: 0, durations: new Map() };
    minutes.push(found);
  }
  return found;
}
