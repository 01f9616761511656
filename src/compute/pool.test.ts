import { expect, test } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import type { FunctionSpec, Invocation, InvocationOutcome } from "./compute.ts";
import type { Environment, RunEnd } from "./environment.ts";
import { computeLimits } from "./limits.ts";
import { createPool } from "./pool.ts";

const limits = { ...computeLimits, quickRunsMax: 2, startsMax: 100 };

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A pool whose environments start at once and run until they are told to answer. */
function startPool(more: { readonly quiet?: boolean; readonly quickRunsMax?: number } = {}) {
  const clock = createFakeClock(1_000_000);
  const runs: { readonly environment: { load: number; idle: boolean }; readonly end: RunEnd }[] = [];
  let started = 0;
  let frozen = 0;
  const create = (): Promise<Environment> => {
    started += 1;
    const environment = {
      sandbox: {
        ended: new Promise<never>(() => {}),
        freeze: () => (frozen += 1),
        thaw: () => (frozen -= 1),
      } as unknown as Environment["sandbox"],
      logStream: "stream",
      idle: true,
      credentialsExpireAt: Infinity,
      init: () => Promise.resolve({ outcome: "initialized" as const, durationMs: 1 }),
      load: 0,
      quiet: more.quiet ?? false,
      run: (_invocation: Invocation, _timeoutMs: number, end: RunEnd) => {
        environment.load += 1;
        environment.idle = false;
        runs.push({ environment, end });
      },
      restore: () => Promise.resolve({ outcome: "initialized" as const, durationMs: 1 }),
      conclude: () => Promise.resolve(outcomeOf(1)),
      end: () => {},
    };
    return Promise.resolve(environment);
  };
  const { quickRunsMax = limits.quickRunsMax } = more;
  const pool = createPool({ clock, limits: { ...limits, quickRunsMax }, create });
  const invoke = () =>
    pool.invoke(spec, { requestId: "r", payload: new Uint8Array(), invokedFunctionArn: spec.functionArn });
  return {
    clock,
    started: () => started,
    running: () => runs.length,
    frozen: () => frozen,
    async invoke(times: number) {
      for (let index = 0; index < times; index += 1) void invoke();
      await settled();
    },
    /** All that run now have taken so long. */
    async answer(durationMs: number) {
      const answered = runs.splice(0);
      for (const { environment } of answered) {
        environment.load -= 1;
        environment.idle = environment.load === 0;
      }
      for (const { end } of answered) end.concluded(outcomeOf(durationMs));
      await settled();
    },
    /** The environment of all that run now ends before any of them has begun. */
    async giveBack() {
      for (const { environment, end } of runs.splice(0)) {
        environment.load = 0;
        end.returned();
      }
      await settled();
    },
  };
}

test("simultaneous first requests start an environment each", async () => {
  const pool = startPool();
  await pool.invoke(50);
  expect(pool.started()).toBe(50);
  expect(pool.running()).toBe(50);
});

test("further requests to a slow function start an environment each, at once", async () => {
  const pool = startPool();
  await pool.invoke(1);
  await pool.answer(200);
  await pool.invoke(20);
  expect(pool.started()).toBe(20);
});

test("requests to a function of a millisecond wait for the running environment", async () => {
  const pool = startPool();
  await pool.invoke(1);
  await pool.answer(1);
  await pool.invoke(20);
  expect(pool.started()).toBe(1);
  for (let left = 20; left > 0; left -= 1) await pool.answer(1);
  expect(pool.running()).toBe(0);
});

test("who has waited in vain for a short function gets environments, in steps", async () => {
  const pool = startPool();
  await pool.invoke(1);
  await pool.answer(1);
  await pool.invoke(8);
  for (let waited = 0; waited < 500; waited += 10) {
    pool.clock.advance(10);
    await settled();
  }
  expect(pool.running()).toBe(8);
});

test("a busy environment of a steady, silent function is given invocations ahead, a bounded number", async () => {
  const pool = startPool({ quiet: true, quickRunsMax: 1 });
  for (let n = 0; n < 40; n += 1) {
    await pool.invoke(1);
    await pool.answer(0.2);
  }
  await pool.invoke(20);
  expect(pool.started()).toBe(1);
  expect(pool.running()).toBe(limits.followersMax);
});

test("on a busy host, where each of its invocations waits for a processor, it still is", async () => {
  const pool = startPool({ quiet: true, quickRunsMax: 1 });
  for (let n = 0; n < 40; n += 1) {
    await pool.invoke(1);
    await pool.answer(n % 2 === 0 ? 0.2 : 3);
  }
  await pool.invoke(20);
  expect(pool.running()).toBe(limits.followersMax);
});

test("nobody is put behind a function that took long a moment ago, until it has been short for a while", async () => {
  const pool = startPool({ quiet: true, quickRunsMax: 1 });
  for (let n = 0; n < 40; n += 1) {
    await pool.invoke(1);
    await pool.answer(n === 39 ? 15 : 0.2);
  }
  await pool.invoke(3);
  expect(pool.running()).toBe(1);
  for (let left = 3; left > 0; left -= 1) await pool.answer(0.2);
  for (let n = 0; n < 32; n += 1) {
    await pool.invoke(1);
    await pool.answer(0.2);
  }
  await pool.invoke(20);
  expect(pool.running()).toBe(limits.followersMax);
});

test("answers that come together leave their environment idle once: it is not frozen while it runs again", async () => {
  const pool = startPool({ quiet: true, quickRunsMax: 1 });
  for (let n = 0; n < 40; n += 1) {
    await pool.invoke(1);
    await pool.answer(0.2);
  }
  await pool.invoke(3);
  await pool.answer(0.2);
  await pool.invoke(1);
  for (let waited = 0; waited < 5; waited += 1) pool.clock.advance(1_000);
  expect(pool.frozen()).toBe(0);
  await pool.answer(0.2);
  for (let waited = 0; waited < 5; waited += 1) pool.clock.advance(1_000);
  expect(pool.frozen()).toBe(1);
});

test("what an environment had not begun when it ended goes to another", async () => {
  const pool = startPool({ quiet: true, quickRunsMax: 1 });
  for (let n = 0; n < 40; n += 1) {
    await pool.invoke(1);
    await pool.answer(0.2);
  }
  await pool.invoke(3);
  expect(pool.running()).toBe(3);
  await pool.giveBack();
  expect(pool.started()).toBe(2);
  expect(pool.running()).toBe(3);
});

const spec: FunctionSpec = {
  id: "f",
  account: "000000000000",
  region: "us-east-1",
  functionName: "f",
  version: "$LATEST",
  functionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
  roleArn: "arn:aws:iam::000000000000:role/r",
  runtime: "nodejs24.x",
  handler: "index.handler",
  codeDir: "/code",
  environment: {},
  memoryMb: 128,
  timeoutMs: 3_000,
  ephemeralStorageMb: 512,
  logGroup: "/aws/lambda/f",
  logFormat: "Text",
  architecture: "x86_64",
};

function outcomeOf(durationMs: number): InvocationOutcome {
  return {
    outcome: "success",
    payload: new Uint8Array(),
    report: {
      requestId: "r",
      durationMs,
      billedDurationMs: durationMs,
      memorySizeMb: 128,
      maxMemoryUsedMb: 1,
      status: "success",
    },
  };
}
