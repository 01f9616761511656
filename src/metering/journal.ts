import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { UsageRecord, UsageSubject } from "./usage.ts";

/** A record with what finds it and what counts it once. */
export interface JournalEntry {
  readonly sequence: number;
  readonly subject: UsageSubject;
  readonly record: UsageRecord;
}

/**
 * Files of this process in which records stand until they are committed. What has been appended is the kernel's: it
 * survives whatever ends the process, `kill -9` too; it is not synced, so a power cut may take it.
 */
export interface Journal {
  /** To be written by the next `flush`: what ends together is written together. */
  append(entry: JournalEntry): void;
  /** Throws where the file cannot be written. */
  flush(): void;
  /** What is appended from here on stands in another file; the returned function removes those before. */
  cut(): () => void;
  close(): void;
}

const suffix = ".journal";

export function createJournal(folder: string, writer: string, owner: string): Journal {
  let file: number | undefined;
  let files: string[] = [];
  let count = 0;
  /** Subjects that stand in the current file, or will with the lines that wait. */
  const subjects = new Map<UsageSubject, number>();
  let text = "";

  const open = (): number => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${owner}.${writer}.${String((count += 1)).padStart(9, "0")}${suffix}`);
    files.push(path);
    return openSync(path, "ax", 0o600);
  };
  const close = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
    subjects.clear();
  };
  const flush = () => {
    if (text === "") return;
    let left = Buffer.from(text);
    text = "";
    try {
      while (left.length > 0) left = left.subarray(writeSync((file ??= open()), left));
    } catch (error) {
      // What may be cut short is the end of its file: what comes next stands in another, with its subjects.
      close();
      throw error;
    }
  };
  return {
    append({ sequence, subject, record }) {
      let index = subjects.get(subject);
      if (index === undefined) {
        index = subjects.size;
        subjects.set(subject, index);
        text += `${JSON.stringify(subject)}\n`;
      }
      const { requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status } = record;
      text += `[${sequence},${index},${JSON.stringify(requestId)},${startedAt},${durationMs},${billedMs},${initMs},${maxMemoryMb},${cpuMs},"${status}"]\n`;
    },
    flush,
    cut() {
      close();
      const before = files;
      files = [];
      return () => {
        for (const path of before) rmSync(path, { force: true });
      };
    },
    close,
  };
}

export interface FoundJournal {
  readonly writer: string;
  /** What the files hold when it is asked for: nothing where they have been removed meanwhile. */
  readEntries(): readonly JournalEntry[];
  remove(): void;
}

/** Journals of processes that have ended without committing them; those of one writer together, in order. */
export function findJournals(folder: string, isGone: (owner: string) => boolean): FoundJournal[] {
  const byWriter = new Map<string, string[]>();
  for (const name of listFiles(folder).toSorted()) {
    const [owner = "", writer = ""] = name.split(".");
    if (!name.endsWith(suffix) || !isGone(owner)) continue;
    byWriter.set(writer, [...(byWriter.get(writer) ?? []), join(folder, name)]);
  }
  return [...byWriter].map(([writer, paths]) => ({
    writer,
    readEntries: () => paths.flatMap((path) => parseJournal(readIfThere(path))),
    remove: () => {
      for (const path of paths) rmSync(path, { force: true });
    },
  }));
}

/** A line that is cut short is the last: its process ended within the append, and nobody was answered. */
export function parseJournal(text: string): JournalEntry[] {
  const subjects: UsageSubject[] = [];
  const entries: JournalEntry[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch {
      continue;
    }
    if (!Array.isArray(parsed)) {
      subjects.push(readSubject(parsed));
      continue;
    }
    const [sequence, index, requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status] =
      readLine(parsed);
    const subject = subjects[index];
    if (subject === undefined) continue;
    const record = { requestId, startedAt, durationMs, billedMs, initMs, maxMemoryMb, cpuMs, status };
    entries.push({ sequence, subject, record });
  }
  return entries;
}

type JournalLine = readonly [
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

// Both are written by `append`, and by nobody else: the folder is the server's own.
function readLine(parsed: unknown): JournalLine {
  return parsed as JournalLine;
}

function readSubject(parsed: unknown): UsageSubject {
  return parsed as UsageSubject;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
