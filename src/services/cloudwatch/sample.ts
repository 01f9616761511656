import { cloudWatchLimits } from "./limits.ts";

/** What is known of the values reported in one period. Samples join without loss of count, sum, minimum and maximum. */
export interface Sample {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Value and how often, in turn. Absent where a statistic set was reported: what it was made of is not known. */
  readonly values?: readonly number[];
}

/** A sample of values with their counts. */
export function sampleOf(values: ReadonlyMap<number, number>): Sample {
  let [count, sum, minimum, maximum] = [0, 0, Infinity, -Infinity];
  for (const [value, times] of values) {
    count += times;
    sum += value * times;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { count, sum, minimum, maximum, values: toPairs(values) };
}

export function joinSamples(samples: readonly Sample[]): Sample | undefined {
  const [first] = samples;
  if (first === undefined || samples.length === 1) return first;
  let [count, sum, minimum, maximum] = [0, 0, Infinity, -Infinity];
  let values: Map<number, number> | undefined = new Map();
  for (const sample of samples) {
    count += sample.count;
    sum += sample.sum;
    minimum = Math.min(minimum, sample.minimum);
    maximum = Math.max(maximum, sample.maximum);
    if (sample.values === undefined) values = undefined;
    else if (values !== undefined) addPairs(values, sample.values);
  }
  return { count, sum, minimum, maximum, ...(values && { values: toPairs(values) }) };
}

function addPairs(values: Map<number, number>, pairs: readonly number[]): void {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const value = pairs[at] ?? 0;
    values.set(value, (values.get(value) ?? 0) + (pairs[at + 1] ?? 0));
  }
}

/** Where there are many values, they are kept to the nearest of a geometric series: joining what was kept so changes nothing. */
function toPairs(values: ReadonlyMap<number, number>): readonly number[] {
  let kept = values;
  for (const ratio of [1.02, 1.1]) {
    if (kept.size <= cloudWatchLimits.distinctValuesMax) break;
    const near = new Map<number, number>();
    for (const [value, times] of kept) {
      const rounded = nearest(value, Math.log(ratio));
      near.set(rounded, (near.get(rounded) ?? 0) + times);
    }
    kept = near;
  }
  return [...kept].flat();
}

function nearest(value: number, step: number): number {
  if (value === 0) return 0;
  const magnitude = Math.exp(Math.round(Math.log(Math.abs(value)) / step) * step);
  // Four digits are short to store, and too near to fall to a neighbour when this is done again.
  return Math.sign(value) * Number(magnitude.toPrecision(4));
}
