import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExpression, ExpressionError } from "./metric-math/expression.ts";
import { joinSamples, sampleOf } from "./sample.ts";
import { parseStatistic } from "./statistic.ts";

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 60 });

function sampleOfAll(all: readonly number[]) {
  const counts = new Map<number, number>();
  for (const value of all) counts.set(value, (counts.get(value) ?? 0) + 1);
  return sampleOf(counts);
}

describe("samples", () => {
  test("joining samples is the sample of all their values", () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 8 }), (parts) => {
        const joined = joinSamples(parts.map(sampleOfAll));
        const whole = sampleOfAll(parts.flat());
        expect(joined?.count).toBe(whole.count);
        expect(joined?.minimum).toBe(whole.minimum);
        expect(joined?.maximum).toBe(whole.maximum);
        expect(joined?.sum).toBeCloseTo(whole.sum, 3);
      }),
    );
  });

  test("what is kept of many values is bounded, and percentiles stay within a percent", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => 1 + index / 10);
    const sample = joinSamples([sampleOfAll(many.slice(0, 10_000)), sampleOfAll(many.slice(10_000))]);
    expect(sample?.values?.length).toBeLessThan(2 * 1000);
    for (const percent of [1, 50, 90, 99, 99.9]) {
      const exact = many[Math.ceil((percent / 100) * many.length) - 1] ?? 0;
      const found = (sample && parseStatistic(`p${percent}`)?.(sample)) ?? 0;
      expect(Math.abs(found - exact) / exact).toBeLessThan(0.0101);
    }
  });
});

describe("statistics", () => {
  test("percentiles lie between minimum and maximum, and grow", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (all, a, b) => {
        const sample = sampleOfAll(all);
        const low = parseStatistic(`p${Math.min(a, b)}`)?.(sample) ?? NaN;
        const high = parseStatistic(`p${Math.max(a, b)}`)?.(sample) ?? NaN;
        expect(low).toBeGreaterThanOrEqual(sample.minimum);
        expect(low).toBeLessThanOrEqual(high);
        expect(high).toBeLessThanOrEqual(sample.maximum);
      }),
    );
  });

  test.each([
    "",
    "Sum ",
    "sum",
    "p",
    "p-1",
    "p100.1",
    "tm101",
    "TM(5)",
    "TM(90%:10%)",
    "TM(1:2%)",
    "PR(1%:2%)",
    "p1e1",
  ])("%j is no statistic", (text) => {
    expect(parseStatistic(text)).toBeUndefined();
  });
});

describe("metric math", () => {
  test("whatever is sent is parsed or refused, and never breaks", () => {
    const words = [
      "m1",
      "SUM",
      "(",
      ")",
      "[",
      "]",
      ",",
      "+",
      "-",
      "*",
      "/",
      "^",
      "<",
      "==",
      "&&",
      "1",
      ".5",
      '"a"',
      " ",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 40 }), (parts) => {
        try {
          parseExpression(parts.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("binds products tighter than sums, sums tighter than comparisons, and those tighter than AND and OR", () => {
    expect(parseExpression("1 + 2 * 3 > 4 AND 5 OR 6")).toMatchObject({
      operator: "OR",
      left: { operator: "AND", left: { operator: ">", left: { operator: "+", right: { operator: "*" } } } },
    });
  });
});
