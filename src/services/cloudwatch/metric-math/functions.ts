import { ExpressionError } from "./expression.ts";
import {
  across,
  eachNumber,
  eachSeries,
  numbersOf,
  scalar,
  series,
  type MathValue,
  type TimeSeries,
} from "./values.ts";

/** The time that is asked about, in epoch seconds, and the step of a constant. */
export interface MathRange {
  readonly start: number;
  readonly end: number;
  readonly period: number;
}

type MathFunction = (values: readonly MathValue[], range: MathRange) => MathValue;

/**
 * Functions that take values. `FILL`, `IF`, `METRICS`, `SORT` and `SLICE` take words or look at what is asked and stand in `evaluate.ts`.
 * Source: CloudWatch user guide, "Metric math syntax and functions".
 */
export const mathFunctions: Readonly<Record<string, MathFunction>> = {
  ABS: ([value]) => eachNumber(needed(value, "ABS"), Math.abs),
  CEIL: ([value]) => eachNumber(needed(value, "CEIL"), Math.ceil),
  FLOOR: ([value]) => eachNumber(needed(value, "FLOOR"), Math.floor),
  LOG: ([value]) => eachNumber(needed(value, "LOG"), Math.log),
  LOG10: ([value]) => eachNumber(needed(value, "LOG10"), Math.log10),
  SUM: (values) => aggregate(values, "SUM", sum),
  AVG: (values) => aggregate(values, "AVG", average),
  MIN: (values) => aggregate(values, "MIN", (numbers) => Math.min(...numbers)),
  MAX: (values) => aggregate(values, "MAX", (numbers) => Math.max(...numbers)),
  STDDEV: (values) => aggregate(values, "STDDEV", deviation),
  DIFF: ([value]) => pairwise(value, "DIFF", (a, b) => b.value - a.value),
  DIFF_TIME: ([value]) => pairwise(value, "DIFF_TIME", (a, b) => b.at - a.at),
  RATE: ([value]) => pairwise(value, "RATE", (a, b) => (b.value - a.value) / (b.at - a.at)),
  RUNNING_SUM: ([value]) => eachSeries(needed(value, "RUNNING_SUM"), "RUNNING_SUM", runningSum),
  DATAPOINT_COUNT: ([value]) => scalar(numbersOf(needed(value, "DATAPOINT_COUNT"), "DATAPOINT_COUNT").length),
  METRIC_COUNT: ([value]) => scalar(itemsOf(needed(value, "METRIC_COUNT")).length),
  PERIOD: ([value]) => {
    const given = needed(value, "PERIOD");
    if (given.kind !== "series") throw new ExpressionError("PERIOD takes a time series");
    return scalar(given.series.period);
  },
  FIRST: ([value]) => oneOf(value, "FIRST", 0),
  LAST: ([value]) => oneOf(value, "LAST", -1),
  REMOVE_EMPTY: ([value]) => ({
    kind: "array",
    items: itemsOf(needed(value, "REMOVE_EMPTY")).filter(({ points }) => points.size > 0),
  }),
  TIME_SERIES: ([value], range) => {
    const given = needed(value, "TIME_SERIES");
    if (given.kind !== "scalar") throw new ExpressionError("TIME_SERIES takes a scalar");
    return { kind: "series", series: constant(given.value, range) };
  },
  MINUTE: ([value]) => calendar(value, "MINUTE", (date) => date.getUTCMinutes()),
  HOUR: ([value]) => calendar(value, "HOUR", (date) => date.getUTCHours()),
  // AWS: Monday is 1.
  DAY: ([value]) => calendar(value, "DAY", (date) => date.getUTCDay() || 7),
  DATE: ([value]) => calendar(value, "DATE", (date) => date.getUTCDate()),
  MONTH: ([value]) => calendar(value, "MONTH", (date) => date.getUTCMonth() + 1),
  YEAR: ([value]) => calendar(value, "YEAR", (date) => date.getUTCFullYear()),
  EPOCH: ([value]) => calendar(value, "EPOCH", (date) => date.getTime() / 1000),
};

export function needed(value: MathValue | undefined, of: string): MathValue {
  if (value === undefined) throw new ExpressionError(`${of} takes an argument`);
  return value;
}

export function itemsOf(value: MathValue): readonly TimeSeries[] {
  if (value.kind === "array") return value.items;
  if (value.kind === "series") return [value.series];
  throw new ExpressionError("An array of time series was expected");
}

export function constant(value: number, { start, end, period }: MathRange): TimeSeries {
  const points: [number, number][] = [];
  for (let at = start; at < end; at += period) points.push([at, value]);
  return series(points, { label: "", period, points: new Map() });
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export function average(numbers: readonly number[]): number {
  return sum(numbers) / numbers.length;
}

export function deviation(numbers: readonly number[]): number {
  const mean = average(numbers);
  return Math.sqrt(average(numbers.map((number) => (number - mean) ** 2)));
}

/** AWS: of an array a time series, of one time series a scalar. */
function aggregate(values: readonly MathValue[], of: string, how: (numbers: readonly number[]) => number): MathValue {
  const [value, ...others] = values;
  const given = needed(value, of);
  if (others.length > 0) throw new ExpressionError(`${of} takes one argument: name several as [a, b]`);
  if (given.kind === "array") return { kind: "series", series: across(given.items, how) };
  const numbers = numbersOf(given, of);
  return scalar(numbers.length === 0 ? NaN : how(numbers));
}

interface Point {
  readonly at: number;
  readonly value: number;
}

function pairwise(value: MathValue | undefined, of: string, how: (a: Point, b: Point) => number): MathValue {
  return eachSeries(needed(value, of), of, (given) => {
    const points = [...given.points].map(([at, number]) => ({ at, value: number }));
    return series(
      points.slice(1).flatMap((point, index) => {
        const before = points[index];
        return before ? [[point.at, how(before, point)] as const] : [];
      }),
      given,
    );
  });
}

function runningSum(given: TimeSeries): TimeSeries {
  let total = 0;
  return series(
    [...given.points].map(([at, number]) => [at, (total += number)]),
    given,
  );
}

function oneOf(value: MathValue | undefined, of: string, index: number): MathValue {
  const found = itemsOf(needed(value, of)).at(index);
  if (!found) throw new ExpressionError(`${of} takes an array that is not empty`);
  return { kind: "series", series: found };
}

function calendar(value: MathValue | undefined, of: string, read: (date: Date) => number): MathValue {
  return eachSeries(needed(value, of), of, (given) =>
    series(
      [...given.points.keys()].map((at) => [at, read(new Date(at * 1000))]),
      given,
    ),
  );
}
