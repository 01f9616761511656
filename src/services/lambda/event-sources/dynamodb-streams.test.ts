import { expect, test } from "vitest";
import type { StreamedRecord, StreamsPort } from "../../dynamodb/port.ts";
import { createDynamoDbSource } from "./dynamodb-streams.ts";

const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000";

const record = (at: number, more: Partial<StreamedRecord> = {}): StreamedRecord => ({
  eventID: "e",
  eventName: "REMOVE",
  eventVersion: "1.1",
  eventSource: "aws:dynamodb",
  awsRegion: "us-east-1",
  dynamodb: {
    createdAt: 1_700_000_000_999,
    Keys: { id: { S: "a" } },
    SequenceNumber: `${at}`,
    SizeBytes: 3,
    StreamViewType: "KEYS_ONLY",
  },
  ...more,
});

/** A stream of which the records up to `trimmedTo` have gone. */
function sourceOf(records: readonly StreamedRecord[], trimmedTo = 0) {
  const last = Number(records.at(-1)?.dynamodb.SequenceNumber ?? trimmedTo);
  const streams: Partial<StreamsPort> = {
    find: async (asked) => (asked === arn ? Object({ shardId: "shard" }) : undefined),
    latest: async () => last,
    before: (sequence) => Number(sequence) - 1,
    read: async (_arn, after, limit) => {
      const found = records.filter(({ dynamodb }) => Number(dynamodb.SequenceNumber) > after).slice(0, limit);
      return { records: found, at: Number(found.at(-1)?.dynamodb.SequenceNumber ?? after), ended: false };
    },
  };
  return createDynamoDbSource(Object(streams));
}

test("what time to live has deleted says who did it", async () => {
  const userIdentity = { type: "Service", principalId: "dynamodb.amazonaws.com" } as const;
  const page = await sourceOf([record(1, { userIdentity })]).read(arn, "shard", 0, 10);
  expect(page?.records).toEqual([
    {
      at: 1,
      sequenceNumber: "1",
      orderedBy: '{"id":{"S":"a"}}',
      arrivedAt: 1_700_000_000_999,
      event: {
        eventID: "e",
        eventName: "REMOVE",
        eventVersion: "1.1",
        eventSource: "aws:dynamodb",
        awsRegion: "us-east-1",
        dynamodb: {
          ApproximateCreationDateTime: 1_700_000_000,
          Keys: { id: { S: "a" } },
          SequenceNumber: "1",
          SizeBytes: 3,
          StreamViewType: "KEYS_ONLY",
        },
        userIdentity,
        eventSourceARN: arn,
      },
    },
  ]);
});

test("what has left the stream is passed over", async () => {
  expect(await sourceOf([], 7).read(arn, "shard", 3, 10)).toEqual({ records: [], at: 7 });
  expect(await sourceOf([record(9)], 7).read(arn, "shard", 3, 10)).toMatchObject({ records: [{ at: 9 }], at: 9 });
});

test("a stream that is gone has no records and no shards", async () => {
  const source = sourceOf([]);
  expect(await source.read(`${arn}1`, "shard", 0, 10)).toBeUndefined();
  expect(await source.shards(`${arn}1`)).toBeUndefined();
});

test.each(["arn:aws:dynamodb:us-east-1:000000000000:table/t", "arn:aws:kinesis:us-east-1:000000000000:stream/s", ""])(
  "%s is none of its sources",
  (other) => {
    expect(sourceOf([]).isSource(other)).toBe(false);
  },
);
