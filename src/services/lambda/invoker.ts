import { AwsError } from "../../aws/error.ts";
import { RuntimeUnavailableError, type Compute, type InvocationOutcome } from "../../compute/compute.ts";
import type { Ids } from "../../kernel/ids.ts";
import { createConcurrency } from "./concurrency.ts";
import { invalidRuntime, roleRefused } from "./errors.ts";
import { type CompiledFunction, type Functions } from "./functions.ts";
import { functionArn } from "./model.ts";
import { resolveVersion } from "./routing.ts";

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
}

export interface Invoked {
  readonly outcome: InvocationOutcome;
  readonly version: string;
}

export function createInvoker(needs: {
  readonly compute: Compute;
  readonly functions: Functions;
  readonly ids: Ids;
}): Invoker {
  const { compute, functions, ids } = needs;
  const concurrency = createConcurrency();
  const fraction = () => {
    const [high = 0, low = 0] = ids.bytes(2);
    return (high * 256 + low) / 65_536;
  };
  return {
    async run(fn, request) {
      const { place, record } = fn;
      const version = await resolveVersion(fn, request.qualifier, fraction);
      const spec = await fn.spec(version);
      const leave = concurrency.enter(
        fn.accountKey,
        fn.key,
        record.reservedConcurrency,
        await functions.reservedTotal(place, fn.accountKey),
      );
      try {
        const outcome = await compute.invoke(spec, {
          requestId: request.requestId,
          payload: request.payload,
          invokedFunctionArn:
            request.qualifier === undefined ? fn.arn : functionArn(place, record.name, request.qualifier),
          ...(request.traceId !== undefined && { traceId: request.traceId }),
          ...(request.clientContext !== undefined && { clientContext: request.clientContext }),
          ...(request.logTail && { logTail: true }),
        });
        return { outcome, version: version.version };
      } catch (error) {
        if (error instanceof RuntimeUnavailableError) throw invalidRuntime(error.message);
        // Of all that compute asks of others, only the execution role is refused: it is gone, or trusts Lambda no more.
        if (error instanceof AwsError && error.status < 500) throw roleRefused();
        throw error;
      } finally {
        leave();
      }
    },
  };
}
