import { AwsError } from "../../../aws/error.ts";
import type { CompiledFunction } from "../functions.ts";
import type { Invoker } from "../invoker.ts";
import { lambdaLimits } from "../limits.ts";
import type { LambdaNeeds } from "../needs.ts";
import { toSeconds } from "./failure-record.ts";
import type { FedRecord } from "./feed.ts";
import type { LaneAddress, MappingRecord } from "./model.ts";
import { readAnswer, type BatchAnswer } from "./response.ts";

/** A tumbling window, as an event tells it. */
export interface WindowPart {
  /** Epoch milliseconds. */
  readonly start: number;
  /** JSON */
  readonly state: string;
  readonly isFinal: boolean;
  readonly isTerminatedEarly: boolean;
}

/** How it went with a batch. */
export type BatchOutcome =
  | ({ readonly kind: "answered"; readonly run: LastRun } & BatchAnswer)
  | { readonly kind: "failed"; readonly run: LastRun }
  /** The function did not run: throttled, gone, or the platform could not. */
  | { readonly kind: "not invoked"; readonly reason: string };

export interface LastRun {
  readonly requestId: string;
  readonly version: string;
  readonly failed: boolean;
}

/** Runs the function with a batch of records. Rejects only when the platform stops. */
export async function invokeWithBatch(
  needs: Pick<LambdaNeeds, "ids" | "log"> & { readonly invoker: Pick<Invoker, "run"> },
  fn: CompiledFunction | undefined,
  batch: {
    readonly mapping: MappingRecord;
    readonly records: readonly FedRecord[];
    readonly payload: string;
    readonly hasWindow: boolean;
    readonly trigger: string;
    readonly signal: AbortSignal;
  },
): Promise<BatchOutcome> {
  const { mapping, records, signal } = batch;
  if (fn === undefined) return { kind: "not invoked", reason: "Function not found" };
  const requestId = needs.ids.uuid();
  try {
    const { outcome, version } = await needs.invoker.run(fn, {
      qualifier: mapping.function.qualifier,
      payload: Buffer.from(batch.payload),
      requestId,
      trigger: batch.trigger,
    });
    if (outcome.outcome === "error") {
      // An environment that the platform's own stop has killed is no failure of the function.
      signal.throwIfAborted();
      return { kind: "failed", run: { requestId, version, failed: true } };
    }
    const sequenceNumbers = records.map(({ sequenceNumber }) => sequenceNumber);
    const asked = { reportsFailures: mapping.settings.reportsFailures, hasWindow: batch.hasWindow };
    return {
      kind: "answered",
      run: { requestId, version, failed: false },
      ...readAnswer(outcome.payload, sequenceNumbers, asked),
    };
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof AwsError ? error.code : "Internal error";
    if (!(error instanceof AwsError)) {
      needs.log.error("A batch could not be handed to its function", { mapping: mapping.uuid, requestId, error });
    }
    return { kind: "not invoked", reason };
  }
}

/** An event: the records, and in a tumbling window what the function knows of it. */
export function writeEvent(
  { mapping, lane }: { readonly mapping: MappingRecord; readonly lane: LaneAddress },
  records: readonly FedRecord[],
  window: WindowPart | undefined,
): string {
  const listed = `"Records":[${records.map(({ text }) => text).join(",")}]`;
  if (window === undefined) return `{${listed}}`;
  const end = window.start + mapping.settings.tumblingWindowSeconds * 1000;
  const more = JSON.stringify({
    window: { start: toSeconds(window.start), end: toSeconds(end) },
    shardId: lane.shard,
    eventSourceARN: mapping.sourceArn,
    isFinalInvokeForWindow: window.isFinal,
    isWindowTerminatedEarly: window.isTerminatedEarly,
  });
  return `{${listed},"state":${window.state},${more.slice(1)}`;
}

/** Room for what an event says beside its records. */
const envelopeBytes = 1024;

/** How many of the first records go together: so many at the most, within an event's size. At least one. */
export function countOfBatch(records: readonly FedRecord[], batchSize: number, stateBytes: number): number {
  let room = lambdaLimits.requestPayloadBytesMax - envelopeBytes - stateBytes;
  let count = 0;
  for (const { bytes } of records.slice(0, batchSize)) {
    room -= bytes + 1;
    if (room < 0 && count > 0) break;
    count += 1;
  }
  return count;
}
