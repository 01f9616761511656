import type { Key, Reader } from "../../kernel/store/store.ts";
import { invalidQuery } from "./errors.ts";
import { cloudWatchLimits } from "./limits.ts";
import { pointPrefix, resolutions, seriesId, type MetricIdentity, type PointRecord } from "./model.ts";
import { joinSamples, type Sample } from "./sample.ts";

/** What is asked of a metric. Seconds since the epoch; `end` is exclusive; periods are counted from `start`. */
export interface MetricQuery {
  readonly metric: MetricIdentity;
  readonly start: number;
  readonly end: number;
  readonly period: number;
  /** Only what was reported in this unit. */
  readonly unit?: string | undefined;
}

export interface Bucket {
  /** Epoch seconds. */
  readonly start: number;
  readonly unit: string;
  readonly sample: Sample;
}

/**
 * The samples of a metric by period and unit, in order of time.
 *
 * AWS: what is old enough to be kept at a coarser resolution than the period asked for is not found.
 */
export async function readBuckets(reader: Reader, query: MetricQuery): Promise<Bucket[]> {
  const { start, end, period } = query;
  const id = seriesId(query.metric);
  const found = new Map<string, { start: number; unit: string; samples: Sample[] }>();
  let scanned = 0;
  for (const resolution of resolutions) {
    if (resolution > period) break;
    const prefix = pointPrefix(id, resolution);
    let from: Key = [...prefix, start];
    for (;;) {
      const entries = await reader.range<PointRecord>({ start: from, end: [...prefix, end] }, { limit: 1000 });
      for (const { key, value } of entries) {
        const [, , , , at, unit] = key;
        if (typeof at !== "number" || typeof unit !== "string") continue;
        if (query.unit !== undefined && unit !== query.unit) continue;
        const bucket = at - ((at - start) % period);
        const name = `${bucket} ${unit}`;
        const held = found.get(name);
        if (held) held.samples.push(value);
        else found.set(name, { start: bucket, unit, samples: [value] });
      }
      const last = entries.at(-1);
      if (!last || entries.length < 1000) break;
      scanned += entries.length;
      if (scanned > cloudWatchLimits.pointsScanMax) throw invalidQuery("The query spans too many stored data points");
      // Just behind the last: a key's successor is the key with something behind it.
      from = [...last.key, ""];
    }
  }
  return [...found.values()]
    .flatMap((bucket) => {
      const sample = joinSamples(bucket.samples);
      return sample ? [{ start: bucket.start, unit: bucket.unit, sample }] : [];
    })
    .toSorted((a, b) => a.start - b.start || (a.unit < b.unit ? -1 : 1));
}

/** AWS: the older the data, the coarser the start: whole minutes, then five minutes, then hours; short periods to themselves. */
export function roundStart(startMs: number, period: number, now: number): number {
  const age = now - startMs;
  const { retentionMs } = cloudWatchLimits;
  const step =
    age > retentionMs[300] ? 3600 : age > retentionMs[60] ? 300 : period < 60 && age <= retentionMs[1] ? period : 60;
  const seconds = Math.floor(startMs / 1000);
  return seconds - (seconds % step);
}
