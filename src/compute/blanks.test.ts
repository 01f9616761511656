import { PassThrough } from "node:stream";
import { Server } from "node:net";
import { describe, expect, it } from "vitest";
import type { Clock } from "../kernel/clock.ts";
import { createBlanks } from "./blanks.ts";
import { encodeFrame, frameKind } from "./frames.ts";
import { computeLimits } from "./limits.ts";
import type { Interpreter, Sandbox, SandboxDriver, SandboxShape } from "./sandbox/sandbox.ts";

const python: Interpreter = { language: "python", version: "3.12.1", executable: "/python", prefix: "/usr" };
const node: Interpreter = { language: "node", version: "24.0.0", executable: "/node", prefix: "/usr" };
const shape: SandboxShape = { interpreter: node, memoryMb: 128, ephemeralStorageMb: 512 };

interface Started {
  readonly sandbox: Sandbox;
  readonly shape: SandboxShape;
  readonly resizedTo: number[];
  killed: boolean;
  become(ready: boolean): Promise<void>;
}

const settled = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

function setUp(limits: Partial<typeof computeLimits> = {}, serves = () => false) {
  const started: Started[] = [];
  const timers = new Set<{ readonly at: number; readonly action: () => void }>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    after(delayMs, action) {
      const timer = { at: now + delayMs, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const advance = async (ms: number) => {
    const until = now + ms;
    for (;;) {
      const [next] = [...timers].filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      timers.delete(next);
      now = next.at;
      next.action();
      await settled();
    }
    now = until;
  };
  const driver: SandboxDriver = {
    name: "process",
    start(wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<Sandbox>();
      const ended = Promise.withResolvers<{ code: null; signal: "SIGKILL"; outOfMemory: false }>();
      const channel = new PassThrough();
      const resizedTo: number[] = [];
      const one: Started = {
        sandbox: {
          channel,
          stdout: new PassThrough(),
          stderr: new PassThrough(),
          messages: new PassThrough(),
          endpoint: "",
          runtimeApi: new Server(),
          runtimeApiAddress: "",
          ended: ended.promise,
          place: () => Promise.reject(new Error("Nothing is placed here")),
          terminate: () => {},
          connect: () => new PassThrough(),
          resize: (memoryMb) => resizedTo.push(memoryMb),
          cpuUsedMs: () => undefined,
          memoryUsedMb: () => 0,
          freeze: () => {},
          thaw: () => {},
          kill() {
            one.killed = true;
            ended.resolve({ code: null, signal: "SIGKILL", outOfMemory: false });
          },
          dispose: () => Promise.resolve(),
        },
        shape: wanted,
        resizedTo,
        killed: false,
        async become(ready) {
          if (ready) resolve(one.sandbox);
          else reject(new Error("There is no room"));
          await settled();
          if (ready) channel.write(encodeFrame(frameKind.ready, Buffer.alloc(0)));
          await settled();
        },
      };
      started.push(one);
      return promise;
    },
    startImage: () => Promise.reject(new Error("No images here")),
    stop: () => Promise.resolve(),
  };
  const few = { sandboxStartsMax: 2, refillsMax: 1, blanksMin: 2, blanksMax: 6 };
  const blanks = createBlanks({
    driver,
    clock,
    limits: { ...computeLimits, ...few, ...limits },
    endpointPort: () => 1,
    serves,
  });
  /** Makes all that are started ready, and what is started then. */
  const fill = async () => {
    for (let index = 0; index < started.length; index += 1) {
      await started[index]?.become(true);
      await advance(1_000);
    }
  };
  return { blanks, started, advance, fill };
}

describe("sandboxes that wait for code", () => {
  it("are started no more at a time than the host starts well, for those who wait longest first", async () => {
    const { blanks, started } = setUp();
    const order: number[] = [];
    const taken = [0, 1, 2].map((index) => blanks.take(shape).then(() => order.push(index)));
    expect(started.length).toBe(2);
    await started[1]?.become(true);
    expect(order).toEqual([0]);
    expect(started.length).toBe(3);
    await started[2]?.become(true);
    await started[0]?.become(true);
    await Promise.all(taken);
    expect(order).toEqual([0, 1, 2]);
  });

  it("are made again after a burst, twice as many as it took, and not while somebody waits", async () => {
    const { blanks, started, advance, fill } = setUp();
    const taken = [blanks.take(shape), blanks.take(shape), blanks.take(shape)];
    await advance(500);
    expect(started.length).toBe(2);
    await fill();
    await Promise.all(taken);
    expect(started.length).toBe(3 + 6);
  });

  it("are as few as before when they were taken one after the other, each made again before the next", async () => {
    const { blanks, started, advance, fill } = setUp();
    await Promise.all([blanks.take(shape), fill()]);
    for (let round = 1; round <= 10; round += 1) {
      await blanks.take(shape);
      await advance(100);
      await started.at(-1)?.become(true);
      await advance(100);
    }
    expect(started.length).toBe(1 + 2 + 10);
  });

  it("are made without haste while functions run, beyond the few that there always are", async () => {
    const { blanks, started, advance } = setUp({}, () => true);
    const taken = [blanks.take(shape), blanks.take(shape), blanks.take(shape)];
    for (const index of [0, 1, 2]) await started[index]?.become(true);
    await Promise.all(taken);
    await advance(50);
    for (const count of [4, 5]) {
      expect(started.length).toBe(count);
      await advance(100);
      await started[count - 1]?.become(true);
      await advance(5);
    }
    expect(started.length).toBe(5);
    await advance(990);
    expect(started.length).toBe(5);
    await advance(10);
    expect(started.length).toBe(6);
  });

  it("go to who asks while they are being made", async () => {
    const { blanks, started, advance } = setUp();
    const first = blanks.take(shape);
    await started[0]?.become(true);
    await first;
    await advance(100);
    expect(started.length).toBe(2);
    const second = blanks.take(shape);
    expect(started.length).toBe(2);
    await started[1]?.become(true);
    expect(await second).toBe(started[1]?.sandbox);
  });

  it("tell the one who waits why they could not be started, and are tried again for the next", async () => {
    const { blanks, started } = setUp();
    const taken = expect(blanks.take(shape)).rejects.toThrow("There is no room");
    await started[0]?.become(false);
    await taken;
    const second = blanks.take(shape);
    await started[1]?.become(true);
    expect(await second).toBe(started[1]?.sandbox);
  });

  it("are of one memory size for all Python functions, and of the function's own for Node.js", async () => {
    const { blanks, started, fill } = setUp();
    const small = { interpreter: python, memoryMb: 128, ephemeralStorageMb: 512 };
    await Promise.all([blanks.take(small), fill()]);
    const count = started.length;
    const sandbox = await blanks.take({ ...small, memoryMb: 512 });
    expect(started.find((one) => one.sandbox === sandbox)?.resizedTo).toEqual([512]);
    expect(started.length).toBe(count);
    void blanks.take({ ...shape, memoryMb: 512 });
    expect(started.length).toBe(count + 1);
  });

  it("load the SDK ahead only where nobody waits for them", async () => {
    const { blanks, started, fill } = setUp();
    await Promise.all([blanks.take({ ...shape, preloadsSdk: true }), fill()]);
    expect(started.map((one) => one.shape.preloadsSdk)).toEqual([false, true, true]);
  });

  it("go by halves after a burst, and all of them when their shape has not been used for long", async () => {
    const { blanks, started, advance, fill } = setUp();
    await Promise.all([blanks.take(shape), blanks.take(shape), blanks.take(shape), fill()]);
    const left = () => started.slice(3).filter((one) => !one.killed).length;
    expect(left()).toBe(6);
    await advance(computeLimits.blankBurstMs);
    expect(left()).toBe(3);
    await advance(computeLimits.blankBurstMs);
    expect(left()).toBe(2);
    await advance(computeLimits.blankIdleMs);
    expect(left()).toBe(0);
  });
});
