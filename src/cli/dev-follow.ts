import { setTimeout as delay } from "node:timers/promises";
import type { Output } from "./command.ts";
import type { Connection } from "./connection.ts";
import type { DevStack } from "./dev-stack.ts";
import { readLiveLines } from "./live-lines.ts";
import { signedRequest } from "./signed-get.ts";

const reconnectMs = 500;

/** Prints what the stack's functions log and which requests were answered, until `ended`. */
export async function followStack(
  connection: Connection,
  stack: () => DevStack | undefined,
  output: Output,
  ended: AbortSignal,
): Promise<void> {
  let isLost = false;
  while (!ended.aborted) {
    try {
      const answer = await signedRequest(connection, "GET", "/_cumulet/developer/events", {}, ended);
      if (isLost) output.err("The platform is there again.");
      isLost = false;
      for await (const event of readLiveLines(answer)) {
        const current = stack();
        const line = current && describe(event, current);
        if (line !== undefined) output.out(line);
      }
    } catch (error) {
      if (ended.aborted) return;
      if (!isLost)
        output.err(`The platform cannot be reached: ${error instanceof Error ? error.message : String(error)}`);
      isLost = true;
    }
    await delay(reconnectMs, undefined, { signal: ended }).catch(() => undefined);
  }
}

function describe(event: Readonly<Record<string, unknown>>, { functions, ids }: DevStack): string | undefined {
  if (event["kind"] === "request") {
    if (!ids.has(String(event["id"]))) return undefined;
    const { method, target, status, ms } = event;
    return `${timeOf(Date.now())} ${String(method)} ${String(target)} ${String(status)} ${Number(ms).toFixed(0)} ms`;
  }
  if (event["kind"] === "left out") return `(${String(event["events"])} lines came too fast and are left out)`;
  const [logicalId] = [...functions].find(([, name]) => name === event["functionName"]) ?? [];
  if (logicalId === undefined) return undefined;
  return `${timeOf(Number(event["timestamp"]))} ${logicalId} | ${String(event["message"]).trimEnd()}`;
}

const timeOf = (timestamp: number) => new Date(timestamp).toISOString().slice(11, 23);
