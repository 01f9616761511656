import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { AwsError } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidArgument, invalidRequest, malformedXml } from "../errors.ts";
import { s3Limits } from "../limits.ts";
import type { Bucket } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import { causeOf } from "../notifications/message.ts";
import { bypassActions } from "../object-lock/operations.ts";
import { type Removed, removeObject } from "../remove-object.ts";
import type { OperationNeeds } from "./operation-needs.ts";

export function deleteObjectOperations(needs: OperationNeeds) {
  const { store } = needs;
  return {
    DeleteObject: {
      authorize: (input, call) => requestsFor(needs, call, input.Bucket, input, input.BypassGovernanceRetention),
      async run(input, call) {
        refuse(input, "DeleteObject", ["MFA", "IfMatchLastModifiedTime", "IfMatchSize"]);
        return store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          checkBypass(bucket, input.BypassGovernanceRetention);
          return removeObject(tx, needs, bucket, input.Key ?? "", {
            versionId: input.VersionId,
            ifMatch: input.IfMatch,
            bypass: input.BypassGovernanceRetention,
            event: "ObjectRemoved",
            cause: causeOf(call),
          });
        });
      },
    },

    DeleteObjects: {
      // Each key is asked about on its own: one that is denied does not keep the others.
      authorize: () => [],
      async run(input, call) {
        refuse(input, "DeleteObjects", ["MFA"]);
        requireBodyDigest(call.http?.headers);
        const { Objects = [], Quiet = false } = input.Delete ?? {};
        if (Objects.length === 0 || Objects.length > s3Limits.deleteKeysMax) throw malformedXml();
        for (const object of Objects) refuse(object, "DeleteObjects", ["LastModifiedTime", "Size"]);
        const bypass = input.BypassGovernanceRetention;
        checkBypass(await store.read((reader) => existingBucket(reader, input)), bypass);
        const denied = await Promise.all(Objects.map((object) => denialOf(needs, call, input.Bucket, object, bypass)));
        const cause = causeOf(call);
        const outcomes = await store.transact(async (tx) => {
          const bucket = await existingBucket(tx, input);
          const done: Outcome[] = [];
          for (const [at, { Key = "", VersionId, ETag }] of Objects.entries()) {
            const how = { versionId: VersionId, ifMatch: ETag, bypass, event: "ObjectRemoved", cause } as const;
            done.push(denied[at] ?? (await attempt(() => removeObject(tx, needs, bucket, Key, how))));
          }
          return done;
        });
        const deleted = Objects.map((object, at) => ({ object, outcome: outcomes[at] })).flatMap(
          ({ object: { Key = "", VersionId }, outcome }) =>
            outcome && !(outcome instanceof AwsError) ? [toDeleted(Key, VersionId, outcome)] : [],
        );
        const errors = Objects.flatMap(({ Key, VersionId }, at) => {
          const outcome = outcomes[at];
          if (!(outcome instanceof AwsError)) return [];
          return [{ Key, ...(VersionId !== undefined && { VersionId }), Code: outcome.code, Message: outcome.message }];
        });
        return { ...(!Quiet && { Deleted: deleted }), ...(errors.length > 0 && { Errors: errors }) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

type Outcome = Removed | AwsError;

/** What DeleteObjects tells of one key. */
function toDeleted(key: string, versionId: string | undefined, removed: Removed) {
  return {
    Key: key,
    ...(versionId !== undefined && { VersionId: versionId }),
    ...(removed.DeleteMarker && { DeleteMarker: true, DeleteMarkerVersionId: removed.VersionId }),
  };
}

async function attempt(body: () => Promise<Removed>): Promise<Outcome> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

interface Named {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

async function denialOf(
  needs: OperationNeeds,
  call: Call,
  bucket: string | undefined,
  object: Named,
  bypass: boolean | undefined,
): Promise<AwsError | undefined> {
  try {
    for (const request of await requestsFor(needs, call, bucket, object, bypass)) await call.authorize(request);
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

function requestsFor(
  { access }: OperationNeeds,
  call: Call,
  bucket: string | undefined,
  { Key, VersionId }: Named,
  bypass: boolean | undefined,
): Promise<AuthorizationRequest[]> {
  const actions = [actionFor(VersionId), ...bypassActions(bypass)];
  return access.object(call, actions, bucket, Key, contextFor(VersionId), VersionId);
}

function actionFor(versionId: string | undefined): string {
  return versionId === undefined ? "DeleteObject" : "DeleteObjectVersion";
}

function contextFor(versionId: string | undefined) {
  return versionId === undefined ? {} : { "s3:VersionId": [versionId] };
}

/** AWS: says so where there is no Object Lock to bypass. */
function checkBypass({ objectLock }: Bucket, asked: boolean | undefined): void {
  if (asked && !objectLock) {
    throw invalidArgument(
      "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
      "x-amz-bypass-governance-retention",
    );
  }
}

/** AWS: the request must say what it is. */
function requireBodyDigest(headers: Readonly<Record<string, string>> | undefined): void {
  if (!headers || headers["content-md5"] !== undefined) return;
  const isChecked =
    headers["x-amz-trailer"]?.includes("x-amz-checksum-") === true ||
    Object.keys(headers).some((name) => /^x-amz-checksum-(crc|sha|md5|xxhash)/.test(name));
  if (!isChecked) throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
}
