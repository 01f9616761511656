/** What the invocations of one kind have in common: what a bill is split by. */
export interface UsageSubject {
  readonly account: string;
  readonly region: string;
  readonly functionName: string;
  /** `$LATEST` or a number: what ran. */
  readonly version: string;
  /** The alias or version that was asked for; absent where none was. */
  readonly qualifier?: string;
  readonly memoryMb: number;
  readonly architecture: "x86_64" | "arm64";
  /** Who invoked: `lambda` (Invoke), `async`, or a service, as `apigateway.amazonaws.com`. */
  readonly trigger: string;
  readonly tenantId?: string;
  /** The function's tags at the time. */
  readonly tags: Readonly<Record<string, string>>;
}

/** One invocation that ran, as its REPORT line tells it: durations as `toReported` gives them. */
export interface UsageRecord {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** As the REPORT line has it: to the hundredth. */
  readonly durationMs: number;
  readonly billedMs: number;
  /** 0 where the environment was warm. */
  readonly initMs: number;
  /** The most that its environment has held so far. */
  readonly maxMemoryMb: number;
  /** Processor time of its environment since the reading before, where the host counts it; else 0. Sums are right, single values are not exact. */
  readonly cpuMs: number;
  readonly status: "success" | "error" | "timeout";
}

/** Sums over invocations. Times are whole microseconds and milliseconds, so that no sum depends on its order. */
export interface UsageTotals {
  readonly invocations: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly coldStarts: number;
  readonly durationUs: number;
  readonly initUs: number;
  readonly billedMs: number;
  /** Billed milliseconds by configured memory: divided by 1,024,000 they are GB-seconds. */
  readonly billedMbMs: number;
  readonly cpuUs: number;
  readonly maxMemoryMb: number;
}

export const noUsage: UsageTotals = {
  invocations: 0,
  errors: 0,
  timeouts: 0,
  coldStarts: 0,
  durationUs: 0,
  initUs: 0,
  billedMs: 0,
  billedMbMs: 0,
  cpuUs: 0,
  maxMemoryMb: 0,
};

export function addTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  return {
    invocations: a.invocations + b.invocations,
    errors: a.errors + b.errors,
    timeouts: a.timeouts + b.timeouts,
    coldStarts: a.coldStarts + b.coldStarts,
    durationUs: a.durationUs + b.durationUs,
    initUs: a.initUs + b.initUs,
    billedMs: a.billedMs + b.billedMs,
    billedMbMs: a.billedMbMs + b.billedMbMs,
    cpuUs: a.cpuUs + b.cpuUs,
    maxMemoryMb: Math.max(a.maxMemoryMb, b.maxMemoryMb),
  };
}

export type RunningTotals = { -readonly [Name in keyof UsageTotals]: UsageTotals[Name] };

/** Adds in place: thousands of records a second pass here. */
export function addRecord(totals: RunningTotals, record: UsageRecord, memoryMb: number): void {
  totals.invocations += 1;
  if (record.status !== "success") totals.errors += 1;
  if (record.status === "timeout") totals.timeouts += 1;
  if (record.initMs > 0) totals.coldStarts += 1;
  totals.durationUs += Math.round(record.durationMs * 1000);
  totals.initUs += Math.round(record.initMs * 1000);
  totals.billedMs += record.billedMs;
  totals.billedMbMs += record.billedMs * memoryMb;
  totals.cpuUs += Math.round(record.cpuMs * 1000);
  if (record.maxMemoryMb > totals.maxMemoryMb) totals.maxMemoryMb = record.maxMemoryMb;
}

/** A duration as the REPORT line prints it. */
export function toReported(ms: number): number {
  return Number(ms.toFixed(2));
}
