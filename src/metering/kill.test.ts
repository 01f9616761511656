import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openConnection } from "../cli/connection.ts";
import { signedGet } from "../cli/signed-get.ts";
import { clientSettings, createFunctionRole, createNodeFunction } from "../testing/functions.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";
import type { RecordsPage } from "./report.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(["--sandbox", "process"]);
});
afterAll(() => server.stop());

async function recorded(): Promise<string[]> {
  const connection = await openConnection({ data: server.dataDir, port: String(server.port) });
  const ids: string[] = [];
  let next: string | undefined;
  do {
    const query: Record<string, string> = { function: "f", ...(next !== undefined && { next }) };
    const page = (await signedGet(connection, "/_cumulet/usage/records", query)) as RecordsPage;
    ids.push(...page.records.map(({ requestId }) => requestId));
    next = page.next;
  } while (next !== undefined);
  return ids;
}

test("after kill -9 every invocation that was answered is in the ledger, once, and in the metrics", async () => {
  const settings = clientSettings(server.environment);
  const Role = await createFunctionRole(settings, "runs");
  await createNodeFunction(settings, { FunctionName: "f", Role, source: "export const handler = async () => 1" });
  const lambda = new LambdaClient(settings);
  const answered: string[] = [];
  let target = 0;
  for (const more of [60, 300]) {
    target += more;
    const reached = Promise.withResolvers<void>();
    const calling = new AbortController();
    const caller = async () => {
      while (!calling.signal.aborted) {
        const answer = await lambda.send(new InvokeCommand({ FunctionName: "f" })).catch(() => undefined);
        if (answer?.$metadata.requestId !== undefined) answered.push(answer.$metadata.requestId);
        if (answered.length >= target) reached.resolve();
      }
    };
    const callers = Array.from({ length: 4 }, caller);
    await reached.promise;
    // In the middle of everything: between answers, commits and the removal of journals.
    const restarted = server.killAndRestart();
    calling.abort();
    await Promise.all([...callers, restarted]);

    const ids = await recorded();
    expect(new Set(ids).size).toBe(ids.length);
    expect(answered.filter((id) => !ids.includes(id))).toEqual([]);
  }
  const { Datapoints = [] } = await new CloudWatchClient(settings).send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/Lambda",
      MetricName: "Invocations",
      Dimensions: [{ Name: "FunctionName", Value: "f" }],
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      Period: 60,
      Statistics: ["Sum"],
    }),
  );
  const counted = Datapoints.reduce((all, { Sum = 0 }) => all + Sum, 0);
  expect(counted).toBe((await recorded()).length);
}, 60_000);
