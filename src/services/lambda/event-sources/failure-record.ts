import { AwsError } from "../../../aws/error.ts";
import { assume, toDestination } from "../destinations.ts";
import { functionArn } from "../model.ts";
import type { LambdaNeeds } from "../needs.ts";
import type { EventSource } from "./event-source.ts";
import type { FedRecord } from "./feed.ts";
import type { LaneAddress, MappingRecord } from "./model.ts";

export interface DroppedBatch {
  readonly source: EventSource;
  readonly mapping: MappingRecord;
  readonly lane: LaneAddress;
  /** The execution role that delivers. */
  readonly role: string;
  readonly records: readonly FedRecord[];
  /** The event as the function was, or would have been, handed it. */
  readonly payload: string;
  readonly condition: "RetryAttemptsExhausted" | "RecordAgeExceeded";
  readonly invocations: number;
  /** Of the last run, unless there was none. */
  readonly last?: { readonly requestId: string; readonly version: string; readonly failed: boolean };
}

/**
 * Puts what became of a batch that is given up, with the batch itself, into the mapping's bucket. False when the bucket refuses it:
 * the record is lost then, as on AWS. Throws where it may work later.
 */
export async function deliverFailure(
  needs: Pick<LambdaNeeds, "iam" | "s3" | "ids">,
  dropped: DroppedBatch,
  now: number,
): Promise<"delivered" | "refused" | "no destination"> {
  const { mapping, lane, role } = dropped;
  const arn = mapping.settings.onFailure;
  const destination = arn === undefined ? undefined : toDestination(arn);
  if (destination?.kind !== "bucket") return "no destination";
  try {
    const { name } = mapping.function;
    const principal = await assume(needs, { place: mapping.function, name, role });
    await needs.s3({ principal, account: lane.account, region: lane.region, endpoint: "" }).PutObject({
      Bucket: destination.bucket,
      Key: recordKey(lane, now, needs.ids.uuid()),
      Body: once(writeRecord(dropped, needs.ids.uuid(), now)),
      ContentType: "application/json",
    });
    return "delivered";
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) return "refused";
    throw error;
  }
}

/** Source: developer guide, "Retain discarded records for a DynamoDB event source in Lambda", examples of the records. */
function writeRecord(dropped: DroppedBatch, requestId: string, now: number): string {
  const { mapping, source, lane, records, last } = dropped;
  const { name, qualifier } = mapping.function;
  const [first] = records;
  const end = records.at(-1);
  return JSON.stringify({
    requestContext: {
      requestId: last?.requestId ?? requestId,
      functionArn: functionArn(mapping.function, name, qualifier),
      condition: dropped.condition,
      approximateInvokeCount: dropped.invocations,
    },
    ...(last && {
      responseContext: {
        statusCode: 200,
        executedVersion: last.version,
        functionError: last.failed ? "Unhandled" : null,
      },
    }),
    version: "1.0",
    timestamp: new Date(now).toISOString(),
    [source.batchInfoName]: {
      shardId: lane.shard,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: end?.sequenceNumber,
      approximateArrivalOfFirstRecord: toSeconds(first?.arrivedAt),
      approximateArrivalOfLastRecord: toSeconds(end?.arrivedAt),
      batchSize: records.length,
      streamArn: mapping.sourceArn,
    },
    payload: dropped.payload,
  });
}

/** ISO 8601, to the second. */
export function toSeconds(at = 0): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

function recordKey({ uuid, shard }: LaneAddress, now: number, id: string): string {
  const [day = "", time = ""] = new Date(now).toISOString().slice(0, 19).split("T");
  return `aws/lambda/${uuid}/${shard}/${day.replaceAll("-", "/")}/${day}T${time.replaceAll(":", ".")}-${id}`;
}

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
