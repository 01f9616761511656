import fc from "fast-check";
import { expect, test } from "vitest";
import { environmentsFor, utilizationOf, type FleetLoad } from "./scaling.ts";

const loads = fc
  .record({
    environments: fc.integer({ min: 0, max: 50 }),
    slots: fc.integer({ min: 1, max: 64 }),
    taken: fc.double({ min: 0, max: 1, noNaN: true }),
    used: fc.double({ min: 0, max: 1.2, noNaN: true }),
    refused: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ environments, slots, taken, used, refused }): FleetLoad => ({
    environments,
    slots: environments * slots,
    occupied: Math.floor(environments * slots * taken),
    vcpus: environments,
    vcpusUsed: environments * used,
    refused,
  }));
const bounds = fc.record({
  min: fc.integer({ min: 0, max: 10 }),
  more: fc.integer({ min: 0, max: 50 }),
  target: fc.double({ min: 0.1, max: 1, noNaN: true }),
});

test("a fleet stays within its bounds, whatever its load", () => {
  fc.assert(
    fc.property(loads, bounds, (load, { min, more, target }) => {
      const wanted = environmentsFor(load, { min, max: min + more, target });
      expect(wanted).toBeGreaterThanOrEqual(min);
      expect(wanted).toBeLessThanOrEqual(min + more);
    }),
  );
});

test("a fleet that has refused anybody grows, where it may", () => {
  fc.assert(
    fc.property(loads, (load) => {
      fc.pre(load.environments > 0);
      const wanted = environmentsFor({ ...load, refused: 1 }, { min: 0, max: 1000, target: 0.5 });
      expect(wanted).toBe(2 * load.environments);
    }),
  );
});

test("whatever is scarcer counts: places or processors", () => {
  const idle = { environments: 2, slots: 10, occupied: 0, vcpus: 2, vcpusUsed: 0, refused: 0 };
  expect(utilizationOf(idle)).toBe(0);
  expect(utilizationOf({ ...idle, occupied: 4, vcpusUsed: 0.2 })).toBe(0.4);
  expect(utilizationOf({ ...idle, occupied: 4, vcpusUsed: 1.6 })).toBe(0.8);
  expect(utilizationOf({ ...idle, vcpusUsed: 9 })).toBe(1);
});
