import type { FunctionSpec, InvocationReport } from "./compute.ts";
import type { ExtensionReport } from "./extensions.ts";
import { createSystemRecords } from "./system-records.ts";
import type { InitReport, RuntimeDone, SystemLogLevel, SystemRecord, SystemRecords } from "./system-records.ts";
import type { InitializationType } from "./variables.ts";

/**
 * The lines that the platform itself writes into a function's log, in both of Lambda's log formats; undefined where that
 * format, or the function's level, has none. Source: "Monitoring and troubleshooting Lambda functions".
 */
export interface SystemLog {
  initStart(runtimeVersion: string): string | undefined;
  initRuntimeDone(init: InitReport): string | undefined;
  initReport(init: InitReport): string | undefined;
  restoreStart(runtimeVersion: string): string | undefined;
  restoreRuntimeDone(status: "success" | "error"): string | undefined;
  restoreReport(durationMs: number, status: "success" | "error"): string | undefined;
  start(requestId: string, tenantId?: string): string | undefined;
  runtimeDone(done: RuntimeDone): string | undefined;
  end(requestId: string): string | undefined;
  report(report: InvocationReport, errorType?: string): string | undefined;
  timeout(requestId: string, timeoutMs: number): string;
  exit(requestId: string, reason: string, errorType: string): string;
  extension(report: ExtensionReport): string | undefined;
  subscription(api: "telemetry" | "logs", name: string, types: readonly string[]): string | undefined;
}

/** Is told of every record, whatever the log shows of it. */
export interface RecordObserver {
  readonly wanted: boolean;
  tell(record: SystemRecord): void;
}

export function createSystemLog(
  spec: FunctionSpec,
  now: () => number,
  initializationType: InitializationType = "on-demand",
  observer: RecordObserver = { wanted: false, tell: () => {} },
): SystemLog {
  const records = createSystemRecords(spec, initializationType);
  const log =
    spec.logFormat === "JSON"
      ? jsonLog(records, now, spec.systemLogLevel ?? "INFO")
      : textLog(spec, now, initializationType);
  return observed(log, records, observer);
}

function observed(log: SystemLog, records: SystemRecords, observer: RecordObserver): SystemLog {
  const told =
    <Args extends readonly unknown[]>(
      record: (...args: Args) => SystemRecord,
      line: (...args: Args) => string | undefined,
    ) =>
    (...args: Args) => {
      if (observer.wanted) observer.tell(record(...args));
      return line(...args);
    };
  return {
    initStart: told(records.initStart, log.initStart),
    initRuntimeDone: told(records.initRuntimeDone, log.initRuntimeDone),
    initReport: told(records.initReport, log.initReport),
    restoreStart: told(records.restoreStart, log.restoreStart),
    restoreRuntimeDone: told(records.restoreRuntimeDone, log.restoreRuntimeDone),
    restoreReport: told(records.restoreReport, log.restoreReport),
    // These come with every invocation.
    start(requestId, tenantId) {
      if (observer.wanted) observer.tell(records.start(requestId, tenantId));
      return log.start(requestId, tenantId);
    },
    runtimeDone(done) {
      if (observer.wanted) observer.tell(records.runtimeDone(done));
      return log.runtimeDone(done);
    },
    report(report, errorType) {
      if (observer.wanted) observer.tell(records.report(report, errorType));
      return log.report(report, errorType);
    },
    end: log.end,
    timeout: log.timeout,
    exit: log.exit,
    extension: told(records.extension, log.extension),
    subscription: told(records.subscription, log.subscription),
  };
}

const none = () => undefined;

function textLog(spec: FunctionSpec, now: () => number, initializationType: InitializationType): SystemLog {
  return {
    initStart: (runtimeVersion) => `INIT_START Runtime Version: ${runtimeVersion}\n`,
    initRuntimeDone: none,
    initReport(init) {
      if (init.status === "success") {
        // What has succeeded is reported for SnapStart alone, in fewer words.
        if (initializationType !== "snap-start") return undefined;
        return `INIT_REPORT Init Duration: ${init.durationMs.toFixed(2)} ms\n`;
      }
      return (
        `INIT_REPORT Init Duration: ${init.durationMs.toFixed(2)} ms\tPhase: ${init.phase}\tStatus: ${init.status}` +
        `${init.errorType === undefined ? "" : `\tError Type: ${init.errorType}`}\n`
      );
    },
    restoreStart: (runtimeVersion) => `RESTORE_START Runtime Version: ${runtimeVersion}\n`,
    restoreRuntimeDone: none,
    restoreReport: (durationMs, status) =>
      `RESTORE_REPORT Restore Duration: ${durationMs.toFixed(2)} ms${status === "error" ? "\tStatus: error" : ""}\n`,
    start: (requestId) => `START RequestId: ${requestId} Version: ${spec.version}\n`,
    runtimeDone: none,
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
    subscription: (api, name, types) =>
      `${api === "telemetry" ? "TELEMETRY" : "LOGS"}\tName: ${name}\tState: Subscribed\tTypes: [${types.map(capitalized).join(", ")}]\n`,
  };
}

const rank: Readonly<Record<SystemLogLevel, number>> = { DEBUG: 1, INFO: 2, WARN: 3 };

function jsonLog(records: SystemRecords, now: () => number, least: SystemLogLevel): SystemLog {
  const line = ({ type, record, level }: SystemRecord) =>
    rank[level] < rank[least]
      ? undefined
      : `${JSON.stringify({ time: new Date(now()).toISOString(), type, record })}\n`;
  const error = (fields: Readonly<Record<string, unknown>>) =>
    `${JSON.stringify({ timestamp: new Date(now()).toISOString(), ...fields })}\n`;
  return {
    initStart: (runtimeVersion) => line(records.initStart(runtimeVersion)),
    initRuntimeDone: (init) => line(records.initRuntimeDone(init)),
    initReport: (init) => line(records.initReport(init)),
    restoreStart: (runtimeVersion) => line(records.restoreStart(runtimeVersion)),
    restoreRuntimeDone: (status) => line(records.restoreRuntimeDone(status)),
    restoreReport: (durationMs, status) => line(records.restoreReport(durationMs, status)),
    start: (requestId, tenantId) => (least === "WARN" ? undefined : line(records.start(requestId, tenantId))),
    runtimeDone: (done) =>
      done.status === "success" && least !== "DEBUG" ? undefined : line(records.runtimeDone(done)),
    // AWS: the JSON format has no END line.
    end: none,
    report: (report, errorType) => line(records.report(report, errorType)),
    extension: (report) => line(records.extension(report)),
    subscription: (api, name, types) => line(records.subscription(api, name, types)),
    timeout: (requestId, timeoutMs) =>
      error({ message: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`, level: "ERROR", requestId }),
    exit: (requestId, reason, errorType) =>
      error({ message: `RequestId: ${requestId} Error: ${reason}`, level: "ERROR", errorType, requestId }),
  };
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
