import type { FunctionSpec, InvocationReport } from "./compute.ts";
import type { ExtensionReport } from "./extensions.ts";
import type { InitializationType } from "./variables.ts";

/**
 * The lines that the platform itself writes into a function's log, in both of Lambda's log formats.
 * Source: "Monitoring and troubleshooting Lambda functions" and the Telemetry API's event schema.
 */
export interface SystemLog {
  initStart(runtimeVersion: string): string;
  initReport(init: {
    durationMs: number;
    phase: "init" | "invoke";
    status: "success" | "error" | "timeout";
    errorType?: string;
  }): string;
  restoreStart(runtimeVersion: string): string;
  restoreReport(durationMs: number, status: "success" | "error"): string;
  start(requestId: string, tenantId?: string): string;
  end(requestId: string): string | undefined;
  report(report: InvocationReport, errorType?: string): string;
  timeout(requestId: string, timeoutMs: number): string;
  exit(requestId: string, reason: string, errorType: string): string;
  extension(report: ExtensionReport): string;
}

export function createSystemLog(
  spec: FunctionSpec,
  now: () => number,
  initializationType: InitializationType = "on-demand",
): SystemLog {
  return spec.logFormat === "JSON" ? jsonLog(spec, now, initializationType) : textLog(spec, now);
}

function textLog(spec: FunctionSpec, now: () => number): SystemLog {
  return {
    initStart: (runtimeVersion) => `INIT_START Runtime Version: ${runtimeVersion}\n`,
    initReport: (init) =>
      // What has succeeded is reported for SnapStart alone, in fewer words.
      init.status === "success"
        ? `INIT_REPORT Init Duration: ${init.durationMs.toFixed(2)} ms\n`
        : `INIT_REPORT Init Duration: ${init.durationMs.toFixed(2)} ms\tPhase: ${init.phase}\tStatus: ${init.status}` +
          `${init.errorType === undefined ? "" : `\tError Type: ${init.errorType}`}\n`,
    restoreStart: (runtimeVersion) => `RESTORE_START Runtime Version: ${runtimeVersion}\n`,
    restoreReport: (durationMs, status) =>
      `RESTORE_REPORT Restore Duration: ${durationMs.toFixed(2)} ms${status === "error" ? "\tStatus: error" : ""}\n`,
    start: (requestId) => `START RequestId: ${requestId} Version: ${spec.version}\n`,
    end: (requestId) => `END RequestId: ${requestId}\n`,
    report: (report, errorType) =>
      `REPORT RequestId: ${report.requestId}\tDuration: ${report.durationMs.toFixed(2)} ms\t` +
      `Billed Duration: ${report.billedDurationMs} ms\tMemory Size: ${report.memorySizeMb} MB\t` +
      `Max Memory Used: ${report.maxMemoryUsedMb} MB\t` +
      (report.initDurationMs === undefined ? "" : `Init Duration: ${report.initDurationMs.toFixed(2)} ms\t`) +
      (report.restoreDurationMs === undefined
        ? ""
        : `Restore Duration: ${report.restoreDurationMs.toFixed(2)} ms\t` +
          `Billed Restore Duration: ${Math.ceil(report.restoreDurationMs)} ms\t`) +
      (report.status === "timeout" ? "Status: timeout" : "") +
      (report.status === "error" && errorType !== undefined ? `Status: error\tError Type: ${errorType}` : "") +
      "\n",
    timeout: (requestId, timeoutMs) =>
      `${new Date(now()).toISOString()} ${requestId} Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds\n\n`,
    exit: (requestId, reason, errorType) => `RequestId: ${requestId} Error: ${reason}\n${errorType}\n`,
    extension: ({ name, state, events, errorType }) =>
      `EXTENSION\tName: ${name}\tState: ${state}\tEvents: [${events.join(",")}]` +
      `${errorType === undefined ? "" : `\tError Type: ${errorType}`}\n`,
  };
}

function jsonLog(spec: FunctionSpec, now: () => number, initializationType: InitializationType): SystemLog {
  const line = (type: string, record: Readonly<Record<string, unknown>>) =>
    `${JSON.stringify({ time: new Date(now()).toISOString(), type, record })}\n`;
  const initCommon = {
    initializationType,
    functionName: spec.functionName,
    functionVersion: spec.version,
  };
  return {
    initStart: (runtimeVersion) => line("platform.initStart", { ...initCommon, phase: "init", runtimeVersion }),
    initReport: (init) =>
      line("platform.initReport", {
        initializationType,
        phase: init.phase,
        status: init.status,
        ...(init.errorType === undefined ? {} : { errorType: init.errorType }),
        metrics: { durationMs: round(init.durationMs) },
      }),
    restoreStart: (runtimeVersion) =>
      line("platform.restoreStart", {
        functionName: spec.functionName,
        functionVersion: spec.version,
        runtimeVersion,
      }),
    restoreReport: (durationMs, status) =>
      line("platform.restoreReport", { status, metrics: { durationMs: round(durationMs) } }),
    start: (requestId, tenantId) =>
      line("platform.start", { requestId, version: spec.version, ...(tenantId !== undefined && { tenantId }) }),
    // AWS: the JSON format has no END line; the record `platform.runtimeDone` is at a finer log level.
    end: () => undefined,
    report: (report, errorType) =>
      line("platform.report", {
        requestId: report.requestId,
        metrics: {
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
        },
        status: report.status,
        ...(errorType === undefined ? {} : { errorType }),
      }),
    timeout: (requestId, timeoutMs) =>
      `${JSON.stringify({
        timestamp: new Date(now()).toISOString(),
        message: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
        level: "ERROR",
        requestId,
      })}\n`,
    exit: (requestId, reason, errorType) =>
      `${JSON.stringify({
        timestamp: new Date(now()).toISOString(),
        message: `RequestId: ${requestId} Error: ${reason}`,
        level: "ERROR",
        errorType,
        requestId,
      })}\n`,
    extension: (report) => line("platform.extension", { ...report }),
  };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
