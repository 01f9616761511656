import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type GetShardIteratorCommandInput,
} from "@aws-sdk/client-dynamodb-streams";
import { expect, test } from "vitest";
import { refusal } from "../../testing/access.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { startTestPlatform } from "../../testing/platform.ts";

const trimmed = {
  name: "TrimmedDataAccessException",
  status: 400,
  message: "The operation attempted to read past the oldest stream record in a shard.",
};

test("a record that has left the stream is told as trimmed; TRIM_HORIZON begins after it", async () => {
  const clock = createFakeClock(Date.now());
  const platform = await startTestPlatform({ clock });
  try {
    const start = clock.now();
    // Signatures are good for some minutes around the platform's time. A client believes what answers say of it: each is new.
    const settings = () => ({ ...platform.settings, systemClockOffset: clock.now() - start });
    const streams = () => new DynamoDBStreamsClient(settings());
    const put = (id: string) =>
      new DynamoDBClient(settings()).send(new PutItemCommand({ TableName: "events", Item: { id: { S: id } } }));
    const before = new DynamoDBClient(settings());
    await before.send(
      new CreateTableCommand({
        TableName: "events",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
      }),
    );
    await platform.platform.jobs.drain();
    await put("a");
    await put("b");
    const { Streams } = await streams().send(new ListStreamsCommand({ TableName: "events" }));
    const StreamArn = Streams?.[0]?.StreamArn ?? "";
    const { StreamDescription } = await streams().send(new DescribeStreamCommand({ StreamArn }));
    const ShardId = StreamDescription?.Shards?.[0]?.ShardId ?? "";
    const iterate = async (more: Partial<GetShardIteratorCommandInput>) => {
      const asked = { StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" as const, ...more };
      const { ShardIterator } = await streams().send(new GetShardIteratorCommand(asked));
      return ShardIterator;
    };
    const read = async (ShardIterator: string | undefined) =>
      (await streams().send(new GetRecordsCommand({ ShardIterator }))).Records ?? [];
    const [first, second] = await read(await iterate({}));
    const numbers = [first, second].map((record) => record?.dynamodb?.SequenceNumber);

    clock.advance(24 * 3_600_000 - 60_000);
    const held = await iterate({});
    clock.advance(120_000);
    expect(await refusal(read(held))).toEqual(trimmed);
    for (const ShardIteratorType of ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] as const) {
      const asked = iterate({ ShardIteratorType, SequenceNumber: numbers[0] });
      expect(await refusal(asked)).toEqual(trimmed);
    }
    await put("c");
    const rest = await iterate({
      ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
      SequenceNumber: numbers[1],
    });
    for (const iterator of [rest, await iterate({})]) {
      const records = await read(iterator);
      expect(records.map(({ dynamodb }) => dynamodb?.Keys)).toEqual([{ id: { S: "c" } }]);
    }
  } finally {
    await platform.stop();
  }
});
