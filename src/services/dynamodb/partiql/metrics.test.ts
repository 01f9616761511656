import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { CreateTableCommand, DynamoDBClient, ExecuteStatementCommand } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { startTestPlatform } from "../../../testing/platform.ts";

test("statements count in AWS/DynamoDB as the other operations on items do", async () => {
  const clock = createFakeClock(Date.now());
  const platform = await startTestPlatform({ sandbox: "process", clock });
  try {
    const client = new DynamoDBClient(platform.settings);
    const cloudwatch = new CloudWatchClient(platform.settings);
    await client.send(
      new CreateTableCommand({
        TableName: "counted",
        ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      }),
    );
    const run = (Statement: string, more = {}) => client.send(new ExecuteStatementCommand({ Statement, ...more }));
    await run("INSERT INTO counted VALUE {'pk': 'a'}");
    await run("INSERT INTO counted VALUE {'pk': 'b'}");
    await run("SELECT * FROM counted", { ConsistentRead: true });
    await run("SELECT * FROM counted WHERE pk IN ['a', 'b', 'c']");
    await expect(run("UPDATE counted SET v = 1 WHERE pk = 'a' AND v = 0")).rejects.toThrow();
    await expect(run("SELECT FROM")).rejects.toThrow();
    const pad = "x".repeat(350 * 1024);
    await run("INSERT INTO counted VALUE {'pk': 'c', 'pad': ?}", { Parameters: [{ S: pad }] });
    await expect(run("DELETE FROM counted WHERE pk = 'a'")).rejects.toThrow();
    clock.advance(10_000);
    await platform.platform.jobs.drain();

    const sum = async (MetricName: string, operation?: string) => {
      const { Datapoints } = await cloudwatch.send(
        new GetMetricStatisticsCommand({
          Namespace: "AWS/DynamoDB",
          MetricName,
          Dimensions: [
            { Name: "TableName", Value: "counted" },
            ...(operation === undefined ? [] : [{ Name: "Operation", Value: operation }]),
          ],
          StartTime: new Date(clock.now() - 600_000),
          EndTime: new Date(clock.now() + 600_000),
          Period: 3_600,
          Statistics: ["Sum"],
        }),
      );
      return (Datapoints ?? []).reduce((total, { Sum = 0 }) => total + Sum, 0);
    };
    expect({
      read: await sum("ConsumedReadCapacityUnits"),
      write: await sum("ConsumedWriteCapacityUnits"),
      returned: await sum("ReturnedItemCount", "ExecuteStatement"),
      failed: await sum("ConditionalCheckFailedRequests"),
      throttled: await sum("ThrottledRequests", "ExecuteStatement"),
      writesThrottled: await sum("WriteThrottleEvents"),
      readsThrottled: await sum("ReadThrottleEvents"),
    }).toEqual({
      read: 2.5,
      write: 3 + 351,
      returned: 4,
      failed: 1,
      throttled: 1,
      writesThrottled: 1,
      readsThrottled: 0,
    });
  } finally {
    await platform.stop();
  }
});
