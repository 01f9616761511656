import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { FleetPlan, FunctionSpec } from "../../src/compute/compute.ts";
import { ComputeSaturatedError } from "../../src/compute/compute.ts";
import { startHarness, type Harness } from "./harness.ts";

/** Invocations that meet: the first waits until the second has come. */
const meeting = `
  import { threadId } from "node:worker_threads";
  let opened;
  const gate = new Promise((resolve) => { opened = resolve; });
  export const handler = async (event, context) => {
    if (event.open) { opened(); return "opened"; }
    if (event.meet) { await gate; return context.awsRequestId; }
    if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
    if (event.log) console.log(event.log);
    if (event.later) setImmediate(() => { throw new Error("late"); });
    if (event.later || event.never) await new Promise(() => {});
    if (event.exit) process.exit(3);
    if (event.thread) return threadId;
    if (event.fail) throw new TypeError(event.fail);
    if (event.variables) return { ...process.env };
    if (event.store) {
      const { InvokeStore } = globalThis.awslambda;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { id: InvokeStore.getRequestId(), trace: InvokeStore.getXRayTraceId(), own: context.awsRequestId, given: context.xRayTraceId };
    }
    return event;
  };`;

describe("a function with multi-concurrency", () => {
  let harness: Harness;
  const plans = new Map<string, FleetPlan>();
  beforeAll(async () => {
    harness = await startHarness("auto", { fleetSweepMs: 50, fleetShrinkAfterMs: 100, keptRetryFirstMs: 20 });
  });
  afterAll(() => harness.stop());

  const define = async (
    source: string,
    slots: number,
    more: Partial<FunctionSpec> = {},
    bounds: Partial<FleetPlan> = {},
    files: Readonly<Record<string, string>> = { "index.mjs": source },
  ): Promise<FunctionSpec> => {
    const { environment, ...rest } = more;
    const spec = await harness.define(files, {
      runtime: "nodejs24.x",
      logFormat: "JSON",
      memoryMb: 2048,
      multiConcurrency: { slots, vcpus: 1 },
      environment: { AWS_LAMBDA_NODEJS_WORKER_COUNT: "1", ...environment },
      ...rest,
    });
    plans.set(spec.id, {
      spec,
      environmentsMin: 1,
      environmentsMax: 1,
      utilizationTarget: 0.5,
      group: spec.id,
      groupVcpusMax: 100,
      ...bounds,
    });
    harness.compute.maintain([...plans.values()]);
    return spec;
  };
  const twoAreThere = (spec: FunctionSpec) =>
    vi.waitFor(() => Promise.all([0, 1].map(() => harness.answer(spec, { wait: 0.05 }))), { timeout: 10_000 });
  const readyOf = (spec: FunctionSpec) => harness.compute.fleet(spec.id)?.ready;
  const becomes = (spec: FunctionSpec, ready: number) =>
    vi.waitFor(() => expect(readyOf(spec)).toBe(ready), { timeout: 15_000, interval: 10 });

  it("runs two invocations in one environment at once: the first ends by what the second does", async () => {
    const spec = await define(meeting, 2);
    const requestId = "11111111-2222-4333-8444-555555555555";
    const first = harness.invoke(spec, { meet: true }, { requestId });
    expect(await harness.answer(spec, { open: true })).toBe("opened");
    const { payload, report } = await first;
    expect(JSON.parse(Buffer.from(payload).toString())).toBe(requestId);
    expect(report.initDurationMs).toBeUndefined();
    expect(readyOf(spec)).toBe(1);
  });

  it("refuses what comes beyond its places, and takes it again when one is free", async () => {
    const spec = await define(meeting, 2);
    await harness.answer(spec, {});
    const waiting = [harness.answer(spec, { wait: 200 }), harness.answer(spec, { wait: 200 })];
    await expect(harness.invoke(spec, {})).rejects.toThrow(ComputeSaturatedError);
    await Promise.all(waiting);
    expect(await harness.answer(spec, { again: 1 })).toEqual({ again: 1 });
  });

  it("tells who waits that an invocation timed out, and disturbs neither its neighbours nor its code", async () => {
    const spec = await define(meeting, 3, { timeoutMs: 300 });
    await harness.answer(spec, {});
    const neighbour = harness.answer(spec, { wait: 250, neighbour: true });
    const { outcome, payload, report } = await harness.invoke(spec, { wait: 800, log: "still here" });
    expect({ outcome, status: report.status, document: JSON.parse(Buffer.from(payload).toString()) }).toEqual({
      outcome: "error",
      status: "timeout",
      document: {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/^RequestId: .* Error: Task timed out after 0\.30 seconds$/u),
      },
    });
    expect(await neighbour).toEqual({ wait: 250, neighbour: true });
    await vi.waitFor(() => expect(harness.log(spec).join("")).toContain("still here"), { timeout: 3_000 });
    expect(readyOf(spec)).toBe(1);
  });

  it("keeps a place taken by what timed out until it has come back", async () => {
    const spec = await define(meeting, 1, { timeoutMs: 100 });
    await harness.answer(spec, {});
    await harness.invoke(spec, { wait: 600 });
    await expect(harness.invoke(spec, {})).rejects.toThrow(ComputeSaturatedError);
    await vi.waitFor(async () => expect(await harness.answer(spec, { back: 1 })).toEqual({ back: 1 }), {
      timeout: 3_000,
      interval: 50,
    });
  });

  it("answers the error of one while another runs", async () => {
    const spec = await define(meeting, 2);
    const other = harness.answer(spec, { wait: 100 });
    expect(await harness.answer(spec, { fail: "as asked" })).toMatchObject({ errorType: "TypeError" });
    expect(await other).toEqual({ wait: 100 });
  });

  it("goes on with its other workers when one ends, whose invocations have failed", async () => {
    const spec = await define(meeting, 4, { environment: { AWS_LAMBDA_NODEJS_WORKER_COUNT: "2" } });
    const seen = new Set<unknown>();
    await vi.waitFor(
      async () => {
        for (const thread of await Promise.all([0, 1].map(() => harness.answer(spec, { thread: true }))))
          seen.add(thread);
        expect(seen.size).toBe(2);
      },
      { timeout: 10_000, interval: 10 },
    );
    const others = [harness.answer(spec, { wait: 300, other: 1 }), harness.answer(spec, { wait: 300, other: 2 })];
    const ended = await harness.answer(spec, { exit: true });
    expect(ended).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: exit status 1$/u),
    });
    const answers = await Promise.all(others);
    expect(answers.filter((answer) => (answer as { other?: number }).other !== undefined)).toHaveLength(1);
    expect(await harness.answer(spec, { more: 1 })).toEqual({ more: 1 });
  });

  it("replaces an environment whose last worker has ended", async () => {
    const spec = await define(meeting, 2);
    await harness.answer(spec, {});
    expect(await harness.answer(spec, { later: true })).toMatchObject({ errorType: "Runtime.ExitError" });
    await vi.waitFor(async () => expect(await harness.answer(spec, { new: 1 })).toEqual({ new: 1 }), {
      timeout: 10_000,
      interval: 50,
    });
    expect(harness.log(spec).join("")).toContain("late");
  });

  it("tells the runtime its concurrency, and each invocation its own request and trace, not by a variable", async () => {
    const spec = await define(meeting, 7);
    expect(await harness.answer(spec, { variables: true })).toMatchObject({
      AWS_LAMBDA_MAX_CONCURRENCY: "7",
      AWS_LAMBDA_INITIALIZATION_TYPE: "lambda-managed-instances",
      AWS_LAMBDA_LOG_FORMAT: "JSON",
    });
    const traces = ["Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e701"];
    const answers = await Promise.all(traces.map((traceId) => harness.invoke(spec, { store: true }, { traceId })));
    for (const [index, { payload }] of answers.entries()) {
      const seen = JSON.parse(Buffer.from(payload).toString()) as { id: string; own: string };
      expect(seen).toMatchObject({ trace: traces[index], given: traces[index], id: seen.own });
    }
    expect(await harness.answer(spec, { variables: true })).not.toHaveProperty("_X_AMZN_TRACE_ID");
  });

  it("writes JSON lines that name their request, also in the tail of one of several", async () => {
    const spec = await define(meeting, 2);
    const [one, two] = await Promise.all([
      harness.invoke(spec, { log: "from one", wait: 50 }, { logTail: true }),
      harness.invoke(spec, { log: "from two", wait: 50 }, { logTail: true }),
    ]);
    for (const [outcome, said, notSaid] of [
      [one, "from one", "from two"],
      [two, "from two", "from one"],
    ] as const) {
      const tail = Buffer.from(outcome.logTail ?? []).toString();
      const lines = tail
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines.find(({ message }) => message === said)).toMatchObject({
        level: "INFO",
        requestId: outcome.report.requestId,
      });
      expect(tail).not.toContain(notSaid);
      expect(lines.at(-1)).toMatchObject({
        type: "platform.report",
        record: { metrics: { durationMs: expect.any(Number) as number }, status: "success" },
      });
    }
  });

  it("hands on what each of several streams, at the pace of its own reader", async () => {
    const source = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
      for (let index = 0; index < event.pieces; index += 1) {
        if (!stream.write(event.text.repeat(16_384))) await new Promise((resolve) => stream.once("drain", resolve));
      }
      stream.end();
    });`;
    const spec = await define(source, 2);
    await vi.waitFor(() => expect(readyOf(spec)).toBe(1), { timeout: 10_000 });
    const taken: Record<string, number> = { slow: 0, fast: 0 };
    const release = Promise.withResolvers<void>();
    const sink = (name: string, wait: Promise<void> | undefined) => ({
      start: () => undefined,
      write(bytes: Uint8Array) {
        taken[name] = (taken[name] ?? 0) + bytes.length;
        return wait;
      },
      end: () => undefined,
    });
    const slow = harness.invoke(spec, { pieces: 20, text: "s" }, { sink: sink("slow", release.promise) });
    const fast = await harness.invoke(spec, { pieces: 20, text: "f" }, { sink: sink("fast", undefined) });
    expect({ outcome: fast.outcome, bytes: taken["fast"] }).toEqual({ outcome: "success", bytes: 20 * 16_384 });
    expect(taken["slow"]).toBeLessThan(5 * 16_384);
    release.resolve();
    expect((await slow).outcome).toBe("success");
    expect(taken["slow"]).toBe(20 * 16_384);
  });

  it("refuses handlers with a callback", async () => {
    const spec = await define("export const handler = (event, context, callback) => callback(null, 1);", 2);
    await vi.waitFor(() => expect(harness.compute.fleet(spec.id)?.failure).toBe("Runtime.CallbackHandlerDeprecated"), {
      timeout: 10_000,
    });
    await expect(harness.invoke(spec, {})).rejects.toThrow(ComputeSaturatedError);
    plans.delete(spec.id);
  });

  it("starts more environments while its places are taken, and ends them when they are not", async () => {
    const spec = await define(meeting, 2, {}, { environmentsMax: 3 });
    await becomes(spec, 1);
    const busy = new AbortController();
    const keepBusy = async () => {
      while (!busy.signal.aborted)
        await harness.answer(spec, { wait: 30 }).catch(() => new Promise((resolve) => setTimeout(resolve, 10)));
    };
    const callers = Array.from({ length: 6 }, keepBusy);
    await becomes(spec, 3);
    busy.abort();
    await Promise.all(callers);
    await becomes(spec, 1);
  });

  it("has no more environments than its group has processors for, and says so", async () => {
    const spec = await define(meeting, 2, {}, { environmentsMin: 3, environmentsMax: 3, groupVcpusMax: 2 });
    await becomes(spec, 2);
    expect(harness.compute.fleet(spec.id)).toEqual({
      wanted: 3,
      ready: 2,
      failure: "The capacity provider and this host have room for 2 execution environments",
    });
  });

  it("lets environments that are not kept any more end, when they have done what they do", async () => {
    const spec = await define(meeting, 2);
    await harness.answer(spec, {});
    const last = harness.answer(spec, { wait: 200 });
    plans.delete(spec.id);
    harness.compute.maintain([...plans.values()]);
    await expect(harness.invoke(spec, {})).rejects.toThrow(ComputeSaturatedError);
    expect(await last).toEqual({ wait: 200 });
    expect(harness.compute.fleet(spec.id)).toBeUndefined();
  });

  describe("in Python", () => {
    const source = `
import logging, os, time
born = os.getpid()
def handler(event, context):
    if "meet" in event:
        open("/tmp/" + event["meet"] + event["me"], "w").close()
        while not os.path.exists("/tmp/" + event["meet"] + event["other"]): time.sleep(0.005)
        return context.aws_request_id
    if "wait" in event: time.sleep(event["wait"])
    if "log" in event: logging.getLogger().warning(event["log"])
    if "exit" in event: os._exit(3)
    if "fail" in event: raise ValueError(event["fail"])
    if "who" in event: return {"pid": born, "trace": os.environ.get("_X_AMZN_TRACE_ID"), "max": os.environ["AWS_LAMBDA_MAX_CONCURRENCY"]}
    return event
`;
    const definePython = (slots: number, more: Partial<FunctionSpec> = {}, text = source) =>
      define("", slots, { runtime: "python3.11", handler: "app.handler", ...more }, {}, { "app.py": text });

    it("runs invocations that meet, each in a process of its own with its own trace", async () => {
      const spec = await definePython(2);
      const meet = `m${process.pid}-`;
      await twoAreThere(spec);
      const [a, b] = await Promise.all([
        harness.answer(spec, { meet, me: "a", other: "b" }),
        harness.answer(spec, { meet, me: "b", other: "a" }),
      ]);
      expect([typeof a, typeof b]).toEqual(["string", "string"]);
      const [first, second] = await Promise.all(
        ["one", "two"].map((traceId) => harness.invoke(spec, { who: 1, wait: 0.2 }, { traceId })),
      );
      const [one, two] = [first, second].map(
        (outcome) => JSON.parse(Buffer.from(outcome?.payload ?? []).toString()) as { pid: number },
      );
      expect([one, two]).toMatchObject([
        { trace: "one", max: "2" },
        { trace: "two", max: "2" },
      ]);
      expect(one?.pid).not.toBe(two?.pid);
    });

    it("goes on with its other processes when one ends, and answers what that was running with an error", async () => {
      const spec = await definePython(2);
      await twoAreThere(spec);
      const other = harness.answer(spec, { wait: 0.3 });
      expect(await harness.answer(spec, { exit: 1 })).toMatchObject({ errorType: "Runtime.ExitError" });
      expect(await other).toEqual({ wait: 0.3 });
      expect(await harness.answer(spec, { fail: "as asked" })).toMatchObject({ errorType: "ValueError" });
      const busy = harness.answer(spec, { wait: 0.2 });
      await expect(harness.invoke(spec, {})).rejects.toThrow(ComputeSaturatedError);
      await busy;
    });

    it("tells of a timeout without ending the process, and writes lines that name their request", async () => {
      const spec = await definePython(1, { timeoutMs: 150 });
      await harness.answer(spec, {});
      const late = await harness.invoke(spec, { wait: 0.5, log: "after all" });
      expect(late.report.status).toBe("timeout");
      await vi.waitFor(() => expect(harness.log(spec).join("")).toContain("after all"), { timeout: 3_000 });
      const line = harness.log(spec).find((each) => each.includes("after all")) ?? "{}";
      expect(JSON.parse(line)).toMatchObject({ level: "WARNING", requestId: late.report.requestId });
      expect(await harness.answer(spec, { x: "y".repeat(200_000) })).toEqual({ x: "y".repeat(200_000) });
    });

    it("answers why it cannot start", async () => {
      const spec = await definePython(2, {}, "raise RuntimeError('no start')");
      await vi.waitFor(() => expect(harness.compute.fleet(spec.id)?.failure).toBe("RuntimeError"), { timeout: 10_000 });
      plans.delete(spec.id);
    });
  });
});
