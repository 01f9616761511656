import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, openConnection } from "./connection.ts";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";

const pollMs = 500;
// Events are durable and listed within a second of being written, not always in order between streams.
const overlapMs = 5_000;

export const logsCommand: Command = {
  name: "logs",
  usage: "logs FUNCTION [--follow] [--since MINUTES] [--port PORT] [--data DIR]",
  summary: "prints a function's log",
  help: "FUNCTION is a function's name, or a log group's (it then starts with /). --since: how far back to start, 10 minutes by default. --follow keeps printing what is written.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, follow: { type: "boolean", short: "f" }, since: { type: "string" } },
      allowPositionals: true,
    });
    const [name] = positionals;
    if (name === undefined) throw new CommandError("Say whose log: cumulet logs FUNCTION");
    const minutes = Number(values.since ?? "10");
    if (!(minutes >= 0)) throw new CommandError(`--since takes minutes, not ${values.since}`);
    const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
    const logs = new CloudWatchLogsClient(await openConnection(values));
    const group = name.startsWith("/") ? name : `/aws/lambda/${name}`;
    await printLog(logs, group, Date.now() - minutes * 60_000, values.follow === true, output);
    return 0;
  },
};

async function printLog(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  from: number,
  follow: boolean,
  output: Output,
): Promise<void> {
  const { FilterLogEventsCommand, ResourceNotFoundException } = await import("@aws-sdk/client-cloudwatch-logs");
  let startTime = from;
  const printed = new Map<string, number>();
  for (;;) {
    let nextToken: string | undefined;
    do {
      const page = await logs
        .send(new FilterLogEventsCommand({ logGroupName, startTime, nextToken }))
        .catch((error: unknown) => {
          // A function that has not run yet has no log group: there may be one later.
          if (follow && error instanceof ResourceNotFoundException) return undefined;
          throw error;
        });
      for (const event of page?.events ?? []) {
        if (event.eventId === undefined || printed.has(event.eventId)) continue;
        printed.set(event.eventId, event.timestamp ?? 0);
        output.out(`${new Date(event.timestamp ?? 0).toISOString()} ${(event.message ?? "").trimEnd()}`);
        startTime = Math.max(startTime, (event.timestamp ?? 0) - overlapMs);
      }
      nextToken = page?.nextToken;
    } while (nextToken !== undefined);
    if (!follow) return;
    for (const [id, time] of printed) if (time < startTime) printed.delete(id);
    await delay(pollMs);
  }
}
