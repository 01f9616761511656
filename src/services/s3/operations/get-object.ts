import type { StorageClass } from "@aws-sdk/client-s3";
import { AwsError } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { openContent, readParts, readSmall } from "../content.ts";
import { textOfDate, toEncryptionMembers } from "../draft.ts";
import { invalidPartNumber, invalidRange, invalidRequest, notModified, preconditionFailed } from "../errors.ts";
import { concealAbsence, existingObject } from "../find-object.ts";
import { toExpirationMember } from "../lifecycle/due.ts";
import type { Bucket, Part, StoredObject } from "../model.ts";
import { existingBucket, refuse, type Sdk } from "../needs.ts";
import { toLockMembers } from "../object-lock/lock.ts";
import { type ByteRange, formatMetadata, judge, parseRange } from "../rules.ts";
import { toChecksumMembers } from "../upload.ts";
import type { OperationNeeds } from "./operation-needs.ts";

/** What GetObject and HeadObject are asked alike. */
interface ReadInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
  readonly Range?: string | undefined;
  readonly PartNumber?: number | undefined;
  readonly ChecksumMode?: string | undefined;
  readonly ResponseCacheControl?: string | undefined;
  readonly ResponseContentDisposition?: string | undefined;
  readonly ResponseContentEncoding?: string | undefined;
  readonly ResponseContentLanguage?: string | undefined;
  readonly ResponseContentType?: string | undefined;
  readonly ResponseExpires?: Date | string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
}

export function getObjectOperations(needs: OperationNeeds) {
  const authorize = (input: ReadInput, call: Call) => {
    const versioned = input.VersionId === undefined ? undefined : { "s3:VersionId": [input.VersionId] };
    const action = versioned ? "GetObjectVersion" : "GetObject";
    return needs.access.object(call, action, input.Bucket, input.Key, versioned, input.VersionId);
  };
  return {
    GetObject: {
      authorize,
      async run(input, call) {
        const { object, small, range, members } = await read(needs, input, call);
        return { ...members, Body: await openContent(needs, object, small, range) };
      },
    },
    HeadObject: {
      authorize,
      async run(input, call) {
        return (await read(needs, input, call)).members;
      },
    },
  } satisfies OperationsOf<Sdk>;
}

async function read(needs: OperationNeeds, input: ReadInput, call: Call) {
  refuse(input, call.operation, ["SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"]);
  const { bucket, object, parts, small } = await concealAbsence(needs.access, call, input.Bucket ?? "", () =>
    needs.store.read(async (reader) => {
      const bucket = await existingBucket(reader, input, needs.access.asked(call, input.Bucket));
      const object = await existingObject(reader, bucket, input, call);
      const parts =
        input.PartNumber !== undefined && object.content.kind === "parts"
          ? await readParts(reader, object.content.uploadId)
          : undefined;
      const small = call.operation === "HeadObject" ? undefined : await readSmall(reader, needs.blobs, object);
      return { bucket, object, parts, small };
    }),
  );
  checkConditions(input, object, bucket);
  const part = toPart(input, object, parts);
  const range = part?.range ?? toRange(input, object);
  if (range) call.setStatus?.(206);
  const lock = object.retention || object.legalHold !== undefined ? await lockMembers(needs, input, call, object) : {};
  return { object, small, range, members: { ...toMembers(input, call, bucket, object, range, part), ...lock } };
}

/** AWS: told to those alone who may ask for it. */
async function lockMembers({ access }: OperationNeeds, input: ReadInput, call: Call, object: StoredObject) {
  const { retention, legalHold } = toLockMembers(object);
  const may = async (action: string) => {
    try {
      const { Bucket, Key, VersionId } = input;
      for (const each of await access.object(call, action, Bucket, Key, {}, VersionId)) await call.authorize(each);
      return true;
    } catch (error) {
      if (error instanceof AwsError) return false;
      throw error;
    }
  };
  return {
    ...(retention && (await may("GetObjectRetention")) && retention),
    ...(legalHold && (await may("GetObjectLegalHold")) && legalHold),
  };
}

function checkConditions(input: ReadInput, object: StoredObject, bucket: Bucket): void {
  const verdict = judge(
    {
      ifMatch: input.IfMatch,
      ifNoneMatch: input.IfNoneMatch,
      ifModifiedSince: input.IfModifiedSince,
      ifUnmodifiedSince: input.IfUnmodifiedSince,
    },
    object.etag,
    object.modifiedAt,
  );
  if (verdict.result === "failed") throw preconditionFailed(verdict.condition);
  if (verdict.result === "go") return;
  const { cacheControl } = object.headers;
  throw notModified({
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modifiedAt).toUTCString(),
    ...(cacheControl !== undefined && { "cache-control": cacheControl }),
    ...(bucket.versioning !== "never" && { "x-amz-version-id": object.versionId }),
  });
}

function toRange(input: ReadInput, object: StoredObject): ByteRange | undefined {
  if (input.Range === undefined) return undefined;
  const range = parseRange(input.Range, object.size);
  if (range === "unsatisfiable") throw invalidRange(input.Range, object.size);
  return range;
}

interface PartRead {
  readonly range: ByteRange;
  readonly part: Part | undefined;
}

function toPart(input: ReadInput, object: StoredObject, parts: readonly Part[] | undefined): PartRead | undefined {
  if (input.PartNumber === undefined) return undefined;
  if (input.Range !== undefined) {
    throw invalidRequest("Cannot specify both Range header and partNumber query parameter");
  }
  if (!parts) {
    if (input.PartNumber !== 1) throw invalidPartNumber(input.PartNumber, 1);
    return { range: { start: 0, end: object.size }, part: undefined };
  }
  let start = 0;
  for (const part of parts) {
    if (part.number === input.PartNumber) return { range: { start, end: start + part.size }, part };
    start += part.size;
  }
  throw invalidPartNumber(input.PartNumber, parts.length);
}

function toMembers(
  input: ReadInput,
  call: Call,
  bucket: Bucket,
  object: StoredObject,
  range: ByteRange | undefined,
  part: PartRead | undefined,
) {
  const { content, size } = object;
  const { start, end } = range ?? { start: 0, end: size };
  return {
    AcceptRanges: "bytes",
    LastModified: new Date(object.modifiedAt),
    ContentLength: end - start,
    ETag: `"${object.etag}"`,
    ...(range && size > 0 && { ContentRange: `bytes ${start}-${end - 1}/${size}` }),
    ...toHeaderMembers(object, call, overrides(input, call)),
    Metadata: formatMetadata(object.metadata),
    ...toEncryptionMembers(object.encryption),
    ...(object.storageClass !== "STANDARD" && { StorageClass: parseStorageClass(object.storageClass) }),
    ...(bucket.versioning !== "never" && { VersionId: object.versionId }),
    ...(part && content.kind === "parts" && { PartsCount: content.count }),
    // AWS: what is said of a key's expiration is said of its latest version.
    ...(input.VersionId === undefined && toExpirationMember(bucket, input.Key ?? "", object)),
    ...(object.tags.length > 0 && { TagCount: object.tags.length }),
    ...(input.ChecksumMode === "ENABLED" && checksumOf(object, range, part)),
  };
}

function checksumOf(object: StoredObject, range: ByteRange | undefined, read: PartRead | undefined) {
  if (!read) return range ? {} : toChecksumMembers(object.checksum);
  if (!read.part || !object.checksum) return toChecksumMembers(object.checksum);
  return toChecksumMembers({ ...object.checksum, value: read.part.checksum });
}

type Overrides = Partial<StoredObject["headers"]>;

/** The `response-…` parameters of signed requests. */
function overrides(input: ReadInput, call: Call): Overrides {
  const asked: Overrides = {
    ...(input.ResponseContentType !== undefined && { contentType: input.ResponseContentType }),
    ...(input.ResponseCacheControl !== undefined && { cacheControl: input.ResponseCacheControl }),
    ...(input.ResponseContentDisposition !== undefined && { contentDisposition: input.ResponseContentDisposition }),
    ...(input.ResponseContentEncoding !== undefined && { contentEncoding: input.ResponseContentEncoding }),
    ...(input.ResponseContentLanguage !== undefined && { contentLanguage: input.ResponseContentLanguage }),
    ...(input.ResponseExpires !== undefined && { expires: textOfDate(input.ResponseExpires) }),
  };
  if (call.principal.type === "anonymous" && Object.keys(asked).length > 0) {
    throw invalidRequest("Request specific response headers cannot be used for anonymous GET requests.");
  }
  return asked;
}

function toHeaderMembers(object: StoredObject, call: Call, asked: Overrides) {
  const headers = { ...object.headers, ...asked };
  // Not as the member, which is a date: any text may have been stored.
  if (headers.expires !== undefined) call.setHeader("expires", headers.expires);
  return {
    ContentType: headers.contentType,
    ...(headers.cacheControl !== undefined && { CacheControl: headers.cacheControl }),
    ...(headers.contentDisposition !== undefined && { ContentDisposition: headers.contentDisposition }),
    ...(headers.contentEncoding !== undefined && { ContentEncoding: headers.contentEncoding }),
    ...(headers.contentLanguage !== undefined && { ContentLanguage: headers.contentLanguage }),
    ...(headers.websiteRedirectLocation !== undefined && {
      WebsiteRedirectLocation: headers.websiteRedirectLocation,
    }),
  };
}

/** What was checked when it was stored. */
export function parseStorageClass(stored: string): StorageClass {
  return stored as StorageClass;
}
