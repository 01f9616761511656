import { gunzipSync } from "node:zlib";
import { setTimeout as delay } from "node:timers/promises";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteMetricFilterCommand,
  DeleteSubscriptionFilterCommand,
  DescribeLogGroupsCommand,
  DescribeMetricFiltersCommand,
  DescribeSubscriptionFiltersCommand,
  FilterLogEventsCommand,
  paginateDescribeMetricFilters,
  PutLogEventsCommand,
  PutMetricFilterCommand,
  PutSubscriptionFilterCommand,
  TestMetricFilterCommand,
  type MetricTransformation,
} from "@aws-sdk/client-cloudwatch-logs";
import { AddPermissionCommand, InvokeCommand, LambdaClient, RemovePermissionCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { deploy, inlineFunction } from "../../testing/stacks.ts";

let platform: TestPlatform;
let logs: CloudWatchLogsClient;
let lambda: LambdaClient;
let group = "";
let count = 0;
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:reads";

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
  logs = new CloudWatchLogsClient(platform.settings);
  lambda = new LambdaClient(platform.settings);
  const Role = await createFunctionRole(platform.settings, "reads");
  // Says what it was handed in its own log.
  const source = "export const handler = async (event) => console.log('GOT ' + event.awslogs.data)";
  await createNodeFunction(platform.settings, { FunctionName: "reads", Role, source });
  await createNodeFunction(platform.settings, { FunctionName: "closed", Role, source });
  await permit("logs.amazonaws.com", "global");
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/aws/lambda/reads" }));
});
afterAll(() => platform.stop());
beforeEach(async () => {
  group = `/filters/${(count += 1)}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName: group }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: "s" }));
});

function permit(Principal: string, StatementId: string) {
  const SourceArn = "arn:aws:logs:us-east-1:000000000000:log-group:*:*";
  const what = { FunctionName: "reads", Action: "lambda:InvokeFunction" };
  return lambda.send(new AddPermissionCommand({ ...what, StatementId, Principal, SourceArn }));
}

function put(messages: readonly string[], logGroupName = group) {
  const from = Date.now();
  const logEvents = messages.map((message, index) => ({ timestamp: from + index, message }));
  return logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
}

function subscribe(more: Partial<ConstructorParameters<typeof PutSubscriptionFilterCommand>[0]> = {}) {
  const input = { logGroupName: group, filterName: "f", filterPattern: "ERROR", destinationArn: functionArn, ...more };
  return logs.send(new PutSubscriptionFilterCommand(input));
}

interface Delivered {
  readonly logGroup: string;
  readonly logEvents: readonly { readonly id: string; readonly message: string }[];
}

/** What the function was handed of a group, once `atLeast` events of it have come. */
async function delivered(logGroup: string, atLeast: number): Promise<Delivered[]> {
  for (let waited = 0; ; waited += 50) {
    const { events } = await logs.send(
      new FilterLogEventsCommand({ logGroupName: "/aws/lambda/reads", filterPattern: '"GOT "' }),
    );
    const all = (events ?? []).map(({ message = "" }): Delivered => {
      const data = message.slice(message.indexOf("GOT ") + 4).trim();
      return JSON.parse(gunzipSync(Buffer.from(data, "base64")).toString());
    });
    const ours = all.filter((each) => each.logGroup === logGroup);
    if (ours.flatMap((each) => each.logEvents).length >= atLeast) return ours;
    if (waited > 20_000) throw new Error(`Only ${ours.length} deliveries of ${logGroup}`);
    await delay(50);
  }
}

test("A subscription's function is handed the events that match, as AWS sends them", async () => {
  await subscribe();
  await put(["ERROR one", "fine", "ERROR two"]);
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: group, filterPattern: "ERROR" }));
  expect(await delivered(group, 2)).toEqual([
    {
      messageType: "DATA_MESSAGE",
      owner: "000000000000",
      logGroup: group,
      logStream: "s",
      subscriptionFilters: ["f"],
      logEvents: events?.map(({ eventId, timestamp, message }) => ({ id: eventId, timestamp, message })),
    },
  ]);
});

test("Space-delimited patterns hand their fields over, and what functions log themselves is delivered too", async () => {
  const logGroupName = "/aws/lambda/closed";
  await lambda.send(new InvokeCommand({ FunctionName: "closed", Payload: '{"awslogs":{"data":"w 404 /x"}}' }));
  await subscribe({ logGroupName, filterPattern: "[..., got = GOT, word, status = 4*, path]" });
  await lambda.send(new InvokeCommand({ FunctionName: "closed", Payload: '{"awslogs":{"data":"w 404 /y"}}' }));
  const [first] = await delivered(logGroupName, 1);
  expect(first?.logEvents).toMatchObject([{ extractedFields: { got: "GOT", word: "w", status: "404", path: "/y" } }]);
});

test("What was accepted before the platform was killed is delivered after", async () => {
  await subscribe({ filterPattern: "" });
  await put(["kept"]);
  await platform.restart();
  expect((await delivered(group, 1)).flatMap((each) => each.logEvents)).toMatchObject([{ message: "kept" }]);
});

test("PutSubscriptionFilter refuses a function that CloudWatch Logs may not invoke, and one that is not there", async () => {
  for (const name of ["closed", "nowhere"]) {
    const destinationArn = functionArn.replace("reads", name);
    await expect(subscribe({ destinationArn })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message:
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
    });
  }
});

test("A permission for the region's own principal lets CloudWatch Logs in as well", async () => {
  await lambda.send(new RemovePermissionCommand({ FunctionName: "reads", StatementId: "global" }));
  await expect(subscribe()).rejects.toMatchObject({ name: "InvalidParameterException" });
  await permit("logs.us-east-1.amazonaws.com", "regional");
  await subscribe();
});

test.each([
  [{ destinationArn: "arn:aws:kinesis:us-east-1:000000000000:stream/s" }, "NotImplemented", "kinesis"],
  [{ distribution: "Random" as const }, "NotImplemented", "distribution"],
  [{ applyOnTransformedLogs: true }, "NotImplemented", "applyOnTransformedLogs"],
  [{ emitSystemFields: ["@aws.account"] }, "NotImplemented", "emitSystemFields"],
  [{ fieldSelectionCriteria: "x" }, "NotImplemented", "fieldSelectionCriteria"],
  [{ roleArn: "arn:aws:iam::000000000000:role/r" }, "InvalidParameterException", "cannot be used with roleArn"],
  [{ filterPattern: "{ $.a }" }, "InvalidParameterException", "Invalid filter pattern"],
  [{ destinationArn: "arn:aws:sqs:us-east-1:000000000000:q" }, "InvalidParameterException", "Invalid destinationArn"],
  [{ logGroupName: "none" }, "ResourceNotFoundException", "log group does not exist"],
])("PutSubscriptionFilter refuses %j", async (more, name, text) => {
  await expect(subscribe(more)).rejects.toMatchObject({ name, message: expect.stringContaining(text) });
});

test("A group has two subscription filters at most, described by name, until they are deleted", async () => {
  for (const filterName of ["b", "a", "b"]) await subscribe({ filterName });
  await expect(subscribe({ filterName: "c" })).rejects.toMatchObject({ name: "LimitExceededException" });
  const describe = (nextToken?: string) =>
    logs.send(
      new DescribeSubscriptionFiltersCommand({ logGroupName: group, limit: 1, ...(nextToken && { nextToken }) }),
    );
  const first = await describe();
  expect(first.subscriptionFilters).toEqual([
    {
      filterName: "a",
      logGroupName: group,
      filterPattern: "ERROR",
      destinationArn: functionArn,
      distribution: "ByLogStream",
      applyOnTransformedLogs: false,
      creationTime: expect.any(Number),
    },
  ]);
  const second = await describe(first.nextToken);
  expect(second.subscriptionFilters?.map(({ filterName }) => filterName)).toEqual(["b"]);
  expect(second.nextToken).toBeUndefined();
  const remove = () => logs.send(new DeleteSubscriptionFilterCommand({ logGroupName: group, filterName: "a" }));
  await remove();
  await expect(remove()).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "The specified subscription filter does not exist.",
  });
});

function putMetric(filterPattern: string, more: Partial<MetricTransformation> = {}, filterName = "m") {
  const transformation = { metricName: "n", metricNamespace: group, metricValue: "1", ...more };
  return logs.send(
    new PutMetricFilterCommand({
      logGroupName: group,
      filterName,
      filterPattern,
      metricTransformations: [transformation],
    }),
  );
}

async function sums(Namespace: string, Dimensions: { Name: string; Value: string }[] = []) {
  const stat = (Id: string, Stat: string) => ({
    Id,
    MetricStat: { Metric: { Namespace, MetricName: "n", Dimensions }, Period: 3600, Stat },
  });
  const { MetricDataResults } = await new CloudWatchClient(platform.settings).send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 3_600_000),
      MetricDataQueries: [stat("count", "SampleCount"), stat("sum", "Sum")],
    }),
  );
  return MetricDataResults?.map(({ Values }) => Values?.reduce((sum, each) => sum + each, 0));
}

test("A metric filter counts what matches, and tells its default where nothing does", async () => {
  await putMetric("ERROR", { defaultValue: 0, unit: "Count" });
  await put(["ERROR one", "fine", "ERROR two"]);
  expect(await sums(group)).toEqual([2, 2]);
  await put(["fine"]);
  expect(await sums(group)).toEqual([3, 2]);
});

test("A metric filter reads values and dimensions from JSON; what lacks one gives no data", async () => {
  await putMetric("{ $.ms > 0 }", { metricValue: "$.ms", dimensions: { route: "$.at.route" } });
  await put(['{"ms":12.5,"at":{"route":"/a"}}', '{"ms":"7","at":{"route":"/a"}}', '{"ms":1}', '{"at":{"route":"/a"}}']);
  expect(await sums(group, [{ Name: "route", Value: "/a" }])).toEqual([2, 19.5]);
  expect(await sums(group)).toEqual([0, 0]);
});

test("A metric filter reads values of words", async () => {
  await putMetric("[ip, status, size > 100]", { metricValue: "$size", dimensions: { status: "$status" } });
  await put(["1.2.3.4 200 150", "1.2.3.4 200 50", "1.2.3.4 404 300"]);
  expect(await sums(group, [{ Name: "status", Value: "200" }])).toEqual([1, 150]);
  expect(await sums(group, [{ Name: "status", Value: "404" }])).toEqual([1, 300]);
});

test.each<[string, Partial<MetricTransformation>, string]>([
  ["{ $.a = 1 }", { dimensions: { d: "$.d" }, defaultValue: 0 }, "mutually exclusive"],
  ["ERROR", { dimensions: { d: "$.d" } }, "does not support dimensions"],
  ["ERROR", { metricValue: "$.a" }, "no field $.a"],
  ["ERROR", { metricValue: "many" }, "neither a number nor a selector"],
  ["ERROR", { metricNamespace: "AWS/Lambda" }, "AWS/"],
  ["{ $.a = 1 }", { metricValue: "$a[" }, "Invalid filter pattern"],
  ["{ $.a }", {}, "Invalid filter pattern"],
])("PutMetricFilter refuses the pattern %j with %j", async (pattern, more, text) => {
  await expect(putMetric(pattern, more)).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: expect.stringContaining(text),
  });
});

test("DescribeMetricFilters answers filters of one group or of all, by name and by metric; the group counts them", async () => {
  await putMetric("ERROR", { defaultValue: 0 }, "b");
  await putMetric("", { metricName: "other" }, "a");
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  expect(logGroups?.[0]?.metricFilterCount).toBe(2);
  const only = { metricName: "n", metricNamespace: group };
  const { metricFilters } = await logs.send(new DescribeMetricFiltersCommand(only));
  expect(metricFilters).toEqual([
    {
      filterName: "b",
      filterPattern: "ERROR",
      metricTransformations: [{ ...only, metricValue: "1", defaultValue: 0, unit: "None" }],
      creationTime: expect.any(Number),
      logGroupName: group,
      applyOnTransformedLogs: false,
    },
  ]);
  const names: (string | undefined)[] = [];
  for await (const page of paginateDescribeMetricFilters({ client: logs, pageSize: 1 }, { logGroupName: group })) {
    names.push(...(page.metricFilters ?? []).map(({ filterName }) => filterName));
  }
  expect(names).toEqual(["a", "b"]);
  const unpaired = logs.send(new DescribeMetricFiltersCommand({ metricName: "n" }));
  await expect(unpaired).rejects.toMatchObject({ name: "InvalidParameterException" });
  const remove = () => logs.send(new DeleteMetricFilterCommand({ logGroupName: group, filterName: "a" }));
  await remove();
  await expect(remove()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

const testFilter = async (filterPattern: string, ...logEventMessages: string[]) =>
  (await logs.send(new TestMetricFilterCommand({ filterPattern, logEventMessages }))).matches;

test("TestMetricFilter answers what matches with the values it names", async () => {
  expect(await testFilter("[ip, ..., size > 1000]", "1.2.3.4 a b 1534", "1.2.3.4 a b 5")).toEqual([
    {
      eventNumber: 1,
      eventMessage: "1.2.3.4 a b 1534",
      extractedValues: { $ip: "1.2.3.4", $2: "a", $3: "b", $size: "1534" },
    },
  ]);
  const json = '{"a":{"b":1},"c":"x"}';
  expect(await testFilter('{ $.a.b = 1 && $.c = "x" }', "no", json)).toEqual([
    { eventNumber: 2, eventMessage: json, extractedValues: { "$.a.b": "1", "$.c": "x" } },
  ]);
  await expect(testFilter("%x%", "x")).rejects.toMatchObject({ name: "NotImplemented" });
});

function filtersTemplate(pattern: string, more: object = {}) {
  return {
    Resources: {
      ...inlineFunction("subscribed", "exports.handler = async () => 1"),
      Group: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "/stack" } },
      Permission: {
        Type: "AWS::Lambda::Permission",
        Properties: {
          Action: "lambda:InvokeFunction",
          FunctionName: { Ref: "Function" },
          Principal: "logs.amazonaws.com",
          SourceArn: { "Fn::GetAtt": ["Group", "Arn"] },
        },
      },
      Subscription: {
        Type: "AWS::Logs::SubscriptionFilter",
        DependsOn: "Permission",
        Properties: {
          LogGroupName: { Ref: "Group" },
          FilterPattern: pattern,
          DestinationArn: { "Fn::GetAtt": ["Function", "Arn"] },
          ...more,
        },
      },
      Metric: {
        Type: "AWS::Logs::MetricFilter",
        Properties: {
          LogGroupName: { Ref: "Group" },
          FilterPattern: "{ $.ms > 0 }",
          FilterName: pattern,
          MetricTransformations: [
            {
              MetricName: "n",
              MetricNamespace: "s",
              MetricValue: "$.ms",
              Unit: "Milliseconds",
              Dimensions: [{ Key: "route", Value: "$.route" }],
            },
          ],
        },
      },
    },
  };
}

const described = async () => {
  const { subscriptionFilters } = await logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName: "/stack" }));
  const { metricFilters } = await logs.send(new DescribeMetricFiltersCommand({ logGroupName: "/stack" }));
  return [subscriptionFilters?.map((each) => each.filterPattern), metricFilters?.map((each) => each.filterName)];
};

test("A stack makes, changes, replaces and removes filters; a failed change is rolled back", async () => {
  const cloudformation = new CloudFormationClient(platform.settings);
  const status = async (template?: object) => (await deploy(cloudformation, "filters", template)).status;
  expect(await status(filtersTemplate("one"))).toBe("CREATE_COMPLETE");
  expect(await described()).toEqual([["one"], ["one"]]);
  expect(await status(filtersTemplate("two"))).toBe("UPDATE_COMPLETE");
  expect(await described()).toEqual([["two"], ["two"]]);
  expect(await status(filtersTemplate("three", { Distribution: "Random" }))).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(await described()).toEqual([["two"], ["two"]]);
  expect(await status()).toBe("DELETE_COMPLETE");
  await expect(described()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

const groupTemplate = (LogGroupClass: string) => ({
  Resources: { Group: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupClass } } },
});

test("A log group's class can not be changed, and its stack is as it was", async () => {
  const cloudformation = new CloudFormationClient(platform.settings);
  expect((await deploy(cloudformation, "group", groupTemplate("STANDARD"))).status).toBe("CREATE_COMPLETE");
  const updated = await deploy(cloudformation, "group", groupTemplate("INFREQUENT_ACCESS"));
  expect(updated.status).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(updated.failures.join()).toContain("class of a log group");
});
