import type { Compute, FunctionSpec, Invocation, InvocationOutcome } from "../../compute/compute.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ledger } from "../../metering/ledger.ts";
import { meteringLimits } from "../../metering/limits.ts";
import { toReported, type UsageSubject } from "../../metering/usage.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import { countsOf, functionMetric } from "./metrics.ts";
import type { Place } from "./model.ts";

/** Meters functions: every invocation that runs is in the ledger before its answer is given. */
export interface FunctionMeter {
  /** The same environments, metered. */
  meter(compute: Compute): Compute;
  /** Values of an `AWS/Lambda` metric that no invocation stands for, as throttles and events of the queue. */
  note(fn: NotedFunction, metric: NotedMetric, value: number): void;
}

export interface NotedFunction extends Place {
  readonly functionName: string;
  readonly qualifier?: string | undefined;
}

export type NotedMetric =
  | "Throttles"
  | "AsyncEventsReceived"
  | "AsyncEventAge"
  | "AsyncEventsDropped"
  | "DeadLetterErrors"
  | "DestinationDeliveryFailures"
  | "RecursiveInvocationsDropped"
  | "ProvisionedConcurrencyInvocations"
  | "ProvisionedConcurrencySpilloverInvocations"
  | "ProvisionedConcurrencyUtilization"
  | "ProvisionedConcurrentExecutions";

interface Load {
  readonly account: string;
  readonly region: string;
  /** Absent for the sum of all functions. */
  readonly functionName: string | undefined;
  running: number;
  /** The most that ran at once since it was told last. */
  peak: number;
}

/** What a revision's invocations are recorded under: found by identity, so that a warm invocation makes no key. */
interface Revision {
  readonly load: Load;
  readonly total: Load;
  readonly subjects: Map<string, Map<string, UsageSubject>>;
}

export function createFunctionMeter(needs: {
  readonly ledger: Ledger;
  readonly metrics: MetricsPort;
  readonly clock: Clock;
}): FunctionMeter {
  const { ledger, metrics, clock } = needs;
  const revisions = new WeakMap<FunctionSpec, Revision>();
  const loads = new Map<string, Load>();
  /** Of these, the ones that ran since they were told. */
  const active = new Set<Load>();
  let telling = false;

  const loadOf = (account: string, region: string, functionName: string | undefined): Load => {
    const key = `${account} ${region} ${functionName ?? ""}`;
    let load = loads.get(key);
    if (load === undefined) {
      load = { account, region, functionName, running: 0, peak: 0 };
      loads.set(key, load);
    }
    return load;
  };

  const revisionOf = (spec: FunctionSpec): Revision => {
    let revision = revisions.get(spec);
    if (revision === undefined) {
      const { account, region } = spec;
      const load = loadOf(account, region, spec.functionName);
      revision = { load, total: loadOf(account, region, undefined), subjects: new Map() };
      revisions.set(spec, revision);
    }
    return revision;
  };

  const enter = (load: Load) => {
    load.running += 1;
    if (load.running > load.peak) load.peak = load.running;
    active.add(load);
  };

  const note: FunctionMeter["note"] = ({ account, region, functionName, qualifier }, metric, value) => {
    const source = { account, region, functionName, qualifier, timestamp: clock.now() };
    const unit = metric === "AsyncEventAge" ? "Milliseconds" : "Count";
    for (const datum of functionMetric(source, metric, unit, countsOf([value, 1]))) metrics.record(datum);
  };

  /** Concurrency is a gauge: its peak is told every so often while something runs, and once more after. */
  const tellSoon = () => {
    if (telling) return;
    telling = true;
    clock.after(meteringLimits.gaugesToldEveryMs, () => {
      telling = false;
      const timestamp = clock.now();
      for (const load of active) {
        const { account, region, functionName, peak, running } = load;
        const dimensions = functionName === undefined ? [] : [{ name: "FunctionName", value: functionName }];
        metrics.record({
          account,
          region,
          namespace: "AWS/Lambda",
          metricName: "ConcurrentExecutions",
          dimensions,
          unit: "Count",
          timestamp,
          resolution: 60,
          sample: { count: 1, sum: peak, minimum: peak, maximum: peak, values: [peak, 1] },
        });
        load.peak = running;
        if (running > 0) tellSoon();
        else active.delete(load);
      }
    });
  };

  return {
    note,
    meter: (compute) => ({
      ...compute,
      invoke(spec, invocation) {
        const { load, total, subjects } = revisionOf(spec);
        const startedAt = clock.now();
        enter(load);
        enter(total);
        tellSoon();
        const leave = () => {
          load.running -= 1;
          total.running -= 1;
        };
        return compute.invoke(spec, invocation).then(
          (outcome) => {
            leave();
            ledger.add(subjectOf(subjects, spec, invocation), recordOf(outcome, startedAt));
            return outcome;
          },
          (error: unknown) => {
            leave();
            throw error;
          },
        );
      },
    }),
  };
}

function recordOf({ report }: InvocationOutcome, startedAt: number) {
  return {
    requestId: report.requestId,
    startedAt,
    durationMs: toReported(report.durationMs),
    billedMs: report.billedDurationMs,
    initMs: report.initDurationMs === undefined ? 0 : toReported(report.initDurationMs),
    maxMemoryMb: report.maxMemoryUsedMb,
    cpuMs: 0,
    status: report.status,
  };
}

function subjectOf(subjects: Revision["subjects"], spec: FunctionSpec, invocation: Invocation): UsageSubject {
  const { invokedFunctionArn, tenantId } = invocation;
  const trigger = invocation.trigger ?? "lambda";
  let byTrigger = subjects.get(invokedFunctionArn);
  if (byTrigger === undefined) {
    byTrigger = new Map();
    subjects.set(invokedFunctionArn, byTrigger);
  }
  const key = tenantId === undefined ? trigger : `${trigger} ${tenantId}`;
  let subject = byTrigger.get(key);
  if (subject === undefined) {
    const qualifier = invokedFunctionArn.split(":")[7];
    subject = {
      account: spec.account,
      region: spec.region,
      functionName: spec.functionName,
      version: spec.version,
      ...(qualifier !== undefined && { qualifier }),
      memoryMb: spec.memoryMb,
      architecture: spec.architecture,
      trigger,
      ...(tenantId !== undefined && { tenantId }),
      tags: spec.tags ?? {},
    };
    // Tenants are the client's to name.
    if (byTrigger.size >= meteringLimits.subjectsMax) byTrigger.clear();
    byTrigger.set(key, subject);
  }
  return subject;
}
