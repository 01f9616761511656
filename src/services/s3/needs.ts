import type * as LambdaSdk from "@aws-sdk/client-lambda";
import type * as sdk from "@aws-sdk/client-s3";
import { toCanonicalUserId } from "../../aws/canonical-user.ts";
import { notImplemented } from "../../aws/error.ts";
import type { Blobs } from "../../kernel/blobs/blobs.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { Jobs } from "../../kernel/jobs/jobs.ts";
import type { Log } from "../../kernel/log.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import type { CallAs, ClientOf } from "../../wire/service.ts";
import { accessDenied, noSuchBucket } from "./errors.ts";
import { type Bucket, findBucket } from "./model.ts";

export type Sdk = typeof sdk;

export interface S3Needs {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly jobs: Jobs;
  readonly log: Log;
  /** Functions that are told of what happens in a bucket. */
  readonly lambda: (as: CallAs) => ClientOf<typeof LambdaSdk>;
}

/**
 * The bucket, or NoSuchBucket; AccessDenied when the caller expected another owner.
 *
 * @param known as it was found for the decision, where nothing is written
 */
export async function existingBucket(
  reader: Reader,
  input: { readonly Bucket?: string | undefined; readonly ExpectedBucketOwner?: string | undefined },
  known?: Bucket,
): Promise<Bucket> {
  const name = input.Bucket ?? "";
  const bucket = known ?? (await findBucket(reader, name));
  if (!bucket) throw noSuchBucket(name);
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.account) throw accessDenied();
  return bucket;
}

/** Refuse, by name, members that are not built. */
export function refuse<Input extends object>(
  input: Input,
  operation: string,
  members: readonly (keyof Input & string)[],
): void {
  for (const member of members) {
    if (input[member] !== undefined) throw notImplemented(`The parameter ${member} of ${operation}`);
  }
}

/** An account as S3's answers name it: a canonical user id of 64 hexadecimal digits. */
export function toOwner(account: string): { readonly ID: string } {
  return { ID: toCanonicalUserId(account) };
}

export function arnOfBucket(name: string): string {
  return `arn:aws:s3:::${name}`;
}

export function arnOfObject(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}
