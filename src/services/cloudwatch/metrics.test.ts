import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  type GetMetricDataCommandInput,
  type MetricDataQuery,
  type MetricDatum,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policy, startAccessTest, type AccessTest } from "../../testing/access.ts";

let access: AccessTest;
let client: CloudWatchClient;

beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process" });
  client = new CloudWatchClient(access.platform.settings);
});
afterAll(() => access.stop());

const minute = 60_000;
/** Ten minutes ago, on the minute. */
const base = Math.floor(Date.now() / minute) * minute - 10 * minute;
const at = (minutes: number) => new Date(base + minutes * minute);

const put = (Namespace: string, ...MetricData: MetricDatum[]) =>
  client.send(new PutMetricDataCommand({ Namespace, MetricData }));

async function statistics(Namespace: string, more: object = {}) {
  const { Datapoints = [], Label } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace,
      MetricName: "m",
      StartTime: at(0),
      EndTime: at(5),
      Period: 60,
      Statistics: ["Sum"],
      ...more,
    }),
  );
  return { Datapoints, Label };
}

async function data(queries: MetricDataQuery[], more: Partial<GetMetricDataCommandInput> = {}) {
  return client.send(
    new GetMetricDataCommand({
      StartTime: at(0),
      EndTime: at(5),
      ScanBy: "TimestampAscending",
      MetricDataQueries: queries,
      ...more,
    }),
  );
}

const metric = (Id: string, Namespace: string, Stat = "Sum", MetricName = "m"): MetricDataQuery => ({
  Id,
  MetricStat: { Metric: { Namespace, MetricName }, Period: 60, Stat },
});

describe("PutMetricData", () => {
  test("takes values, values with counts and statistic sets, and GetMetricStatistics joins them by period and unit", async () => {
    await put(
      "forms",
      { MetricName: "m", Value: 5, Unit: "Count", Timestamp: at(1) },
      { MetricName: "m", Values: [1, 2], Counts: [3, 1], Unit: "Count", Timestamp: new Date(base + minute + 59_000) },
      {
        MetricName: "m",
        StatisticValues: { SampleCount: 2, Sum: 20, Minimum: 5, Maximum: 15 },
        Unit: "Count",
        Timestamp: at(1),
      },
      { MetricName: "m", Value: 7, Unit: "Bytes", Timestamp: at(2) },
    );
    const all = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"];
    const { Datapoints, Label } = await statistics("forms", { Statistics: all });
    expect(Label).toBe("m");
    expect(Datapoints).toEqual([
      { Timestamp: at(1), SampleCount: 7, Sum: 30, Average: 30 / 7, Minimum: 1, Maximum: 15, Unit: "Count" },
      { Timestamp: at(2), SampleCount: 1, Sum: 7, Average: 7, Minimum: 7, Maximum: 7, Unit: "Bytes" },
    ]);
    expect((await statistics("forms", { Unit: "Bytes" })).Datapoints).toHaveLength(1);
    expect((await statistics("forms", { Unit: "Seconds" })).Datapoints).toEqual([]);
  });

  test("keeps metrics apart by their dimensions, in whatever order they are named", async () => {
    const [a, b] = [
      { Name: "a", Value: "1" },
      { Name: "b", Value: "2" },
    ];
    await put("dims", { MetricName: "m", Value: 1, Dimensions: [a, b], Timestamp: at(1) });
    await put("dims", { MetricName: "m", Value: 2, Dimensions: [b, a], Timestamp: at(1) });
    expect((await statistics("dims")).Datapoints).toEqual([]);
    const { Datapoints } = await statistics("dims", { Dimensions: [b, a] });
    expect(Datapoints).toEqual([{ Timestamp: at(1), Sum: 3, Unit: "None" }]);
  });

  test("keeps single seconds of a metric with StorageResolution 1", async () => {
    const timestamp = new Date(Date.now() - 30_000);
    await put("seconds", { MetricName: "m", Value: 1, StorageResolution: 1, Timestamp: timestamp });
    const { Datapoints } = await statistics("seconds", {
      StartTime: new Date(Date.now() - 60_000),
      EndTime: new Date(),
      Period: 1,
    });
    expect(Datapoints[0]?.Timestamp?.getTime()).toBe(Math.floor(timestamp.getTime() / 1000) * 1000);
  });

  test.each<[string, MetricDatum, string, RegExp]>([
    ["no value", { MetricName: "m" }, "MissingRequiredParameterException", /must be specified/],
    [
      "two forms of values",
      { MetricName: "m", Value: 1, Values: [1] },
      "InvalidParameterCombinationException",
      /MetricData\.member\.1\.Value and MetricData\.member\.1\.Values are mutually exclusive/,
    ],
    [
      "counts of another number than values",
      { MetricName: "m", Values: [1, 2], Counts: [1] },
      "InvalidParameterValueException",
      /must be of the same size/,
    ],
    ["NaN", { MetricName: "m", Value: NaN }, "InvalidParameterValueException", /The value NaN for parameter/],
    ["an infinite value", { MetricName: "m", Value: Infinity }, "InvalidParameterValueException", /is invalid/],
    ["a value beyond 2^360", { MetricName: "m", Value: 2 ** 361 }, "InvalidParameterValueException", /is invalid/],
    ["a count of none", { MetricName: "m", Values: [1], Counts: [0] }, "InvalidParameterValueException", /Counts/],
    [
      "a time three weeks ago",
      { MetricName: "m", Value: 1, Timestamp: new Date(Date.now() - 21 * 24 * 3_600_000) },
      "InvalidParameterValueException",
      /MetricData\.member\.1\.Timestamp must specify a time within the past two weeks\./,
    ],
    [
      "a time three hours ahead",
      { MetricName: "m", Value: 1, Timestamp: new Date(Date.now() + 3 * 3_600_000) },
      "InvalidParameterValueException",
      /two hours in the future/,
    ],
    [
      "a resolution of 30",
      { MetricName: "m", Value: 1, StorageResolution: 30 },
      "InvalidParameterValueException",
      /StorageResolution/,
    ],
    [
      "a dimension twice",
      {
        MetricName: "m",
        Value: 1,
        Dimensions: [
          { Name: "a", Value: "1" },
          { Name: "a", Value: "2" },
        ],
      },
      "InvalidParameterValueException",
      /more than once/,
    ],
    ["a name that is not ASCII", { MetricName: "é", Value: 1 }, "InvalidParameterValueException", /MetricName/],
    [
      "31 dimensions",
      {
        MetricName: "m",
        Value: 1,
        Dimensions: Array.from({ length: 31 }, (_, index) => ({ Name: `d${index}`, Value: "1" })),
      },
      "InvalidParameterValueException",
      /30/,
    ],
    [
      "a unit that is none",
      { MetricName: "m", Value: 1, Unit: "Furlongs" as "None" },
      "InvalidParameterValueException",
      /Furlongs/,
    ],
    [
      "151 values",
      { MetricName: "m", Values: Array.from({ length: 151 }, (_, index) => index) },
      "InvalidParameterValueException",
      /150/,
    ],
  ])("refuses %s", async (_, datum, name, message) => {
    await expect(put("refused", datum)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  test("refuses AWS's own namespaces, and more than 1,000 metrics", async () => {
    await expect(put("AWS/Lambda", { MetricName: "Errors", Value: 1 })).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: "The value AWS/ for parameter Namespace is invalid.",
    });
    const many = Array.from({ length: 1001 }, () => ({ MetricName: "m", Value: 1 }));
    await expect(put("many", ...many)).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    await expect(
      client.send(new PutMetricDataCommand({ Namespace: "e", EntityMetricData: [{ MetricData: [] }] })),
    ).rejects.toMatchObject({ message: expect.stringContaining("EntityMetricData") });
  });

  test("loses nothing of 50 requests to one metric at once", async () => {
    const requests = Array.from({ length: 50 }, () => put("busy", { MetricName: "m", Value: 1, Timestamp: at(1) }));
    await Promise.all(requests);
    expect((await statistics("busy")).Datapoints[0]?.Sum).toBe(50);
  });
});

describe("GetMetricStatistics", () => {
  test("answers percentiles, trimmed means and ranks, and nothing where a statistic set hides its values", async () => {
    const Values = Array.from({ length: 100 }, (_, index) => index + 1);
    await put("ranks", { MetricName: "m", Values, Timestamp: at(1) });
    const ExtendedStatistics = [
      "p50",
      "p99",
      "tm90",
      "TM(25%:75%)",
      "IQM",
      "PR(:50)",
      "TC(10:20)",
      "ts50",
      "WM(10%:90%)",
    ];
    const { Datapoints } = await statistics("ranks", { Statistics: undefined, ExtendedStatistics });
    expect(Datapoints[0]?.ExtendedStatistics).toEqual({
      p50: 50,
      p99: 99,
      tm90: 45.5,
      "TM(25%:75%)": 50.5,
      IQM: 50.5,
      "PR(:50)": 50,
      "TC(10:20)": 10,
      ts50: 1275,
      "WM(10%:90%)": 50.5,
    });
    const StatisticValues = { SampleCount: 3, Sum: 6, Minimum: 1, Maximum: 3 };
    await put("set", { MetricName: "m", StatisticValues, Timestamp: at(1) });
    const set = await statistics("set", { Statistics: undefined, ExtendedStatistics: ["p50"] });
    expect(set.Datapoints).toEqual([]);
  });

  test.each([
    ["no statistic", { Statistics: undefined }, "InvalidParameterCombinationException"],
    ["a statistic that is none", { Statistics: ["Median"] }, "InvalidParameterValueException"],
    ["p101", { Statistics: undefined, ExtendedStatistics: ["p101"] }, "InvalidParameterValueException"],
    ["a period of 90 seconds", { Period: 90 }, "InvalidParameterValueException"],
    ["a time that ends as it begins", { EndTime: at(0) }, "InvalidParameterValueException"],
    ["more than 1,440 data points", { StartTime: at(-1441) }, "InvalidParameterCombinationException"],
  ])("refuses %s", async (_, more, name) => {
    await expect(statistics("any", more)).rejects.toMatchObject({ name });
  });
});

describe("GetMetricData", () => {
  test("computes expressions of metrics and of other expressions, and returns what is asked for", async () => {
    await put(
      "math",
      { MetricName: "m", Value: 10, Timestamp: at(1) },
      { MetricName: "m", Value: 30, Timestamp: at(3) },
      { MetricName: "n", Value: 2, Timestamp: at(1) },
      { MetricName: "n", Value: 0, Timestamp: at(3) },
    );
    const queries: MetricDataQuery[] = [
      { ...metric("m1", "math"), ReturnData: false },
      { ...metric("m2", "math", "Sum", "n"), ReturnData: false },
      { Id: "ratio", Expression: "m2 / m1 * 100", Label: "share" },
      { Id: "zero", Expression: "m1 / m2" },
      { Id: "filled", Expression: "FILL(m1, 0) + 1" },
      { Id: "repeated", Expression: "FILL(m1, REPEAT)" },
      { Id: "linear", Expression: "FILL(m1, LINEAR)" },
      { Id: "sum", Expression: "SUM(METRICS())" },
      { Id: "most", Expression: "MAX([m1, m2])" },
      { Id: "high", Expression: "IF(m1 > AVG(m1), m1)" },
      { Id: "rate", Expression: "RATE(m1)" },
      { Id: "running", Expression: "RUNNING_SUM(m1)" },
      { Id: "nested", Expression: "ratio + PERIOD(m1)" },
      { Id: "first", Expression: "SLICE(SORT(METRICS(), SUM, DESC), 0)" },
    ];
    const { MetricDataResults = [] } = await data(queries);
    const values = Object.fromEntries(
      MetricDataResults.map(({ Id = "", Values = [], Timestamps = [] }) => [
        Id,
        Timestamps.map((time, index) => [(time.getTime() - base) / minute, Values[index]]),
      ]),
    );
    expect(MetricDataResults[0]).toMatchObject({ Id: "ratio", Label: "share", StatusCode: "Complete" });
    expect(values).toEqual({
      ratio: [
        [1, 20],
        [3, 0],
      ],
      zero: [[1, 5]],
      filled: [
        [0, 1],
        [1, 11],
        [2, 1],
        [3, 31],
        [4, 1],
      ],
      repeated: [
        [1, 10],
        [2, 10],
        [3, 30],
        [4, 30],
      ],
      linear: [
        [1, 10],
        [2, 20],
        [3, 30],
      ],
      sum: [
        [1, 12],
        [3, 30],
      ],
      most: [
        [1, 10],
        [3, 30],
      ],
      high: [[3, 30]],
      rate: [[3, 20 / 120]],
      running: [
        [1, 10],
        [3, 40],
      ],
      nested: [
        [1, 80],
        [3, 60],
      ],
      first: [
        [1, 10],
        [3, 30],
      ],
    });
  });

  test("answers page by page, newest first unless asked otherwise", async () => {
    const minutes = [0, 1, 2, 3, 4];
    await put("pages", ...minutes.map((each) => ({ MetricName: "m", Value: each, Timestamp: at(each) })));
    const seen: number[] = [];
    let NextToken: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof data>> = await data([metric("m1", "pages")], {
        ScanBy: undefined,
        MaxDatapoints: 2,
        NextToken,
      });
      seen.push(...(page.MetricDataResults?.[0]?.Values ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(seen).toEqual([4, 3, 2, 1, 0]);
  });

  test.each<[string, MetricDataQuery[], RegExp]>([
    ["an id in capitals", [metric("M1", "x")], /Id is invalid/],
    ["an id twice", [metric("m1", "x"), metric("m1", "x")], /not unique/],
    ["a statistic that is none", [metric("m1", "x", "p200")], /not supported/],
    ["neither metric nor expression", [{ Id: "m1" }], /Exactly one/],
    ["an unknown id", [{ Id: "e1", Expression: "m9 + 1" }], /Unknown identifier: m9/],
    [
      "a circle",
      [
        { Id: "e1", Expression: "e2" },
        { Id: "e2", Expression: "e1" },
      ],
      /Circular reference/,
    ],
    ["bad syntax", [{ Id: "e1", Expression: "1 +" }], /Error in expression 'e1': Invalid syntax/],
    ["a scalar", [{ Id: "e1", Expression: "1 + 1" }], /must return a time series/],
    ["an unknown function", [{ Id: "e1", Expression: "MEDIAN(1)" }], /Unknown function: MEDIAN/],
    ["deep nesting", [{ Id: "e1", Expression: `${"(".repeat(900)}1${")".repeat(900)}` }], /nested too deeply/],
  ])("refuses %s", async (_, queries, message) => {
    await expect(data(queries)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["SEARCH", "SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum', 300)"],
    ["ANOMALY_DETECTION_BAND", "ANOMALY_DETECTION_BAND(m1)"],
    ["Metrics Insights", 'SELECT AVG(Duration) FROM "AWS/Lambda"'],
  ])("says by name that %s is not implemented", async (name, Expression) => {
    await expect(data([metric("m1", "x"), { Id: "e1", Expression }])).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501 },
      message: expect.stringContaining(name),
    });
  });
});

async function list(more: object) {
  const found: string[] = [];
  let pages = 0;
  let NextToken: string | undefined;
  do {
    const page = await client.send(new ListMetricsCommand({ Namespace: "listed", NextToken, ...more }));
    found.push(...(page.Metrics ?? []).map(({ MetricName = "" }) => MetricName));
    NextToken = page.NextToken;
    pages += 1;
  } while (NextToken !== undefined);
  return { found: new Set(found), pages };
}

describe("ListMetrics", () => {
  test("lists to the end, by namespace, name and dimension", async () => {
    const named = Array.from({ length: 620 }, (_, index) => ({
      MetricName: `n${index}`,
      Value: 1,
      Dimensions: [{ Name: "even", Value: String(index % 2 === 0) }],
    }));
    await put("listed", ...named);
    expect(await list({})).toMatchObject({ found: { size: 620 }, pages: 2 });
    expect((await list({ Dimensions: [{ Name: "even", Value: "true" }] })).found.size).toBe(310);
    expect((await list({ Dimensions: [{ Name: "odd" }] })).found.size).toBe(0);
    expect((await list({ MetricName: "n7", RecentlyActive: "PT3H" })).found).toEqual(new Set(["n7"]));
  });

  test("refuses a token that it has not given", async () => {
    await expect(client.send(new ListMetricsCommand({ NextToken: "zzz" }))).rejects.toMatchObject({
      name: "InvalidNextToken",
    });
  });
});

test("a policy may allow PutMetricData for one namespace alone, and reading for none", async () => {
  const allowed = {
    Effect: "Allow",
    Action: "cloudwatch:PutMetricData",
    Resource: "*",
    Condition: { StringEquals: { "cloudwatch:namespace": "mine" } },
  };
  const keys = await access.createUser("putter", policy(allowed));
  const theirs = new CloudWatchClient({ ...access.platform.settings, credentials: keys });
  const MetricData = [{ MetricName: "m", Value: 1 }];
  await theirs.send(new PutMetricDataCommand({ Namespace: "mine", MetricData }));
  const denied = { $metadata: { httpStatusCode: 403 } };
  await expect(theirs.send(new PutMetricDataCommand({ Namespace: "other", MetricData }))).rejects.toMatchObject(denied);
  await expect(theirs.send(new ListMetricsCommand({}))).rejects.toMatchObject(denied);
});

test("alarms are refused by name", async () => {
  const alarm = { AlarmName: "a", EvaluationPeriods: 1, ComparisonOperator: "GreaterThanThreshold" } as const;
  await expect(client.send(new PutMetricAlarmCommand(alarm))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 501 },
    message: expect.stringContaining("PutMetricAlarm"),
  });
});
