import type { Compute, FunctionSpec, Invocation, InvocationOutcome, InvocationReport } from "../../compute/compute.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ledger } from "../../metering/ledger.ts";
import { histogramValues, type Collector, type MetricFamily } from "../../metering/exposition.ts";
import { meteringLimits } from "../../metering/limits.ts";
import { toReported, type UsageSubject } from "../../metering/usage.ts";
import type { MetricsPort } from "../cloudwatch/port.ts";
import { functionMetric } from "./metrics.ts";
import type { Place } from "./model.ts";

/** Meters functions: every invocation that runs is in the ledger before its answer is given. */
export interface FunctionMeter {
  /** The same environments, metered. */
  meter(compute: Compute): Compute;
  /** Values of an `AWS/Lambda` metric that no invocation stands for, as throttles and events of the queue. */
  note(fn: NotedFunction, metric: NotedMetric, value: number): void;
  /** Hand what was noted to CloudWatch now, rather than within a second. */
  tell(): void;
  /** What this process has counted since its start, by function. */
  readonly collect: Collector;
}

export interface NotedFunction extends Place {
  readonly functionName: string;
  readonly qualifier?: string | undefined;
}

export type NotedMetric =
  | "Throttles"
  | "AsyncEventsReceived"
  | "AsyncEventAge"
  | "IteratorAge"
  | "PostRuntimeExtensionsDuration"
  | "AsyncEventsDropped"
  | "SignatureValidationErrors"
  | "DestinationDeliveryFailures"
  | "RecursiveInvocationsDropped"
  | "ProvisionedConcurrencyInvocations"
  | "ProvisionedConcurrencySpilloverInvocations"
  | "ProvisionedConcurrencyUtilization"
  | "ProvisionedConcurrentExecutions";

const inMilliseconds: ReadonlySet<NotedMetric> = new Set([
  "AsyncEventAge",
  "IteratorAge",
  "PostRuntimeExtensionsDuration",
]);

interface Noted {
  readonly fn: NotedFunction;
  readonly metric: NotedMetric;
  /** Values and how often. */
  readonly values: Map<number, number>;
}

interface Load {
  readonly account: string;
  readonly region: string;
  /** Absent for the sum of all functions. */
  readonly functionName: string | undefined;
  running: number;
  /** The most that ran at once since it was told last. */
  peak: number;
  success: number;
  error: number;
  timeout: number;
  throttled: number;
  coldStarts: number;
  billedMs: number;
  durationMs: number;
  /** Durations by `durationBounds`, and one more for what is longer. */
  readonly durations: number[];
}

/** Upper bounds in milliseconds. */
const durationBounds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000, 900_000];

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
  /** What was noted since it was told. */
  let notes = new Map<string, Noted>();
  let telling = false;

  const loadOf = (account: string, region: string, functionName: string | undefined): Load => {
    const key = `${account} ${region} ${functionName ?? ""}`;
    let load = loads.get(key);
    if (load === undefined) {
      load = createLoad(account, region, functionName);
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
    if (metric === "Throttles") loadOf(account, region, functionName).throttled += value;
    const key = `${account} ${region} ${functionName} ${qualifier ?? ""} ${metric}`;
    let noted = notes.get(key);
    if (noted === undefined) {
      noted = { fn: { account, region, functionName, qualifier }, metric, values: new Map() };
      notes.set(key, noted);
    }
    noted.values.set(value, (noted.values.get(value) ?? 0) + 1);
    tellSoon();
  };

  const tellNotes = () => {
    const told = notes;
    notes = new Map();
    for (const { fn, metric, values } of told.values()) {
      const unit = inMilliseconds.has(metric) ? "Milliseconds" : "Count";
      const source = { ...fn, timestamp: clock.now() };
      for (const datum of functionMetric(source, metric, unit, values)) metrics.record(datum);
    }
  };

  /** Concurrency is a gauge: its peak is told every so often while something runs, and once more after. */
  const tellSoon = () => {
    if (telling) return;
    telling = true;
    clock.after(meteringLimits.gaugesToldEveryMs, () => {
      telling = false;
      tellNotes();
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
    tell: tellNotes,
    collect: () => families([...loads.values()].filter(({ functionName }) => functionName !== undefined)),
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
            count(load, outcome.report);
            const subject = subjectOf(subjects, spec, invocation);
            ledger.add(subject, recordOf(outcome, startedAt));
            const extensionsMs = outcome.report.postRuntimeExtensionsDurationMs;
            if (extensionsMs !== undefined) note(subject, "PostRuntimeExtensionsDuration", toReported(extensionsMs));
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

function createLoad(account: string, region: string, functionName: string | undefined): Load {
  return {
    account,
    region,
    functionName,
    running: 0,
    peak: 0,
    success: 0,
    error: 0,
    timeout: 0,
    throttled: 0,
    coldStarts: 0,
    billedMs: 0,
    durationMs: 0,
    durations: Array.from({ length: durationBounds.length + 1 }, () => 0),
  };
}

function count(load: Load, report: InvocationReport): void {
  load[report.status] += 1;
  if (report.initDurationMs !== undefined) load.coldStarts += 1;
  load.billedMs += report.billedDurationMs;
  load.durationMs += report.durationMs;
  let bucket = 0;
  while (report.durationMs > (durationBounds[bucket] ?? Infinity)) bucket += 1;
  load.durations[bucket] = (load.durations[bucket] ?? 0) + 1;
}

function families(loads: readonly Load[]): MetricFamily[] {
  const of = ({ account, region, functionName = "" }: Load) => ({ account, region, function: functionName });
  const family = (
    name: string,
    help: string,
    type: "counter" | "gauge",
    value: (load: Load) => number,
  ): MetricFamily => ({
    name,
    help,
    type,
    values: loads.map((load) => ({ labels: of(load), value: value(load) })),
  });
  const statuses = ["success", "error", "timeout"] as const;
  return [
    {
      name: "cumulet_lambda_invocations_total",
      help: "Invocations that ran, by how they ended",
      type: "counter",
      values: loads.flatMap((load) =>
        statuses.map((status) => ({ labels: { ...of(load), status }, value: load[status] })),
      ),
    },
    family("cumulet_lambda_throttles_total", "Invocations refused with 429", "counter", ({ throttled }) => throttled),
    family(
      "cumulet_lambda_cold_starts_total",
      "Invocations that waited for an init",
      "counter",
      ({ coldStarts }) => coldStarts,
    ),
    family("cumulet_lambda_billed_seconds_total", "Billed duration", "counter", ({ billedMs }) => billedMs / 1000),
    family("cumulet_lambda_running", "Invocations under way", "gauge", ({ running }) => running),
    {
      name: "cumulet_lambda_duration_seconds",
      help: "Durations as the REPORT lines tell them",
      type: "histogram",
      values: loads.flatMap((load) =>
        histogramValues(
          of(load),
          durationBounds.map((ms) => ms / 1000),
          load.durations,
          load.durationMs / 1000,
        ),
      ),
    },
  ];
}

function recordOf({ report }: InvocationOutcome, startedAt: number) {
  return {
    requestId: report.requestId,
    startedAt,
    durationMs: toReported(report.durationMs),
    billedMs: report.billedDurationMs,
    initMs: report.initDurationMs === undefined ? 0 : toReported(report.initDurationMs),
    maxMemoryMb: report.maxMemoryUsedMb,
    cpuMs: report.cpuMs === undefined ? 0 : toReported(report.cpuMs),
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
