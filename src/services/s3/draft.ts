import { notImplemented } from "../../aws/error.ts";
import type { AuthorizationRequest } from "../../access/authorization.ts";
import type { Call } from "../../wire/service.ts";
import { type AclHeaders, hasAclHeaders } from "./acl/grants.ts";
import { toNewAcl } from "./acl/object-acl.ts";
import { invalidArgument, invalidRequest } from "./errors.ts";
import type { Bucket, BucketEncryption, ObjectHeaders, Owned, Tag } from "./model.ts";
import { refuse } from "./needs.ts";
import { type Locked, type LockHeaders, toAskedLock } from "./object-lock/lock.ts";
import { checkMetadata, parseMetadata, parseTagging } from "./rules.ts";

/** What PutObject, CopyObject and CreateMultipartUpload say of the object to be. */
export interface DraftInput extends Omit<AclHeaders, "GrantWrite">, LockHeaders {
  readonly Key?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | string | undefined;
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly SSEKMSEncryptionContext?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
  readonly StorageClass?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly Tagging?: string | undefined;
  readonly ObjectLockEventHold?: string | undefined;
  readonly ObjectLockEventHoldDurationDays?: number | undefined;
  readonly ObjectLockEventHoldDurationYears?: number | undefined;
}

/** The members of an object that do not come from its bytes. */
export interface ObjectDraft extends Owned, Locked {
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  readonly encryption: BucketEncryption;
}

export function toDraft(input: DraftInput, bucket: Bucket, call: Call): ObjectDraft {
  const { operation } = call;
  refuse(input, operation, ["SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5", "SSEKMSEncryptionContext"]);
  refuse(input, operation, [
    "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays",
    "ObjectLockEventHoldDurationYears",
  ]);
  const metadata = parseMetadata(input.Metadata ?? {});
  checkMetadata(metadata);
  return {
    headers: toHeaders(input),
    metadata,
    tags: input.Tagging === undefined ? [] : parseTagging(input.Tagging),
    storageClass: toStorageClass(input.StorageClass),
    encryption: toEncryption(input, bucket),
    ...toNewAcl(input, bucket, call),
    ...toAskedLock(input, bucket, call),
  };
}

function toHeaders(input: DraftInput): ObjectHeaders {
  const location = input.WebsiteRedirectLocation;
  if (location !== undefined && !/^(\/|https?:\/\/)/.test(location)) {
    throw invalidRequest("The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
  }
  return {
    contentType: input.ContentType ?? "binary/octet-stream",
    ...(input.CacheControl !== undefined && { cacheControl: input.CacheControl }),
    ...(input.ContentDisposition !== undefined && { contentDisposition: input.ContentDisposition }),
    ...(input.ContentEncoding !== undefined && { contentEncoding: input.ContentEncoding }),
    ...(input.ContentLanguage !== undefined && { contentLanguage: input.ContentLanguage }),
    ...(input.Expires !== undefined && { expires: textOfDate(input.Expires) }),
    ...(location !== undefined && { websiteRedirectLocation: location }),
  };
}

export function textOfDate(date: Date | string): string {
  return typeof date === "string" ? date : date.toUTCString();
}

/** Classes whose objects can be read at once: here they differ in name only. */
const readableClasses = new Set(["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"]);

export function isReadableClass(storageClass: string): boolean {
  return readableClasses.has(storageClass);
}

function toStorageClass(asked: string | undefined): string {
  if (asked === undefined || isReadableClass(asked)) return asked ?? "STANDARD";
  throw notImplemented(`The storage class ${asked}`);
}

function toEncryption(input: DraftInput, bucket: Bucket): BucketEncryption {
  if (input.SSEKMSKeyId !== undefined && input.ServerSideEncryption !== "aws:kms") {
    throw invalidArgument(
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
    );
  }
  if (input.ServerSideEncryption === undefined) return bucket.encryption;
  if (input.ServerSideEncryption === "AES256") return { algorithm: "AES256", bucketKey: false };
  throw notImplemented(`ServerSideEncryption ${input.ServerSideEncryption}`);
}

export function toEncryptionMembers(encryption: BucketEncryption) {
  return {
    ServerSideEncryption: encryption.algorithm,
    ...(encryption.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
    ...(encryption.bucketKey && { BucketKeyEnabled: true }),
  };
}

/** Actions of writing an object, by what the request sets beside its content. */
export function writeActions(input: DraftInput): readonly string[] {
  return [
    "PutObject",
    ...(input.Tagging === undefined ? [] : ["PutObjectTagging"]),
    ...(hasAclHeaders(input) ? ["PutObjectAcl"] : []),
    ...((input.ObjectLockMode ?? input.ObjectLockRetainUntilDate) === undefined ? [] : ["PutObjectRetention"]),
    ...(input.ObjectLockLegalHoldStatus === undefined ? [] : ["PutObjectLegalHold"]),
  ];
}

/** Condition keys of writing an object. */
export function writeContext(input: DraftInput): NonNullable<AuthorizationRequest["context"]> {
  return {
    ...(input.ACL !== undefined && { "s3:x-amz-acl": [input.ACL] }),
    ...(input.ServerSideEncryption !== undefined && {
      "s3:x-amz-server-side-encryption": [input.ServerSideEncryption],
    }),
    ...(input.StorageClass !== undefined && { "s3:x-amz-storage-class": [input.StorageClass] }),
  };
}
