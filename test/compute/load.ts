import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { clientSettings, createFunctionRole, createNodeFunction } from "../../src/testing/functions.ts";
import { startTestServer } from "../../src/testing/server.ts";

export interface Load {
  /** Of those beyond what functions had reserved: by function, how many ran and how many were refused with 429. */
  readonly limited: readonly { readonly ran: number; readonly throttled: number }[];
  /** Invocations without a limit that were answered with what they had sent. */
  readonly answered: number;
  readonly elapsedMs: number;
  /** The server's memory after a first round, at its most, and a while after the last one. */
  readonly beforeMb: number;
  readonly mostMb: number;
  readonly afterMb: number;
}

/**
 * So many invocations at once over so many functions of a server of its own: first each function has reserved `reserved`
 * and holds what it runs for `holdMs`, which all requests must reach it within; then without limits, twice.
 */
export async function runLoad(needs: {
  readonly invocations: number;
  readonly functions: number;
  readonly reserved: number;
  readonly holdMs: number;
  readonly restMs: number;
}): Promise<Load> {
  const server = await startTestServer();
  try {
    const settings = clientSettings(server.environment);
    const lambda = new LambdaClient({ ...settings, requestHandler: { httpAgent: { maxSockets: needs.invocations } } });
    const Role = await createFunctionRole(settings, "runs");
    const names = Array.from({ length: needs.functions }, (_, at) => `loaded-${at}`);
    const source = `export const handler = async ({ index, until }) => {
      await new Promise((resolve) => setTimeout(resolve, until === undefined ? 20 : until - Date.now()));
      return index;
    };`;
    for (const FunctionName of names) {
      await createNodeFunction(settings, { FunctionName, Role, source, Timeout: 300 });
    }
    const ReservedConcurrentExecutions = needs.reserved;
    for (const FunctionName of names) {
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
    }

    let mostMb = 0;
    const once = async (until?: number) => {
      const outcomes = await Promise.all(
        Array.from({ length: needs.invocations }, async (_, index) => {
          const FunctionName = names[index % names.length];
          const Payload = JSON.stringify({ index, until });
          return lambda.send(new InvokeCommand({ FunctionName, Payload })).then(
            (answer) => (answer.Payload?.transformToString() === String(index) ? ("ran" as const) : ("other" as const)),
            (error: unknown) => (isThrottled(error) ? ("throttled" as const) : ("other" as const)),
          );
        }),
      );
      mostMb = Math.max(mostMb, residentMb(server.pid));
      return outcomes;
    };
    const first = await once(Date.now() + needs.holdMs);
    const limited = names.map((_, at) => {
      const own = first.filter((_outcome, index) => index % names.length === at);
      return {
        ran: own.filter((outcome) => outcome === "ran").length,
        throttled: own.filter((outcome) => outcome === "throttled").length,
      };
    });
    for (const FunctionName of names) await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    await once();
    await delay(needs.restMs);
    const beforeMb = residentMb(server.pid);
    const began = performance.now();
    const answered = (await once()).filter((outcome) => outcome === "ran").length;
    const elapsedMs = Math.round(performance.now() - began);
    await delay(needs.restMs);
    return { limited, answered, elapsedMs, beforeMb, mostMb, afterMb: residentMb(server.pid) };
  } finally {
    await server.stop();
  }
}

function isThrottled(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === "TooManyRequestsException" &&
    "Reason" in error &&
    error.Reason === "ReservedFunctionConcurrentInvocationLimitExceeded"
  );
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/mu.exec(status)?.[1]) / 1_024);
}
