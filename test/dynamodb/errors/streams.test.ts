import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreams, ShardIteratorType } from "@aws-sdk/client-dynamodb-streams";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";

let platform: TestPlatform;
let streams: DynamoDBStreams;
let StreamArn: string | undefined;
let ShardId: string | undefined;
const clock = createFakeClock(Date.now());

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  streams = new DynamoDBStreams(platform.settings);
  // Signed with the platform's time, which the client would take from answers' real one.
  streams.middlewareStack.add(
    (next) => (args) => {
      streams.config.systemClockOffset = clock.now() - Date.now();
      return next(args);
    },
    { step: "initialize" },
  );
  const { TableDescription } = await new DynamoDB(platform.settings).createTable({
    TableName: "streamed",
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "h", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "h", KeyType: "HASH" }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
  });
  StreamArn = TableDescription?.LatestStreamArn;
  ShardId = (await streams.describeStream({ StreamArn })).StreamDescription?.Shards?.[0]?.ShardId;
});
afterAll(() => platform.stop());

const fromStart = { ShardIteratorType: ShardIteratorType.TRIM_HORIZON };
const nowhere = () => StreamArn?.replace("streamed", "nowhere") ?? "";
const missing = () => `Requested resource not found: Stream: ${nowhere()} not found`;
const ofNowhere = (iterator = "") => iterator.replace("streamed", "nowhere");

// TrimmedDataAccessException has its test beside the service; LimitExceededException, of more than two readers of a shard, is never answered.
test.each([
  ["DescribeStream", missing, () => streams.describeStream({ StreamArn: nowhere() })],
  ["GetShardIterator", missing, () => streams.getShardIterator({ StreamArn: nowhere(), ShardId, ...fromStart })],
  [
    "GetShardIterator",
    () =>
      `Requested resource not found: Shard: shardId-00000000000000000000-00000000 in Stream: ${StreamArn} not found`,
    () => streams.getShardIterator({ StreamArn, ShardId: "shardId-00000000000000000000-00000000", ...fromStart }),
  ],
  [
    "GetRecords",
    missing,
    async () => {
      const { ShardIterator } = await streams.getShardIterator({ StreamArn, ShardId, ...fromStart });
      return await streams.getRecords({ ShardIterator: ofNowhere(ShardIterator) });
    },
  ],
])("%s answers ResourceNotFoundException", async (_operation, message, send) => {
  await expect(send()).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: message(),
    $metadata: { httpStatusCode: 400 },
  });
});

test("GetRecords answers ExpiredIteratorException fifteen minutes after its iterator was given out", async () => {
  const { ShardIterator } = await streams.getShardIterator({ StreamArn, ShardId, ...fromStart });
  clock.advance(15 * 60_000);
  await streams.getRecords({ ShardIterator });
  clock.advance(1_000);
  await expect(streams.getRecords({ ShardIterator })).rejects.toMatchObject({
    name: "ExpiredIteratorException",
    $metadata: { httpStatusCode: 400 },
  });
});
