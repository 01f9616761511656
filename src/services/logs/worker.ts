import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Key, Store, Transaction } from "../../kernel/store/store.ts";
import type { Chunk } from "./chunks.ts";
import { logsLimits } from "./limits.ts";
import {
  chunkPrefix,
  groupChunkPrefix,
  readGroup,
  streamPrefix,
  type LogGroup,
  type LogStream,
  type Place,
} from "./model.ts";

const purge = "logs.purge";
const expire = "logs.expire";

/** Remove everything below a group that has been deleted, a bounded number of keys at a time. */
export function forgetGroup(tx: Transaction, jobs: Jobs, place: Place, group: LogGroup, now: number): void {
  jobs.cancel(tx, expire, [place.account, place.region, group.name]);
  const payload = { prefixes: [streamPrefix(group.id), groupChunkPrefix(group.id)] };
  jobs.schedule(tx, { kind: purge, key: [group.id], at: now, payload });
}

export function forgetStream(tx: Transaction, jobs: Jobs, groupId: string, stream: LogStream, now: number): void {
  const payload = { prefixes: [chunkPrefix(groupId, stream.id)] };
  jobs.schedule(tx, { kind: purge, key: [groupId, stream.id], at: now, payload });
}

/** Enforce a group's retention now and from time to time, until it has none. */
export function scheduleRetention(tx: Transaction, jobs: Jobs, place: Place, group: string, now: number): void {
  jobs.schedule(tx, { kind: expire, key: [place.account, place.region, group], at: now });
}

export function handleLogJobs(needs: {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: { now(): number };
}): void {
  const { store, jobs, clock } = needs;

  jobs.handle(purge, {
    concurrency: 1,
    async run(job) {
      for (const prefix of prefixesOf(job.payload)) {
        for (
          let removed: number = logsLimits.purgeChunksMax;
          removed === logsLimits.purgeChunksMax && !job.signal.aborted;
        ) {
          removed = await store.transact(async (tx) => {
            const entries = await tx.range({ prefix }, { limit: logsLimits.purgeChunksMax });
            for (const { key } of entries) tx.delete(key);
            return entries.length;
          });
        }
      }
      job.signal.throwIfAborted();
    },
  });

  jobs.handle(expire, {
    concurrency: 1,
    async run(job) {
      const [account, region, name] = job.key.map(String);
      const place = { account: account ?? "", region: region ?? "" };
      const group = await store.read((reader) => readGroup(reader, place, name ?? ""));
      if (!group || group.retentionInDays === undefined) return;
      const cutoff = clock.now() - group.retentionInDays * 24 * 60 * 60 * 1000;
      await expireChunks(store, group.id, cutoff, job.signal);
      await job.repeat(clock.now() + logsLimits.retentionEveryMs, undefined, () => Promise.resolve());
    },
  });
}

async function expireChunks(store: Store, groupId: string, cutoff: number, signal: AbortSignal): Promise<void> {
  let streamsAfter: Key | undefined;
  for (;;) {
    const streams = await store.read((reader) =>
      reader.range<LogStream>(
        { prefix: streamPrefix(groupId), ...(streamsAfter && { after: streamsAfter }) },
        { limit: 200 },
      ),
    );
    for (const { value: stream } of streams) {
      if (stream.firstEventAt === undefined || stream.firstEventAt >= cutoff) continue;
      await expireStream(store, groupId, stream.id, cutoff, signal);
    }
    streamsAfter = streams.at(-1)?.key;
    if (streams.length < 200 || signal.aborted) return;
  }
}

/** A chunk goes when its last event is older than the retention. */
async function expireStream(store: Store, groupId: string, streamId: string, cutoff: number, signal: AbortSignal) {
  const prefix = chunkPrefix(groupId, streamId);
  for (let more = true; more && !signal.aborted;) {
    more = await store.transact(async (tx) => {
      const entries = await tx.range<Chunk>(
        { start: [...prefix, 0], end: [...prefix, cutoff] },
        { limit: logsLimits.purgeChunksMax },
      );
      const old = entries.filter(({ value }) => value.last < cutoff);
      for (const { key } of old) tx.delete(key);
      return old.length > 0 && entries.length === logsLimits.purgeChunksMax;
    });
  }
}

function prefixesOf(payload: unknown): readonly Key[] {
  if (typeof payload !== "object" || payload === null || !("prefixes" in payload)) return [];
  const { prefixes } = payload;
  return Array.isArray(prefixes) ? prefixes.filter((each): each is Key => Array.isArray(each)) : [];
}
