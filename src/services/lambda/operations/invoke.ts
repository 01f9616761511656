import type { Call, OperationsOf } from "../../../wire/service.ts";
import { notDurable } from "../durable/errors.ts";
import { isDurable } from "../durable/executions.ts";
import { invokeDurable } from "../durable/invoke.ts";
import { functionNotFound, invalidParameter, invalidRequestContent, requestTooLarge } from "../errors.ts";
import { checkTenant } from "../invoker.ts";
import { lambdaLimits } from "../limits.ts";
import { functionArn } from "../model.ts";
import { parseFunctionName } from "../names.ts";
import type { OperationNeeds, Sdk } from "../needs.ts";
import { onFunction } from "../permissions.ts";
import { runAsEvents } from "../response-events.ts";
import { resolveInvoked } from "../routing.ts";
import { scheduleEvent } from "../events.ts";

/** AWS hands a function `{}` when Invoke has no payload. */
const emptyEvent = Buffer.from("{}");

export function invokeOperations({ store, jobs, functions, invoker, durable }: OperationNeeds) {
  const find = async (name: string | undefined, call: Call, qualifier?: string) => {
    const reference = parseFunctionName(name, call, qualifier);
    const fn = await functions.find(reference, reference.name);
    if (!fn) throw functionNotFound(functionArn(reference, reference.name, reference.qualifier));
    return { reference, fn };
  };

  return {
    Invoke: {
      authorize: (input, call) => onFunction(functions, "InvokeFunction", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, fn } = await find(input.FunctionName, call, input.Qualifier);
        const payload = input.Payload?.byteLength ? input.Payload : emptyEvent;
        const type = input.InvocationType ?? "RequestResponse";
        const most = type === "Event" ? lambdaLimits.eventPayloadBytesMax : lambdaLimits.requestPayloadBytesMax;
        if (payload.byteLength > most) throw requestTooLarge(most, "InvokeFunction");
        checkJson(payload);
        const traceId = call.http?.headers["x-amzn-trace-id"];
        if (isDurable(fn)) {
          return invokeDurable(durable, fn, {
            type,
            qualifier: reference.qualifier,
            payload,
            name: input.DurableExecutionName,
            traceId,
            clientContext: readClientContext(input.ClientContext),
            tenantId: input.TenantId,
            logTail: input.LogType === "Tail",
            requestId: call.requestId,
            signal: call.signal,
          });
        }
        if (input.DurableExecutionName !== undefined) throw notDurable();
        const version = await resolveInvoked(fn, reference.qualifier, () => 1);
        checkTenant(fn.record, input.TenantId);

        if (type === "DryRun") return { StatusCode: 204, ExecutedVersion: version.version };
        if (type === "Event") {
          await store.transact((tx) => {
            scheduleEvent(tx, jobs, {
              place: reference,
              name: reference.name,
              qualifier: reference.qualifier,
              requestId: call.requestId,
              payload,
              traceId,
              tenantId: input.TenantId,
              acceptedAt: call.now,
            });
            return Promise.resolve();
          });
          return { StatusCode: 202 };
        }

        const { outcome, version: executed } = await invoker.run(fn, {
          qualifier: reference.qualifier,
          payload,
          requestId: call.requestId,
          traceId,
          tenantId: input.TenantId,
          clientContext: readClientContext(input.ClientContext),
          logTail: input.LogType === "Tail",
        });
        return {
          StatusCode: 200,
          ExecutedVersion: executed,
          Payload: outcome.payload,
          ...(outcome.outcome === "error" && { FunctionError: "Unhandled" }),
          ...(outcome.logTail && { LogResult: Buffer.from(outcome.logTail).toString("base64") }),
        };
      },
    },

    InvokeWithResponseStream: {
      authorize: (input, call) => onFunction(functions, "InvokeFunction", input.FunctionName, call, input.Qualifier),
      async run(input, call) {
        const { reference, fn } = await find(input.FunctionName, call, input.Qualifier);
        const payload = input.Payload?.byteLength ? input.Payload : emptyEvent;
        const most = lambdaLimits.requestPayloadBytesMax;
        if (payload.byteLength > most) throw requestTooLarge(most, "InvokeWithResponseStream");
        checkJson(payload);
        if (input.InvocationType === "DryRun") {
          const { version } = await resolveInvoked(fn, reference.qualifier, () => 1);
          return { StatusCode: 204, ExecutedVersion: version };
        }
        const request = {
          qualifier: reference.qualifier,
          payload,
          requestId: call.requestId,
          traceId: call.http?.headers["x-amzn-trace-id"],
          tenantId: input.TenantId,
          clientContext: readClientContext(input.ClientContext),
          logTail: input.LogType === "Tail",
        };
        const { version, events } = await runAsEvents((sink) => invoker.run(fn, { ...request, sink }), call.signal);
        return { StatusCode: 200, ExecutedVersion: version, EventStream: events };
      },
    },

    InvokeAsync: {
      authorize: (input, call) => onFunction(functions, "InvokeAsync", input.FunctionName, call),
      async run(input, call) {
        const { reference, fn } = await find(input.FunctionName, call);
        checkTenant(fn.record, undefined);
        const payload = await collect(input.InvokeArgs, lambdaLimits.eventPayloadBytesMax, call);
        checkJson(payload);
        await store.transact((tx) => {
          scheduleEvent(tx, jobs, {
            place: reference,
            name: reference.name,
            qualifier: reference.qualifier,
            requestId: call.requestId,
            payload,
            traceId: undefined,
            acceptedAt: call.now,
          });
          return Promise.resolve();
        });
        return { Status: 202 };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function checkJson(payload: Uint8Array): void {
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidRequestContent(`Could not parse payload into json: ${reason}`);
  }
}

function readClientContext(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  if (base64.length > lambdaLimits.clientContextBytesMax) {
    throw invalidRequestContent("Client context must be no more than 3583 bytes when base64-encoded.");
  }
  const text = Buffer.from(base64, "base64").toString("utf8");
  try {
    JSON.parse(text);
  } catch {
    throw invalidRequestContent("Client context must be a valid Base64-encoded JSON object.");
  }
  return text;
}

async function collect(body: AsyncIterable<Uint8Array> | Uint8Array | undefined, most: number, call: Call) {
  if (body === undefined) throw invalidParameter(`${call.operation} needs InvokeArgs`);
  if (body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > most) throw requestTooLarge(most, call.operation);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
