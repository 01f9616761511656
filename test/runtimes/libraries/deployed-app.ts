import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { until } from "../durable/harness.ts";

/** A platform with one stack: the template of `apps/NAME`, its packages in a bucket. */
export interface DeployedApp {
  readonly platform: TestPlatform;
  /** The address below which an API or a function URL answers, by the output that names it. */
  url(output: "HttpApi" | "RestApi" | "UrlId"): string;
  output(name: string): string;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /** The first JSON line of a function's log that the filter pattern finds, when it is there. */
  logged(functionName: string, filterPattern: string): Promise<Record<string, unknown>>;
  /** How many lines of its log the pattern finds now. */
  count(functionName: string, filterPattern: string): Promise<number>;
  /** The sum of a metric over the last hour, when there is one. */
  sum(namespace: string, name: string, dimensions: Readonly<Record<string, string>>): Promise<number>;
  stop(): Promise<void>;
}

const bucket = "packages";

export async function deployApp(
  name: string,
  zips: Readonly<Record<string, Uint8Array>>,
  parameters: Readonly<Record<string, string>> = {},
): Promise<DeployedApp> {
  const platform = await startTestPlatform();
  const { settings } = platform;
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const [key, Body] of Object.entries(zips)) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${key}.zip`, Body }));
  }
  const outputs = await createStack(new CloudFormationClient(settings), name, parameters);
  const lambda = new LambdaClient(settings);
  const logs = new CloudWatchLogsClient(settings);
  const cloudWatch = new CloudWatchClient(settings);
  return {
    platform,
    url(output) {
      const id = outputs.get(output) ?? "";
      if (output === "UrlId") return `${platform.endpoint}/_cumulet/url/${new URL(id).hostname.split(".")[0]}`;
      return `${platform.endpoint}/_cumulet/api/${id}${output === "RestApi" ? "/Prod" : ""}`;
    },
    output: (key) => outputs.get(key) ?? "",
    async invoke(FunctionName, event) {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
      );
      const document: unknown = JSON.parse(Payload?.transformToString() ?? "null");
      return FunctionError === undefined ? document : { FunctionError, ...Object(document) };
    },
    logged: (functionName, filterPattern) =>
      until(async () => {
        const logGroupName = `/aws/lambda/${functionName}`;
        const found = logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
        // The log is there when the function has run.
        const { events } = await found.catch((error: unknown) => {
          if (error instanceof ResourceNotFoundException) return { events: [] };
          throw error;
        });
        const line = events?.[0]?.message;
        return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
      }),
    async count(functionName, filterPattern) {
      const logGroupName = `/aws/lambda/${functionName}`;
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
      return events.length;
    },
    sum: (Namespace, MetricName, dimensions) =>
      until(async () => {
        const range = { StartTime: new Date(Date.now() - 3_600_000), EndTime: new Date(Date.now() + 60_000) };
        const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
        const { Datapoints = [] } = await cloudWatch.send(
          new GetMetricStatisticsCommand({
            Namespace,
            MetricName,
            Dimensions,
            Period: 3600,
            Statistics: ["Sum"],
            ...range,
          }),
        );
        return Datapoints.length === 0 ? undefined : Datapoints.reduce((total, { Sum = 0 }) => total + Sum, 0);
      }),
    stop: () => platform.stop(),
  };
}

async function createStack(client: CloudFormationClient, name: string, parameters: Readonly<Record<string, string>>) {
  await client.send(
    new CreateStackCommand({
      StackName: name,
      TemplateBody: await readFile(join(import.meta.dirname, "apps", name, "template.yaml"), "utf8"),
      Capabilities: ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
    }),
  );
  await waitUntilStackCreateComplete({ client, maxWaitTime: 60, minDelay: 0.1, maxDelay: 0.5 }, { StackName: name });
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
  return new Map(Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey ?? "", OutputValue ?? ""]));
}
