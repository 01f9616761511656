import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

test("a handler that logs 100 MB keeps neither its neighbours nor the server's memory", async () => {
  const server = await startTestServer();
  try {
    const settings = clientSettings(server.environment);
    const lambda = new LambdaClient(settings);
    const Role = await createFunctionRole(settings, "runs");
    const source = `export const handler = async ({ bytes }) => {
      const line = "x".repeat(1_023);
      for (let printed = 0; printed < bytes; printed += 1_024) console.log(line);
      return bytes;
    };`;
    for (const FunctionName of ["flood", "neighbour"]) {
      await createNodeFunction(settings, { FunctionName, Role, source, Timeout: 120 });
    }
    const invoke = async (FunctionName: string, bytes: number) => {
      const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ bytes }) }));
      return Number(Payload?.transformToString());
    };
    await invoke("flood", 0);
    await invoke("neighbour", 0);
    const resident = () =>
      Math.round(Number(/^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) / 1_024);
    const beforeMb = resident();
    let mostMb = beforeMb;
    const state = { over: false };
    const bytes = 100 * 1_048_576;
    const began = performance.now();
    const flood = invoke("flood", bytes).finally(() => (state.over = true));
    const times: number[] = [];
    while (!state.over) {
      const asked = performance.now();
      expect(await invoke("neighbour", 0)).toBe(0);
      times.push(performance.now() - asked);
      mostMb = Math.max(mostMb, resident());
      await delay(50);
    }
    expect(await flood).toBe(bytes);
    const floodMs = Math.round(performance.now() - began);
    await delay(10_000);
    const afterMb = resident();
    const logs = new CloudWatchLogsClient(settings);
    const lines = await countLines(logs, "/aws/lambda/flood");
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    const neighbour = { answers: times.length, medianMs: at(0.5), p99Ms: at(0.99), slowestMs: at(1) };
    process.stdout.write(`${JSON.stringify({ floodMs, beforeMb, mostMb, afterMb, lines, ...neighbour })}\n`);
    expect(lines).toBe(bytes / 1_024);
    expect(mostMb - beforeMb).toBeLessThan(250);
    expect(neighbour.slowestMs).toBeLessThan(3_000);
  } finally {
    await server.stop();
  }
}, 300_000);

async function countLines(logs: CloudWatchLogsClient, logGroupName: string): Promise<number> {
  let lines = 0;
  const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
  for (const { logStreamName } of logStreams ?? []) {
    let nextToken: string | undefined;
    for (;;) {
      const page = await logs.send(
        new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, nextToken }),
      );
      lines += (page.events ?? []).filter(({ message }) => message?.includes("xxxxxxxx") === true).length;
      if (page.nextForwardToken === nextToken) break;
      nextToken = page.nextForwardToken;
    }
  }
  return lines;
}
