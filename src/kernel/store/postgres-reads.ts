import { postgresLimits } from "../limits.ts";
import type { Stored, StoredEntry } from "./driver.ts";
import type { EncodedKey, Interval } from "./keys.ts";
import type { Dialer, Slot } from "./postgres-dialer.ts";
import { type Row, statements, type Step } from "./postgres-statements.ts";
import { byteaArray, fromBytea, keyFromBytea } from "./postgres-wire.ts";

/** What was found, and the sequence at the moment of the read. */
export interface PointsFound {
  readonly sequence: number;
  /** In the order of the keys. */
  readonly found: readonly (Stored | undefined)[];
}

export interface RangeFound {
  readonly sequence: number;
  readonly found: readonly StoredEntry[];
}

/** Each answer is of one moment, which is not before the call. */
export interface Reads {
  points(keys: readonly EncodedKey[]): Promise<PointsFound>;
  range(interval: Interval, limit: number, reverse: boolean): Promise<RangeFound>;
}

/** A read that waits to be sent: points go together in one statement. */
export type Request = PointsRequest | StepsRequest;

interface PointsRequest {
  readonly keys: readonly EncodedKey[];
  readonly settle: (found: PointsFound) => void;
  readonly fail: (error: unknown) => void;
}

interface StepsRequest {
  readonly steps: readonly Step[];
  readonly settle: (rows: Row[][]) => void;
  readonly fail: (error: unknown) => void;
}

/** Reads whose requests are handed to `send`. */
export function createReads(
  send: (request: Request) => void,
): Reads & { run(steps: readonly Step[]): Promise<Row[][]> } {
  const run = (steps: readonly Step[]) =>
    new Promise<Row[][]>((settle, fail) => {
      send({ steps, settle, fail });
    });
  return {
    run,
    points: (keys) =>
      new Promise((settle, fail) => {
        send({ keys, settle, fail });
      }),
    range: async (interval, limit, reverse) => {
      const statement = reverse ? statements.rangeReverse : statements.range;
      const values = [Buffer.from(interval.start, "latin1"), Buffer.from(interval.end, "latin1"), String(limit)];
      const [rows = []] = await run([{ statement, values }]);
      const found = rows.filter((row) => typeof row[1] === "string").map(toEntry);
      return { sequence: sequenceOf(rows), found: inOrder(found, reverse) };
    },
  };
}

/** The steps of many requests, and how their answers are given back. */
export function gather(requests: readonly Request[]): {
  readonly steps: readonly Step[];
  settle(rows: readonly Row[][]): void;
} {
  const points: PointsRequest[] = [];
  const others: StepsRequest[] = [];
  for (const request of requests) {
    if ("keys" in request) points.push(request);
    else others.push(request);
  }
  const steps: Step[] = [];
  const keys = points.flatMap((request) => request.keys);
  if (points.length > 0) steps.push({ statement: statements.points, values: [byteaArray(keys)] });
  for (const request of others) steps.push(...request.steps);
  return {
    steps,
    settle: (rows) => {
      let at = 0;
      if (points.length > 0) settlePoints(points, keys.length, rows[at++] ?? []);
      for (const request of others) {
        request.settle(rows.slice(at, at + request.steps.length));
        at += request.steps.length;
      }
    },
  };
}

function settlePoints(requests: readonly PointsRequest[], count: number, rows: readonly Row[]): void {
  const found = Array.from<Stored | undefined>({ length: count });
  for (const [, n, version, value] of rows) {
    if (typeof n === "string") found[Number(n) - 1] = { version: Number(version), bytes: fromBytea(value ?? "") };
  }
  const sequence = sequenceOf(rows);
  let at = 0;
  for (const request of requests) {
    request.settle({ sequence, found: found.slice(at, at + request.keys.length) });
    at += request.keys.length;
  }
}

/** Reads of one statement each, over a few connections: whatever waits for one goes together. */
export function createSharedReads(dialer: Dialer): ReturnType<typeof createReads> & { close(): Promise<void> } {
  const slots = Array.from({ length: postgresLimits.readConnections }, () => dialer.slot());
  const idle = [...slots];
  let waiting: Request[] = [];
  let soon = false;

  const send = (request: Request) => {
    waiting.push(request);
    if (soon) return;
    soon = true;
    // What else this turn asks for, comes along.
    queueMicrotask(() => {
      soon = false;
      start();
    });
  };

  function start(): void {
    while (waiting.length > 0) {
      // The one used last: a quiet program makes no connections that it does not need.
      const slot = idle.pop();
      if (!slot) return;
      const batch = waiting.slice(0, postgresLimits.readsTogetherMax);
      waiting = waiting.slice(postgresLimits.readsTogetherMax);
      void serve(slot, batch);
    }
  }

  async function serve(slot: Slot, batch: readonly Request[]): Promise<void> {
    try {
      const { steps, settle } = gather(batch);
      settle(await dialer.retry(async () => (await slot.connection()).run(steps)));
    } catch (error) {
      for (const request of batch) request.fail(error);
    }
    idle.push(slot);
    start();
  }

  return {
    ...createReads(send),
    close: async () => {
      await Promise.all(slots.map((slot) => slot.close()));
    },
  };
}

export function sequenceOf(rows: readonly Row[]): number {
  return Number(rows[0]?.[0] ?? 0);
}

function toEntry([, key, version, value]: Row): StoredEntry {
  return [keyFromBytea(key ?? ""), { version: Number(version), bytes: fromBytea(value ?? "") }];
}

/** An outer join promises no order, though nearly every plan keeps it. */
function inOrder(found: readonly StoredEntry[], reverse: boolean): readonly StoredEntry[] {
  const ordered = found.every(([key], at) => {
    const [before] = found[at - 1] ?? [];
    return before === undefined || before < key !== reverse;
  });
  if (ordered) return found;
  const sorted = found.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return reverse ? sorted.toReversed() : sorted;
}
