import { CloudWatchClient, GetMetricDataCommand, ListMetricsCommand } from "@aws-sdk/client-cloudwatch";
import { ApiGatewayV2Client, CreateApiCommand } from "@aws-sdk/client-apigatewayv2";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runCli } from "../../cli/cli.ts";
import type { UsageRow } from "../../metering/report.ts";
import { startAccessTest, type AccessTest } from "../../testing/access.ts";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";

let access: AccessTest;
let lambda: LambdaClient;
let cloudwatch: CloudWatchClient;

const source = `export const handler = async (event) => {
  if (event.fail) throw new Error("no");
  if (event.late) await new Promise(() => setTimeout(() => {}, 60_000));
  return event;
}`;

beforeAll(async () => {
  access = await startAccessTest({ sandbox: "process" });
  const { settings } = access.platform;
  lambda = new LambdaClient(settings);
  cloudwatch = new CloudWatchClient(settings);
  const Role = await createFunctionRole(settings, "runs");
  for (const FunctionName of ["metered", "throttled"]) {
    await createNodeFunction(settings, { FunctionName, Role, source, Timeout: 1, Tags: { team: "blue" } });
  }
});
afterAll(() => access.stop());

const invoke = (FunctionName: string, event: object = {}, Qualifier?: string) =>
  lambda.send(new InvokeCommand({ FunctionName, Qualifier, Payload: JSON.stringify(event) }));

async function sum(
  MetricName: string,
  dimensions: Record<string, string>,
  Stat = "Sum",
  Namespace = "AWS/Lambda",
): Promise<number | undefined> {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace, MetricName, Dimensions };
  const { MetricDataResults } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [{ Id: "m1", MetricStat: { Metric, Period: 7200, Stat } }],
    }),
  );
  return MetricDataResults?.[0]?.Values?.[0];
}

async function usage(by: string): Promise<readonly UsageRow[]> {
  const lines: string[] = [];
  const output = { out: (line: string) => lines.push(line), err: () => {}, terminal: false, write: () => {} };
  const { dataDir, port } = access.platform;
  const status = await runCli(["usage", "--by", by, "--json", "--data", dataDir, "--port", String(port)], output);
  expect(status).toBe(0);
  return (JSON.parse(lines.join("\n")) as { rows: UsageRow[] }).rows;
}

test("the ledger sums to the REPORT lines, and AWS/Lambda counts the same", async () => {
  await invoke("metered");
  await Promise.all(Array.from({ length: 12 }, (_, index) => invoke("metered", index % 4 === 0 ? { fail: true } : {})));
  await invoke("metered", { late: true });
  await lambda.send(new PublishVersionCommand({ FunctionName: "metered" }));
  await lambda.send(new CreateAliasCommand({ FunctionName: "metered", Name: "live", FunctionVersion: "1" }));
  await invoke("metered", {}, "live");

  const logs = new CloudWatchLogsClient(access.platform.settings);
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: "/aws/lambda/metered", filterPattern: '"REPORT RequestId"' }),
  );
  const reports = events.map(({ message = "" }) => message);
  const total = (pattern: RegExp) => reports.reduce((all, line) => all + Number(pattern.exec(line)?.[1] ?? 0), 0);
  expect(reports).toHaveLength(15);
  const row = (await usage("function,tag:team")).find(({ group }) => group[0] === "metered");
  expect(row?.group).toEqual(["metered", "blue"]);
  expect(row?.totals).toMatchObject({
    invocations: 15,
    errors: 4,
    timeouts: 1,
    billedMs: total(/Billed Duration: (\d+) ms/),
    coldStarts: reports.filter((line) => line.includes("Init Duration")).length,
  });
  expect((row?.totals.durationUs ?? 0) / 1000).toBeCloseTo(total(/\tDuration: ([\d.]+) ms/), 6);
  expect((row?.totals.initUs ?? 0) / 1000).toBeCloseTo(total(/Init Duration: ([\d.]+) ms/), 6);

  const name = { FunctionName: "metered" };
  expect(await sum("Invocations", name)).toBe(15);
  expect(await sum("Invocations", { ...name, Resource: "metered" })).toBe(14);
  expect(await sum("Invocations", { ...name, Resource: "metered:live", ExecutedVersion: "1" })).toBe(1);
  expect(await sum("Errors", name)).toBe(4);
  expect(await sum("Errors", name, "SampleCount")).toBe(15);
  expect(await sum("Duration", name, "Maximum")).toBe(1000);
  expect(await sum("Duration", name)).toBeCloseTo((row?.totals.durationUs ?? 0) / 1000, 3);
  expect(await sum("Throttles", name)).toBe(0);
}, 30_000);

test("usage tells versions, aliases and who invoked apart", async () => {
  expect((await usage("function,version,qualifier,trigger")).map(({ group }) => group)).toEqual(
    expect.arrayContaining([
      ["metered", "$LATEST", "", "lambda"],
      ["metered", "1", "live", "lambda"],
    ]),
  );
});

test("a throttled invocation is in Throttles, and not in the ledger", async () => {
  const concurrency = { FunctionName: "throttled", ReservedConcurrentExecutions: 0 };
  await lambda.send(new PutFunctionConcurrencyCommand(concurrency));
  await expect(invoke("throttled")).rejects.toMatchObject({ name: "TooManyRequestsException" });
  expect(await sum("Throttles", { FunctionName: "throttled" })).toBe(1);
  expect(await sum("Invocations", { FunctionName: "throttled" })).toBeUndefined();
  expect((await usage("function")).map(({ group }) => group[0])).not.toContain("throttled");
});

test("AWS/ApiGateway counts requests to an API's stage, their errors and latencies", async () => {
  const { settings, endpoint } = access.platform;
  const apis = new ApiGatewayV2Client(settings);
  const Target = "arn:aws:lambda:us-east-1:000000000000:function:metered";
  const { ApiId = "" } = await apis.send(new CreateApiCommand({ Name: "a", ProtocolType: "HTTP", Target }));
  const permission = { Action: "lambda:InvokeFunction", Principal: "apigateway.amazonaws.com", StatementId: "api" };
  await lambda.send(new AddPermissionCommand({ FunctionName: "metered", ...permission }));
  const statuses = [];
  for (const path of ["/", "/a", "/b?x=1"]) {
    statuses.push((await fetch(`${endpoint}/_cumulet/api/${ApiId}${path}`)).status);
  }
  expect(statuses).toEqual([200, 200, 200]);
  const api = { ApiId, Stage: "$default" };
  await vi.waitFor(async () => expect(await sum("Count", api, "Sum", "AWS/ApiGateway")).toBe(3), { timeout: 5000 });
  expect(await sum("4xx", api, "Sum", "AWS/ApiGateway")).toBe(0);
  expect(await sum("Latency", { ApiId }, "SampleCount", "AWS/ApiGateway")).toBe(3);
  expect((await usage("trigger,function")).map(({ group }) => group)).toContainEqual([
    "apigateway.amazonaws.com",
    "metered",
  ]);
});

test("metrics that a function logs in the Embedded Metric Format are metrics of their namespace", async () => {
  const { settings } = access.platform;
  const logged = `export const handler = async () => {
    const CloudWatchMetrics = [{ Namespace: "shop", Dimensions: [["service"]], Metrics: [{ Name: "orders", Unit: "Count" }] }];
    process.stdout.write(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics }, service: "x", orders: 7 }) + "\\n");
  }`;
  const Role = "arn:aws:iam::000000000000:role/runs";
  await createNodeFunction(settings, { FunctionName: "logs-metrics", Role, source: logged });
  await invoke("logs-metrics");
  await vi.waitFor(async () => expect(await sum("orders", { service: "x" }, "Sum", "shop")).toBe(7), { timeout: 5000 });
});

test("ListMetrics lists a function's metrics", async () => {
  const { Metrics = [] } = await cloudwatch.send(
    new ListMetricsCommand({ Namespace: "AWS/Lambda", Dimensions: [{ Name: "FunctionName", Value: "metered" }] }),
  );
  const names = new Set(Metrics.map(({ MetricName }) => MetricName));
  expect(names).toEqual(expect.objectContaining(new Set(["Invocations", "Errors", "Duration", "Throttles"])));
});

test("usage is for those who sign, and may", async () => {
  const { endpoint, dataDir, port } = access.platform;
  expect((await fetch(`${endpoint}/_cumulet/usage`)).status).toBe(403);
  expect((await fetch(`${endpoint}/_cumulet/usage`, { method: "POST" })).status).toBe(405);
  const lines: string[] = [];
  const output = { out: () => {}, err: (line: string) => lines.push(line), terminal: false, write: () => {} };
  const run = ["usage", "--by", "colour", "--data", dataDir, "--port", String(port)];
  expect(await runCli(run, output)).toBe(1);
  expect(lines.join()).toContain("not by colour");
});

test("GET /metrics tells Prometheus what ran, for the token in the data folder alone", async () => {
  const { endpoint, dataDir } = access.platform;
  const get = (headers: Record<string, string> = {}) => fetch(`${endpoint}/metrics`, { headers });
  expect((await get()).status).toBe(401);
  expect((await get({ authorization: "Bearer wrong" })).status).toBe(401);
  const token = (await readFile(join(dataDir, "metrics-token"), "utf8")).trim();
  const answer = await get({ authorization: `Bearer ${token}` });
  expect(answer.headers.get("content-type")).toContain("version=0.0.4");
  const text = await answer.text();
  const labels = 'account="000000000000",region="us-east-1",function="metered"';
  expect(text).toContain(`cumulet_lambda_invocations_total{${labels},status="timeout"} 1\n`);
  expect(text).toMatch(/^cumulet_http_requests_total\{api="\w+",stage="\$default",status="2xx"\} 3$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});
