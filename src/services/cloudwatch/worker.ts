import type { Clock } from "../../kernel/clock.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Key, Store, Transaction } from "../../kernel/store/store.ts";
import { cloudWatchLimits } from "./limits.ts";
import {
  periodStart,
  pointKey,
  pointPrefix,
  resolutions,
  seriesPrefix,
  type PointRecord,
  type Resolution,
  type SeriesRecord,
} from "./model.ts";
import { joinSamples, type Sample } from "./sample.ts";

const kind = "cloudwatch.rollUp";
const jobKey: Key = ["all"];

/** The writer of joined points: one job joins, wherever it runs. */
const joiner = "joined";

/** Joins points that have grown old into coarser ones, and forgets what is older than the longest retention. */
export function handleRollUp(needs: { readonly store: Store; readonly jobs: Jobs; readonly clock: Clock }): void {
  const { store, jobs, clock } = needs;
  jobs.handle(kind, {
    concurrency: 1,
    async run(job) {
      let after: Key | undefined;
      for (;;) {
        const page = await store.read((reader) =>
          reader.range<SeriesRecord>({ prefix: seriesPrefix, ...(after && { after }) }, { limit: 200 }),
        );
        for (const { key, value } of page) {
          job.signal.throwIfAborted();
          await rollUpSeries(store, key, value, clock.now());
        }
        after = page.at(-1)?.key;
        if (page.length < 200) break;
      }
      await job.repeat(clock.now() + cloudWatchLimits.rollUpEveryMs, undefined, () => Promise.resolve());
    },
  });
}

/** As long as there is a metric there is the job. Reads one key where it is there already. */
export async function scheduleRollUp(needs: { readonly store: Store; readonly jobs: Jobs; readonly clock: Clock }) {
  const marker: Key = ["cloudwatch", "rollUpScheduled"];
  await needs.store.transact(async (tx) => {
    if ((await tx.get(marker)) !== undefined) return;
    tx.set(marker, true);
    needs.jobs.schedule(tx, { kind, key: jobKey, at: needs.clock.now() + cloudWatchLimits.rollUpEveryMs });
  });
}

async function rollUpSeries(store: Store, key: Key, series: SeriesRecord, now: number): Promise<void> {
  const id = String(key.at(-1));
  for (const [index, resolution] of resolutions.entries()) {
    const cutoff = Math.floor((now - cloudWatchLimits.retentionMs[resolution]) / 1000);
    const coarser = resolutions[index + 1];
    for (let more = true; more;) more = await store.transact((tx) => rollUpSome(tx, id, resolution, coarser, cutoff));
  }
  if (series.lastAt > now - cloudWatchLimits.retentionMs[3600]) return;
  await store.transact(async (tx) => {
    const current = await tx.get<SeriesRecord>(key);
    if (current?.lastAt === series.lastAt) tx.delete(key);
  });
}

async function rollUpSome(
  tx: Transaction,
  id: string,
  resolution: Resolution,
  coarser: Resolution | undefined,
  cutoff: number,
): Promise<boolean> {
  const prefix = pointPrefix(id, resolution);
  const limit = cloudWatchLimits.rollUpPointsMax;
  const entries = await tx.range<PointRecord>({ start: prefix, end: [...prefix, cutoff] }, { limit });
  const joined = new Map<string, { key: Key; samples: Sample[] }>();
  for (const { key, value } of entries) {
    tx.delete(key);
    const [, , , , start, unit] = key;
    if (coarser === undefined || typeof start !== "number" || typeof unit !== "string") continue;
    const target = pointKey(id, coarser, periodStart(start * 1000, coarser), unit, joiner);
    const name = target.join(" ");
    const held = joined.get(name);
    if (held) held.samples.push(value);
    else joined.set(name, { key: target, samples: [value] });
  }
  for (const { key, samples } of joined.values()) {
    const before = await tx.get<PointRecord>(key);
    const sample = joinSamples(before ? [before, ...samples] : samples);
    if (sample) tx.set(key, { ...sample, v: 1 });
  }
  return entries.length === limit;
}
