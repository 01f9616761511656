import { describe, expect, it } from "vitest";
import { errorTypeOf, exitReason, exited, timedOut } from "./outcomes.ts";

const exit = (code: number | null, signal: NodeJS.Signals | null = null, outOfMemory = false) => ({
  code,
  signal,
  outOfMemory,
});

const read = (text: string) => errorTypeOf(Buffer.from(text));

describe("the document for a runtime that ended", () => {
  it.each([
    [exit(0), "Runtime exited without providing a reason"],
    [exit(1), "Runtime exited with error: exit status 1"],
    [exit(129), "Runtime exited with error: exit status 129"],
    [exit(128), "Runtime exited with error: exit status 128"],
    [exit(137), "Runtime exited with error: signal: killed"],
    [exit(134), "Runtime exited with error: signal: aborted"],
    [exit(139), "Runtime exited with error: signal: segmentation fault"],
    [exit(null, "SIGKILL"), "Runtime exited with error: signal: killed"],
    [exit(137, null, true), "Runtime exited with error: signal: killed"],
  ])("for %j says: %s", (how, reason) => {
    expect(exitReason(how)).toBe(reason);
  });

  it("names Runtime.OutOfMemory when the kernel ended it for its memory, Runtime.ExitError otherwise", () => {
    expect(exited("id", exit(137, null, true)).errorType).toBe("Runtime.OutOfMemory");
    expect(exited("id", exit(137)).errorType).toBe("Runtime.ExitError");
  });

  it("names the timeout in seconds with two decimals", () => {
    expect(timedOut("id", 3_000).errorMessage).toBe("RequestId: id Error: Task timed out after 3.00 seconds");
  });

  it("reads the errorType of what a runtime sent, and does not trust it to be there", () => {
    expect([read('{"errorType":"E"}'), read('{"errorType":1}'), read("null"), read("{")]).toEqual([
      "E",
      undefined,
      undefined,
      undefined,
    ]);
  });
});
