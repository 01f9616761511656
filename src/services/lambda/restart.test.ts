import { setTimeout as delay } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { createFunctionRole, createNodeFunction } from "../../testing/functions.ts";
import { startTestPlatform } from "../../testing/platform.ts";

test("after a restart functions run, events accepted before run, and logs are there", async () => {
  const platform = await startTestPlatform({ sandbox: "process", durable: true });
  try {
    const { settings } = platform;
    const lambda = new LambdaClient(settings);
    const logs = new CloudWatchLogsClient(settings);
    const Role = await createFunctionRole(settings, "runs");
    const FunctionName = "lasts";
    const source = `export const handler = async ({ wait, n }) => {
      if (wait) await new Promise((resolve) => setTimeout(resolve, 1500));
      console.log("ran", n);
      return n;
    }`;
    await createNodeFunction(settings, { FunctionName, Role, source, Timeout: 10 });
    const invoke = (n: number) => lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n }) }));
    expect((await invoke(1)).Payload?.transformToString()).toBe("1");

    const InvocationType = "Event";
    const accepted = await lambda.send(
      new InvokeCommand({ FunctionName, InvocationType, Payload: '{"wait":true,"n":2}' }),
    );
    await platform.restart();
    expect((await invoke(3)).Payload?.transformToString()).toBe("3");

    const logGroupName = `/aws/lambda/${FunctionName}`;
    const ran = async (n: number) => {
      const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: `"ran ${n}"` }));
      return events ?? [];
    };
    expect(await ran(1)).toHaveLength(1);
    const until = Date.now() + 45_000;
    while ((await ran(2)).length === 0 && Date.now() < until) await delay(100);
    const [event] = await ran(2);
    expect(event?.message).toContain(accepted.$metadata.requestId);
    const logStreamName = event?.logStreamName ?? "";
    const { events } = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName }));
    expect(events?.length).toBeGreaterThan(1);
  } finally {
    await platform.stop();
  }
}, 60_000);
