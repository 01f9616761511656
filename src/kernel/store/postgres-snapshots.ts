import { postgresLimits } from "../limits.ts";
import type { Connection } from "./postgres-connection.ts";
import type { Dialer, Slot } from "./postgres-dialer.ts";
import { ConnectionLostError, StoreUnavailableError } from "./postgres-errors.ts";
import { createReads, gather, type Reads, type Request } from "./postgres-reads.ts";
import { type Row, statements, type Step } from "./postgres-statements.ts";

/** Reads that all see one moment, which is not before the call that gave them. */
export interface SnapshotReads extends Reads {
  end(): void;
}

export interface Snapshots {
  take(): SnapshotReads;
  close(): Promise<void>;
}

/**
 * Snapshots are PostgreSQL's read-only transactions, each holding a connection. Those that are asked for before the
 * transaction has begun share it: under load, many reads cost one.
 */
export function createSnapshots(dialer: Dialer): Snapshots {
  const slots = createSlots(dialer);
  let next: SharedSnapshot | undefined;
  return {
    take: () => {
      if (!next || next.hasBegun()) next = createSharedSnapshot(slots, dialer);
      return next.join();
    },
    close: () => slots.close(),
  };
}

interface SharedSnapshot {
  join(): SnapshotReads;
  hasBegun(): boolean;
}

function createSharedSnapshot(slots: Slots, dialer: Dialer): SharedSnapshot {
  let users = 0;
  let begun = false;
  let running = false;
  let waiting: Request[] = [];
  let slot: Slot | undefined;
  let connection: Connection | undefined;

  /** The first answer may be fetched again on another connection: nobody has seen anything of this snapshot yet. */
  async function begin(steps: readonly Step[]): Promise<Row[][]> {
    const [, ...rows] = await dialer.retry(async () => {
      connection = await slot?.connection();
      return (await connection?.run([{ statement: statements.beginSnapshot }, ...steps])) ?? [];
    });
    return rows;
  }

  async function go(steps: readonly Step[]): Promise<Row[][]> {
    try {
      return (await connection?.run(steps)) ?? [];
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
      throw new StoreUnavailableError("The connection to PostgreSQL was lost in the middle of a read", error);
    }
  }

  async function serve(): Promise<void> {
    running = true;
    slot ??= await slots.take();
    // What else this turn asks for, comes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const { steps, settle } = gather(batch);
        const first = !begun;
        begun = true;
        settle(await (first ? begin(steps) : go(steps)));
      } catch (error) {
        for (const request of batch) request.fail(error);
      }
    }
    running = false;
    if (users === 0) finish();
  }

  function finish(): void {
    const ended = slot;
    slot = undefined;
    if (!ended) return;
    // Nobody waits for it, but the connection is free only then.
    const over =
      connection && !connection.isLost() ? connection.run([{ statement: statements.endSnapshot }]) : undefined;
    void Promise.resolve(over)
      .catch(() => connection?.close())
      .finally(() => slots.give(ended));
  }

  const reads = createReads((request) => {
    waiting.push(request);
    if (!running) void serve();
  });

  return {
    hasBegun: () => begun,
    join: () => {
      users += 1;
      return {
        points: reads.points,
        range: reads.range,
        end: () => {
          users -= 1;
          if (users === 0 && begun && !running) finish();
        },
      };
    },
  };
}

interface Slots {
  take(): Promise<Slot>;
  give(slot: Slot): void;
  close(): Promise<void>;
}

function createSlots(dialer: Dialer): Slots {
  const all = new Set<Slot>();
  const idle: Slot[] = [];
  const waiting: ((slot: Slot) => void)[] = [];
  const create = () => {
    const slot = dialer.slot();
    all.add(slot);
    return slot;
  };

  function wait(): Promise<Slot> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (all.size >= postgresLimits.snapshotConnections + postgresLimits.snapshotConnectionsMore) return;
        waiting.splice(waiting.indexOf(got), 1);
        resolve(create());
      }, postgresLimits.snapshotWaitMs);
      const got = (slot: Slot) => {
        clearTimeout(timer);
        resolve(slot);
      };
      waiting.push(got);
    });
  }

  return {
    take: async () => {
      const free = idle.pop();
      if (free) return free;
      return all.size < postgresLimits.snapshotConnections ? create() : wait();
    },
    give: (slot) => {
      const first = waiting.shift();
      if (first) return first(slot);
      if (all.size <= postgresLimits.snapshotConnections) return void idle.push(slot);
      all.delete(slot);
      void slot.close();
    },
    close: async () => {
      await Promise.all([...all].map((slot) => slot.close()));
    },
  };
}
