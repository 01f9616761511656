import type { CountEvents } from "./counts.ts";
import { deliverFailure, type DroppedBatch } from "./failure-record.ts";
import type { Feed, FedRecord } from "./feed.ts";
import {
  countOfBatch,
  invokeWithBatch,
  writeEvent,
  type BatchOutcome,
  type LastRun,
  type WindowPart,
} from "./invocation.ts";
import { eventSourceLimits as limits } from "./limits.ts";
import { writeCheckpoint, type Checkpoint } from "./model.ts";
import type { LaneRun, PollNeeds } from "./poller.ts";
import { isStateTooLarge } from "./response.ts";

/** What a lane has read goes to its function, batch by batch, until each is settled. */
export interface Batches {
  /** How far it has come. */
  checkpoint(): Checkpoint;
  /** Read on, if there is need. False when the source is gone. */
  fill(): Promise<boolean>;
  /**
   * Do the next thing there is to do: hand over a batch, or end a window. Undefined when there was one; else how long it can wait
   * for more, milliseconds: without end when there is nothing at hand.
   */
  handOver(): Promise<number | undefined>;
  /** Say what `LastProcessingResult` is, if it is something else. */
  tell(result: string): Promise<void>;
}

/** Records that are handed over together. */
interface Segment {
  readonly records: readonly FedRecord[];
  /** How often the function has failed with them. */
  readonly failures: number;
}

export function createBatches(
  needs: PollNeeds,
  lane: LaneRun,
  given: { readonly checkpoint: Checkpoint; readonly feed: Feed; readonly count: CountEvents },
): Batches {
  const { clock, functions, log } = needs;
  const { job, mapping, waits, source } = lane;
  const { feed, count } = given;
  const { settings } = mapping;
  const windowMs = settings.tumblingWindowSeconds * 1000;
  let { position, result, retrying = [] } = given.checkpoint;
  // A window of another length is none of this mapping any more.
  let window =
    windowMs > 0 && (given.checkpoint.window?.start ?? 1) % windowMs === 0 ? given.checkpoint.window : undefined;
  /** In order; the first is next. */
  let segments: readonly Segment[] = [];
  /** Tries in a row that did not reach the function. */
  let misses = 0;
  /** A batch whose answer made the window's state too large: it is settled when the function has taken the state. */
  let overflow:
    { readonly state: string; readonly records: readonly FedRecord[]; readonly rest: readonly Segment[] } | undefined;

  const checkpoint = (): Checkpoint => {
    const isRetried = segments.length > 1 || segments.some(({ failures }) => failures > 0);
    const told = segments.map(({ records, failures }) => ({ through: records.at(-1)?.at ?? position, failures }));
    return {
      v: 1,
      position,
      ...(isRetried && { retrying: told }),
      ...(retrying.length > 0 && { retrying }),
      ...(window && { window }),
      ...(result && { result }),
    };
  };
  const commit = () =>
    job.commit((tx) => {
      writeCheckpoint(tx, lane.lane, checkpoint());
      return Promise.resolve();
    });

  /** These are settled, one way or the other. */
  const settle = (records: readonly FedRecord[], rest: readonly Segment[]) => {
    segments = rest;
    const isAll = rest.length === 0 && feed.records.length === 0;
    position = isAll ? feed.readTo : (records.at(-1)?.at ?? position);
  };

  /** Batches that had failed before another process took over are made again as they were. */
  const restore = async (): Promise<boolean> => {
    const last = retrying.at(-1);
    if (last === undefined) return true;
    if (!(await feed.fillTo(last.through))) return false;
    segments = retrying
      .map(({ through, failures }) => {
        const beyond = feed.records.findIndex(({ at }) => at > through);
        return { records: feed.take(beyond === -1 ? feed.records.length : beyond), failures };
      })
      .filter(({ records }) => records.length > 0);
    retrying = [];
    return true;
  };

  const windowOf = ({ arrivedAt }: FedRecord) => Math.floor(arrivedAt / windowMs) * windowMs;

  /** The batch that is due, or how long there is to wait for it. */
  const nextBatch = (): readonly FedRecord[] | number => {
    const { records, since = 0 } = feed;
    const [first] = records;
    if (first === undefined) return Infinity;
    if (windowMs > 0) window ??= { start: windowOf(first), state: "{}" };
    // What comes late counts to the window that is open.
    const end = window === undefined ? Infinity : window.start + windowMs;
    const beyond = records.findIndex(({ arrivedAt }) => arrivedAt >= end);
    const eligible = beyond === -1 ? records : records.slice(0, beyond);
    const size = countOfBatch(eligible, settings.batchSize, window === undefined ? 0 : Buffer.byteLength(window.state));
    const isFull = size === settings.batchSize || size < records.length;
    const leftMs = Math.min(since + settings.batchingWindowSeconds * 1000, end) - clock.now();
    return isFull || leftMs <= 0 ? feed.take(size) : leftMs;
  };

  const invoke = async (records: readonly FedRecord[], payload: string, hasState: boolean): Promise<BatchOutcome> => {
    const fn = await functions.find(mapping.function, mapping.function.name);
    const outcome = await invokeWithBatch(needs, fn, {
      mapping,
      records,
      payload,
      hasWindow: hasState,
      trigger: source.principal,
      signal: job.signal,
    });
    const last = records.at(-1);
    if (outcome.kind !== "not invoked" && last !== undefined) {
      const { name, qualifier } = mapping.function;
      const noted = { account: lane.lane.account, region: lane.lane.region, functionName: name, qualifier };
      needs.note?.(noted, "IteratorAge", Math.max(0, clock.now() - last.arrivedAt));
      count("InvokedEventCount", records.length);
    }
    return outcome;
  };

  /** Hands over a window's state, until the function has taken it: before that, nothing that follows is handed over. */
  const endWindow = async (part: WindowPart): Promise<boolean> => {
    const outcome = await invoke([], writeEvent(lane, [], part), false);
    if (outcome.kind === "answered") {
      misses = 0;
      return true;
    }
    await tell("PROBLEM: Function call failed");
    await waits.pause(backoffMs((misses += 1)));
    return false;
  };

  /** A window that is over, or whose state has become too large: then it goes on with a fresh one. */
  const endWindows = async (): Promise<boolean> => {
    if (window === undefined) return false;
    const { start, state } = window;
    if (overflow !== undefined) {
      const { records, rest } = overflow;
      if (await endWindow({ start, state: overflow.state, isFinal: false, isTerminatedEarly: true })) {
        overflow = undefined;
        window = { start, state: "{}" };
        settle(records, rest);
        await commit();
      }
      return true;
    }
    if (segments.length > 0) return false;
    const [next] = feed.records;
    const isOver = next === undefined ? clock.now() >= start + windowMs + limits.windowGraceMs : windowOf(next) > start;
    if (isOver && (await endWindow({ start, state, isFinal: true, isTerminatedEarly: false }))) {
      window = undefined;
      await commit();
    }
    return isOver;
  };

  async function tell(text: string): Promise<void> {
    if (result?.text === text) return;
    result = { text, at: clock.now() };
    await commit();
  }

  async function drop(segment: Segment, condition: DroppedBatch["condition"], last?: LastRun): Promise<void> {
    const { records, failures } = segment;
    const fn = await functions.find(mapping.function, mapping.function.name);
    const dropped = {
      ...lane,
      role: fn?.record.latest.settings.role ?? "",
      records,
      payload: writeEvent(lane, records, window && { ...window, isFinal: false, isTerminatedEarly: false }),
      condition,
      invocations: failures,
      ...(last && { last }),
    };
    const ended = await deliverFailure(needs, dropped, clock.now());
    const told = { mapping: mapping.uuid, functionName: mapping.function.name, records: records.length, condition };
    log.warn("Records of an event source are given up", { ...told, destination: ended });
    count("DroppedEventCount", records.length);
    if (ended === "delivered") count("OnFailureDestinationDeliveredEventCount", records.length);
    if (ended !== "refused") return;
    const noted = { account: lane.lane.account, region: lane.lane.region, functionName: mapping.function.name };
    needs.note?.(noted, "DestinationDeliveryFailures", 1);
  }

  /** The function has failed with these records: once more, in halves, or never again. */
  async function fail(segment: Segment, rest: readonly Segment[], last: LastRun, mayBisect: boolean): Promise<void> {
    const { records } = segment;
    count("FailedInvokeEventCount", records.length);
    result = { text: "PROBLEM: Function call failed", at: clock.now() };
    if (mayBisect && settings.bisectsBatches && records.length > 1) {
      const middle = Math.ceil(records.length / 2);
      const { failures } = segment;
      segments = [
        { records: records.slice(0, middle), failures },
        { records: records.slice(middle), failures },
        ...rest,
      ];
      await commit();
      return;
    }
    const failed = { records, failures: segment.failures + 1 };
    const most = settings.maximumRetryAttempts;
    if (most >= 0 && failed.failures > most) {
      await drop(failed, "RetryAttemptsExhausted", last);
      settle(records, rest);
      await commit();
      return;
    }
    segments = [failed, ...rest];
    await commit();
    await waits.pause(backoffMs(segment.failures));
  }

  async function settleFirst(segment: Segment, rest: readonly Segment[]): Promise<void> {
    const { records, failures } = segment;
    const mostMs = settings.maximumRecordAgeSeconds < 0 ? limits.retentionMs : settings.maximumRecordAgeSeconds * 1000;
    const fresh = records.findIndex(({ arrivedAt }) => clock.now() - arrivedAt <= mostMs);
    if (fresh !== 0) {
      const old = fresh === -1 ? records : records.slice(0, fresh);
      await drop({ records: old, failures }, "RecordAgeExceeded");
      settle(old, fresh === -1 ? rest : [{ records: records.slice(fresh), failures }, ...rest]);
      await commit();
      return;
    }
    const part = window && { ...window, isFinal: false, isTerminatedEarly: false };
    const outcome = await invoke(records, writeEvent(lane, records, part), part !== undefined);
    if (outcome.kind === "not invoked") {
      await tell("PROBLEM: Function call failed");
      await waits.pause(backoffMs((misses += 1)));
      return;
    }
    misses = 0;
    if (outcome.kind === "failed") return fail(segment, rest, outcome.run, true);
    const { failedFrom, state, run } = outcome;
    const isOverflow = state !== undefined && isStateTooLarge(state);
    if (failedFrom === 0 || (failedFrom !== undefined && isOverflow)) {
      return fail(segment, rest, { ...run, failed: true }, true);
    }
    if (isOverflow) {
      overflow = { state, records, rest };
      return;
    }
    if (state !== undefined && window) window = { ...window, state };
    if (failedFrom !== undefined) {
      const left = { records: records.slice(failedFrom), failures: 0 };
      settle(records.slice(0, failedFrom), [left, ...rest]);
      // The answer has said where to divide the batch.
      return fail(left, rest, run, false);
    }
    if (result?.text !== "OK") result = { text: "OK", at: clock.now() };
    settle(records, rest);
    await commit();
  }

  return {
    checkpoint,
    tell,
    fill: async () => {
      if (!(await restore())) return false;
      if (segments.length > 0) return true;
      const isThere = await feed.fill(settings.batchSize);
      if (feed.records.length > 0) return isThere;
      const passed = feed.readTo - position;
      position = feed.readTo;
      // What no filter lets pass is not read again and again.
      if (passed >= limits.pageRecords) await commit();
      return isThere;
    },
    handOver: async () => {
      if (await endWindows()) return undefined;
      if (segments.length === 0) {
        const batch = nextBatch();
        if (typeof batch === "number") {
          const untilEnd = window ? window.start + windowMs + limits.windowGraceMs - clock.now() : Infinity;
          return Math.min(batch, Math.max(1, untilEnd));
        }
        segments = [{ records: batch, failures: 0 }];
      }
      const [segment, ...rest] = segments;
      if (segment !== undefined) await settleFirst(segment, rest);
      return undefined;
    },
  };
}

function backoffMs(tries: number): number {
  return Math.min(limits.backoffFirstMs * 2 ** tries, limits.backoffMostMs);
}
