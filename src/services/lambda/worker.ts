import { AwsError } from "../../aws/error.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Job, Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import { isDurable, type DurableExecutions } from "./durable/executions.ts";
import type { Functions } from "./functions.ts";
import { scheduleDelivery, type Ending } from "./deliveries.ts";
import { eventKind, type EventPayload } from "./events.ts";
import type { Invoked, Invoker } from "./invoker.ts";
import { lambdaLimits } from "./limits.ts";
import type { FunctionMeter } from "./meter.ts";

/**
 * Runs accepted events: again after failures, up to the configured attempts and age. How that ended is delivered to the
 * destinations, in one transaction with the end; where there is none for a failure, it is dropped with a line in the log.
 */
export function handleEvents(needs: {
  readonly jobs: Jobs;
  readonly functions: Functions;
  readonly invoker: Invoker;
  readonly durable: Pick<DurableExecutions, "start">;
  readonly clock: Clock;
  readonly log: Log;
  readonly note?: FunctionMeter["note"];
}): void {
  const { functions, invoker, durable, clock, log } = needs;

  const drop = (job: Job, reason: string) => {
    const [account = "", region = "", functionName = "", requestId = ""] = job.key.map(String);
    log.warn("An asynchronous invocation is given up", { functionName, requestId, reason });
    needs.note?.({ account, region, functionName }, "AsyncEventsDropped", 1);
  };

  const run = async (job: Job) => {
    const [account = "", region = "", name = "", requestId = ""] = job.key.map(String);
    const place = { account, region };
    const event = readEvent(job.payload);
    const { qualifier, payload, traceId, tenantId } = event;
    const fn = await functions.find(place, name);
    if (!fn) return drop(job, "FunctionNotFound");
    if (isDurable(fn)) {
      // An execution of its own from here on, named after the request so that it starts once.
      try {
        await durable.start(fn, { qualifier, payload, synchronous: false, name: requestId, traceId });
      } catch (error) {
        if (!(error instanceof AwsError) || error.status >= 500) throw error;
        drop(job, error.message);
      }
      return;
    }
    const config = fn.eventInvokeConfigs.get(qualifier ?? "$LATEST");
    const ageMostMs = (config?.maximumEventAgeSeconds ?? lambdaLimits.eventAgeSecondsDefault) * 1000;

    const end = async (condition: Ending["condition"], invocations: number, last: Ending["last"], reason?: string) => {
      const arn = condition === "Success" ? config?.destinations?.onSuccess : config?.destinations?.onFailure;
      if (condition !== "Success") drop(job, reason ?? condition);
      if (arn === undefined) return;
      const { role } = fn.record.latest.settings;
      const ending: Ending = {
        place,
        name,
        qualifier,
        role,
        requestId,
        condition,
        invocations,
        payload,
        ...(last && { last }),
      };
      await job.finish((tx) => {
        scheduleDelivery(tx, needs, ending, arn, clock.now());
        return Promise.resolve();
      });
    };
    const again = async (next: EventPayload, delayMs: number, last: Ending["last"]) => {
      const at = clock.now() + delayMs;
      if (at - event.acceptedAt > ageMostMs) return end("EventAgeExceeded", next.failures, last);
      return job.repeat(at, next, () => Promise.resolve());
    };

    if (clock.now() - event.acceptedAt > ageMostMs) return end("EventAgeExceeded", event.failures, undefined);
    let last: Invoked;
    const noted = { ...place, functionName: name, qualifier };
    if (event.failures + event.deferrals === 0) needs.note?.(noted, "AsyncEventsReceived", 1);
    needs.note?.(noted, "AsyncEventAge", clock.now() - event.acceptedAt);
    try {
      last = await invoker.run(fn, { qualifier, payload, requestId, traceId, tenantId, asynchronous: true });
    } catch (error) {
      if (job.signal.aborted) throw error;
      if (error instanceof AwsError && error.status === 404) return drop(job, error.message);
      if (error instanceof AwsError && error.code === "RecursiveInvocationException") {
        return end("RetriesExhausted", event.failures, undefined, error.code);
      }
      // Throttles and our own failures do not count as attempts: they are tried until the event is too old.
      const delayMs = Math.min(
        lambdaLimits.eventBackoffFirstMs * 2 ** event.deferrals,
        lambdaLimits.eventBackoffMostMs,
      );
      return again({ ...event, deferrals: event.deferrals + 1 }, delayMs, undefined);
    }
    const invocations = event.failures + 1;
    if (last.outcome.outcome === "success") return end("Success", invocations, last);
    // An environment that the platform's own stop has killed is no failure of the function: it runs again.
    job.signal.throwIfAborted();
    const retries = config?.maximumRetryAttempts ?? lambdaLimits.eventRetriesDefault;
    if (event.failures >= retries) return end("RetriesExhausted", invocations, last);
    const delayMs = lambdaLimits.eventRetryDelaysMs[event.failures] ?? lambdaLimits.eventBackoffMostMs;
    return again({ ...event, failures: invocations, deferrals: 0 }, delayMs, last);
  };

  // `attemptsMax` counts runs that a dying process cut short: no number of those loses an event.
  needs.jobs.handle(eventKind, { concurrency: lambdaLimits.eventConcurrency, attemptsMax: 1_000_000, run });
}

function readEvent(payload: unknown): EventPayload {
  // Written by `scheduleEvent` or `again`, and by nobody else.
  return payload as EventPayload;
}
