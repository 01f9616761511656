import type { UsageRecord, UsageSubject } from "./usage.ts";

/** A record with what it counts for, and the number that makes it count once. */
export interface RecordEntry {
  readonly sequence: number;
  readonly subject: UsageSubject;
  readonly record: UsageRecord;
}

/**
 * Reads the lines that `Batch.add` gives: `[index, subject]`, which may come again, and records that name a subject by its
 * index. A line that is cut short is the last: its process ended within the write, and nobody was answered.
 */
export function parseLines(text: string): RecordEntry[] {
  const subjects = new Map<number, UsageSubject>();
  const entries: RecordEntry[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch {
      continue;
    }
    if (!Array.isArray(parsed)) continue;
    if (parsed.length === 2) {
      const [index, subject] = readSubjectLine(parsed);
      subjects.set(index, subject);
      continue;
    }
    const [sequence, index, requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status] =
      readRecordLine(parsed);
    const subject = subjects.get(index);
    if (subject === undefined) continue;
    const record = { requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status };
    entries.push({ sequence, subject, record });
  }
  return entries;
}

/** A stored value of such lines. */
export function parseChunk(bytes: Uint8Array): RecordEntry[] {
  return parseLines(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

type RecordLine = readonly [
  sequence: number,
  subject: number,
  requestId: string,
  startedAt: number,
  durationMs: number,
  billedMs: number,
  initMs: number,
  maxMemoryMb: number,
  cpuMs: number,
  status: UsageRecord["status"],
];

// Both are written by a batch, and by nobody else: folder and store are the server's own.
function readRecordLine(parsed: readonly unknown[]): RecordLine {
  return parsed as unknown as RecordLine;
}

function readSubjectLine(parsed: readonly unknown[]): readonly [index: number, subject: UsageSubject] {
  return parsed as unknown as readonly [number, UsageSubject];
}
