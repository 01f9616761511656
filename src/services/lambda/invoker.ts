import { AwsError } from "../../aws/error.ts";
import {
  ComputeSaturatedError,
  RuntimeUnavailableError,
  type Compute,
  type FunctionSpec,
  type InvocationOutcome,
  type ResponseSink,
} from "../../compute/compute.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Shares } from "../../kernel/nodes/shares.ts";
import { createConcurrency, type Leave, type Share } from "./concurrency.ts";
import { inState } from "./capacity/errors.ts";
import { invalidParameter, invalidRuntime, roleRefused, tooManyRequests } from "./errors.ts";
import { type CompiledFunction, type Functions } from "./functions.ts";
import type { FunctionMeter, NotedFunction } from "./meter.ts";
import { functionArn, type FunctionRecord } from "./model.ts";
import { createTracing } from "./recursion.ts";
import { isFixed, resolveInvoked } from "./routing.ts";

/** Runs invocations that have been authorized: resolves the version, counts, and hands them to compute. */
export interface Invoker {
  /** Throws the `AwsError` that Invoke answers when the function does not run at all. */
  run(fn: CompiledFunction, invocation: InvocationRequest): Promise<Invoked>;
}

export interface InvocationRequest {
  readonly qualifier?: string | undefined;
  readonly payload: Uint8Array;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly clientContext?: string | undefined;
  readonly logTail?: boolean;
  /** Takes the answer while the function streams it; made when the version is known, before it runs. */
  readonly sink?: ((version: string) => ResponseSink) | undefined;
  readonly tenantId?: string | undefined;
  /** From the queue of asynchronous invocations, which is limited in concurrency and not in its rate. */
  readonly asynchronous?: boolean;
  /** The service that invokes, for the usage ledger; absent for Invoke. */
  readonly trigger?: string | undefined;
}

export interface Invoked {
  readonly outcome: InvocationOutcome;
  readonly version: string;
  /** The trace header that the function was given. */
  readonly traceId?: string;
}

export function createInvoker(needs: {
  readonly compute: Compute;
  readonly functions: Functions;
  readonly ids: Ids;
  readonly clock: Pick<Clock, "now">;
  readonly note?: FunctionMeter["note"];
  /** What this node may use of the limits; absent: all of it. */
  readonly shares?: Shares;
}): Invoker {
  const { compute, functions, ids, clock } = needs;
  const concurrency = createConcurrency(clock, needs.shares);
  const tracing = createTracing(ids);
  const fraction = () => {
    const [high = 0, low = 0] = ids.bytes(2);
    return (high * 256 + low) / 65_536;
  };
  /** What is the same for every invocation of a qualifier, as long as nothing of Lambda's changes: the compiled function is dropped then. */
  const plans = new WeakMap<CompiledFunction, Map<string | undefined, Plan>>();

  const plan = async (fn: CompiledFunction, qualifier: string | undefined): Promise<Plan> => {
    const { record } = fn;
    const version = await resolveInvoked(fn, qualifier, fraction);
    const spec = await fn.spec(version);
    const made: Plan = {
      version: version.version,
      spec,
      invokedFunctionArn: qualifier === undefined ? fn.arn : functionArn(fn.place, fn.record.name, qualifier),
      share: {
        accountKey: fn.accountKey,
        functionKey: fn.key,
        specId: spec.id,
        reserved: record.reservedConcurrency,
        reservedTotal: await functions.reservedTotal(fn.place, fn.accountKey),
        ...(record.provisionedConcurrency && {
          provisioned: () => compute.kept(spec.id)?.ready ?? 0,
          told: (used, all) => tellProvisioned({ ...fn.place, functionName: record.name, qualifier }, used, all),
        }),
      },
    };
    // The version that an alias with weights stands for is drawn anew each time.
    if (isFixed(fn, qualifier)) plans.set(fn, (plans.get(fn) ?? new Map<string, Plan>()).set(qualifier, made));
    return made;
  };

  const tellProvisioned = (fn: NotedFunction, used: number | undefined, all: number) => {
    if (used === undefined) return needs.note?.(fn, "ProvisionedConcurrencySpilloverInvocations", 1);
    needs.note?.(fn, "ProvisionedConcurrencyInvocations", 1);
    needs.note?.(fn, "ProvisionedConcurrentExecutions", used);
    needs.note?.(fn, "ProvisionedConcurrencyUtilization", used / all);
  };

  const trace = (fn: CompiledFunction, request: InvocationRequest): string => {
    const { place, record, lineage } = fn;
    try {
      return tracing.follow(request.traceId, lineage, record.recursiveLoop ?? "Terminate", clock.now());
    } catch (error) {
      const noted = { ...place, functionName: record.name, qualifier: request.qualifier };
      needs.note?.(noted, "RecursiveInvocationsDropped", 1);
      throw error;
    }
  };

  const enter = (fn: CompiledFunction, made: Plan, request: InvocationRequest) => {
    const throttled = (error: unknown): never => {
      const { place, record } = fn;
      needs.note?.({ ...place, functionName: record.name, qualifier: request.qualifier }, "Throttles", 1);
      throw error;
    };
    try {
      const leave = concurrency.enter(made.share, request.asynchronous !== true);
      return leave instanceof Promise ? leave.catch(throttled) : leave;
    } catch (error) {
      return throttled(error);
    }
  };

  /** Of a function on a capacity provider: its environments are all taken, or there are none. */
  const tellRefused = (fn: CompiledFunction, made: Plan, request: InvocationRequest, error: unknown) => {
    if (!(error instanceof ComputeSaturatedError)) return;
    const fleet = compute.fleet(made.spec.id);
    if (fleet === undefined || fleet.ready > 0) {
      const { place, record } = fn;
      needs.note?.({ ...place, functionName: record.name, qualifier: request.qualifier }, "Throttles", 1);
      throw tooManyRequests("ConcurrentInvocationLimitExceeded");
    }
    throw inState(fleet.wanted === 0 ? "Deactivated" : fleet.failure === undefined ? "Pending" : "Failed");
  };

  const follow = (fn: CompiledFunction, made: Plan, request: InvocationRequest): Promise<Invoked> => {
    checkTenant(fn.record, request.tenantId);
    const traceId = trace(fn, request);
    const entered = enter(fn, made, request);
    if (entered instanceof Promise) return entered.then((leave) => invoke(fn, made, request, traceId, leave));
    return invoke(fn, made, request, traceId, entered);
  };

  const invoke = (
    fn: CompiledFunction,
    made: Plan,
    request: InvocationRequest,
    traceId: string,
    leave: Leave,
  ): Promise<Invoked> => {
    return compute
      .invoke(made.spec, {
        requestId: request.requestId,
        payload: request.payload,
        invokedFunctionArn: made.invokedFunctionArn,
        traceId,
        ...(request.tenantId !== undefined && { tenantId: request.tenantId }),
        ...(request.clientContext !== undefined && { clientContext: request.clientContext }),
        ...(request.logTail && { logTail: true }),
        trigger: request.asynchronous === true ? "async" : (request.trigger ?? "lambda"),
        ...(request.sink && { sink: request.sink(made.version) }),
      })
      .then(
        (outcome) => {
          leave();
          return { outcome, version: made.version, traceId };
        },
        (error: unknown) => {
          leave();
          if (made.spec.multiConcurrency !== undefined) tellRefused(fn, made, request, error);
          if (error instanceof RuntimeUnavailableError) throw invalidRuntime(error.message);
          // Of all that compute asks of others, only the execution role is refused: it is gone, or trusts Lambda no more.
          if (error instanceof AwsError && error.status < 500) throw roleRefused();
          throw error;
        },
      );
  };

  return {
    run(fn, request) {
      const made = plans.get(fn)?.get(request.qualifier);
      if (made === undefined) return plan(fn, request.qualifier).then((fresh) => follow(fn, fresh, request));
      try {
        return follow(fn, made, request);
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

interface Plan {
  readonly version: string;
  readonly spec: FunctionSpec;
  readonly invokedFunctionArn: string;
  readonly share: Share;
}

/** Throws unless a tenant is named exactly where the function keeps tenants apart. */
export function checkTenant(record: FunctionRecord, tenantId: string | undefined): void {
  const isolates = record.latest.settings.tenantIsolation !== undefined;
  if (isolates === (tenantId !== undefined)) return;
  throw invalidParameter(
    isolates
      ? "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again."
      : "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.",
  );
}
