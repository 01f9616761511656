import { parseArn } from "../../aws/arn.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Key, Reader, Store } from "../../kernel/store/store.ts";
import type { StreamChange } from "./items/stream-append.ts";
import { dynamoLimits } from "./limits.ts";
import {
  streamHeadKey,
  streamKey,
  streamRecordsPrefix,
  streamsPrefix,
  tableArn,
  type Place,
  type StreamRecord,
} from "./model.ts";
import type { StreamDescription, StreamedRecord, StreamsPort } from "./port.ts";
import { toElements } from "./tables/description.ts";

/** Sequence numbers have 21 digits, so that texts order as they do. */
const firstSequence = 100_000_000_000_000_000_000n;

export function createStreams({ store, clock }: { readonly store: Store; readonly clock: Clock }): StreamsPort {
  const findRecord = async (arn: string, reader?: Reader) => {
    const parsed = parseStreamArn(arn);
    if (!parsed) return undefined;
    const { place, tableName, label } = parsed;
    const read = (from: Reader) => from.get<StreamRecord>(streamKey(place, tableName, label));
    const record = await (reader ? read(reader) : store.read(read));
    return record && { place, record };
  };
  const existing = async (arn: string, reader?: Reader) => {
    const found = await findRecord(arn, reader);
    if (!found) throw new Error(`There is no stream ${arn}`);
    return found;
  };
  return {
    find: async (arn) => {
      const found = await findRecord(arn);
      if (!found) return undefined;
      const head = await store.read((reader) => reader.get<number>(streamHeadKey(found.record.storeId)));
      return describe(found.place, found.record, head ?? 0);
    },
    list: async (place) => {
      const prefix = [...streamsPrefix, place.account, place.region];
      const found: StreamDescription[] = [];
      for (let after: Key | undefined; ;) {
        const range = { prefix, ...(after && { after }) };
        const page = await store.read((reader) => reader.range<StreamRecord>(range, { limit: dynamoLimits.jobPage }));
        found.push(...page.map(({ value }) => describe(place, value, 0)));
        if (page.length < dynamoLimits.jobPage) return found;
        after = page.at(-1)?.key;
      }
    },
    latest: async (arn, reader) => {
      const { record } = await existing(arn, reader);
      const read = (from: Reader) => from.get<number>(streamHeadKey(record.storeId));
      return (await (reader ? read(reader) : store.read(read))) ?? 0;
    },
    oldest: async (arn) => {
      const { record } = await existing(arn);
      const prefix = streamRecordsPrefix(record.storeId);
      // Before the records are read: what is added meanwhile is after it.
      const head = (await store.read((reader) => reader.get<number>(streamHeadKey(record.storeId)))) ?? 0;
      const oldest = clock.now() - dynamoLimits.streamRetentionMs;
      // The first one is kept as a rule: records are removed when they are too old.
      for (let [after, limit] = [0, 1]; ; limit = dynamoLimits.streamRecordsMax) {
        const range = { start: [...prefix, after + 1], end: [...prefix, true] };
        const entries = await store.read((reader) => reader.range<StreamChange>(range, { limit }));
        const kept = entries.find(({ value }) => value.at >= oldest);
        if (kept) return Number(kept.key.at(-1)) - 1;
        if (entries.length < limit) return head;
        after = Number(entries.at(-1)?.key.at(-1));
      }
    },
    before: (sequence) => {
      if (!/^\d{21}$/.test(sequence)) return undefined;
      return Number(BigInt(sequence) - firstSequence) - 1;
    },
    read: async (arn, after, limit) => {
      const { place, record } = await existing(arn);
      const prefix = streamRecordsPrefix(record.storeId);
      const range = { start: [...prefix, after + 1], end: [...prefix, true] };
      const entries = await store.read((reader) => reader.range<StreamChange>(range, { limit }));
      const oldest = clock.now() - dynamoLimits.streamRetentionMs;
      const records: StreamedRecord[] = [];
      let at = after;
      let bytes = 0;
      for (const { key, value } of entries) {
        if (bytes + value.bytes > dynamoLimits.streamBytesMax && records.length > 0) break;
        const sequence = Number(key.at(-1));
        at = sequence;
        if (value.at < oldest) continue;
        bytes += value.bytes;
        records.push(toRecord(place.region, record, value, sequence));
      }
      const last = Number(entries.at(-1)?.key.at(-1) ?? after);
      return { records, at, ended: record.closedAt !== undefined && entries.length < limit && at === last };
    },
    watch: (arn, listener) => {
      let stop: (() => void) | undefined;
      let stopped = false;
      const begin = async () => {
        const found = await findRecord(arn);
        if (!found || stopped) return;
        stop = store.watch(streamRecordsPrefix(found.record.storeId), listener);
        listener();
      };
      // Who could not begin is called all the same: what it then asks fails where that can be told.
      begin().catch(() => listener());
      return () => {
        stopped = true;
        stop?.();
      };
    },
  };
}

function parseStreamArn(arn: string) {
  const parsed = parseArn(arn);
  const [, tableName, label] = /^table\/([^/]+)\/stream\/([^/]+)$/.exec(parsed?.resource ?? "") ?? [];
  if (!parsed || parsed.service !== "dynamodb" || tableName === undefined || label === undefined) return undefined;
  return { place: { account: parsed.account, region: parsed.region }, tableName, label };
}

function describe(place: Place, record: StreamRecord, head: number): StreamDescription {
  return {
    arn: `${tableArn(place, record.tableName)}/stream/${record.label}`,
    label: record.label,
    tableName: record.tableName,
    viewType: record.viewType,
    keySchema: toElements(record.key).map(({ AttributeName = "", KeyType }) => ({
      AttributeName,
      KeyType: KeyType === "RANGE" ? "RANGE" : "HASH",
    })),
    createdAt: record.createdAt,
    closed: record.closedAt !== undefined,
    shardId: `shardId-${String(record.createdAt).padStart(20, "0")}-${record.storeId.slice(0, 8)}`,
    startingSequence: toSequence(1),
    endingSequence: toSequence(Math.max(1, head)),
  };
}

function toSequence(at: number): string {
  return String(firstSequence + BigInt(at));
}

function toRecord(region: string, stream: StreamRecord, change: StreamChange, at: number): StreamedRecord {
  return {
    eventID: change.id,
    eventName: change.name,
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: region,
    dynamodb: {
      createdAt: change.at,
      Keys: change.keys,
      ...(change.after && { NewImage: change.after }),
      ...(change.before && { OldImage: change.before }),
      SequenceNumber: toSequence(at),
      SizeBytes: change.bytes,
      StreamViewType: stream.viewType,
    },
    ...(change.expired && {
      userIdentity: { type: "Service" as const, principalId: "dynamodb.amazonaws.com" as const },
    }),
  };
}
