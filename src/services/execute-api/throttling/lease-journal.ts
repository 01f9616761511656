import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * How much of each lease this process has used, in a file of fixed slots. What has been written is the kernel's: it
 * survives whatever ends the process, `kill -9` too. It is not synced: after a power cut a file is not believed.
 */
export interface LeaseJournal {
  /** A slot for a lease that is about to be taken. */
  open(leaseId: string): LeaseSlot;
  stop(): void;
}

export interface LeaseSlot {
  /** Throws where the file cannot be written. */
  write(used: number): void;
  /** The lease is settled. */
  close(): void;
}

const idBytes = 36;
const slotBytes = idBytes + 4;
const suffix = ".leases";

/** @param owner names the process, so that others can tell whether it has ended; without a dot */
export function createLeaseJournal(folder: string, owner: string): LeaseJournal {
  const path = join(folder, `${owner}${suffix}`);
  let file: number | undefined;
  let slots = 0;
  const free: number[] = [];
  const count = Buffer.alloc(4);

  return {
    open(leaseId) {
      if (file === undefined) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        file = openSync(path, "w", 0o600);
      }
      const opened = file;
      const at = (free.pop() ?? slots++) * slotBytes;
      const slot = Buffer.alloc(slotBytes);
      slot.write(leaseId, 0, idBytes, "latin1");
      writeSync(opened, slot, 0, slotBytes, at);
      return {
        write: (used) => {
          count.writeUInt32LE(used);
          writeSync(opened, count, 0, 4, at + idBytes);
        },
        close: () => free.push(at / slotBytes),
      };
    },
    stop() {
      if (file === undefined) return;
      closeSync(file);
      file = undefined;
      rmSync(path, { force: true });
    },
  };
}

export interface FoundLeases {
  readonly leases: readonly { readonly id: string; readonly used: number }[];
  remove(): void;
}

/** What processes that have ended had used of their leases. */
export function findLeases(folder: string, isGone: (owner: string) => boolean): FoundLeases[] {
  return listFiles(folder).flatMap((name) => {
    if (!name.endsWith(suffix) || !isGone(name.slice(0, -suffix.length))) return [];
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const leases = [];
    for (let at = 0; at + slotBytes <= bytes.length; at += slotBytes) {
      leases.push({ id: bytes.toString("latin1", at, at + idBytes), used: bytes.readUInt32LE(at + idBytes) });
    }
    return [{ leases, remove: () => rmSync(path, { force: true }) }];
  });
}

/** For a data plane without a folder: nothing outlives its process. */
export function createMemoryJournal(): LeaseJournal {
  return { open: () => ({ write: () => {}, close: () => {} }), stop: () => {} };
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
