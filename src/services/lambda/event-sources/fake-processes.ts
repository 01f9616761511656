import { setImmediate } from "node:timers/promises";
import { AwsError } from "../../../aws/error.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { randomIds } from "../../../kernel/ids.ts";
import { createJobs } from "../../../kernel/jobs/stored-jobs.ts";
import { createLog } from "../../../kernel/log.ts";
import { createMemoryStore } from "../../../kernel/store/memory-store.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { createEventSources } from "./create-event-sources.ts";
import type { EventSource, SourceRecord } from "./event-source.ts";
import { writeChange } from "./jobs.ts";
import { lanesOf, readCheckpoint, readMapping, writeCheckpoint, writeDuty, type MappingRecord } from "./model.ts";
import type { PollNeeds } from "./poller.ts";
import type { MappingSettings } from "./settings.ts";

export const fakeMapping = { account: "000000000000", region: "us-east-1", uuid: "u" };
export const fakeSourceArn = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s";

/** What the function was handed: the ids of the records, and the whole event. */
export interface Handed {
  readonly ids: readonly string[];
  readonly event: Readonly<Record<string, unknown>>;
}

interface MovedClock extends Clock {
  advance(ms: number): void;
}

/** Processes that poll a stream in memory for a function that is a callback, in time that stands still. */
export interface FakeProcesses {
  readonly clock: MovedClock;
  readonly store: Store;
  readonly stream: SourceRecord[];
  readonly handed: readonly Handed[];
  /** What was put into the bucket of failures. */
  readonly put: readonly { readonly key: string; readonly record: Readonly<Record<string, unknown>> }[];
  /** Sums of the mapping's metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What the function does with an event; it fails when this throws. */
  handle: (event: Handed) => unknown;
  /** The records of each event, as one text. */
  ids(): string[];
  add(...ids: readonly string[]): void;
  map(settings: Partial<MappingSettings>): Promise<void>;
  mapping(): Promise<MappingRecord>;
  change(more: Partial<MappingRecord>): Promise<void>;
  /** `LastProcessingResult` of the first lane. */
  result(): Promise<string | undefined>;
  /** Another process on the store. */
  run(): Promise<void>;
  /** As `kill -9` of all of them: they write nothing any more, and the next one to look knows that they are gone. */
  kill(): Promise<void>;
  settle(): Promise<void>;
  advance(ms: number): Promise<void>;
}

const defaults: MappingSettings = {
  startingPosition: "TRIM_HORIZON",
  batchSize: 100,
  batchingWindowSeconds: 0,
  parallelizationFactor: 1,
  maximumRecordAgeSeconds: -1,
  maximumRetryAttempts: -1,
  bisectsBatches: false,
  tumblingWindowSeconds: 0,
  reportsFailures: false,
};

/** @param clock which stands still until it is moved */
export function createFakeProcesses(clock: MovedClock): FakeProcesses {
  const store = createMemoryStore();
  const log = createLog(
    "silent",
    () => {},
    () => 0,
  );
  const listeners = new Set<() => void>();
  const dead = new Set<string>();
  const stream: SourceRecord[] = [];
  const handed: Handed[] = [];
  const put: { readonly key: string; readonly record: Record<string, unknown> }[] = [];
  const metrics: Record<string, number> = {};
  let running: (() => void)[] = [];

  const newJobs = (on: Store, owner = "test") =>
    createJobs({ store: on, clock, ids: randomIds, log, owners: { id: owner, hasEnded: (id) => dead.has(id) } });
  const mapping = () => store.read((reader) => readMapping(reader, fakeMapping)).then(existing);
  const write = (record: MappingRecord) =>
    store.transact(async (tx) => writeChange(tx, newJobs(store), fakeMapping, record, clock.now()));

  const source: EventSource = {
    service: "dynamodb",
    title: "Test",
    principal: "dynamodb.amazonaws.com",
    batchInfoName: "DDBStreamBatchInfo",
    startingPositions: ["TRIM_HORIZON"],
    isSource: () => true,
    shards: async () => ["shard"],
    questions: () => [],
    denied: () => "denied",
    start: async () => 0,
    read: async (_arn, _shard, after, limit) => {
      const records = stream.filter((record) => record.at > after).slice(0, limit);
      return { records, at: records.at(-1)?.at ?? after };
    },
    hasMore: async (_reader, _arn, _shard, after) => stream.length > after,
    watch: (_arn, listener) => {
      listeners.add(listener);
      listener();
      return () => listeners.delete(listener);
    },
  };

  const invoke = async (_fn: unknown, { payload }: { readonly payload: Uint8Array }) => {
    const event = JSON.parse(Buffer.from(payload).toString());
    const each: Handed = { ids: event.Records.map(({ id }: { readonly id: string }) => id), event };
    handed.push(each);
    try {
      const answer = (await processes.handle(each)) ?? null;
      return { outcome: { outcome: "success", payload: Buffer.from(JSON.stringify(answer)) }, version: "$LATEST" };
    } catch (error) {
      if (error instanceof AwsError) throw error;
      return { outcome: { outcome: "error", payload: Buffer.from("{}") }, version: "$LATEST" };
    }
  };

  const launch = (owner: string, on: Store) => {
    const jobs = newJobs(on, owner);
    const fn = { record: { latest: { settings: { role: "arn:aws:iam::000000000000:role/r" } } } };
    // What the poller asks of its neighbours, and nothing else.
    const needs = {
      store: on,
      jobs,
      clock,
      ids: randomIds,
      log,
      iam: { assumeRole: async () => ({ type: "assumedRole" }) },
      authorizer: { authorize: async () => {} },
      s3: () => ({
        PutObject: async ({ Key, Body }: { readonly Key: string; readonly Body: AsyncIterable<Uint8Array> }) => {
          let text = "";
          for await (const chunk of Body) text += Buffer.from(chunk).toString();
          put.push({ key: Key, record: JSON.parse(text) });
        },
      }),
      metrics: {
        record: ({
          metricName,
          sample,
        }: {
          readonly metricName: string;
          readonly sample: { readonly sum: number };
        }) => {
          metrics[metricName] = (metrics[metricName] ?? 0) + sample.sum;
        },
      },
      functions: { find: async () => fn },
      invoker: { run: invoke },
      sources: [source],
    } as unknown as PollNeeds;
    const sources = createEventSources(needs);
    jobs.start();
    sources.start();
    return () => {
      dead.add(owner);
      sources.stop();
      void jobs.stop(0);
    };
  };

  const processes: FakeProcesses = {
    clock,
    store,
    stream,
    handed,
    put,
    metrics,
    handle: () => null,
    ids: () => handed.map((each) => each.ids.join("")),
    add: (...added) => {
      for (const id of added) stream.push(fakeRecord(id, stream.length + 1, clock.now()));
      for (const listener of listeners) listener();
    },
    map: async (given) => {
      const settings = { ...defaults, ...given };
      const { account, region, uuid } = fakeMapping;
      const record: MappingRecord = {
        v: 1,
        uuid,
        sourceArn: fakeSourceArn,
        function: { account, region, name: "f" },
        settings,
        enabled: true,
        state: "Creating",
        modifiedAt: clock.now(),
        tags: {},
        shards: ["shard"],
        lanes: settings.parallelizationFactor,
      };
      await store.transact(async (tx) => {
        for (const lane of lanesOf(fakeMapping, record)) {
          writeCheckpoint(tx, lane, { v: 1, position: 0 });
          writeDuty(tx, lane, false);
        }
      });
      await write(record);
    },
    mapping,
    change: async (more) => {
      await write({ ...(await mapping()), ...more });
      await settle();
    },
    result: async () => {
      const [lane] = lanesOf(fakeMapping, await mapping());
      return (await store.read((reader) => readCheckpoint(reader, existing(lane))))?.result?.text;
    },
    run: async () => {
      let isGone = false;
      const owner = randomIds.uuid();
      const transact: Store["transact"] = (body) => (isGone ? new Promise(() => {}) : store.transact(body));
      const stop = launch(owner, { ...store, transact });
      running.push(() => {
        isGone = true;
        stop();
      });
      await settle();
    },
    kill: async () => {
      for (const stop of running) stop();
      running = [];
      await settle();
    },
    settle,
    advance: async (ms) => {
      clock.advance(ms);
      await settle();
    },
  };
  return processes;
}

async function settle(): Promise<void> {
  for (let n = 0; n < 400; n += 1) await setImmediate();
}

export function fakeRecord(id: string, at: number, arrivedAt: number, more: object = {}): SourceRecord {
  return { at, sequenceNumber: `${at}`, orderedBy: id, arrivedAt, event: { id, ...more } };
}

function existing<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("There is none");
  return value;
}
