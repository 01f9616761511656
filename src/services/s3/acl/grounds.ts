import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { type Bucket, findCurrent, findVersion, type StoredObject } from "../model.ts";
import { onlyDenials, toPolicy } from "./as-policy.ts";
import { type Grant, isPublicGrant } from "./grants.ts";
import { writerOf } from "./object-acl.ts";

/** What a question about a bucket or object is decided by, beside the caller's own policies. */
export interface Grounds {
  readonly resourceAccount: string;
  readonly resourcePolicy?: string;
  readonly accessControlList?: string;
}

/** The object that is asked about. */
interface Named {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** Actions that the owner of the object decides about; all others are the bucket owner's. */
const ofTheObject = new Set([
  "GetObject",
  "GetObjectVersion",
  "GetObjectAcl",
  "GetObjectVersionAcl",
  "PutObjectAcl",
  "PutObjectVersionAcl",
]);

/**
 * The grounds of a decision in a bucket that has access control lists. Source: "How Amazon S3 authorizes a request", S3 User
 * Guide.
 *
 * @param policy the bucket's, where it counts
 */
export async function groundsOf(
  reader: Reader,
  bucket: Bucket,
  action: string,
  named: Named | undefined,
  call: Call,
  policy: string | undefined,
): Promise<Grounds> {
  const object = named && (await findObject(reader, bucket, named));
  const own = writerOf(bucket, call);
  // Writing a new object with its list asks for both actions.
  const writes = call.operation !== "PutObjectAcl" && action === "PutObjectAcl";
  if (named && ofTheObject.has(action) && !writes) {
    const owner = object?.owner ?? bucket.account;
    return of(owner, owner === bucket.account ? policy : policy && onlyDenials(policy), {
      list: toPolicy(effective(object?.acl, bucket), "object"),
    });
  }
  const owns = object === undefined ? "nothing there" : (object.owner ?? bucket.account) === own ? "own" : "another's";
  return of(bucket.account, policy, { list: toPolicy(effective(bucket.acl, bucket), "bucket", owns) });
}

async function findObject(reader: Reader, bucket: Bucket, named: Named): Promise<StoredObject | undefined> {
  if (named.versionId === undefined) return findCurrent(reader, bucket, named.key);
  const version = await findVersion(reader, bucket, named.key, named.versionId);
  return version?.kind === "object" ? version : undefined;
}

/** IgnorePublicAcls: what a list says of everybody does not count. */
function effective(grants: readonly Grant[] = [], bucket: Bucket): readonly Grant[] {
  return bucket.publicAccessBlock?.ignorePublicAcls ? grants.filter((grant) => !isPublicGrant(grant)) : grants;
}

function of(resourceAccount: string, policy: string | undefined, { list }: { list: string | undefined }): Grounds {
  return {
    resourceAccount,
    ...(policy !== undefined && { resourcePolicy: policy }),
    ...(list !== undefined && { accessControlList: list }),
  };
}
