import type { Reader } from "../../../kernel/store/store.ts";
import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { isWhole } from "../../../wire/whole-content.ts";
import type { ChecksumAlgorithm } from "../../../wire/checksums.ts";
import { openContent, readSmall } from "../content.ts";
import { type ObjectDraft, toDraft, toEncryptionMembers, writeActions, writeContext } from "../draft.ts";
import { conditionNotImplemented, invalidRequest, noSuchKey, preconditionFailed } from "../errors.ts";
import { existingObject } from "../find-object.ts";
import { toExpirationMember } from "../lifecycle/due.ts";
import { type Bucket, type Checksum, findCurrent, pushObject, type StoredObject } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import { causeOf } from "../notifications/message.ts";
import { checkLockedUpload, lockOf } from "../object-lock/lock.ts";
import { checkKey, hasTag, judge, parseCopySource } from "../rules.ts";
import {
  commitReceived,
  parseAlgorithm,
  receive,
  receiveAs,
  type Received,
  toChecksumMembers,
  unbuiltChecksums,
  wantedChecksum,
} from "../upload.ts";
import type { OperationNeeds } from "./operation-needs.ts";

export function putObjectOperations(needs: OperationNeeds) {
  const { store, access, push, notify } = needs;

  async function commit(
    input: WriteInput,
    call: Call,
    draftFor: (bucket: Bucket) => ObjectDraft,
    received: Received,
    checksum: Checksum,
    event: string,
  ): Promise<{ readonly object: StoredObject; readonly bucket: Bucket }> {
    return commitReceived(needs, received, async (tx, blob) => {
      const bucket = await existingBucket(tx, input);
      await checkWriteConditions(tx, bucket, input);
      const draft = draftFor(bucket);
      const object = await pushObject(tx, push, bucket, input.Key ?? "", {
        ...draft,
        ...lockOf(draft, bucket, call.now),
        modifiedAt: call.now,
        etag: received.md5,
        size: received.size,
        content: { kind: "blob", blob },
        checksum,
      });
      notify(tx, bucket, { event, key: input.Key ?? "", version: object }, causeOf(call));
      return { object, bucket };
    });
  }

  async function take(
    input: InputOf<Sdk, "PutObject">,
    call: Call,
  ): Promise<{ readonly algorithm: ChecksumAlgorithm; readonly received: Received }> {
    const algorithm = wantedChecksum(input, call)?.algorithm ?? "CRC64NVME";
    return { algorithm, received: await receive(needs, input.Body, input, call, algorithm) };
  }

  return {
    PutObject: {
      authorize: (input, call) =>
        access.object(call, writeActions(input), input.Bucket, input.Key, writeContext(input)),
      async run(input, call) {
        checkKey(input.Key ?? "");
        refuse(input, "PutObject", [...unbuiltChecksums, "WriteOffsetBytes"]);
        const draftFor = (bucket: Bucket) => {
          const draft = toDraft(input, bucket, call);
          const isChecked = !call.http || wantedChecksum(input, call) !== undefined || input.ContentMD5 !== undefined;
          checkLockedUpload(lockOf(draft, bucket, call.now), isChecked);
          return draft;
        };
        const check = () =>
          store.read(async (reader) => {
            const bucket = await existingBucket(reader, input);
            await checkWriteConditions(reader, bucket, input);
            draftFor(bucket);
          });
        const { Body } = input;
        const cameWhole = Body !== undefined && isWhole(Body);
        // Before the body is taken, too: a refusal then costs no upload. What is small costs none anyway.
        if (!cameWhole) await check();
        const { algorithm, received } = await take(input, call).catch(async (error: unknown) => {
          if (cameWhole) await check();
          throw error;
        });
        const checksum = { algorithm, value: received.checksum, type: "FULL_OBJECT" } as const;
        const { object, bucket } = await commit(input, call, draftFor, received, checksum, eventOf(call));
        return {
          ETag: `"${object.etag}"`,
          ...toExpirationMember(bucket, input.Key ?? "", object),
          ...toChecksumMembers(checksum),
          ...toEncryptionMembers(object.encryption),
          ...(bucket.versioning === "Enabled" && { VersionId: object.versionId }),
        };
      },
    },

    CopyObject: {
      authorize: async (input, call) => {
        const source = parseCopySource(input.CopySource ?? "");
        const action = source.versionId === undefined ? "GetObject" : "GetObjectVersion";
        return [
          ...(await access.object(call, action, source.bucket, source.key, {}, source.versionId)),
          ...(await access.object(call, writeActions(input), input.Bucket, input.Key, {
            ...writeContext(input),
            "s3:x-amz-copy-source": [`${source.bucket}/${source.key}`],
            "s3:x-amz-metadata-directive": [input.MetadataDirective ?? "COPY"],
          })),
        ];
      },
      async run(input, call) {
        checkKey(input.Key ?? "");
        refuse(input, "CopyObject", [
          "AnnotationDirective",
          "CopySourceSSECustomerAlgorithm",
          "CopySourceSSECustomerKey",
          "CopySourceSSECustomerKeyMD5",
        ]);
        const source = await readCopySource(needs, input, call);
        const draft = await store.read(async (reader) =>
          toCopyDraft(input, await existingBucket(reader, input), source.object, call),
        );
        checkCopyChanges(input, source);
        const algorithm =
          input.ChecksumAlgorithm === undefined
            ? (source.object.checksum?.algorithm ?? "CRC64NVME")
            : parseAlgorithm(input.ChecksumAlgorithm);
        const received = await receiveAs(needs, await openContent(needs, source.object, source.small), algorithm);
        const checksum = { algorithm, value: received.checksum, type: "FULL_OBJECT" } as const;
        const { object, bucket } = await commit(input, call, () => draft, received, checksum, "ObjectCreated:Copy");
        return {
          CopyObjectResult: {
            ETag: `"${object.etag}"`,
            LastModified: new Date(object.modifiedAt),
            ...toChecksumMembers(checksum),
          },
          ...toExpirationMember(bucket, input.Key ?? "", object),
          ...toEncryptionMembers(object.encryption),
          ...(source.bucket.versioning !== "never" && { CopySourceVersionId: source.object.versionId }),
          ...(bucket.versioning === "Enabled" && { VersionId: object.versionId }),
        };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

/** A form of a browser's is told as such. */
function eventOf(call: Call): string {
  return call.http?.method === "POST" ? "ObjectCreated:Post" : "ObjectCreated:Put";
}

interface WriteInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

/** Conditional writes: "Add preconditions to S3 operations with conditional requests", S3 User Guide. */
export async function checkWriteConditions(reader: Reader, bucket: Bucket, input: WriteInput): Promise<void> {
  const { IfMatch, IfNoneMatch, Key = "" } = input;
  if (IfMatch === undefined && IfNoneMatch === undefined) return;
  if (IfNoneMatch !== undefined && IfNoneMatch !== "*") throw conditionNotImplemented("If-None-Match");
  const current = await findCurrent(reader, bucket, Key);
  if (IfNoneMatch !== undefined && current) throw preconditionFailed("If-None-Match");
  if (IfMatch === undefined) return;
  if (!current) throw noSuchKey(Key);
  if (!hasTag(IfMatch, current.etag)) throw preconditionFailed("If-Match");
}

export interface CopySourceInput {
  readonly CopySource?: string | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
}

interface CopySource {
  readonly bucket: Bucket;
  readonly key: string;
  readonly object: StoredObject;
  /** Its bytes, where they are few. */
  readonly small: Uint8Array | undefined;
}

/** The object that is copied from, its conditions checked. */
export async function readCopySource(needs: OperationNeeds, input: CopySourceInput, call: Call): Promise<CopySource> {
  const source = parseCopySource(input.CopySource ?? "");
  const found = await needs.store.read(async (reader) => {
    const bucket = await existingBucket(reader, {
      Bucket: source.bucket,
      ExpectedBucketOwner: input.ExpectedSourceBucketOwner,
    });
    const object = await existingObject(reader, bucket, { Key: source.key, VersionId: source.versionId }, call);
    return { bucket, key: source.key, object, small: await readSmall(reader, needs.blobs, object) };
  });
  const verdict = judge(
    {
      ifMatch: input.CopySourceIfMatch,
      ifNoneMatch: input.CopySourceIfNoneMatch,
      ifModifiedSince: input.CopySourceIfModifiedSince,
      ifUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
    },
    found.object.etag,
    found.object.modifiedAt,
  );
  // AWS: what would be 304 for a reader is 412 for a copy.
  if (verdict.result === "failed") throw preconditionFailed(`x-amz-copy-source-${verdict.condition}`);
  if (verdict.result === "notModified") {
    throw preconditionFailed(
      input.CopySourceIfNoneMatch === undefined
        ? "x-amz-copy-source-If-Modified-Since"
        : "x-amz-copy-source-If-None-Match",
    );
  }
  return found;
}

type CopyInput = Parameters<typeof toDraft>[0] & {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly CopySource?: string | undefined;
  readonly MetadataDirective?: string | undefined;
  readonly TaggingDirective?: string | undefined;
};

function toCopyDraft(input: CopyInput, bucket: Bucket, source: StoredObject, call: Call): ObjectDraft {
  if (input.TaggingDirective !== "REPLACE" && input.Tagging !== undefined) {
    throw invalidRequest("The x-amz-tagging header is only valid with the tagging directive REPLACE");
  }
  const asked = toDraft(input, bucket, call);
  const replaced = input.MetadataDirective === "REPLACE";
  const { websiteRedirectLocation: _redirect, ...sourceHeaders } = source.headers;
  const redirect = asked.headers.websiteRedirectLocation;
  return {
    ...asked,
    // AWS: the redirect is not copied; it is what the request says.
    headers: replaced
      ? asked.headers
      : { ...sourceHeaders, ...(redirect !== undefined && { websiteRedirectLocation: redirect }) },
    metadata: replaced ? asked.metadata : source.metadata,
    tags: input.TaggingDirective === "REPLACE" ? asked.tags : source.tags,
  };
}

function checkCopyChanges(
  input: CopyInput,
  source: { readonly bucket: Bucket; readonly key: string; readonly object: StoredObject },
): void {
  const same = source.bucket.name === input.Bucket && source.key === input.Key;
  const changes =
    input.MetadataDirective === "REPLACE" ||
    [input.StorageClass, input.WebsiteRedirectLocation, input.ServerSideEncryption].some((each) => each !== undefined);
  const older = parseCopySource(input.CopySource ?? "").versionId !== undefined;
  if (same && !changes && !older) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
}
