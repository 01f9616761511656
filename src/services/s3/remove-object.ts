import type { Transaction } from "../../kernel/store/store.ts";
import { releaseContent } from "./content.ts";
import { noSuchKey, preconditionFailed, protectedByLock } from "./errors.ts";
import { checkVersionId } from "./find-object.ts";
import { type Bucket, findCurrent, findVersion, pushDeleteMarker, removeVersion } from "./model.ts";
import type { Cause } from "./notifications/message.ts";
import { isProtected } from "./object-lock/lock.ts";
import type { OperationNeeds } from "./operations/operation-needs.ts";
import { hasTag } from "./rules.ts";

/** What became of it, as DeleteObject answers. */
export interface Removed {
  readonly VersionId?: string;
  readonly DeleteMarker?: boolean;
}

interface Removal {
  /** Undefined for the key, as versioning has it. */
  readonly versionId?: string | undefined;
  readonly ifMatch?: string | undefined;
  /** The caller may remove what is under governance. */
  readonly bypass?: boolean | undefined;
  /** The family of events that tell of it. */
  readonly event: "ObjectRemoved" | "LifecycleExpiration";
  readonly cause: Cause;
}

/** Remove a version for good, or put a delete marker over the key, as versioning has it. */
export async function removeObject(
  tx: Transaction,
  needs: Pick<OperationNeeds, "push" | "blobs" | "notify">,
  bucket: Bucket,
  key: string,
  { versionId, ifMatch, bypass = false, event, cause }: Removal,
): Promise<Removed> {
  if (versionId !== undefined) checkVersionId(versionId);
  const version =
    versionId === undefined ? await findCurrent(tx, bucket, key) : await findVersion(tx, bucket, key, versionId);
  if (ifMatch !== undefined) {
    if (version?.kind !== "object") throw noSuchKey(key);
    if (!hasTag(ifMatch, version.etag)) throw preconditionFailed("If-Match");
  }
  if (versionId === undefined && bucket.versioning !== "never") {
    const marker = await pushDeleteMarker(tx, needs.push, bucket, key, cause.now);
    needs.notify(tx, bucket, { event: `${event}:DeleteMarkerCreated`, key, version: marker }, cause);
    return { DeleteMarker: true, VersionId: marker.versionId };
  }
  if (version) {
    if (version.kind === "object" && isProtected(version, cause.now, bypass)) throw protectedByLock();
    await removeVersion(tx, bucket, key, version);
    if (version.kind === "object") await releaseContent(tx, needs.blobs, version.content);
    needs.notify(tx, bucket, { event: `${event}:Delete`, key, version }, cause);
  }
  return {
    ...(versionId !== undefined && bucket.versioning !== "never" && { VersionId: versionId }),
    ...(version?.kind === "deleteMarker" && { DeleteMarker: true }),
  };
}
