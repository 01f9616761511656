import type { Key, Reader, Transaction } from "../../kernel/store/store.ts";
import { logsLimits } from "./limits.ts";
import { chunkPrefix } from "./model.ts";

/**
 * Events are stored in chunks: what one write brought to one stream, in time order, spanning at most `chunkSpanMs`. A
 * chunk's key is its first timestamp, then when, in what order and by which process it was written. So a stream is
 * read in order by merging chunks that overlap, and an event's place in it is the chunk's key and an index.
 */
export interface Chunk {
  readonly last: number;
  readonly events: readonly (readonly [timestamp: number, message: string])[];
}

/** Where an event stands, among all events of all streams: compared part by part. */
export type Position = readonly [
  timestamp: number,
  ingestedAt: number,
  sequence: number,
  writer: number,
  index: number,
];

export interface StoredEvent {
  readonly position: Position;
  readonly timestamp: number;
  readonly message: string;
  readonly ingestionTime: number;
}

export interface EventInput {
  readonly timestamp: number;
  readonly message: string;
}

/** What makes a chunk's key unique: the process, and a counter in it. */
export interface ChunkWriter {
  readonly writer: number;
  nextSequence(): number;
}

export const beforeAll: Position = [-1, -1, -1, -1, -1];

export function comparePositions(a: Position, b: Position): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3] || a[4] - b[4];
}

/** Write events (in any order) to a stream. `stored` is told of each, in order. */
export function writeChunks(
  tx: Transaction,
  groupId: string,
  streamId: string,
  events: readonly EventInput[],
  now: number,
  by: ChunkWriter,
  stored?: (event: StoredEvent) => void,
): void {
  const sorted = inOrder(events) ? events : events.toSorted((a, b) => a.timestamp - b.timestamp);
  let chunk: (readonly [number, string])[] = [];
  let bytes = 0;
  const close = () => {
    const [first, last] = [chunk[0], chunk.at(-1)];
    if (!first || !last) return;
    const key: Key = [...chunkPrefix(groupId, streamId), first[0], now, by.nextSequence(), by.writer];
    const value: Chunk = { last: last[0], events: chunk };
    tx.set(key, value);
    if (stored) toReadChunk(key, value).events.forEach(stored);
    chunk = [];
    bytes = 0;
  };
  for (const { timestamp, message } of sorted) {
    const first = chunk[0];
    const full = bytes + message.length > logsLimits.chunkBytesMax || chunk.length >= logsLimits.chunkEventsMax;
    if (first && (full || timestamp - first[0] > logsLimits.chunkSpanMs)) close();
    chunk.push([timestamp, message]);
    bytes += message.length;
  }
  close();
}

/** The events of a stream in order, from `after` (exclusive) on. Reads no further than it is asked. */
export async function* readForward(
  reader: Reader,
  groupId: string,
  streamId: string,
  after: Position,
  endTime: number,
): AsyncGenerator<StoredEvent> {
  const prefix = chunkPrefix(groupId, streamId);
  const start = Math.max(0, after[0] - logsLimits.chunkSpanMs);
  let waiting: StoredEvent[] = [];
  for await (const { first, events } of chunksFrom(reader, [...prefix, start], endOf(prefix), false)) {
    if (first >= endTime) break;
    const ready = waiting.filter((event) => event.timestamp < first);
    waiting = waiting.filter((event) => event.timestamp >= first);
    yield* ready;
    for (const event of events) {
      if (event.timestamp < endTime && comparePositions(event.position, after) > 0) waiting.push(event);
    }
    waiting.sort((a, b) => comparePositions(a.position, b.position));
  }
  yield* waiting;
}

/** The events of a stream, latest first, from `before` (exclusive) back to `startTime` (inclusive). */
export async function* readBackward(
  reader: Reader,
  groupId: string,
  streamId: string,
  before: Position,
  startTime: number,
): AsyncGenerator<StoredEvent> {
  const prefix = chunkPrefix(groupId, streamId);
  const end: Key = before[0] >= Number.MAX_SAFE_INTEGER ? endOf(prefix) : [...prefix, before[0] + 1];
  const start: Key = [...prefix, Math.max(0, startTime - logsLimits.chunkSpanMs)];
  let waiting: StoredEvent[] = [];
  for await (const { first, events } of chunksFrom(reader, start, end, true)) {
    // Chunks to come start no later than this one, so none holds an event after `first` plus a chunk's span.
    const settled = first + logsLimits.chunkSpanMs;
    const ready = waiting.filter((event) => event.timestamp > settled);
    waiting = waiting.filter((event) => event.timestamp <= settled);
    yield* ready;
    for (const event of events) {
      if (event.timestamp >= startTime && comparePositions(event.position, before) < 0) waiting.push(event);
    }
    waiting.sort((a, b) => comparePositions(b.position, a.position));
  }
  yield* waiting;
}

interface ReadChunk {
  readonly first: number;
  readonly events: readonly StoredEvent[];
}

const chunksAtOnce = 64;

async function* chunksFrom(reader: Reader, start: Key, end: Key, reverse: boolean): AsyncGenerator<ReadChunk> {
  let [from, to] = [start, end];
  for (;;) {
    const entries = await reader.range<Chunk>({ start: from, end: to }, { limit: chunksAtOnce, reverse });
    for (const { key, value } of entries) yield toReadChunk(key, value);
    const last = entries.at(-1);
    if (!last || entries.length < chunksAtOnce) return;
    // A key with one more part is the next after it.
    if (reverse) to = last.key;
    else from = [...last.key, false];
  }
}

function toReadChunk(key: Key, chunk: Chunk): ReadChunk {
  const [first, ingestedAt, sequence, writer] = key.slice(4).map(Number);
  const events = chunk.events.map(([timestamp, message], index) => ({
    position: [timestamp, ingestedAt ?? 0, sequence ?? 0, writer ?? 0, index] as const,
    timestamp,
    message,
    ingestionTime: ingestedAt ?? 0,
  }));
  return { first: first ?? 0, events };
}

/** Just after every key of a stream: its chunks' keys go on with numbers, which sort before booleans. */
function endOf(prefix: Key): Key {
  return [...prefix, true];
}

function inOrder(events: readonly EventInput[]): boolean {
  return events.every((event, index) => index === 0 || (events[index - 1]?.timestamp ?? 0) <= event.timestamp);
}
