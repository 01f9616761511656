import type { Authorizer } from "../../../access/authorization.ts";
import { AwsError, notImplemented } from "../../../aws/error.ts";
import type { Principal } from "../../../aws/principal.ts";
import type { Clock } from "../../../kernel/clock.ts";
import type { Ids } from "../../../kernel/ids.ts";
import { functionNotFound, invalidParameter } from "../errors.ts";
import type { CompiledFunction, Functions } from "../functions.ts";
import { functionArn, type DurableSettings } from "../model.ts";
import { parseFunctionName } from "../names.ts";
import { onFunction } from "../permissions.ts";
import { resolveVersion } from "../routing.ts";
import type { Update } from "./checkpoint-rules.ts";
import { unqualified } from "./errors.ts";
import {
  addEvent,
  jobKey,
  jobKinds,
  putOperation,
  storeError,
  storeText,
  type ErrorFacts,
  type Journal,
} from "./journal.ts";
import { durableLimits } from "./limits.ts";
import type { ExecutionKey, OperationFacts, OperationRecord } from "./model.ts";
import { executionArn } from "./names.ts";
import { startExecution } from "./start.ts";
import type { StoredText } from "./texts.ts";

/** What a chained invoke is found to ask for before it starts. */
export type Target =
  | {
      readonly state: "durable";
      readonly functionName: string;
      readonly functionId: string;
      readonly version: string;
      readonly durable: DurableSettings;
    }
  | { readonly state: "plain"; readonly functionName: string; readonly qualifier?: string; readonly version: string }
  /** It cannot be invoked: the operation fails at once. */
  | { readonly state: "refused"; readonly error: ErrorFacts };

/** As stored in the job of a chained invoke of a function that is not durable. Version 1. */
export interface ChainedInvokePayload {
  readonly v: 1;
  readonly functionName: string;
  readonly qualifier?: string;
  readonly input?: StoredText;
  readonly traceId?: string;
  readonly deferrals: number;
}

/** Resolves targets as the function that invokes them: its execution role must be allowed to. */
export function createTargets(needs: {
  readonly functions: Functions;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly ids: Ids;
}) {
  const { functions, authorizer, clock, ids } = needs;
  const fraction = () => (ids.bytes(1)[0] ?? 0) / 256;

  const find = async (key: ExecutionKey, name: string, role: Principal): Promise<Target> => {
    const reference = parseFunctionName(name, key);
    const fn: CompiledFunction | undefined = await functions.find(reference, reference.name);
    const arn = functionArn(reference, reference.name, reference.qualifier ?? "$LATEST");
    for (const request of await onFunction(functions, "InvokeFunction", name, key)) {
      await authorizer.authorize(role, request, {
        account: key.account,
        region: key.region,
        sourceIp: "127.0.0.1",
        secureTransport: true,
        userAgent: "",
        now: clock.now(),
        service: "lambda",
      });
    }
    if (!fn) throw functionNotFound(arn);
    const version = await resolveVersion(fn, reference.qualifier, fraction);
    const { durable } = version.settings;
    const functionName = reference.name;
    if (!durable) {
      const { qualifier } = reference;
      return { state: "plain", functionName, version: version.version, ...(qualifier !== undefined && { qualifier }) };
    }
    if (reference.qualifier === undefined) throw unqualified();
    return { state: "durable", functionName, functionId: fn.record.id, version: version.version, durable };
  };

  return {
    /** By operation. Throws for targets that the whole checkpoint is refused for. */
    async resolve(
      key: ExecutionKey,
      updates: readonly Update[],
      role: () => Promise<Principal>,
    ): Promise<ReadonlyMap<string, Target>> {
      const targets = new Map<string, Target>();
      for (const update of updates) {
        const options = update.Type === "CHAINED_INVOKE" ? update.ChainedInvokeOptions : undefined;
        if (options?.FunctionName === undefined) continue;
        if (options.TenantId !== undefined) throw notImplemented("ChainedInvokeOptions.TenantId");
        checkPlace(options.FunctionName, key);
        try {
          targets.set(update.Id, await find(key, options.FunctionName, await role()));
        } catch (error) {
          if (!(error instanceof AwsError) || error.status >= 500) throw error;
          targets.set(update.Id, {
            state: "refused",
            error: { ErrorMessage: error.message, ErrorType: error.code },
          });
        }
      }
      return targets;
    },
  };
}

function checkPlace(name: string, key: ExecutionKey): void {
  const [, region, account] = /^arn:[^:]*:lambda:([^:]*):([^:]*):/.exec(name) ?? [];
  const partial = /^(\d{12}):/.exec(name)?.[1];
  if ((account ?? partial ?? key.account) !== key.account) {
    throw invalidParameter("Cannot start a CHAINED_INVOKE on a function in another account.");
  }
  if ((region ?? key.region) !== key.region) {
    throw invalidParameter("Cannot start a CHAINED_INVOKE on a function in another region.");
  }
}

/** Start a chained invoke: a durable target as an execution of its own, any other as a job. */
export async function startChainedInvoke(
  journal: Journal,
  update: Update,
  facts: OperationFacts & { readonly type: "CHAINED_INVOKE" },
  target: Target,
  ids: Ids,
): Promise<OperationRecord> {
  const FunctionName = update.ChainedInvokeOptions?.FunctionName ?? "";
  if (target.state === "refused") {
    const error = storeError(journal, target.error);
    const failed: OperationRecord = { ...facts, status: "FAILED", endedAt: journal.now, error };
    putOperation(journal, failed, undefined);
    addEvent(journal, "ChainedInvokeStarted", failed, { members: { FunctionName } });
    addEvent(journal, "ChainedInvokeFailed", failed, { error });
    return failed;
  }
  const input = update.Payload === undefined ? undefined : storeText(journal, update.Payload);
  const traceId = update.ChainedInvokeOptions?.XAmznTraceId ?? journal.record.traceId;
  const members = { FunctionName, ExecutedVersion: target.version };
  const eventInput = input === undefined ? {} : { input };
  if (target.state === "plain") {
    const { functionName, qualifier } = target;
    const payload: ChainedInvokePayload = {
      v: 1,
      functionName,
      ...(qualifier !== undefined && { qualifier }),
      ...(input !== undefined && { input }),
      ...(traceId !== undefined && { traceId }),
      deferrals: 0,
    };
    const key = [...jobKey(journal.key), facts.id];
    journal.jobs.schedule(journal.tx, { kind: jobKinds.chainedInvoke, key, at: journal.now, payload });
    putOperation(journal, facts, undefined);
    addEvent(journal, "ChainedInvokeStarted", facts, { ...eventInput, members });
    return facts;
  }
  const { account, region } = journal.key;
  const child: ExecutionKey = { account, region, functionName: target.functionName, id: ids.uuid() };
  const record = await startExecution(journal.tx, journal.jobs, {
    key: child,
    name: ids.uuid(),
    functionId: target.functionId,
    version: target.version,
    durable: target.durable,
    input: update.Payload,
    resultBytesMax: durableLimits.payloadBytesMax,
    traceId,
    parent: { functionName: journal.key.functionName, id: journal.key.id, operationId: facts.id },
    now: journal.now,
  });
  const operation: OperationRecord = { ...facts, childId: child.id };
  putOperation(journal, operation, undefined);
  const DurableExecutionArn = executionArn(child, record);
  addEvent(journal, "ChainedInvokeStarted", operation, { ...eventInput, members: { ...members, DurableExecutionArn } });
  return operation;
}
