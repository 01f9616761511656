import type { Clock } from "../../../kernel/clock.ts";
import type { Jobs } from "../../../kernel/jobs/jobs.ts";
import type { Log } from "../../../kernel/log.ts";
import type { Key, Reader, Store } from "../../../kernel/store/store.ts";
import type { EventSource } from "./event-source.ts";
import { schedulePoll } from "./jobs.ts";
import { eventSourceLimits as limits } from "./limits.ts";
import {
  lanesOf,
  mappingsPrefix,
  readCheckpoint,
  readDuty,
  readMapping,
  type LaneAddress,
  type MappingAddress,
} from "./model.ts";
import type { MappingRecord } from "./model.ts";

interface WatchNeeds {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly sources: readonly EventSource[];
}

/** Has lanes polled when there is something to read: until then nobody does anything for a mapping. Every process watches. */
export interface SourceWatch {
  start(): void;
  stop(): void;
}

export function createSourceWatch(needs: WatchNeeds): SourceWatch {
  const { store, clock, log, sources } = needs;
  const watched = new Map<string, () => void>();
  let unwatch: (() => void) | undefined;

  /** Watch the sources of mappings that are enabled, and no others. */
  const follow = async () => {
    const enabled = new Map<string, readonly [MappingAddress, MappingRecord]>();
    for (let after: Key | undefined; ;) {
      const range = { prefix: mappingsPrefix, ...(after && { after }) };
      const page = await store.read((reader) => reader.range<MappingRecord>(range, { limit: limits.page }));
      for (const { key, value } of page) {
        const [account = "", region = "", uuid = ""] = key.slice(mappingsPrefix.length).map(String);
        if (value.state === "Enabled") enabled.set(uuid, [{ account, region, uuid }, value]);
      }
      if (page.length < limits.page) break;
      after = page.at(-1)?.key;
    }
    if (unwatch === undefined) return;
    for (const [uuid, stop] of watched) {
      if (enabled.has(uuid)) continue;
      stop();
      watched.delete(uuid);
    }
    for (const [uuid, [at, { sourceArn }]] of enabled) {
      const source = sources.find((each) => each.isSource(sourceArn));
      if (source && !watched.has(uuid))
        watched.set(
          uuid,
          source.watch(
            sourceArn,
            inTurn(() => wake(source, at)),
          ),
        );
    }
  };

  /** Write the jobs of lanes that have something to read and none. */
  const wake = async (source: EventSource, at: MappingAddress) => {
    if ((await store.read((reader) => findIdle(reader, source, at))).length === 0) return;
    await store.transact(async (tx) => {
      for (const lane of await findIdle(tx, source, at)) schedulePoll(tx, needs.jobs, lane, clock.now());
    });
  };

  /** One at a time, and with a pause before the next: what comes meanwhile is looked at once. */
  const inTurn = (action: () => Promise<void>): (() => void) => {
    let running = false;
    let again = false;
    let pauseMs: number = limits.lookAgainMs;
    const run = () => {
      again = running;
      if (running || unwatch === undefined) return;
      running = true;
      pauseMs = limits.lookAgainMs;
      action()
        .catch((error: unknown) => {
          again = true;
          pauseMs = limits.failedLookMs;
          log.warn("An event source could not be looked at", { error });
        })
        .finally(() => clock.after(pauseMs, next));
    };
    const next = () => {
      running = false;
      if (again) run();
    };
    return run;
  };

  return {
    start: () => {
      const followInTurn = inTurn(follow);
      unwatch = store.watch(mappingsPrefix, followInTurn);
      followInTurn();
    },
    stop: () => {
      unwatch?.();
      unwatch = undefined;
      for (const stop of watched.values()) stop();
      watched.clear();
    },
  };
}

async function findIdle(reader: Reader, source: EventSource, at: MappingAddress): Promise<readonly LaneAddress[]> {
  const mapping = await readMapping(reader, at);
  if (mapping?.state !== "Enabled") return [];
  const idle: LaneAddress[] = [];
  for (const lane of lanesOf(at, mapping)) {
    if ((await readDuty(reader, lane))?.polling !== false) continue;
    const position = (await readCheckpoint(reader, lane))?.position ?? 0;
    if (await source.hasMore(reader, mapping.sourceArn, lane.shard, position)) idle.push(lane);
  }
  return idle;
}
