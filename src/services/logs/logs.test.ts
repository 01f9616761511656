import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  StartQueryCommand,
  TagLogGroupCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../testing/platform.ts";

const clock = createFakeClock(Date.now());
let platform: TestPlatform;
let logs: CloudWatchLogsClient;
let group = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", clock });
  logs = new CloudWatchLogsClient(platform.settings);
});
afterAll(() => platform.stop());
beforeEach(async () => {
  group = `/test/${(count += 1)}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName: group }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: "s" }));
});

function put(messages: readonly string[], logStreamName = "s", from = clock.now()) {
  const logEvents = messages.map((message, index) => ({ timestamp: from + index, message }));
  return logs.send(new PutLogEventsCommand({ logGroupName: group, logStreamName, logEvents }));
}

async function get(more: Partial<ConstructorParameters<typeof GetLogEventsCommand>[0]> = {}) {
  const answer = await logs.send(new GetLogEventsCommand({ logGroupName: group, logStreamName: "s", ...more }));
  return { ...answer, messages: answer.events?.map(({ message }) => message) };
}

test("CreateLogGroup answers ResourceAlreadyExistsException for a group that is there", async () => {
  await expect(logs.send(new CreateLogGroupCommand({ logGroupName: group }))).rejects.toMatchObject({
    name: "ResourceAlreadyExistsException",
    message: "The specified log group already exists",
    $metadata: { httpStatusCode: 400 },
  });
});

test("CreateLogGroup refuses kmsKeyId by name and leaves nothing behind", async () => {
  const logGroupName = "encrypted";
  await expect(logs.send(new CreateLogGroupCommand({ logGroupName, kmsKeyId: "k" }))).rejects.toMatchObject({
    name: "NotImplemented",
    message: expect.stringContaining("kmsKeyId"),
  });
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
  expect(logGroups).toEqual([]);
});

test("DescribeLogGroups answers a group with all its members", async () => {
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  const arn = `arn:aws:logs:us-east-1:000000000000:log-group:${group}`;
  expect(logGroups).toEqual([
    {
      logGroupName: group,
      creationTime: clock.now(),
      metricFilterCount: 0,
      arn: `${arn}:*`,
      logGroupArn: arn,
      storedBytes: 0,
      logGroupClass: "STANDARD",
      deletionProtectionEnabled: false,
    },
  ]);
});

test("DescribeLogGroups pages through every group of a prefix, itself included", async () => {
  const names = ["", "/a", "/b", "/c", "0"].map((suffix) => `pages${suffix}`);
  for (const logGroupName of names) await logs.send(new CreateLogGroupCommand({ logGroupName }));
  const found: (string | undefined)[] = [];
  for await (const page of paginateDescribeLogGroups({ client: logs, pageSize: 2 }, { logGroupNamePrefix: "pages" })) {
    found.push(...(page.logGroups ?? []).map(({ logGroupName }) => logGroupName));
  }
  expect(found).toEqual(names);
});

test("DescribeLogStreams orders by the last event, latest first", async () => {
  for (const logStreamName of ["old", "new"]) {
    await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName }));
  }
  await put(["x"], "new", clock.now());
  await put(["x"], "old", clock.now() - 1000);
  const order = { orderBy: "LastEventTime", descending: true } as const;
  const one = await logs.send(new DescribeLogStreamsCommand({ logGroupName: group, ...order, limit: 2 }));
  expect(one.logStreams?.map(({ logStreamName }) => logStreamName)).toEqual(["new", "old"]);
  expect(one.logStreams?.[0]).toMatchObject({ lastEventTimestamp: clock.now(), storedBytes: 0 });
  const { nextToken } = one;
  const two = await logs.send(
    new DescribeLogStreamsCommand({ logGroupName: group, ...order, ...(nextToken !== undefined && { nextToken }) }),
  );
  expect(two.logStreams?.map(({ logStreamName }) => logStreamName)).toEqual(["s"]);
});

test("DescribeLogStreams refuses to order by time within a prefix", async () => {
  const input = { logGroupName: group, orderBy: "LastEventTime", logStreamNamePrefix: "s" } as const;
  await expect(logs.send(new DescribeLogStreamsCommand(input))).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: "Cannot order by LastEventTime with a logStreamNamePrefix.",
  });
});

test.each([
  ["a group", "none", "s", "The specified log group does not exist."],
  ["a stream", "", "none", "The specified log stream does not exist."],
])("PutLogEvents answers ResourceNotFoundException for %s that is not there", async (_, name, stream, message) => {
  const logEvents = [{ timestamp: clock.now(), message: "x" }];
  const input = { logGroupName: name || group, logStreamName: stream, logEvents };
  await expect(logs.send(new PutLogEventsCommand(input))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message,
  });
});

function event(timestamp: number, message = "x") {
  return { timestamp, message };
}

function send(logEvents: { timestamp: number; message: string }[]) {
  return logs.send(new PutLogEventsCommand({ logGroupName: group, logStreamName: "s", logEvents }));
}

test("PutLogEvents refuses events out of order, too many bytes, and more than a day", async () => {
  const at = clock.now();
  await expect(send([event(at), event(at - 1)])).rejects.toThrow("chronological order");
  await expect(send([event(at - 86_400_001), event(at)])).rejects.toThrow("cannot span more than 24 hours");
  await expect(send([event(at, "x".repeat(600_000)), event(at, "x".repeat(600_000))])).rejects.toThrow(
    "Upload too large: 1200052 bytes exceeds limit of 1048576",
  );
  expect((await get()).messages).toEqual([]);
});

test("PutLogEvents names the events that are too old and too new, and keeps the others", async () => {
  const day = 86_400_000;
  const old = await logs.send(
    new PutLogEventsCommand({
      logGroupName: group,
      logStreamName: "s",
      logEvents: [
        { timestamp: clock.now() - 14 * day - 1, message: "old" },
        { timestamp: clock.now() - 14 * day + 1, message: "kept" },
      ],
    }),
  );
  expect(old.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1 });
  const young = await logs.send(
    new PutLogEventsCommand({
      logGroupName: group,
      logStreamName: "s",
      logEvents: [
        { timestamp: clock.now(), message: "now" },
        { timestamp: clock.now() + 3 * 3_600_000, message: "new" },
      ],
    }),
  );
  expect(young.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
  expect((await get({ startFromHead: true })).messages).toEqual(["kept", "now"]);
});

test("GetLogEvents starts at the end, and its tokens lead both ways", async () => {
  await put(["1", "2", "3", "4", "5"]);
  const end = await get({ limit: 2 });
  expect(end.messages).toEqual(["4", "5"]);
  const before = await get({ limit: 2, nextToken: end.nextBackwardToken });
  expect(before.messages).toEqual(["2", "3"]);
  const first = await get({ limit: 2, nextToken: before.nextBackwardToken });
  expect(first.messages).toEqual(["1"]);
  const again = await get({ limit: 3, nextToken: first.nextForwardToken });
  expect(again.messages).toEqual(["2", "3", "4"]);
});

test("GetLogEvents gives the same token at the end of a stream, from where new events are found", async () => {
  await put(["1"]);
  const one = await get({ startFromHead: true });
  const two = await get({ nextToken: one.nextForwardToken });
  expect(two.messages).toEqual([]);
  expect(two.nextForwardToken).toBe(one.nextForwardToken);
  await put(["2"], "s", clock.now() + 10);
  expect((await get({ nextToken: two.nextForwardToken })).messages).toEqual(["2"]);
});

test("GetLogEvents takes startTime inclusively and endTime exclusively", async () => {
  await put(["1", "2", "3", "4"]);
  const times = { startTime: clock.now() + 1, endTime: clock.now() + 3 };
  expect((await get(times)).messages).toEqual(["2", "3"]);
  expect((await get({ ...times, startFromHead: true })).messages).toEqual(["2", "3"]);
});

test.each(["x", "f/!!/s", "p/WzAsMCwwLDAsMF0/s"])("GetLogEvents refuses the token %j", async (nextToken) => {
  await expect(get({ nextToken })).rejects.toMatchObject({ name: "InvalidParameterException" });
});

test("FilterLogEvents interleaves streams in order of time, page by page", async () => {
  await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: "t" }));
  const at = clock.now();
  await put(["a1"], "s", at);
  await put(["b2"], "t", at + 1);
  await put(["a3"], "s", at + 2);
  await put(["skip", "b5"], "t", at + 3);
  const found: unknown[] = [];
  const ids = new Set<string | undefined>();
  const input = { logGroupName: group, filterPattern: "-skip" };
  for await (const page of paginateFilterLogEvents({ client: logs, pageSize: 1 }, input)) {
    for (const { logStreamName, message, eventId } of page.events ?? []) {
      found.push([logStreamName, message]);
      ids.add(eventId);
    }
  }
  expect(found).toEqual([
    ["s", "a1"],
    ["t", "b2"],
    ["s", "a3"],
    ["t", "b5"],
  ]);
  expect(ids.size).toBe(4);
});

test("FilterLogEvents includes an event at endTime, and none before startTime", async () => {
  await put(["1", "2", "3", "4"]);
  const times = { startTime: clock.now() + 1, endTime: clock.now() + 2 };
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: group, ...times }));
  expect(events?.map(({ message }) => message)).toEqual(["2", "3"]);
});

test("FilterLogEvents answers InvalidParameterException for a pattern that is none", async () => {
  const input = { logGroupName: group, filterPattern: "{ $.a }" };
  await expect(logs.send(new FilterLogEventsCommand(input))).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: "Invalid filter pattern",
  });
});

test("FilterLogEvents answers ResourceNotFoundException for a named stream that is not there", async () => {
  const input = { logGroupName: group, logStreamNames: ["s", "none"] };
  await expect(logs.send(new FilterLogEventsCommand(input))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test("a deleted group's events are not seen by a new group of its name", async () => {
  await put(["gone"]);
  await logs.send(new DeleteLogGroupCommand({ logGroupName: group }));
  await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await logs.send(new CreateLogGroupCommand({ logGroupName: group }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: "s" }));
  expect((await get()).messages).toEqual([]);
  await platform.platform.jobs.drain();
});

test("DeleteLogStream answers ResourceNotFoundException for a stream that is gone", async () => {
  await logs.send(new DeleteLogStreamCommand({ logGroupName: group, logStreamName: "s" }));
  await expect(
    logs.send(new DeleteLogStreamCommand({ logGroupName: group, logStreamName: "s" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("PutRetentionPolicy refuses a number of days that AWS has not", async () => {
  const input = { logGroupName: group, retentionInDays: 2 };
  await expect(logs.send(new PutRetentionPolicyCommand(input))).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
});

test("events older than the retention are removed, until DeleteRetentionPolicy", async () => {
  const old = clock.now() - 3 * 86_400_000;
  await put(["old"], "s", old);
  await put(["young"]);
  await logs.send(new PutRetentionPolicyCommand({ logGroupName: group, retentionInDays: 1 }));
  await platform.platform.jobs.drain();
  expect((await get({ startFromHead: true })).messages).toEqual(["young"]);
  const described = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  expect(described.logGroups?.[0]?.retentionInDays).toBe(1);
  await logs.send(new DeleteRetentionPolicyCommand({ logGroupName: group }));
  const after = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  expect(after.logGroups?.[0]).not.toHaveProperty("retentionInDays");
});

test("tags are set, listed and removed, by ARN and by name", async () => {
  const resourceArn = `arn:aws:logs:us-east-1:000000000000:log-group:${group}`;
  await logs.send(new TagResourceCommand({ resourceArn, tags: { a: "1", b: "2" } }));
  await logs.send(new TagLogGroupCommand({ logGroupName: group, tags: { c: "3" } }));
  await logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ["b"] }));
  const { tags } = await logs.send(new ListTagsForResourceCommand({ resourceArn }));
  expect(tags).toEqual({ a: "1", c: "3" });
  expect((await logs.send(new ListTagsLogGroupCommand({ logGroupName: group }))).tags).toEqual(tags);
});

test("an operation that is not built answers 501 with its name", async () => {
  const input = { logGroupName: group, startTime: 0, endTime: 1, queryString: "fields @message" };
  await expect(logs.send(new StartQueryCommand(input))).rejects.toMatchObject({
    name: "NotImplemented",
    message: expect.stringContaining("StartQuery"),
    $metadata: { httpStatusCode: 501 },
  });
});
