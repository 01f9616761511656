import type { RootDatabase } from "lmdb";
import type { Snapshot, Stored, StoredEntry } from "./driver.ts";
import type { EncodedKey, Interval } from "./keys.ts";
import type { Visit } from "./store.ts";

export type Lmdb = RootDatabase<Buffer, EncodedKey>;

/**
 * What LMDB holds: at a snapshot's moment or, without one, within the write transaction that is running. A class because one is
 * made for every read.
 */
export class LmdbView implements Snapshot {
  readonly isFresh = true;
  readonly #database: Lmdb;
  readonly #codec: LmdbCodec;
  readonly #snapshot: ReturnType<Lmdb["useReadTransaction"]> | undefined;
  readonly #options: { readonly transaction?: ReturnType<Lmdb["useReadTransaction"]> };

  constructor(database: Lmdb, codec: LmdbCodec, snapshot?: ReturnType<Lmdb["useReadTransaction"]>) {
    this.#database = database;
    this.#codec = codec;
    this.#snapshot = snapshot;
    this.#options = snapshot ? { transaction: snapshot } : {};
  }

  get(key: EncodedKey): Stored | undefined {
    const found = this.#database.get(key, this.#options);
    return found && toStored(found);
  }

  version(key: EncodedKey): number {
    const found = this.#codec.lend(() => this.#database.get(key, this.#options));
    return found ? found.readDoubleBE() : 0;
  }

  range(interval: Interval, limit: number, reverse: boolean): readonly StoredEntry[] {
    if (interval.start >= interval.end) return [];
    const found: StoredEntry[] = [];
    for (const { key, value } of this.#entries(interval, reverse, limit)) found.push([key, toStored(value)]);
    return found;
  }

  scan(interval: Interval, reverse: boolean, visit: Visit): void {
    if (interval.start >= interval.end) return;
    const entries = this.#entries(interval, reverse)[Symbol.iterator]();
    const next = () => entries.next();
    try {
      for (let each = this.#codec.lend(next); !each.done; each = this.#codec.lend(next)) {
        if (!visit(each.value.value, versionBytes, this.#codec.lentBytes())) return;
      }
    } finally {
      entries.return?.();
    }
  }

  end(): void {
    this.#snapshot?.done();
  }

  #entries({ start, end }: Interval, reverse: boolean, limit?: number) {
    const options = { ...this.#options, ...(limit !== undefined && { limit }) };
    return reverse
      ? this.#database.getRange({
          start: end,
          end: start,
          reverse,
          exclusiveStart: true,
          inclusiveEnd: true,
          ...options,
        })
      : this.#database.getRange({ start, end, ...options });
  }
}

export type LmdbCodec = ReturnType<typeof createLmdbCodec>;

export function createLmdbCodec() {
  let isLending = false;
  let lentBytes = 0;
  return {
    /** Keys go in and out as they are: a byte for each character. */
    keys: {
      writeKey: (key: EncodedKey, target: Uint8Array, start: number): number => {
        const end = start + key.length;
        // So LMDB's binding learns that it must make room.
        if (end > target.length) throw new RangeError("The key does not fit");
        for (let at = 0; at < key.length; at += 1) target[start + at] = key.charCodeAt(at);
        return end;
      },
      readKey: (source: Buffer, start: number, end: number): EncodedKey =>
        isLending ? "" : source.toString("latin1", start, end),
    },
    /** The binding reads every value into the same memory, and would make memory of its own for each; small ones share some here. */
    values: {
      encode: (value: Buffer): Buffer => value,
      decode: (shared: Buffer): Buffer => {
        if (isLending) {
          lentBytes = shared.length;
          return shared;
        }
        const own = Buffer.allocUnsafe(shared.length);
        shared.copy(own, 0, 0, own.length);
        return own;
      },
    },
    /** A read whose value stays in the binding's own memory, until the next one; keys of a range are left out. */
    lend: <T>(read: () => T): T => {
      isLending = true;
      try {
        return read();
      } finally {
        isLending = false;
      }
    },
    /** How long that value is: the binding's memory is longer. */
    lentBytes: (): number => lentBytes,
  };
}

const versionBytes = 8;

/** Stored bytes are the version, as a double, and then the value. */
export function withVersion(version: number, value: Buffer): Buffer {
  const stored = Buffer.allocUnsafe(versionBytes + value.length);
  stored.writeDoubleBE(version);
  stored.set(value, versionBytes);
  return stored;
}

function toStored(found: Buffer): Stored {
  return { version: found.readDoubleBE(), bytes: found.subarray(versionBytes) };
}
