import { createHash } from "node:crypto";
import type { Key } from "../../kernel/store/store.ts";
import type { Sample } from "./sample.ts";

/** Seconds that a stored point spans. */
export const resolutions = [1, 60, 300, 3600] as const;
export type Resolution = (typeof resolutions)[number];

export interface Dimension {
  readonly name: string;
  readonly value: string;
}

/** A metric: what its points are found by. */
export interface MetricIdentity {
  readonly account: string;
  readonly region: string;
  readonly namespace: string;
  readonly metricName: string;
  /** In the order of their names: see `sortDimensions`. */
  readonly dimensions: readonly Dimension[];
}

/** A metric as listed. Version 1. */
export interface SeriesRecord {
  readonly v: 1;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: readonly Dimension[];
  /** The latest data, to within `seriesNotedEveryMs`; epoch milliseconds. */
  readonly lastAt: number;
}

/** A stored point. Version 1. */
export interface PointRecord extends Sample {
  readonly v: 1;
}

export const seriesPrefix: Key = ["cloudwatch", "series"];

export function placePrefix(account: string, region: string): Key {
  return [...seriesPrefix, account, region];
}

export function seriesKey(metric: MetricIdentity): Key {
  return [...placePrefix(metric.account, metric.region), metric.namespace, metric.metricName, seriesId(metric)];
}

/** All points of a metric at one resolution; below it: start (epoch seconds), unit, writer. */
export function pointPrefix(id: string, resolution: Resolution): Key {
  return ["cloudwatch", "point", id, resolution];
}

/** A writer has points of its own, so that processes never wait for one another; a reader joins them. */
export function pointKey(id: string, resolution: Resolution, start: number, unit: string, writer: string): Key {
  return [...pointPrefix(id, resolution), start, unit, writer];
}

/** Unique to the metric, and short, whatever its dimensions. */
export function seriesId(metric: MetricIdentity): string {
  const parts = [metric.account, metric.region, metric.namespace, metric.metricName];
  for (const { name, value } of metric.dimensions) parts.push(name, value);
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}

export function sortDimensions(dimensions: readonly Dimension[]): readonly Dimension[] {
  return dimensions.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

export function periodStart(timestampMs: number, resolution: number): number {
  const seconds = Math.floor(timestampMs / 1000);
  return seconds - (((seconds % resolution) + resolution) % resolution);
}
