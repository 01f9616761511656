import { notImplemented } from "../../../aws/error.ts";
import type { CompiledFunction } from "../functions.ts";
import { checkStart, type DurableExecutions } from "./executions.ts";

export interface DurableInvoke {
  readonly type: "RequestResponse" | "Event" | "DryRun";
  readonly qualifier: string | undefined;
  readonly payload: Uint8Array;
  /** `DurableExecutionName` */
  readonly name: string | undefined;
  readonly traceId: string | undefined;
  readonly clientContext: string | undefined;
  readonly tenantId: string | undefined;
  readonly logTail: boolean;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** Invoke, of a durable function: starts an execution, and waits for its end unless it is an event. */
export async function invokeDurable(durable: DurableExecutions, fn: CompiledFunction, request: DurableInvoke) {
  const { type, qualifier, payload, name, traceId, clientContext } = request;
  if (request.tenantId !== undefined) throw notImplemented("The parameter TenantId of Invoke of a durable function");
  if (type === "DryRun") {
    const { version } = await checkStart(fn, qualifier, false, () => 1);
    return { StatusCode: 204, ExecutedVersion: version };
  }
  const synchronous = type === "RequestResponse";
  const started = await durable.start(fn, { qualifier, payload, synchronous, name, traceId, clientContext });
  if (!synchronous) return { StatusCode: 202, DurableExecutionArn: started.arn };
  const outcome = await durable.wait(started, request.requestId, request.signal);
  return {
    StatusCode: 200,
    ExecutedVersion: started.record.version,
    DurableExecutionArn: started.arn,
    Payload: outcome.payload,
    ...(outcome.outcome === "error" && { FunctionError: "Unhandled" }),
    ...(request.logTail && outcome.logTail && { LogResult: Buffer.from(outcome.logTail).toString("base64") }),
  };
}
