import { ExpressionError } from "./expression.ts";

/** Values over time: epoch seconds → value, in order of time. */
export interface TimeSeries {
  readonly label: string;
  /** Seconds. */
  readonly period: number;
  readonly points: ReadonlyMap<number, number>;
}

export type MathValue =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "series"; readonly series: TimeSeries }
  | { readonly kind: "array"; readonly items: readonly TimeSeries[] };

export function scalar(value: number): MathValue {
  return { kind: "scalar", value };
}

export function series(points: Iterable<readonly [number, number]>, like: TimeSeries): TimeSeries {
  // AWS: what has no finite value, as a division by zero, is no data point.
  return { ...like, points: new Map([...points].filter(([, value]) => Number.isFinite(value))) };
}

/** Apply to a series, or to each of an array; a scalar is refused. */
export function eachSeries(value: MathValue, of: string, change: (series: TimeSeries) => TimeSeries): MathValue {
  if (value.kind === "series") return { kind: "series", series: change(value.series) };
  if (value.kind === "array") return { kind: "array", items: value.items.map(change) };
  throw new ExpressionError(`${of} takes a time series`);
}

/** Apply to every number, wherever it stands. */
export function eachNumber(value: MathValue, change: (number: number) => number): MathValue {
  if (value.kind === "scalar") return scalar(change(value.value));
  return eachSeries(value, "", (of) =>
    series(
      [...of.points].map(([at, number]) => [at, change(number)]),
      of,
    ),
  );
}

/**
 * Combine two values number by number. AWS: two time series have a result where both have a data point; an array is
 * combined item by item with what is no array, never with another array.
 */
export function combine(left: MathValue, right: MathValue, how: (a: number, b: number) => number): MathValue {
  if (left.kind === "array" && right.kind === "array") {
    throw new ExpressionError("Two arrays of time series cannot be combined");
  }
  if (left.kind === "array") {
    return {
      kind: "array",
      items: left.items.map((item) => seriesOf(combine({ kind: "series", series: item }, right, how))),
    };
  }
  if (right.kind === "array") {
    return {
      kind: "array",
      items: right.items.map((item) => seriesOf(combine(left, { kind: "series", series: item }, how))),
    };
  }
  if (left.kind === "scalar") return eachNumber(right, (number) => how(left.value, number));
  if (right.kind === "scalar") return eachNumber(left, (number) => how(number, right.value));
  const points: [number, number][] = [];
  for (const [at, number] of left.series.points) {
    const other = right.series.points.get(at);
    if (other !== undefined) points.push([at, how(number, other)]);
  }
  const period = Math.max(left.series.period, right.series.period);
  return { kind: "series", series: series(points, { ...left.series, period }) };
}

function seriesOf(value: MathValue): TimeSeries {
  if (value.kind !== "series") throw new ExpressionError("A time series was expected");
  return value.series;
}

export function numbersOf(value: MathValue, of: string): readonly number[] {
  if (value.kind !== "series") throw new ExpressionError(`${of} takes a time series`);
  return [...value.series.points.values()];
}

/** A statistic of an array at each time at which any of its series has a value. */
export function across(items: readonly TimeSeries[], how: (numbers: readonly number[]) => number): TimeSeries {
  const numbers = new Map<number, number[]>();
  for (const item of items) {
    for (const [at, number] of item.points) {
      const held = numbers.get(at);
      if (held) held.push(number);
      else numbers.set(at, [number]);
    }
  }
  const points = [...numbers].toSorted((a, b) => a[0] - b[0]).map(([at, all]) => [at, how(all)] as const);
  return series(points, { label: "", period: Math.max(60, ...items.map(({ period }) => period)), points: new Map() });
}
