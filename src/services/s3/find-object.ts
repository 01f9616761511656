import { AwsError } from "../../aws/error.ts";
import type { Reader } from "../../kernel/store/store.ts";
import type { Call } from "../../wire/service.ts";
import type { S3Access } from "./access.ts";
import { accessDenied, invalidArgument, methodNotAllowed, noSuchKey, noSuchVersion } from "./errors.ts";
import {
  type Bucket,
  type DeleteMarker,
  findCurrent,
  findLatest,
  findVersion,
  sequenceOf,
  type StoredObject,
  type Version,
} from "./model.ts";

export interface ObjectName {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

/** The object that a request names; what S3 answers when there is none to read. */
export async function existingObject(
  reader: Reader,
  bucket: Bucket,
  name: ObjectName,
  call: Call,
): Promise<StoredObject> {
  const key = name.Key ?? "";
  if (name.VersionId === undefined) {
    const current = await findCurrent(reader, bucket, key);
    if (current) return current;
    const latest = await findLatest(reader, bucket, key);
    throw latest?.kind === "deleteMarker" ? withMarker(noSuchKey(key), latest) : noSuchKey(key);
  }
  const version = await existingVersion(reader, bucket, key, name.VersionId);
  if (version.kind === "object") return version;
  throw methodNotAllowed(call.http?.method ?? "GET", {
    ...markerHeaders(version),
    "last-modified": new Date(version.modifiedAt).toUTCString(),
  });
}

export async function existingVersion(
  reader: Reader,
  bucket: Bucket,
  key: string,
  versionId: string,
): Promise<Version> {
  checkVersionId(versionId);
  const version = await findVersion(reader, bucket, key, versionId);
  if (!version) throw noSuchVersion(key, versionId);
  return version;
}

export function checkVersionId(versionId: string): void {
  if (versionId !== "null" && sequenceOf(versionId) === undefined) {
    throw invalidArgument("Invalid version id specified", "versionId", versionId);
  }
}

function withMarker(error: AwsError, marker: DeleteMarker): AwsError {
  return new AwsError(error.code, error.status, error.message, {
    members: error.members,
    headers: markerHeaders(marker),
  });
}

function markerHeaders(marker: DeleteMarker): Readonly<Record<string, string>> {
  return { "x-amz-delete-marker": "true", "x-amz-version-id": marker.versionId };
}

/**
 * AWS: whoever may not list the bucket is not told that an object is absent.
 * Source: GetObject, "Permissions", Amazon S3 API Reference.
 */
export async function concealAbsence<T>(
  access: S3Access,
  call: Call,
  bucket: string,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "NoSuchKey") throw error;
    try {
      for (const request of await access.bucket(call, "ListBucket", bucket)) await call.authorize(request);
    } catch {
      throw accessDenied();
    }
    throw error;
  }
}
