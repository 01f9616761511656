import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Store, Transaction } from "../../kernel/store/store.ts";
import { writeChunks, type ChunkWriter, type EventInput, type StoredEvent } from "./chunks.ts";
import { hasFilters, type LogFilters } from "./filters.ts";
import { logsLimits } from "./limits.ts";
import { readGroup, readStream, writeGroup, writeStream, type LogGroup, type LogStream, type Place } from "./model.ts";
import type { LogsAppend, LogsPort } from "./port.ts";

/** Appends of the platform's own services: gathered in memory, written in grouped transactions, in order per stream. */
export interface LogWriter extends LogsPort {
  /** Write events to a stream, which is created when absent, note what it holds now, and apply the group's filters. */
  write(
    tx: Transaction,
    place: Place,
    group: LogGroup,
    stream: string,
    events: readonly EventInput[],
    now: number,
  ): Promise<void>;
  stop(): Promise<void>;
}

interface Pending {
  readonly append: Omit<LogsAppend, "events">;
  events: EventInput[];
  bytes: number;
}

export function createLogWriter(needs: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly filters: LogFilters;
}): LogWriter {
  const chunks = createChunkWriter(needs.ids);
  /** By stream name, which hardly ever two groups share: its hash is known, where that of a longer key would be made for each event. */
  let pending = new Map<string, Pending[]>();
  let pendingBytes = 0;
  let stopped = false;
  let cancelTimer: (() => void) | undefined;
  let flushing: Promise<void> = Promise.resolve();

  const write: LogWriter["write"] = async (tx, place, group, stream, events, now) => {
    if (!hasFilters(group)) return appendToStream(tx, group, stream, events, now, needs.ids, chunks);
    const stored: StoredEvent[] = [];
    await appendToStream(tx, group, stream, events, now, needs.ids, chunks, (event) => stored.push(event));
    return needs.filters.apply(tx, place, group, stream, stored, now);
  };

  const writeBatch = async (batch: readonly Pending[]) => {
    const now = needs.clock.now();
    await needs.store.transact(async (tx) => {
      for (const { append, events } of batch) {
        const group = (await readGroup(tx, append, append.logGroup)) ?? createGroup(tx, append, now, needs.ids);
        await write(tx, append, group, append.logStream, events, now);
      }
    });
  };

  /** Writes what is pending now; what comes meanwhile is for the next time, so that a reader never waits for a busy writer. */
  const flushPending = async () => {
    cancelTimer?.();
    cancelTimer = undefined;
    const all = [...pending.values()].flat();
    pending = new Map();
    for (let from = 0; from < all.length; from += logsLimits.flushStreamsMax) {
      const batch = all.slice(from, from + logsLimits.flushStreamsMax);
      try {
        await writeBatch(batch);
      } catch (error) {
        // The callers have gone on: all that can be done for these lines is to say that they are lost.
        const events = batch.reduce((sum, each) => sum + each.events.length, 0);
        needs.log.error("Log events could not be written and are lost", { error, events });
      }
      for (const each of batch) pendingBytes -= each.bytes;
    }
  };

  const flush = (): Promise<void> => {
    if (pending.size === 0) return flushing;
    flushing = flushing.then(flushPending);
    return flushing;
  };

  const append = (entry: LogsAppend) => {
    if (entry.events.length === 0 || stopped) return;
    let bytes = 0;
    for (const event of entry.events) bytes += event.message.length + logsLimits.eventOverheadBytes;
    if (pendingBytes + bytes > logsLimits.pendingBytesMax) {
      needs.log.warn("Log events are dropped: the store cannot keep up", { events: entry.events.length });
      return;
    }
    pendingBytes += bytes;
    const sameName = pending.get(entry.logStream);
    const held = sameName?.find(({ append }) => isSameStream(append, entry));
    if (held) {
      for (const event of entry.events) held.events.push(event);
      held.bytes += bytes;
    } else {
      const { account, region, logGroup, logStream } = entry;
      const added = { append: { account, region, logGroup, logStream }, events: [...entry.events], bytes };
      if (sameName) sameName.push(added);
      else pending.set(logStream, [added]);
    }
    cancelTimer ??= needs.clock.after(logsLimits.flushAfterMs, () => {
      cancelTimer = undefined;
      void flush();
    });
  };

  return {
    append,
    flush,
    write,
    stop: async () => {
      await flush();
      // What environments still say while they are being ended has nowhere to go.
      stopped = true;
      cancelTimer?.();
    },
  };
}

async function appendToStream(
  tx: Transaction,
  group: LogGroup,
  name: string,
  events: readonly EventInput[],
  now: number,
  ids: Ids,
  chunks: ChunkWriter,
  stored?: (event: StoredEvent) => void,
): Promise<void> {
  const stream = (await readStream(tx, group.id, name)) ?? newStream(name, now, ids);
  writeChunks(tx, group.id, stream.id, events, now, chunks, stored);
  let [first, last, bytes] = [stream.firstEventAt ?? Infinity, stream.lastEventAt ?? 0, stream.storedBytes];
  for (const { timestamp, message } of events) {
    first = Math.min(first, timestamp);
    last = Math.max(last, timestamp);
    bytes += message.length + logsLimits.eventOverheadBytes;
  }
  writeStream(tx, group.id, {
    ...stream,
    firstEventAt: first,
    lastEventAt: last,
    lastIngestionAt: now,
    storedBytes: bytes,
  });
}

export function newStream(name: string, now: number, ids: Ids): LogStream {
  return { v: 1, id: ids.uuid(), name, createdAt: now, storedBytes: 0 };
}

function createGroup(tx: Transaction, entry: Omit<LogsAppend, "events">, now: number, ids: Ids): LogGroup {
  const group: LogGroup = {
    v: 1,
    id: ids.uuid(),
    name: entry.logGroup,
    createdAt: now,
    logGroupClass: "STANDARD",
    deletionProtection: false,
    tags: {},
  };
  writeGroup(tx, entry, group);
  return group;
}

function createChunkWriter(ids: Ids): ChunkWriter {
  const writer = Number.parseInt(ids.random(10, "0123456789"), 10);
  let sequence = 0;
  return { writer, nextSequence: () => (sequence += 1) };
}

function isSameStream(a: Omit<LogsAppend, "events">, b: Omit<LogsAppend, "events">): boolean {
  return a.logGroup === b.logGroup && a.region === b.region && a.account === b.account && a.logStream === b.logStream;
}
