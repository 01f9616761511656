import type { MetricIdentity } from "./model.ts";
import type { Sample } from "./sample.ts";

/** Values of one metric in one period. */
export interface MetricDatum extends MetricIdentity {
  /** AWS's `StandardUnit`. */
  readonly unit: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** `StorageResolution`, seconds. */
  readonly resolution: 1 | 60;
  readonly sample: Sample;
}
