import type { StreamedRecord, StreamsPort } from "../../dynamodb/port.ts";
import type { EventSource, SourceRecord } from "./event-source.ts";

const streamArn = /^arn:aws:dynamodb:[^:]+:\d{12}:table\/[^/]+\/stream\/[^/]+$/;

/** DynamoDB Streams as an event source. Source: developer guide, "Using AWS Lambda with Amazon DynamoDB". */
export function createDynamoDbSource(streams: StreamsPort): EventSource {
  return {
    service: "dynamodb",
    title: "DynamoDB",
    principal: "dynamodb.amazonaws.com",
    batchInfoName: "DDBStreamBatchInfo",
    startingPositions: ["LATEST", "TRIM_HORIZON"],
    isSource: (arn) => streamArn.test(arn),
    shards: async (arn) => {
      const found = await streams.find(arn);
      return found && [found.shardId];
    },
    questions: (arn) =>
      ["GetRecords", "GetShardIterator", "DescribeStream"].map((action) => ({
        action: `dynamodb:${action}`,
        resource: arn,
        resourceAccount: arn.split(":")[4] ?? "",
      })),
    denied: (arn) =>
      `Cannot access stream ${arn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.`,
    start: (arn, _shard, position) => (position === "LATEST" ? streams.latest(arn) : Promise.resolve(0)),
    read: async (arn, _shard, after, limit) => {
      if (!(await streams.find(arn))) return undefined;
      const latest = await streams.latest(arn);
      const { records, at } = await streams.read(arn, after, limit);
      return {
        records: records.map((record) => toRecord(arn, record, streams)),
        // Nothing is left of what there was: it has been trimmed.
        at: at === after ? Math.max(at, latest) : at,
      };
    },
    hasMore: async (reader, arn, _shard, after) => (await streams.latest(arn, reader)) > after,
    watch: streams.watch,
  };
}

/** Source: developer guide, example of a DynamoDB event; user guide of time to live for `userIdentity`. */
function toRecord(arn: string, record: StreamedRecord, streams: StreamsPort): SourceRecord {
  const { dynamodb, userIdentity, ...more } = record;
  const { createdAt, Keys, ...change } = dynamodb;
  return {
    at: (streams.before(dynamodb.SequenceNumber) ?? -1) + 1,
    sequenceNumber: dynamodb.SequenceNumber,
    orderedBy: JSON.stringify(Keys),
    arrivedAt: createdAt,
    event: {
      ...more,
      dynamodb: { ApproximateCreationDateTime: Math.floor(createdAt / 1000), Keys, ...change },
      ...(userIdentity && { userIdentity }),
      eventSourceARN: arn,
    },
  };
}
