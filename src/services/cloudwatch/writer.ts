import type { Clock } from "../../kernel/clock.ts";
import { lowerAlphanumeric, type Ids } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Key, Store, Transaction } from "../../kernel/store/store.ts";
import type { MetricDatum } from "./datum.ts";
import { cloudWatchLimits } from "./limits.ts";
import { periodStart, pointKey, seriesId, seriesKey, type PointRecord, type SeriesRecord } from "./model.ts";
import { joinSamples, type Sample } from "./sample.ts";

/** Writes metric data; what is asked for while a transaction runs goes together into the next. */
export interface MetricWriter {
  write(tx: Transaction, data: readonly MetricDatum[]): Promise<void>;
  /** Resolves when the data are durable. */
  put(data: readonly MetricDatum[]): Promise<void>;
  record(datum: MetricDatum): void;
  /** Resolves when everything recorded before is durable and can be read. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

interface Request {
  readonly data: readonly MetricDatum[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createMetricWriter(needs: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}): MetricWriter {
  const { store, clock, log } = needs;
  const writer = needs.ids.random(10, lowerAlphanumeric);
  let recorded: MetricDatum[] = [];
  let cancelTimer: (() => void) | undefined;
  let waiting: Request[] = [];
  /** Since this was said. */
  let dropped = 0;
  let stopped = false;
  let writing: Promise<void> | undefined;

  const write = async (tx: Transaction, data: readonly MetricDatum[]) => {
    const points = new Map<string, { key: Key; samples: Sample[] }>();
    const series = new Map<string, { key: Key; record: SeriesRecord }>();
    for (const datum of data) {
      const id = seriesId(datum);
      const start = periodStart(datum.timestamp, datum.resolution);
      const name = `${id} ${datum.resolution} ${start} ${datum.unit}`;
      const point = points.get(name);
      if (point) point.samples.push(datum.sample);
      else
        points.set(name, { key: pointKey(id, datum.resolution, start, datum.unit, writer), samples: [datum.sample] });
      const lastAt = Math.max(datum.timestamp, series.get(id)?.record.lastAt ?? 0);
      const { namespace, metricName, dimensions } = datum;
      series.set(id, { key: seriesKey(datum), record: { v: 1, namespace, metricName, dimensions, lastAt } });
    }
    const held = await tx.getMany<PointRecord>([...points.values()].map(({ key }) => key));
    [...points.values()].forEach(({ key, samples }, index) => {
      const before = held[index];
      const sample = joinSamples(before ? [before, ...samples] : samples);
      if (sample) tx.set(key, { ...sample, v: 1 });
    });
    const known = await tx.getMany<SeriesRecord>([...series.values()].map(({ key }) => key));
    [...series.values()].forEach(({ key, record }, index) => {
      const before = known[index];
      if (before && record.lastAt < before.lastAt + cloudWatchLimits.seriesNotedEveryMs) return;
      tx.set(key, record);
    });
  };

  const writeWaiting = async () => {
    while (waiting.length > 0) {
      const batch: Request[] = [];
      let size = 0;
      while (waiting[0] && (size === 0 || size + waiting[0].data.length <= cloudWatchLimits.writeDataMax)) {
        const [next] = waiting.splice(0, 1);
        if (!next) break;
        size += next.data.length;
        batch.push(next);
      }
      try {
        const data = batch.flatMap((each) => each.data);
        await store.transact((tx) => write(tx, data));
        for (const each of batch) each.resolve();
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
    writing = undefined;
  };

  const put = (data: readonly MetricDatum[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ data, resolve, reject });
    writing ??= writeWaiting();
    return promise;
  };

  const flush = async () => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (dropped > 0) log.warn("Metrics are dropped: the store cannot keep up", { data: dropped });
    dropped = 0;
    const data = recorded;
    recorded = [];
    try {
      if (data.length > 0) await put(data);
    } catch (error) {
      // Who recorded them has gone on: all that can be done is to say that they are lost.
      log.error("Metrics could not be written and are lost", { error, data: data.length });
    }
    await writing;
  };

  return {
    write,
    put,
    record(datum) {
      if (stopped) return;
      if (recorded.length >= cloudWatchLimits.recordedMax) {
        dropped += 1;
        return;
      }
      recorded.push(datum);
      cancelTimer ??= clock.after(cloudWatchLimits.recordAfterMs, () => void flush());
    },
    flush,
    async stop() {
      await flush();
      // What is still counted while everything ends has nowhere to go.
      stopped = true;
      cancelTimer?.();
    },
  };
}
