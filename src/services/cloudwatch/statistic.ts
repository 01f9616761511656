import type { Sample } from "./sample.ts";

/** A statistic, ready to be computed; undefined where the sample does not say enough (AWS then has no data point). */
export type Statistic = (sample: Sample) => number | undefined;

/**
 * `Sum`, `p99.9`, `TM(10%:90%)`, `PR(:300)` … Undefined for what is none.
 * Source: CloudWatch user guide, "CloudWatch statistics definitions".
 */
export function parseStatistic(text: string): Statistic | undefined {
  return basic(text) ?? extended(text);
}

export function basic(text: string): Statistic | undefined {
  switch (text) {
    case "SampleCount":
      return (sample) => sample.count;
    case "Sum":
      return (sample) => sample.sum;
    case "Average":
      return (sample) => sample.sum / sample.count;
    case "Minimum":
      return (sample) => sample.minimum;
    case "Maximum":
      return (sample) => sample.maximum;
    default:
      return undefined;
  }
}

const percentile = /^p(\d{1,3}(?:\.\d{1,10})?)$/;
const short = /^(tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)$/;
const long = /^(TM|WM|TC|TS|PR)\((-?[\d.]{1,24}%?)?:(-?[\d.]{1,24}%?)?\)$/;

/** What `ExtendedStatistics` takes. */
export function extended(text: string): Statistic | undefined {
  const rank = percentile.exec(text)?.[1];
  if (rank !== undefined) return Number(rank) <= 100 ? (sample) => percentileOf(sample, Number(rank)) : undefined;
  if (text === "IQM") return (sample) => within(sample, "TM", { low: 25, high: 75, percent: true });
  const brief = short.exec(text);
  if (brief) {
    const high = Number(brief[2]);
    const kind = parseKind(brief[1] ?? "");
    return high <= 100 && kind ? (sample) => within(sample, kind, { low: 0, high, percent: true }) : undefined;
  }
  const full = long.exec(text);
  const kind = parseKind(full?.[1] ?? "");
  const bounds = full && parseBounds(full[2], full[3]);
  if (!kind || !bounds || (kind === "PR" && bounds.percent)) return undefined;
  return (sample) => within(sample, kind, bounds);
}

type Kind = "TM" | "WM" | "TC" | "TS" | "PR";

/** Above `low`, up to `high`: values, or percent of the values in order. */
interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly percent: boolean;
}

function parseKind(text: string): Kind | undefined {
  const kinds: readonly Kind[] = ["TM", "WM", "TC", "TS", "PR"];
  return kinds.find((kind) => kind === text.toUpperCase());
}

function parseBounds(lowText: string | undefined, highText: string | undefined): Bounds | undefined {
  if (lowText === undefined && highText === undefined) return undefined;
  const percents = [lowText, highText].filter((each) => each !== undefined).map((each) => each.endsWith("%"));
  const percent = percents[0] === true;
  if (percents.some((each) => each !== percent)) return undefined;
  const low = lowText === undefined ? (percent ? 0 : -Infinity) : Number(lowText.replace("%", ""));
  const high = highText === undefined ? (percent ? 100 : Infinity) : Number(highText.replace("%", ""));
  if (Number.isNaN(low) || Number.isNaN(high) || low >= high) return undefined;
  if (percent && (low < 0 || high > 100)) return undefined;
  return { low, high, percent };
}

/** AWS: a statistic set says enough only when it is of one value, or of equal ones. */
function sortedValues(sample: Sample): readonly (readonly [value: number, times: number])[] | undefined {
  if (sample.values === undefined) {
    return sample.count === 1 || sample.minimum === sample.maximum ? [[sample.minimum, sample.count]] : undefined;
  }
  const pairs: [number, number][] = [];
  for (let at = 0; at + 1 < sample.values.length; at += 2) {
    pairs.push([sample.values[at] ?? 0, sample.values[at + 1] ?? 0]);
  }
  return pairs.toSorted((a, b) => a[0] - b[0]);
}

/** The least value that so many percent of the values do not exceed. */
function percentileOf(sample: Sample, percent: number): number | undefined {
  const pairs = sortedValues(sample);
  if (!pairs) return undefined;
  // What joining has rounded stays between the least and the greatest value that came.
  const bounded = (value: number) => Math.min(sample.maximum, Math.max(sample.minimum, value));
  const wanted = (percent / 100) * sample.count;
  let seen = 0;
  for (const [value, times] of pairs) {
    seen += times;
    // Counts may be fractions; sums of them come out a little short.
    if (seen >= wanted * (1 - 1e-12)) return bounded(value);
  }
  return sample.maximum;
}

function within(sample: Sample, kind: Kind, bounds: Bounds): number | undefined {
  const pairs = sortedValues(sample);
  if (!pairs) return undefined;
  const total = pairs.reduce((sum, [, times]) => sum + times, 0);
  let [seen, count, sum] = [0, 0, 0];
  let [least, greatest, below, above] = [Infinity, -Infinity, 0, 0];
  for (const [value, times] of pairs) {
    let inside = 0;
    if (bounds.percent) {
      const from = Math.max(seen, (bounds.low / 100) * total);
      const to = Math.min(seen + times, (bounds.high / 100) * total);
      inside = Math.max(0, to - from);
      below += Math.max(0, Math.min(seen + times, (bounds.low / 100) * total) - seen);
      above += Math.max(0, seen + times - Math.max(seen, (bounds.high / 100) * total));
    } else if (value <= bounds.low) below += times;
    else if (value > bounds.high) above += times;
    else inside = times;
    seen += times;
    if (inside <= 0) continue;
    count += inside;
    sum += value * inside;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  switch (kind) {
    case "TC":
      return count;
    case "TS":
      return count === 0 ? undefined : sum;
    case "PR":
      return (count / total) * 100;
    case "TM":
      return count === 0 ? undefined : sum / count;
    case "WM":
      return count === 0 ? undefined : (sum + below * least + above * greatest) / total;
  }
}
