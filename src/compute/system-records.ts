import type { FunctionSpec, InvocationReport } from "./compute.ts";
import type { ExtensionReport } from "./extensions.ts";
import type { InitializationType } from "./variables.ts";

/** What the platform tells about a function: as a line of its log where that is JSON, and by the Telemetry API. */
export interface SystemRecord {
  /** `platform.start` … */
  readonly type: string;
  readonly record: Readonly<Record<string, unknown>>;
  /** From which level on it is in the log. Source: developer guide, "System log level event mapping". */
  readonly level: SystemLogLevel;
}

export type SystemLogLevel = "DEBUG" | "INFO" | "WARN";

export interface InitReport {
  readonly durationMs: number;
  readonly phase: "init" | "invoke";
  readonly status: "success" | "error" | "timeout";
  readonly errorType?: string;
}

/** How far the runtime has come with an invocation, before its extensions are done. */
export interface RuntimeDone {
  readonly requestId: string;
  readonly status: "success" | "error" | "failure" | "timeout";
  readonly errorType?: string | undefined;
  readonly durationMs: number;
  readonly producedBytes: number;
}

/** The records of one function. Source: developer guide, "Lambda Telemetry API Event schema reference". */
export type SystemRecords = ReturnType<typeof createSystemRecords>;

export function createSystemRecords(spec: FunctionSpec, initializationType: InitializationType) {
  const { functionName, version: functionVersion } = spec;
  // Managed instances are not billed by invocation, and their memory is that of all who run in them.
  const metrics =
    initializationType === "lambda-managed-instances"
      ? ({ durationMs }: InvocationReport) => ({ durationMs: round(durationMs) })
      : metricsOf;
  return {
    initStart: (runtimeVersion: string): SystemRecord => ({
      type: "platform.initStart",
      level: "INFO",
      record: { initializationType, functionName, functionVersion, phase: "init", runtimeVersion },
    }),
    initRuntimeDone: ({ phase, status, errorType }: InitReport): SystemRecord => ({
      type: "platform.initRuntimeDone",
      level: status === "success" ? "DEBUG" : "WARN",
      record: { initializationType, phase, status, ...failed(errorType) },
    }),
    initReport: ({ phase, status, errorType, durationMs }: InitReport): SystemRecord => ({
      type: "platform.initReport",
      level: status !== "success" ? "WARN" : initializationType === "on-demand" ? "DEBUG" : "INFO",
      record: { initializationType, phase, status, ...failed(errorType), metrics: { durationMs: round(durationMs) } },
    }),
    restoreStart: (runtimeVersion: string): SystemRecord => ({
      type: "platform.restoreStart",
      level: "INFO",
      record: { functionName, functionVersion, runtimeVersion },
    }),
    restoreRuntimeDone: (status: "success" | "error"): SystemRecord => ({
      type: "platform.restoreRuntimeDone",
      level: status === "success" ? "DEBUG" : "WARN",
      record: { status },
    }),
    restoreReport: (durationMs: number, status: "success" | "error"): SystemRecord => ({
      type: "platform.restoreReport",
      level: status === "success" ? "INFO" : "WARN",
      record: { status, metrics: { durationMs: round(durationMs) } },
    }),
    start: (requestId: string, tenantId?: string): SystemRecord => ({
      type: "platform.start",
      level: "INFO",
      record: { requestId, version: functionVersion, ...(tenantId !== undefined && { tenantId }) },
    }),
    runtimeDone: ({ requestId, status, errorType, durationMs, producedBytes }: RuntimeDone): SystemRecord => ({
      type: "platform.runtimeDone",
      level: status === "success" ? "DEBUG" : "WARN",
      record: {
        requestId,
        status,
        ...failed(errorType),
        metrics: { durationMs: round(durationMs), producedBytes },
      },
    }),
    report: (report: InvocationReport, errorType?: string): SystemRecord => ({
      type: "platform.report",
      level: report.status === "success" ? "INFO" : "WARN",
      record: { requestId: report.requestId, metrics: metrics(report), status: report.status, ...failed(errorType) },
    }),
    extension: (report: ExtensionReport): SystemRecord => ({
      type: "platform.extension",
      level: report.errorType === undefined ? "INFO" : "WARN",
      record: { ...report },
    }),
    subscription: (api: "telemetry" | "logs", name: string, types: readonly string[]): SystemRecord => ({
      type: api === "telemetry" ? "platform.telemetrySubscription" : "platform.logsSubscription",
      level: "INFO",
      record: { name, state: "Subscribed", types },
    }),
    logsDropped: (reason: string, droppedRecords: number, droppedBytes: number): SystemRecord => ({
      type: "platform.logsDropped",
      level: "WARN",
      record: { reason, droppedRecords, droppedBytes },
    }),
  };
}

function failed(errorType: string | undefined) {
  return errorType === undefined ? {} : { errorType };
}

function metricsOf(report: InvocationReport) {
  return {
    durationMs: round(report.durationMs),
    billedDurationMs: report.billedDurationMs,
    memorySizeMB: report.memorySizeMb,
    maxMemoryUsedMB: report.maxMemoryUsedMb,
    ...(report.initDurationMs === undefined ? {} : { initDurationMs: round(report.initDurationMs) }),
    ...(report.restoreDurationMs === undefined
      ? {}
      : {
          restoreDurationMs: round(report.restoreDurationMs),
          billedRestoreDurationMs: Math.ceil(report.restoreDurationMs),
        }),
  };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
