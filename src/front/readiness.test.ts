import { expect, test } from "vitest";
import { createMemoryStore } from "../kernel/store/memory-store.ts";
import type { Store } from "../kernel/store/store.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { frontLimits } from "./limits.ts";
import { createReadiness } from "./readiness.ts";

const clockNow = () => createFakeClock(1_000_000);

/** A store of which only reading matters. */
function storeThat(read: () => Promise<never>): { store: Store; reads: () => number } {
  let reads = 0;
  const memory = createMemoryStore();
  const store: Store = {
    ...memory,
    read: () => {
      reads += 1;
      return read();
    },
  };
  return { store, reads: () => reads };
}

test("a node whose store answers is ready", async () => {
  expect(await createReadiness({ store: createMemoryStore(), clock: clockNow() }).check()).toEqual({ status: "ready" });
});

test("a node whose store fails is unavailable", async () => {
  const { store } = storeThat(() => Promise.reject(new Error("no connection")));
  expect(await createReadiness({ store, clock: clockNow() }).check()).toEqual({
    status: "unavailable",
    reason: "store",
  });
});

test("a node whose store does not answer in time is unavailable", async () => {
  const { store } = storeThat(() => new Promise(() => {}));
  const clock = clockNow();
  const answer = createReadiness({ store, clock }).check();
  clock.advance(frontLimits.readinessMsMax);
  expect(await answer).toEqual({ status: "unavailable", reason: "store" });
});

test("a node that lost its lease is unavailable, whatever its store says", async () => {
  const readiness = createReadiness({ store: createMemoryStore(), clock: clockNow(), isLive: () => false });
  expect(await readiness.check()).toEqual({ status: "unavailable", reason: "lease" });
});

test("a node that drains is not ready, and its store is not asked", async () => {
  const { store, reads } = storeThat(() => Promise.reject(new Error("no")));
  const readiness = createReadiness({ store, clock: clockNow() });
  readiness.drain();
  expect(await readiness.check()).toEqual({ status: "draining" });
  expect(reads()).toBe(0);
});

test("however often it is asked, the store is asked a few times a second", async () => {
  const { store, reads } = storeThat(() => Promise.reject(new Error("no")));
  const clock = clockNow();
  const readiness = createReadiness({ store, clock });
  for (let n = 0; n < 1_000; n += 1) {
    await readiness.check();
    clock.advance(1);
  }
  expect(reads()).toBe(1_000 / frontLimits.readinessKeptMs);
});
