import type { Job } from "../../../kernel/jobs/jobs.ts";
import type { Functions } from "../functions.ts";
import type { Invoker } from "../invoker.ts";
import type { LambdaNeeds } from "../needs.ts";
import { createBatches } from "./batches.ts";
import { createCounts } from "./counts.ts";
import type { EventSource } from "./event-source.ts";
import { createFeed } from "./feed.ts";
import { pollKind, readLaneKey, scheduleChange } from "./jobs.ts";
import { eventSourceLimits as limits } from "./limits.ts";
import {
  mappingsPrefix,
  readCheckpoint,
  readMapping,
  writeCheckpoint,
  writeDuty,
  type Checkpoint,
  type LaneAddress,
  type MappingRecord,
} from "./model.ts";
import { mayRead } from "./role-access.ts";
import { createWaits, type Waits } from "./waits.ts";

export type PollNeeds = Pick<
  LambdaNeeds,
  "store" | "jobs" | "clock" | "ids" | "log" | "iam" | "authorizer" | "s3" | "note" | "metrics"
> & {
  readonly functions: Functions;
  readonly invoker: Pick<Invoker, "run">;
  readonly sources: readonly EventSource[];
};

/** One run of a lane's job. */
export interface LaneRun {
  readonly job: Job;
  readonly mapping: MappingRecord;
  readonly lane: LaneAddress;
  readonly source: EventSource;
  readonly waits: Waits;
}

/**
 * Polls lanes: a job for each lane that has something to read, leased by one process at a time, which hands over batch after batch
 * and commits after each how far it has come. It goes on as long as there is something to read or a window is open; without, the
 * job ends, and whoever sees the source change writes it again.
 */
export function handlePolls(needs: PollNeeds): void {
  const { store, clock } = needs;

  const run = async (job: Job): Promise<void> => {
    const lane = readLaneKey(job.key);
    const [mapping, checkpoint] = await store.read(async (reader) => [
      await readMapping(reader, lane),
      await readCheckpoint(reader, lane),
    ]);
    const source = needs.sources.find((each) => mapping && each.isSource(mapping.sourceArn));
    if (mapping === undefined || source === undefined) return;
    const waits = createWaits(clock);
    if (mapping.state !== "Enabled" || job.signal.aborted) waits.halt();
    job.signal.addEventListener("abort", waits.halt, { once: true });
    const lookAtMapping = () => {
      const found = store.read((reader) => readMapping(reader, lane));
      found.then((now) => (now?.state === "Enabled" ? undefined : waits.halt()), waits.halt);
    };
    const unwatch = [
      source.watch(mapping.sourceArn, waits.tellNews),
      store.watch([...mappingsPrefix, lane.account, lane.region], lookAtMapping),
    ];
    try {
      await poll(needs, { job, mapping, lane, source, waits }, checkpoint ?? { v: 1, position: 0 });
    } finally {
      for (const stop of unwatch) stop();
      job.signal.removeEventListener("abort", waits.halt);
    }
  };

  // `attemptsMax` counts runs that a dying process cut short: no number of those ends a mapping.
  needs.jobs.handle(pollKind, { concurrency: limits.pollersAtOnce, attemptsMax: Number.MAX_SAFE_INTEGER, run });
}

async function poll(needs: PollNeeds, lane: LaneRun, checkpoint: Checkpoint): Promise<void> {
  const { job, mapping, waits } = lane;
  const now = () => needs.clock.now();
  const count = createCounts(needs.metrics, lane.lane, mapping, now);
  const feed = createFeed({
    ...lane,
    position: checkpoint.position,
    now,
    count: (polled, filteredOut) => {
      count("PolledEventCount", polled);
      if (filteredOut > 0) count("FilteredOutEventCount", filteredOut);
    },
  });
  const batches = createBatches(needs, lane, { checkpoint, feed, count });
  const access = createAccess(needs, lane);

  for (;;) {
    job.signal.throwIfAborted();
    if (waits.isHalted) {
      await letGo(needs, lane, batches.checkpoint(), false);
      return;
    }
    const problem = await access();
    if (problem !== undefined) {
      await batches.tell(`PROBLEM: ${problem}`);
      await waits.pause(limits.deniedMs);
      continue;
    }
    const isThere = await batches.fill();
    if (!isThere) await batches.tell("PROBLEM: Stream not found");
    const waitMs = await batches.handOver();
    if (waitMs === undefined) continue;
    const isIdle = waitMs === Infinity;
    const came = await waits.forNews(isIdle ? limits.lingerMs : waitMs);
    if (!isIdle || came || waits.isHalted) continue;
    if (await letGo(needs, lane, batches.checkpoint(), isThere)) return;
  }
}

/** Ends the job unless there is more to read: no change of the source is missed between the last look and the end. */
async function letGo(
  needs: PollNeeds,
  { job, lane, mapping, source }: LaneRun,
  checkpoint: Checkpoint,
  unlessMore: boolean,
): Promise<boolean> {
  try {
    await job.finish(async (tx) => {
      const record = await readMapping(tx, lane);
      if (record === undefined) return;
      const isEnabled = record.state === "Enabled";
      if (unlessMore && isEnabled && (await source.hasMore(tx, mapping.sourceArn, lane.shard, checkpoint.position))) {
        throw new MoreToRead();
      }
      writeCheckpoint(tx, lane, checkpoint);
      writeDuty(tx, lane, false);
      if (!isEnabled) scheduleChange(tx, needs.jobs, lane, needs.clock.now());
    });
    return true;
  } catch (error) {
    if (error instanceof MoreToRead) return false;
    throw error;
  }
}

class MoreToRead extends Error {}

/** Asks, now and again, whether the execution role may read the source: what is wrong, or nothing. */
function createAccess({ functions, clock, ...needs }: PollNeeds, { mapping, source }: LaneRun) {
  let allowedUntil = 0;
  return async (): Promise<string | undefined> => {
    if (clock.now() < allowedUntil) return undefined;
    const { name } = mapping.function;
    const fn = await functions.find(mapping.function, name);
    if (fn === undefined) return "Function not found";
    const { role } = fn.record.latest.settings;
    const asked = { place: mapping.function, name, role };
    if (!(await mayRead(needs, asked, source, mapping.sourceArn, clock.now()))) return source.denied(mapping.sourceArn);
    allowedUntil = clock.now() + limits.accessMs;
    return undefined;
  };
}
