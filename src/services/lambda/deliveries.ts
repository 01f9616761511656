import { AwsError } from "../../aws/error.ts";
import type { InvocationOutcome } from "../../compute/compute.ts";
import type { Job } from "../../kernel/jobs/jobs.ts";
import type { Transaction } from "../../kernel/store/store.ts";
import { assume, authorizeDelivery, toDestination } from "./destinations.ts";
import type { Functions } from "./functions.ts";
import { lambdaLimits } from "./limits.ts";
import { functionArn, type Place } from "./model.ts";
import { parseFunctionName } from "./names.ts";
import type { LambdaNeeds } from "./needs.ts";
import { scheduleEvent } from "./events.ts";

/** How an asynchronous invocation ended, as its record says. */
export interface Ending {
  readonly place: Place;
  readonly name: string;
  readonly qualifier: string | undefined;
  /** The execution role that delivers. */
  readonly role: string;
  readonly requestId: string;
  readonly condition: "Success" | "RetriesExhausted" | "EventAgeExceeded";
  /** How often the function has run. */
  readonly invocations: number;
  readonly payload: Uint8Array;
  /** Of the last run, unless there was none. */
  readonly last?: {
    readonly outcome: InvocationOutcome;
    readonly version: string;
    readonly traceId?: string | undefined;
  };
}

/** As stored in the job. Version 1. */
interface DeliveryPayload {
  readonly v: 1;
  readonly destination: string;
  readonly role: string;
  readonly record: string;
  readonly endedAt: number;
  readonly traceId?: string | undefined;
  /** What was invoked of the function, for its metrics. */
  readonly qualifier?: string | undefined;
}

const kind = "lambda.deliver";

/** Have a record of the invocation delivered: durable with the transaction that ends the invocation. */
export function scheduleDelivery(
  tx: Transaction,
  needs: Pick<LambdaNeeds, "jobs">,
  ending: Ending,
  destination: string,
  now: number,
): void {
  const payload: DeliveryPayload = {
    v: 1,
    destination,
    role: ending.role,
    record: writeRecord(ending, now),
    endedAt: now,
    traceId: ending.last?.traceId,
    qualifier: ending.qualifier,
  };
  const key = [ending.place.account, ending.place.region, ending.name, ending.requestId, ending.condition];
  needs.jobs.schedule(tx, { kind, key, at: now, payload });
}

/** Delivers records. A destination that refuses one has lost it, as on AWS, with a line in the log and a count in its metric. */
export function handleDeliveries(
  needs: Pick<LambdaNeeds, "jobs" | "iam" | "authorizer" | "s3" | "ids" | "clock" | "log" | "note"> & {
    readonly functions: Functions;
  },
): void {
  const { clock, ids, log } = needs;

  const run = async (job: Job) => {
    const [account = "", region = "", name = "", requestId = ""] = job.key.map(String);
    const place = { account, region };
    // Written by `scheduleDelivery`, and by nobody else.
    const { destination: arn, role, record, endedAt, traceId, qualifier } = job.payload as DeliveryPayload;
    const destination = toDestination(arn);
    const lose = (reason: string) => {
      needs.note?.({ ...place, functionName: name, qualifier }, "DestinationDeliveryFailures", 1);
      log.warn("The record of an asynchronous invocation could not be delivered", {
        functionName: name,
        requestId,
        destination: arn,
        reason,
      });
    };
    if (destination === undefined) return lose("no such kind of destination");
    try {
      const principal = await assume(needs, { place, name, role });
      if (destination.kind === "bucket") {
        const as = { principal, ...place, endpoint: "" };
        await needs.s3(as).PutObject({
          Bucket: destination.bucket,
          Key: recordKey(name, endedAt, ids.uuid()),
          Body: once(record),
          ContentType: "application/json",
        });
        return;
      }
      if (Buffer.byteLength(record) > lambdaLimits.eventPayloadBytesMax) return lose("the record is too large");
      await authorizeDelivery(needs, principal, destination, place, clock.now());
      const target = parseFunctionName(arn, place);
      await job.finish((tx) => {
        scheduleEvent(tx, needs.jobs, {
          place: target,
          name: target.name,
          qualifier: target.qualifier,
          requestId: ids.uuid(),
          payload: Buffer.from(record),
          traceId,
          acceptedAt: clock.now(),
        });
        return Promise.resolve();
      });
    } catch (error) {
      if (error instanceof AwsError && error.status < 500) return lose(error.code);
      throw error;
    }
  };

  needs.jobs.handle(kind, { concurrency: lambdaLimits.deliveriesAtOnce, run });
}

/** Source: developer guide, "Capturing records of Lambda asynchronous invocations", example record. */
function writeRecord(ending: Ending, now: number): string {
  const { last } = ending;
  const requestContext = {
    requestId: ending.requestId,
    functionArn: functionArn(ending.place, ending.name, ending.qualifier ?? "$LATEST"),
    condition: ending.condition,
    approximateInvokeCount: ending.invocations,
  };
  const responseContext = last && {
    statusCode: 200,
    executedVersion: last.version,
    ...(last.outcome.outcome === "error" && { functionError: "Unhandled" }),
  };
  return (
    `{"version":"1.0","timestamp":${JSON.stringify(new Date(now).toISOString())},` +
    `"requestContext":${JSON.stringify(requestContext)},"requestPayload":${toJson(ending.payload)}` +
    (last === undefined
      ? "}"
      : `,"responseContext":${JSON.stringify(responseContext)},"responsePayload":${toJson(last.outcome.payload)}}`)
  );
}

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** JSON is put into a record as it is; what is none, as a string. */
function toJson(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString("utf8");
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

/** Source: developer guide, "Capturing records of Lambda asynchronous invocations", S3 destinations. */
function recordKey(functionName: string, endedAt: number, id: string): string {
  const [day = "", time = ""] = new Date(endedAt).toISOString().slice(0, 19).split("T");
  return `aws/lambda/async/${functionName}/${day.replaceAll("-", "/")}/${day}T${time.replaceAll(":", ".")}-${id}`;
}
