import { randomBytes } from "node:crypto";
import { postgresLimits } from "../limits.ts";
import type { EncodedKey } from "./keys.ts";
import type { ChangeFeed } from "./postgres-changes.ts";
import type { Dialer } from "./postgres-dialer.ts";
import { codeOf, ConnectionLostError, StoreUnavailableError } from "./postgres-errors.ts";
import { type Row, statements, type Step } from "./postgres-statements.ts";
import { bigintArray, byteaArray, integerArray, packKeys } from "./postgres-wire.ts";

/** What a transaction read and wants to write. */
export interface PostgresCommit {
  /** The version that was read; 0 for a key that was absent. */
  readonly points: ReadonlyMap<EncodedKey, number>;
  readonly ranges: readonly RangeSeen[];
  /** Undefined deletes. */
  readonly writes: ReadonlyMap<EncodedKey, Buffer | undefined>;
}

/** Of the keys from the first to the one beyond: so many were there, none of a batch after the one seen. */
export interface RangeSeen {
  readonly first: EncodedKey;
  readonly beyond: EncodedKey;
  readonly found: number;
  readonly seen: number;
}

export interface Commits {
  /**
   * Check and apply each; true for those that were. In one round trip, but for commits that depend on others of the batch.
   *
   * @throws {StoreUnavailableError} when PostgreSQL was away for too long; where an answer was lost, the message says that
   * what became of the commits is not known.
   */
  apply(batch: readonly PostgresCommit[]): Promise<boolean[]>;
  /** Whether a batch of this name is of this process and its listeners are told of it when it is acknowledged. */
  isOwn(origin: string): boolean;
  close(): Promise<void>;
}

export function createCommits(needs: {
  readonly dialer: Dialer;
  readonly feed: () => Pick<ChangeFeed, "noteOwn">;
  readonly channel: string | undefined;
}): Commits {
  const { dialer, channel } = needs;
  const slot = dialer.slot();
  let origin = randomBytes(12);

  /** One round trip: which of the commits were refused. */
  async function applyRound(commits: readonly PostgresCommit[]): Promise<ReadonlySet<number>> {
    const batch = randomBytes(16);
    const changed = [...new Set(commits.flatMap((commit) => [...commit.writes.keys()]))];
    const packed = packKeys(changed);
    const keys = packed.length > postgresLimits.changeBytesMax ? undefined : changed;
    const steps = toSteps(commits, batch, origin, keys && packed, channel);
    let unknown = false;
    try {
      const rows = await dialer.retry(async () => {
        const connection = await slot.connection();
        try {
          const [, recorded = []] = await connection.run(steps, { valuesFirst: true });
          return recorded;
        } catch (error) {
          // Sent before, applied, and only the answer was lost.
          if (unknown && codeOf(error) === "23505") return await outcomeOf(batch);
          if (error instanceof ConnectionLostError) unknown = true;
          throw error;
        }
      });
      const [[sequence, refused] = []] = rows;
      needs.feed().noteOwn(Number(sequence), keys);
      return new Set(parseIntegers(refused ?? "{}"));
    } catch (error) {
      if (!unknown) throw error;
      // Should it yet appear, it is told like one of another process.
      origin = randomBytes(12);
      throw new StoreUnavailableError("PostgreSQL is away, and whether the last changes were made is not known", error);
    }
  }

  async function outcomeOf(batch: Buffer): Promise<Row[]> {
    const connection = await slot.connection();
    const [rows = []] = await connection.run([{ statement: statements.outcome, values: [batch] }]);
    if (rows.length === 0) throw new StoreUnavailableError("Whether the last changes were made is not known any more");
    return rows;
  }

  return {
    apply: async (batch) => {
      const outcome = batch.map(() => false);
      const changed = new Set<EncodedKey>();
      let waiting = batch.map((commit, at) => ({ commit, at }));
      while (waiting.length > 0) {
        const { round, later } = chooseRound(waiting.filter(({ commit }) => !reads(commit, changed)));
        waiting = later;
        if (round.length === 0) continue;
        const refused = await applyRound(round.map(({ commit }) => commit));
        round.forEach(({ commit, at }, n) => {
          if (refused.has(n)) return;
          outcome[at] = true;
          for (const key of commit.writes.keys()) changed.add(key);
        });
      }
      return outcome;
    },
    isOwn: (name) => name === origin.toString("hex") || name === `\\x${origin.toString("hex")}`,
    close: () => slot.close(),
  };
}

interface Waiting {
  readonly commit: PostgresCommit;
  readonly at: number;
}

/** Commits that do not depend on each other go together: what one writes, no other reads or writes. */
function chooseRound(waiting: readonly Waiting[]): { readonly round: readonly Waiting[]; readonly later: Waiting[] } {
  const round: Waiting[] = [];
  const later: Waiting[] = [];
  const changed = new Set<EncodedKey>();
  let bytes = 0;
  for (const each of waiting) {
    const size = sizeOf(each.commit);
    const fits = round.length === 0 || bytes + size <= postgresLimits.batchBytesMax;
    if (!fits || writes(each.commit, changed) || reads(each.commit, changed)) {
      later.push(each);
      continue;
    }
    round.push(each);
    bytes += size;
    for (const key of each.commit.writes.keys()) changed.add(key);
  }
  return { round, later };
}

function sizeOf(commit: PostgresCommit): number {
  let bytes = 0;
  for (const [key, value] of commit.writes) bytes += key.length + (value?.length ?? 0);
  return bytes;
}

function writes(commit: PostgresCommit, changed: ReadonlySet<EncodedKey>): boolean {
  if (changed.size === 0) return false;
  for (const key of commit.writes.keys()) if (changed.has(key)) return true;
  return false;
}

function reads(commit: PostgresCommit, changed: ReadonlySet<EncodedKey>): boolean {
  if (changed.size === 0) return false;
  for (const key of commit.points.keys()) if (changed.has(key)) return true;
  if (commit.ranges.length === 0) return false;
  for (const key of changed) {
    if (commit.ranges.some(({ first, beyond }) => key >= first && key < beyond)) return true;
  }
  return false;
}

function toSteps(
  commits: readonly PostgresCommit[],
  batch: Buffer,
  origin: Buffer,
  packed: Buffer | undefined,
  channel: string | undefined,
): Step[] {
  const points = columns<[EncodedKey, number]>(commits, (commit) => commit.points);
  const ranges = columns<RangeSeen>(commits, (commit) => commit.ranges);
  const entries = columns<[EncodedKey, Buffer | undefined]>(commits, (commit) => commit.writes);
  const put: { tx: number; key: EncodedKey; value: Buffer }[] = [];
  const removed: { tx: number; key: EncodedKey }[] = [];
  for (const { tx, item } of entries) {
    const [key, value] = item;
    if (value) put.push({ tx, key, value });
    else removed.push({ tx, key });
  }
  const turn: Step =
    channel === undefined
      ? { statement: statements.turn }
      : { statement: statements.turnAndNotify, values: [channel, origin.toString("hex")] };
  if (put.length > 0 && points.length + ranges.length + removed.length === 0) {
    const [keys, values] = [byteaArray(put.map(({ key }) => key)), byteaArray(put.map(({ value }) => value))];
    return [turn, { statement: statements.putBlindly, values: [batch, origin, packed ?? null, keys, values] }];
  }
  const steps: Step[] = [
    turn,
    {
      statement: statements.record,
      values: [
        batch,
        origin,
        packed ?? null,
        integerArray(points.map(({ tx }) => tx)),
        byteaArray(points.map(({ item }) => item[0])),
        bigintArray(points.map(({ item }) => item[1])),
        integerArray(ranges.map(({ tx }) => tx)),
        byteaArray(ranges.map(({ item }) => item.first)),
        byteaArray(ranges.map(({ item }) => item.beyond)),
        bigintArray(ranges.map(({ item }) => item.found)),
        bigintArray(ranges.map(({ item }) => item.seen)),
      ],
    },
  ];
  if (put.length > 0) {
    const numbers = integerArray(put.map(({ tx }) => tx));
    const [keys, values] = [byteaArray(put.map(({ key }) => key)), byteaArray(put.map(({ value }) => value))];
    steps.push({ statement: statements.put, values: [batch, numbers, keys, values] });
  }
  if (removed.length > 0) {
    const numbers = integerArray(removed.map(({ tx }) => tx));
    steps.push({ statement: statements.remove, values: [batch, numbers, byteaArray(removed.map(({ key }) => key))] });
  }
  return steps;
}

/** What each commit has of something, with the commit's place in the batch. */
function columns<T>(
  commits: readonly PostgresCommit[],
  of: (commit: PostgresCommit) => Iterable<T>,
): { readonly tx: number; readonly item: T }[] {
  return commits.flatMap((commit, tx) => Array.from(of(commit), (item) => ({ tx, item })));
}

/** `{1,2}` */
function parseIntegers(text: string): number[] {
  const inner = text.slice(1, -1);
  return inner === "" ? [] : inner.split(",").map(Number);
}
