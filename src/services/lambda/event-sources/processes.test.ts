import { beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { createFakeProcesses, fakeMapping, type FakeProcesses } from "./fake-processes.ts";
import { lanesOf, readDuty } from "./model.ts";

const start = 1_800_000_000_000;
let p: FakeProcesses;

beforeEach(() => {
  p = createFakeProcesses(createFakeClock(start));
});

describe("processes", () => {
  test("of several, one polls; another goes on where it died", async () => {
    p.add("a");
    const held = Promise.withResolvers<null>();
    p.handle = () => held.promise;
    await p.map({});
    await p.run();
    expect(p.ids()).toEqual(["a"]);
    await p.kill();
    p.handle = () => null;
    await p.run();
    await p.run();
    await p.settle();
    p.add("b");
    await p.settle();
    held.resolve(null);
    await p.settle();
    expect(p.ids()).toEqual(["a", "a", "b"]);
  });

  test("remember how often a batch has failed", async () => {
    p.add("a", "b");
    p.handle = () => fails(true);
    await p.map({ maximumRetryAttempts: 1, batchSize: 2 });
    await p.run();
    await p.kill();
    p.add("c");
    p.handle = ({ ids: [first] }) => fails(first === "a");
    await p.run();
    await p.advance(200);
    expect(p.ids()).toEqual(["ab", "ab", "c"]);
  });

  test("have nothing to do while there is nothing to read", async () => {
    await p.map({});
    p.add("a");
    await p.run();
    await p.advance(10_000);
    expect(await p.store.read((reader) => reader.range({ prefix: ["jobs"] }, { limit: 10 }))).toEqual([]);
    const lanes = lanesOf(fakeMapping, await p.mapping());
    const duties = lanes.map((lane) => p.store.read((reader) => readDuty(reader, lane)));
    expect(await Promise.all(duties)).toEqual([{ v: 1, polling: false }]);
    p.add("b");
    await p.settle();
    await p.advance(30);
    expect(p.ids()).toEqual(["a", "b"]);
  });

  test("miss nothing that is added while a poller lets go", async () => {
    await p.map({});
    await p.run();
    for (let n = 0; n < 30; n += 1) {
      await p.advance(1_900 + n * 10);
      p.add(`${n}`);
      await p.settle();
    }
    await p.advance(5_000);
    expect(p.ids()).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
  });
});

describe("a mapping that is changed", () => {
  test("is not polled once it is disabled, and goes on where it was", async () => {
    p.add("a");
    await p.map({});
    await p.run();
    await p.change({ enabled: false, state: "Disabling" });
    expect((await p.mapping()).state).toBe("Disabled");
    p.add("b");
    await p.advance(10_000);
    expect(p.ids()).toEqual(["a"]);
    await p.change({ enabled: true, state: "Enabling" });
    expect((await p.mapping()).state).toBe("Enabled");
    expect(p.ids()).toEqual(["a", "b"]);
  });

  test("waits for the batch that the function is running", async () => {
    p.add("a", "b");
    const held = Promise.withResolvers<null>();
    p.handle = () => held.promise;
    await p.map({ batchSize: 1 });
    await p.run();
    await p.change({ enabled: false, state: "Disabling" });
    expect((await p.mapping()).state).toBe("Disabling");
    held.resolve(null);
    await p.settle();
    expect((await p.mapping()).state).toBe("Disabled");
    expect(p.ids()).toEqual(["a"]);
  });

  test("leaves a batch that fails again and again at once", async () => {
    p.add("a");
    p.handle = () => fails(true);
    await p.map({});
    await p.run();
    for (let n = 0; n < 10; n += 1) await p.advance(60_000);
    await p.change({ enabled: false, state: "Disabling" });
    expect((await p.mapping()).state).toBe("Disabled");
  });

  test("to another parallelization factor loses nothing", async () => {
    p.add(..."abcdefgh");
    await p.map({ batchSize: 1 });
    await p.run();
    const { settings } = await p.mapping();
    await p.change({ settings: { ...settings, parallelizationFactor: 4 }, state: "Updating" });
    p.add(..."abcdefgh");
    await p.settle();
    await p.advance(100);
    expect(p.ids()).toHaveLength(16);
    expect(new Set(p.ids().slice(8)).size).toBe(8);
    expect((await p.mapping()).lanes).toBe(4);
  });

  test("leaves nothing when it is deleted", async () => {
    p.add("a");
    await p.map({ parallelizationFactor: 3 });
    await p.run();
    await p.change({ state: "Deleting" });
    await p.advance(10_000);
    expect(await p.store.read((reader) => reader.range({ prefix: ["eventSource"] }, { limit: 10 }))).toEqual([]);
    expect(await p.store.read((reader) => reader.range({ prefix: ["jobs"] }, { limit: 10 }))).toEqual([]);
  });
});

function fails(doesFail: boolean): null {
  if (doesFail) throw new Error("the function fails");
  return null;
}
