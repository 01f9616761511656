import { beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../../testing/fake-clock.ts";
import { createFakeProcesses, fakeSourceArn, type FakeProcesses } from "./fake-processes.ts";

const start = 1_800_000_000_000;
let p: FakeProcesses;

beforeEach(() => {
  p = createFakeProcesses(createFakeClock(start));
});

describe("a tumbling window", () => {
  test("carries its state from batch to batch, and ends with an event of its own", async () => {
    p.add("a", "b");
    p.handle = ({ ids: handedIds, event }) => ({
      state: { seen: `${Object(event["state"]).seen ?? ""}${handedIds.join("")}` },
    });
    await p.map({ tumblingWindowSeconds: 60, batchSize: 1 });
    await p.run();
    expect(p.ids()).toEqual(["a", "b"]);
    await p.advance(60_500);
    p.add("c");
    await p.settle();
    expect(p.ids()).toEqual(["a", "b", "", "c"]);
    const window = { start: "2027-01-15T08:00:00Z", end: "2027-01-15T08:01:00Z" };
    const more = { window, shardId: "shard", eventSourceARN: fakeSourceArn, isWindowTerminatedEarly: false };
    expect(windowOf(0)).toEqual({ ...more, state: {}, isFinalInvokeForWindow: false });
    expect(windowOf(1)).toEqual({ ...more, state: { seen: "a" }, isFinalInvokeForWindow: false });
    expect(windowOf(2)).toEqual({ ...more, state: { seen: "ab" }, isFinalInvokeForWindow: true });
    expect(windowOf(3)).toMatchObject({ state: {}, window: { start: "2027-01-15T08:01:00Z" } });
  });

  test("needs a state in every answer", async () => {
    p.add("a");
    p.handle = () => ({ batchItemFailures: [] });
    await p.map({ tumblingWindowSeconds: 60, maximumRetryAttempts: 1 });
    await p.run();
    await p.advance(200);
    expect(p.ids()).toEqual(["a", "a"]);
    expect(await p.result()).toBe("PROBLEM: Function call failed");
  });

  test("ends early when its state is too large", async () => {
    p.add("a", "b");
    let first = true;
    p.handle = () => {
      const state = { text: first ? "x".repeat(1_100_000) : "small" };
      first = false;
      return { state };
    };
    await p.map({ tumblingWindowSeconds: 60, batchSize: 1 });
    await p.run();
    expect(p.ids()).toEqual(["a", "", "b"]);
    expect(windowOf(1)).toMatchObject({ isWindowTerminatedEarly: true, isFinalInvokeForWindow: false });
    expect(windowOf(2)).toMatchObject({ state: {}, isWindowTerminatedEarly: false });
  });

  test("lasts over processes", async () => {
    p.add("a");
    p.handle = ({ ids: handedIds }) => ({ state: { seen: handedIds.join("") } });
    await p.map({ tumblingWindowSeconds: 60 });
    await p.run();
    await p.kill();
    await p.run();
    await p.advance(60_500);
    expect(windowOf(1)).toMatchObject({ isFinalInvokeForWindow: true, state: { seen: "a" } });
  });
});

function windowOf(index: number): object {
  const { Records: _records, ...more } = p.handed[index]?.event ?? {};
  return more;
}
