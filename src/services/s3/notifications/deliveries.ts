import { AwsError } from "../../../aws/error.ts";
import type { Transaction } from "../../../kernel/store/store.ts";
import { invalidDestination } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import type { Bucket, NotificationRule } from "../model.ts";
import { arnOfBucket, type S3Needs } from "../needs.ts";
import { type Cause, type Happening, toMessage } from "./message.ts";
import { matchesRule } from "./rules.ts";

const kind = "s3.notify";

/** An event on its way, as stored in the job. Version 1. */
interface Delivery {
  readonly v: 1;
  readonly bucket: string;
  readonly account: string;
  readonly region: string;
  readonly functionArn: string;
  readonly message: string;
}

/** Tell whoever asked of what happened: jobs, written in the transaction in which it happens. */
export type Notify = (tx: Transaction, bucket: Bucket, happening: Happening, cause: Cause) => void;

export function createNotify({ jobs, ids }: Pick<S3Needs, "jobs" | "ids">): Notify {
  return (tx, bucket, happening, cause) => {
    for (const rule of bucket.notifications ?? []) {
      if (!matchesRule(rule, happening.event, happening.key)) continue;
      const payload: Delivery = {
        v: 1,
        bucket: bucket.name,
        account: bucket.account,
        region: bucket.region,
        functionArn: rule.functionArn,
        message: JSON.stringify(toMessage(bucket, rule.id, happening, cause)),
      };
      jobs.schedule(tx, { kind, key: [bucket.id, ids.uuid()], at: cause.now, payload });
    }
  };
}

export function handleNotifications(needs: Pick<S3Needs, "jobs" | "lambda" | "log">): void {
  needs.jobs.handle(kind, {
    concurrency: s3Limits.notificationsAtOnce,
    async run(job) {
      const delivery = toDelivery(job.payload);
      try {
        const how = { InvocationType: "Event", Payload: Buffer.from(delivery.message) } as const;
        await invokeAsS3(needs, delivery, delivery.functionArn, how, job.signal);
      } catch (error) {
        // What Lambda refuses it will refuse again; a throttle or a failure of the platform passes.
        if (!(error instanceof AwsError) || error.status >= 500 || error.status === 429) throw error;
        needs.log.warn("An event of a bucket could not be delivered", {
          error: `${error.code}: ${error.message}`,
          bucket: delivery.bucket,
          function: delivery.functionArn,
        });
      }
    },
  });
}

/** @throws {AwsError} InvalidArgument when a function is not there, or does not let the bucket invoke it. */
export async function checkDestinations(
  needs: Pick<S3Needs, "lambda">,
  bucket: Bucket,
  rules: readonly NotificationRule[],
  signal: AbortSignal,
): Promise<void> {
  const place = { bucket: bucket.name, account: bucket.account, region: bucket.region };
  for (const functionArn of new Set(rules.map((rule) => rule.functionArn))) {
    try {
      await invokeAsS3(needs, place, functionArn, { InvocationType: "DryRun" }, signal);
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      throw invalidDestination(functionArn);
    }
  }
}

async function invokeAsS3(
  needs: Pick<S3Needs, "lambda">,
  from: { readonly bucket: string; readonly account: string; readonly region: string },
  functionArn: string,
  how: { readonly InvocationType: "Event" | "DryRun"; readonly Payload?: Uint8Array },
  signal: AbortSignal,
): Promise<void> {
  const { account, region } = from;
  const principal = {
    type: "service" as const,
    service: "s3.amazonaws.com",
    sourceArn: arnOfBucket(from.bucket),
    sourceAccount: account,
  };
  await needs
    .lambda({ principal, account, region, endpoint: "", signal })
    .Invoke({ FunctionName: functionArn, ...how });
}

// Written by `createNotify`.
function toDelivery(payload: unknown): Delivery {
  return payload as Delivery;
}
