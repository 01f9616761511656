import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseLines, type RecordEntry } from "./lines.ts";

/**
 * Files of this process in which records stand until they are committed. What has been written is the kernel's: it
 * survives whatever ends the process, `kill -9` too; it is not synced, so a power cut may take it.
 */
export interface Journal {
  /**
   * Throws where the file cannot be written.
   *
   * @param subjects lines that a file which is begun must have ahead of these
   */
  write(lines: Uint8Array, subjects: string): void;
  /** What is written from here on stands in another file; the returned function removes those before. */
  cut(): () => void;
  close(): void;
}

const suffix = ".journal";

export function createJournal(folder: string, writer: string, owner: string): Journal {
  let file: number | undefined;
  let files: string[] = [];
  let count = 0;

  const open = (): number => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${owner}.${writer}.${String((count += 1)).padStart(9, "0")}${suffix}`);
    files.push(path);
    return openSync(path, "ax", 0o600);
  };
  const close = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  const writeAll = (bytes: Uint8Array) => {
    let left = bytes;
    while (left.length > 0) left = left.subarray(writeSync((file ??= open()), left));
  };
  return {
    write(lines, subjects) {
      try {
        if (file === undefined) writeAll(Buffer.from(subjects));
        writeAll(lines);
      } catch (error) {
        // What may be cut short is the end of its file: what comes next stands in another.
        close();
        throw error;
      }
    },
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
  readEntries(): readonly RecordEntry[];
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
    readEntries: () => paths.flatMap((path) => parseLines(readIfThere(path))),
    remove: () => {
      for (const path of paths) rmSync(path, { force: true });
    },
  }));
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
