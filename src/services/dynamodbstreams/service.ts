import type * as StreamsSdk from "@aws-sdk/client-dynamodb-streams";
import { AwsError } from "../../aws/error.ts";
import type { Call, OperationsOf, Service } from "../../wire/service.ts";
import type { StreamDescription, StreamedRecord, StreamsPort } from "../dynamodb/port.ts";

type Sdk = typeof StreamsSdk;

/** How long a shard iterator is good, and how many records it gives at the most. Source: API reference. */
const iteratorMs = 15 * 60_000;
const recordsMax = 1_000;

/** DynamoDB Streams: the API over what DynamoDB keeps. */
export function createDynamoDbStreams({ streams }: { readonly streams: StreamsPort }): { readonly service: Service } {
  const existing = async (arn: string): Promise<StreamDescription> => {
    const found = await streams.find(arn);
    if (!found) throw streamNotFound(arn);
    return found;
  };
  const operations = {
    ListStreams: {
      authorize: () => [{ action: "dynamodb:ListStreams", resource: "*" }],
      async run(input, call) {
        const all = (await streams.list(call)).filter(
          (each) => input.TableName === undefined || each.tableName === input.TableName,
        );
        const from = all.findIndex((each) => each.arn === input.ExclusiveStartStreamArn) + 1;
        const limit = input.Limit ?? 100;
        const page = all.slice(from, from + limit);
        const last = page.at(-1);
        return {
          Streams: page.map(({ arn, tableName, label }) => ({
            StreamArn: arn,
            TableName: tableName,
            StreamLabel: label,
          })),
          ...(from + limit < all.length && last && { LastEvaluatedStreamArn: last.arn }),
        };
      },
    },

    DescribeStream: {
      authorize: (input) => onStream("DescribeStream", input.StreamArn),
      async run(input) {
        const stream = await existing(input.StreamArn ?? "");
        const isPast = input.ExclusiveStartShardId !== undefined;
        const shard = {
          ShardId: stream.shardId,
          SequenceNumberRange: {
            StartingSequenceNumber: stream.startingSequence,
            ...(stream.closed && { EndingSequenceNumber: stream.endingSequence }),
          },
        };
        return {
          StreamDescription: {
            StreamArn: stream.arn,
            StreamLabel: stream.label,
            StreamStatus: stream.closed ? "DISABLED" : "ENABLED",
            StreamViewType: stream.viewType,
            CreationRequestDateTime: new Date(stream.createdAt),
            TableName: stream.tableName,
            KeySchema: [...stream.keySchema],
            // It has one shard: none has children.
            Shards: isPast || input.ShardFilter !== undefined ? [] : [shard],
          },
        };
      },
    },

    GetShardIterator: {
      authorize: (input) => onStream("GetShardIterator", input.StreamArn),
      async run(input, call) {
        const stream = await existing(input.StreamArn ?? "");
        if (input.ShardId !== stream.shardId) {
          throw refusal(
            "ResourceNotFoundException",
            `Requested resource not found: Shard: ${input.ShardId ?? ""} in Stream: ${stream.arn} not found`,
          );
        }
        const at = await position(stream, input.ShardIteratorType, input.SequenceNumber);
        return { ShardIterator: encodeIterator({ arn: stream.arn, at, from: call.now }) };
      },
    },

    GetRecords: {
      authorize: (input) => onStream("GetRecords", decodeIterator(input.ShardIterator).arn),
      async run(input, call) {
        const { arn, at, from } = decodeIterator(input.ShardIterator);
        if (call.now - from > iteratorMs) {
          throw refusal(
            "ExpiredIteratorException",
            `Iterator expired. The iterator was created at time ${new Date(from).toUTCString()} while right now it is ${new Date(call.now).toUTCString()} which is further in the future than the tolerated delay of ${iteratorMs} milliseconds.`,
          );
        }
        await existing(arn);
        // Its next record has left the stream meanwhile.
        if (at < (await streams.oldest(arn))) throw trimmed();
        const page = await streams.read(arn, at, input.Limit ?? recordsMax);
        return {
          Records: page.records.map((record) => toRecord(record, call)),
          ...(!page.ended && { NextShardIterator: encodeIterator({ arn, at: page.at, from: call.now }) }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
  return { service: { name: "dynamodbstreams", operations } };

  async function position(stream: StreamDescription, type: string | undefined, sequence: string | undefined) {
    if (type === "TRIM_HORIZON") return await streams.oldest(stream.arn);
    if (type === "LATEST") return await streams.latest(stream.arn);
    const before = sequence === undefined ? undefined : streams.before(sequence);
    if (before === undefined || before < 0 || before > (await streams.latest(stream.arn))) {
      throw refusal("ValidationException", `Invalid SequenceNumber: ${sequence ?? "null"}`);
    }
    const at = type === "AT_SEQUENCE_NUMBER" ? before : before + 1;
    if (at < (await streams.oldest(stream.arn))) throw trimmed();
    return at;
  }
}

interface Iterator {
  readonly arn: string;
  /** After this place. */
  readonly at: number;
  /** When it was given out. */
  readonly from: number;
}

/** It says nothing that its holder does not know: what it may read is asked again. */
function encodeIterator({ arn, at, from }: Iterator): string {
  return `${arn}|1|${Buffer.from(JSON.stringify([at, from])).toString("base64")}`;
}

function decodeIterator(text: string | undefined): Iterator {
  const [arn = "", , encoded = ""] = (text ?? "").split("|");
  try {
    const parsed: unknown = JSON.parse(Buffer.from(encoded, "base64").toString());
    const [at, from]: unknown[] = Array.isArray(parsed) ? parsed : [];
    if (typeof at === "number" && typeof from === "number" && Number.isSafeInteger(at)) return { arn, at, from };
  } catch {
    // Told below.
  }
  throw refusal("ValidationException", "Invalid ShardIterator");
}

function onStream(action: string, arn: string | undefined) {
  if (!/^arn:aws:dynamodb:[^:]*:\d*:table\/[^/]+\/stream\/[^/]+$/.test(arn ?? "")) {
    throw refusal("ValidationException", `Invalid StreamArn: ${arn ?? "null"}`);
  }
  const [, , , , account = ""] = (arn ?? "").split(":");
  return [{ action: `dynamodb:${action}`, resource: arn ?? "", resourceAccount: account }];
}

function toRecord({ userIdentity, ...record }: StreamedRecord, call: Call): StreamsSdk._Record {
  const { createdAt, ...change } = record.dynamodb;
  const ApproximateCreationDateTime = new Date(Math.floor(createdAt / 1000) * 1000);
  const told: object = {
    ...record,
    awsRegion: call.region,
    dynamodb: { ...change, ApproximateCreationDateTime },
    ...(userIdentity && {
      userIdentity: { PrincipalId: userIdentity.principalId, Type: userIdentity.type },
    }),
  };
  // Values go out as they are kept, as the wire has them: bytes are base64 already.
  return told as StreamsSdk._Record;
}

function streamNotFound(arn: string): AwsError {
  return refusal("ResourceNotFoundException", `Requested resource not found: Stream: ${arn} not found`);
}

/** Source: API reference, GetRecords: for records of more than 24 hours ago. */
function trimmed(): AwsError {
  return refusal(
    "TrimmedDataAccessException",
    "The operation attempted to read past the oldest stream record in a shard.",
  );
}

function refusal(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}
