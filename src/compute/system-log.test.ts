import { describe, expect, it } from "vitest";
import type { FunctionSpec } from "./compute.ts";
import { createSystemLog } from "./system-log.ts";

const at = Date.parse("2026-11-21T22:00:00.123Z");
const log = (logFormat: "Text" | "JSON") =>
  createSystemLog({ functionName: "f", version: "$LATEST", logFormat } as FunctionSpec, () => at);
const report = { requestId: "id", durationMs: 1.234, billedDurationMs: 2, memorySizeMb: 128, maxMemoryUsedMb: 64 };

describe("the platform's lines in a function's log", () => {
  it("are Lambda's, as text", () => {
    const text = log("Text");
    expect([
      text.start("id"),
      text.end("id"),
      text.report({ ...report, status: "success" }),
      text.report({ ...report, initDurationMs: 100.5, status: "success" }),
      text.report({ ...report, status: "timeout" }),
      text.report({ ...report, status: "error" }, "Runtime.ExitError"),
      text.timeout("id", 3_000),
    ]).toEqual([
      "START RequestId: id Version: $LATEST\n",
      "END RequestId: id\n",
      "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t\n",
      "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tInit Duration: 100.50 ms\t\n",
      "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: timeout\n",
      "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: error\tError Type: Runtime.ExitError\n",
      "2026-11-21T22:00:00.123Z id Task timed out after 3.00 seconds\n\n",
    ]);
  });

  it("are Lambda's, as JSON", () => {
    expect(JSON.parse(log("JSON").report({ ...report, status: "success" }) ?? "")).toEqual({
      time: "2026-11-21T22:00:00.123Z",
      type: "platform.report",
      record: {
        requestId: "id",
        metrics: { durationMs: 1.234, billedDurationMs: 2, memorySizeMB: 128, maxMemoryUsedMB: 64 },
        status: "success",
      },
    });
    expect(JSON.parse(log("JSON").start("id") ?? "")).toMatchObject({
      type: "platform.start",
      record: { requestId: "id", version: "$LATEST" },
    });
  });
});
