import { expect, test } from "vitest";
import { workerLimits } from "./limits.ts";
import { createReplacement } from "./replacement.ts";

const { earlyMs, earlyEndsMax, pauseMs, pauseMsMax } = workerLimits;

test("a worker that has served for a while is replaced at once", () => {
  const { pauseAfter } = createReplacement();
  for (let count = 0; count < 100; count += 1) expect(pauseAfter(earlyMs)).toBe(0);
});

test("workers that end as soon as they start are replaced more and more slowly, and in the end not at all", () => {
  const { pauseAfter } = createReplacement();
  const pauses = Array.from({ length: earlyEndsMax + 1 }, () => pauseAfter(1));
  expect(pauses.slice(0, 3)).toEqual([pauseMs, 2 * pauseMs, 4 * pauseMs]);
  expect(pauses.at(-2)).toBe(pauseMsMax);
  expect(pauses.at(-1)).toBeUndefined();
});

test("one that has served for a while ends the row of those that have not", () => {
  const { pauseAfter } = createReplacement();
  for (let count = 0; count < earlyEndsMax; count += 1) pauseAfter(1);
  pauseAfter(earlyMs);
  expect(pauseAfter(1)).toBe(pauseMs);
});
