import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { runTool, tools } from "../../testing/tools.ts";

let platform: TestPlatform;
let env: Record<string, string>;

beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process" });
  const { endpoint, region, credentials } = platform.settings;
  env = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
});
afterAll(() => platform.stop());

function time(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}

async function run(path: string, args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await runTool(path, args, { env });
  if (status !== 0) throw new Error(stderr);
  return stdout === "" ? {} : JSON.parse(stdout);
}

/** Also what version 1 of the AWS CLI speaks. */
const script = `
import boto3, datetime, json, os, sys
client = boto3.client("cloudwatch", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
now = datetime.datetime.now(datetime.timezone.utc)
range = {"StartTime": now - datetime.timedelta(minutes=10), "EndTime": now + datetime.timedelta(minutes=10)}
dimensions = [{"Name": "d", "Value": "x"}]
client.put_metric_data(Namespace="boto", MetricData=[
    {"MetricName": "m", "Values": [1, 2], "Counts": [3, 1], "Unit": "Count", "Dimensions": dimensions}])
statistics = client.get_metric_statistics(
    Namespace="boto", MetricName="m", Dimensions=dimensions, Period=60, ExtendedStatistics=["p50", "p100"], **range)
metric = {"Namespace": "boto", "MetricName": "m", "Dimensions": dimensions}
data = client.get_metric_data(
    MetricDataQueries=[{"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}], **range)
listed = [metric for page in client.get_paginator("list_metrics").paginate(Namespace="boto") for metric in page["Metrics"]]
try:
    client.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "m", "Value": 1}])
except client.exceptions.InvalidParameterValueException as error:
    refused = str(error)
del statistics["ResponseMetadata"], data["ResponseMetadata"]
json.dump({"statistics": statistics, "data": data, "listed": listed, "refused": refused}, sys.stdout, default=str)
`;

test("boto3 puts, reads and lists metrics", async () => {
  if (tools.python === undefined) return;
  expect(await run(tools.python, ["-c", script])).toMatchObject({
    statistics: { Label: "m", Datapoints: [{ Unit: "Count", ExtendedStatistics: { p50: 1, p100: 2 } }] },
    data: { MetricDataResults: [{ Id: "m1", Label: "m", Values: [5], StatusCode: "Complete" }] },
    listed: [{ Namespace: "boto", MetricName: "m", Dimensions: [{ Name: "d", Value: "x" }] }],
    refused:
      "An error occurred (InvalidParameterValue) when calling the PutMetricData operation: The value AWS/ for parameter Namespace is invalid.",
  });
}, 60_000);

test("version 2 of the AWS CLI, which speaks the query protocol, puts and reads metrics", async () => {
  const { awsV2 } = tools;
  if (awsV2 === undefined) return;
  const aws = (...args: string[]) =>
    run(awsV2, ["--endpoint-url", env["AWS_ENDPOINT_URL"] ?? "", "--output", "json", "cloudwatch", ...args]);
  await aws("put-metric-data", "--namespace", "cli", "--metric-name", "m", "--value", "2.5", "--unit", "Seconds");
  const range = ["--start-time", time(-10), "--end-time", time(10), "--period", "60"];
  const metric = ["--namespace", "cli", "--metric-name", "m", "--statistics", "Sum", "SampleCount"];
  expect(await aws("get-metric-statistics", ...metric, ...range)).toMatchObject({
    Label: "m",
    Datapoints: [{ Sum: 2.5, SampleCount: 1, Unit: "Seconds" }],
  });
}, 60_000);
