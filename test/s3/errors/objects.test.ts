import type { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../../src/testing/s3.ts";

/** What each operation on objects is refused with. Source: "Error responses", Amazon S3 API Reference, and S3's answers. */

let platform: TestPlatform;
let s3: S3;
let nobody: S3;
const Bucket = "errors-of-objects";
const versioned = "errors-of-versions";
const Key = "k";

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  nobody = await userClient(platform, "nobody", []);
  await s3.createBucket({ Bucket });
  await s3.putObject({ Bucket, Key, Body: "0123456789" });
  await s3.createBucket({ Bucket: versioned, ObjectLockEnabledForBucket: true });
  await s3.putObject({ Bucket: versioned, Key, Body: "x" });
});
afterAll(() => platform.stop());

const noBucket = "404 NoSuchBucket: The specified bucket does not exist";
const noKey = "404 NoSuchKey: The specified key does not exist.";
const noUpload =
  "404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
const noVersion = "404 NoSuchVersion: The specified version does not exist.";
const badVersion = "400 InvalidArgument: Invalid version id specified";
const malformed =
  "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";

interface Named {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
}
type Operation = (client: S3, named: Named) => Promise<unknown>;

/** Operations that read or change an object that is there. HEAD has no body to say more in. */
const onObjects: readonly (readonly [string, Operation])[] = [
  ["GetObject", (c, o) => c.getObject(o)],
  ["GetObjectAcl", (c, o) => c.getObjectAcl(o)],
  ["GetObjectAttributes", (c, o) => c.getObjectAttributes({ ...o, ObjectAttributes: ["ETag"] })],
  ["GetObjectTagging", (c, o) => c.getObjectTagging(o)],
  ["PutObjectTagging", (c, o) => c.putObjectTagging({ ...o, Tagging: { TagSet: [] } })],
  ["DeleteObjectTagging", (c, o) => c.deleteObjectTagging(o)],
];
const onLocked: readonly (readonly [string, Operation])[] = [
  ["GetObjectLegalHold", (c, o) => c.getObjectLegalHold(o)],
  ["PutObjectLegalHold", (c, o) => c.putObjectLegalHold({ ...o, LegalHold: { Status: "OFF" } })],
  ["GetObjectRetention", (c, o) => c.getObjectRetention(o)],
  ["PutObjectRetention", (c, o) => c.putObjectRetention({ ...o, Retention: {} })],
];
const writing: readonly (readonly [string, Operation])[] = [
  ["PutObject", (c, o) => c.putObject({ Bucket: o.Bucket, Key: o.Key, Body: "x" })],
  ["CreateMultipartUpload", (c, o) => c.createMultipartUpload({ Bucket: o.Bucket, Key: o.Key })],
  ["DeleteObject", (c, o) => c.deleteObject(o)],
];
const onUploads: readonly (readonly [string, Operation])[] = [
  ["UploadPart", (c, o) => c.uploadPart({ ...o, UploadId: "no", PartNumber: 1, Body: "x" })],
  [
    "UploadPartCopy",
    (c, o) => c.uploadPartCopy({ ...o, UploadId: "no", PartNumber: 1, CopySource: `${Bucket}/${Key}` }),
  ],
  [
    "CompleteMultipartUpload",
    (c, o) =>
      c.completeMultipartUpload({ ...o, UploadId: "no", MultipartUpload: { Parts: [{ PartNumber: 1, ETag: "e" }] } }),
  ],
  ["AbortMultipartUpload", (c, o) => c.abortMultipartUpload({ ...o, UploadId: "no" })],
  ["ListParts", (c, o) => c.listParts({ ...o, UploadId: "no" })],
];

test.each([...onObjects, ...onLocked, ...writing, ...onUploads])(
  "%s: NoSuchBucket, and AccessDenied for those who may not",
  async (_name, call) => {
    expect(await refusalOf(call(s3, { Bucket: "no-such-bucket", Key }))).toBe(noBucket);
    expect(await refusalOf(call(nobody, { Bucket, Key }))).toMatch(
      /^403 AccessDenied: User: arn:aws:iam::000000000000:user\/nobody is not authorized to perform: s3:\w+ on resource: "arn:aws:s3:::errors-of-objects\/k" because no identity-based policy allows the s3:\w+ action$/,
    );
  },
);

test.each([...onObjects, ...onLocked])(
  "%s: NoSuchKey, MethodNotAllowed of a delete marker, NoSuchVersion, InvalidArgument",
  async (_name, call) => {
    const of = (key: string, VersionId?: string) =>
      refusalOf(call(s3, { Bucket: versioned, Key: key, ...(VersionId && { VersionId }) }));
    expect(await of("missing")).toBe(noKey);
    const VersionId = (await s3.deleteObject({ Bucket: versioned, Key: "marked" })).VersionId ?? "";
    expect(await of("marked")).toBe(noKey);
    expect(await of("marked", VersionId)).toBe(
      "405 MethodNotAllowed: The specified method is not allowed against this resource.",
    );
    expect(await of(Key, VersionId)).toBe(noVersion);
    expect(await of(Key, "nonsense")).toBe(badVersion);
  },
);

test.each(onUploads)("%s: NoSuchUpload", async (_name, call) => {
  expect(await refusalOf(call(s3, { Bucket, Key }))).toBe(noUpload);
});

test.each([
  ["a missing key", { Key: "missing" }, "404 NotFound: "],
  ["a range beyond the end", { Key, Range: "bytes=90-" }, "416 "],
  ["another tag", { Key, IfMatch: '"x"' }, "412 "],
  ["what is there already", { Key, IfNoneMatch: "*" }, "304 "],
])("HeadObject of %s answers by its status", async (_what, input, refusal) => {
  expect(await refusalOf(s3.headObject({ Bucket, ...input }))).toContain(refusal);
});

describe("GetObject", () => {
  test.each([
    ["a range beyond the end", { Range: "bytes=90-" }, "416 InvalidRange: The requested range is not satisfiable"],
    ["a part that is none", { PartNumber: 2 }, "416 InvalidPartNumber: The requested partnumber is not satisfiable"],
    [
      "a part and a range",
      { PartNumber: 1, Range: "bytes=0-1" },
      "400 InvalidRequest: Cannot specify both Range header and partNumber query parameter",
    ],
    [
      "another tag",
      { IfMatch: '"x"' },
      "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold",
    ],
    [
      "an older time",
      { IfUnmodifiedSince: new Date(0) },
      "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold",
    ],
    [
      "a key of the client's own",
      { SSECustomerAlgorithm: "AES256" },
      "501 NotImplemented: The parameter SSECustomerAlgorithm of GetObject is not implemented by Cumulet",
    ],
  ])("with %s", async (_what, more, refusal) => {
    expect(await refusalOf(s3.getObject({ Bucket, Key, ...more }))).toBe(refusal);
  });
});

describe("writing an object", () => {
  const put = (more: object) => refusalOf(s3.putObject({ Bucket, Key: "refused", Body: "x", ...more }));
  test.each([
    ["KeyTooLongError", { Key: "k".repeat(1025) }, "400 KeyTooLongError: Your key is too long"],
    [
      "MetadataTooLarge",
      { Metadata: { a: "v".repeat(2048) } },
      "400 MetadataTooLarge: Your metadata headers exceed the maximum allowed metadata size",
    ],
    ["InvalidDigest", { ContentMD5: "x" }, "400 InvalidDigest: The Content-MD5 you specified was invalid."],
    [
      "BadDigest of an MD5",
      { ContentMD5: "XrY7u+Ae7tCTyyK7j1rNww==" },
      "400 BadDigest: The Content-MD5 you specified did not match what we received.",
    ],
    [
      "BadDigest of a checksum",
      { ChecksumCRC32: "AAAAAA==" },
      "400 BadDigest: The CRC32 you specified did not match the calculated checksum.",
    ],
    [
      "InvalidRequest of a checksum",
      { ChecksumSHA1: "AAAA" },
      "400 InvalidRequest: Value for x-amz-checksum-sha1 header is invalid.",
    ],
    [
      "InvalidStorageClass",
      { StorageClass: "COLD" },
      "400 InvalidStorageClass: The storage class you specified is not valid",
    ],
    [
      "InvalidArgument of the encryption",
      { ServerSideEncryption: "rot13" },
      "400 InvalidArgument: The encryption method specified is not supported",
    ],
    [
      "InvalidArgument of a key without its method",
      { SSEKMSKeyId: "k" },
      "400 InvalidArgument: Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
    ],
    [
      "NotImplemented of KMS",
      { ServerSideEncryption: "aws:kms" },
      "501 NotImplemented: ServerSideEncryption aws:kms is not implemented by Cumulet",
    ],
    [
      "NotImplemented of a key of the client's own",
      { SSECustomerAlgorithm: "AES256" },
      "501 NotImplemented: The parameter SSECustomerAlgorithm of PutObject is not implemented by Cumulet",
    ],
    [
      "NotImplemented of a class that needs restoring",
      { StorageClass: "GLACIER" },
      "501 NotImplemented: The storage class GLACIER is not implemented by Cumulet",
    ],
    ["InvalidTag", { Tagging: "aws:a=b" }, "400 InvalidTag: System tags cannot be added/updated by requester"],
    [
      "InvalidRequest of a redirect",
      { WebsiteRedirectLocation: "ftp://x" },
      "400 InvalidRequest: The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    ],
    [
      "NotImplemented of a condition",
      { IfNoneMatch: '"x"' },
      "501 NotImplemented: A header you provided implies functionality that is not implemented",
    ],
    [
      "PreconditionFailed",
      { Key, IfNoneMatch: "*" },
      "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold",
    ],
    ["NoSuchKey of a condition", { IfMatch: '"x"' }, noKey],
  ])("%s", async (_code, more, refusal) => {
    expect(await put(more)).toBe(refusal);
    expect(await refusalOf(s3.headObject({ Bucket, Key: "refused" }))).toContain("404");
  });

  const copy = (more: object) =>
    refusalOf(s3.copyObject({ Bucket, Key: "copy", CopySource: `${Bucket}/${Key}`, ...more }));
  test.each([
    ["NoSuchKey of the source", { CopySource: `${Bucket}/missing` }, noKey],
    ["NoSuchBucket of the source", { CopySource: "no-such-bucket/k" }, noBucket],
    [
      "InvalidArgument of the source",
      { CopySource: "nothing" },
      "400 InvalidArgument: Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    ],
    [
      "InvalidRequest of a copy onto itself",
      { Key },
      "400 InvalidRequest: This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    ],
    [
      "InvalidArgument of a directive",
      { MetadataDirective: "KEEP" },
      "400 InvalidArgument: Unknown metadata directive.",
    ],
    [
      "InvalidArgument of another directive",
      { TaggingDirective: "KEEP" },
      "400 InvalidArgument: Unknown tagging directive.",
    ],
    [
      "PreconditionFailed",
      { CopySourceIfMatch: '"x"' },
      "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold",
    ],
  ])("by a copy: %s", async (_code, more, refusal) => {
    expect(await copy(more)).toBe(refusal);
  });
});

describe("multipart uploads", () => {
  test("InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidArgument, MalformedXML", async () => {
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "m" });
    const named = { Bucket, Key: "m", UploadId };
    const part = async (PartNumber: number) => ({
      PartNumber,
      ETag: (await s3.uploadPart({ ...named, PartNumber, Body: "x" })).ETag,
    });
    const parts = [await part(1), await part(2)];
    const complete = (Parts: object[]) =>
      refusalOf(s3.completeMultipartUpload({ ...named, MultipartUpload: { Parts } }));
    expect(await complete([{ PartNumber: 3, ETag: "e" }])).toBe(
      "400 InvalidPart: One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    );
    expect(await complete(parts.toReversed())).toBe(
      "400 InvalidPartOrder: The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
    expect(await complete(parts)).toBe(
      "400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size",
    );
    expect(await complete([])).toBe(malformed);
    for (const PartNumber of [0, 10_001]) {
      expect(await refusalOf(s3.uploadPart({ ...named, PartNumber, Body: "x" }))).toBe(
        "400 InvalidArgument: Part number must be an integer between 1 and 10000, inclusive",
      );
    }
    const range = (CopySourceRange: string) =>
      refusalOf(s3.uploadPartCopy({ ...named, PartNumber: 1, CopySource: `${Bucket}/${Key}`, CopySourceRange }));
    expect(await range("bytes=0-")).toMatch(
      /^400 InvalidArgument: The x-amz-copy-source-range value must be of the form/,
    );
    expect(await range("bytes=0-99")).toBe(
      "400 InvalidArgument: Range specified is not valid for source object of size: 10",
    );
    await s3.abortMultipartUpload(named);
  });
});

describe("DeleteObjects", () => {
  test("MalformedXML without keys and with too many, errors key by key", async () => {
    const of = (Objects: { Key: string; VersionId?: string }[]) => s3.deleteObjects({ Bucket, Delete: { Objects } });
    expect(await refusalOf(of([]))).toBe(malformed);
    expect(await refusalOf(of(Array.from({ length: 1001 }, (_, at) => ({ Key: String(at) }))))).toBe(malformed);
    const { Errors } = await of([{ Key, VersionId: "nonsense" }]);
    expect(Errors).toEqual([
      { Key, VersionId: "nonsense", Code: "InvalidArgument", Message: "Invalid version id specified" },
    ]);
    const denied = await nobody.deleteObjects({ Bucket, Delete: { Objects: [{ Key }] } });
    expect(denied.Errors).toMatchObject([{ Key, Code: "AccessDenied" }]);
  });
});

describe("listings", () => {
  const listing = { Bucket };
  test.each([
    [
      "an encoding that is none",
      () => s3.listObjectsV2({ ...listing, EncodingType: "x" as never }),
      "400 InvalidArgument: Invalid Encoding Method specified in Request",
    ],
    [
      "a token that is none",
      () => s3.listObjectsV2({ ...listing, ContinuationToken: "x" }),
      "400 InvalidArgument: The continuation token provided is incorrect",
    ],
    [
      "less than nothing",
      () => s3.listObjectsV2({ ...listing, MaxKeys: -1 }),
      "400 InvalidArgument: Argument maxKeys must be an integer between 0 and 2147483647",
    ],
    [
      "a version without its key",
      () => s3.listObjectVersions({ ...listing, VersionIdMarker: "x" }),
      "400 InvalidArgument: A version-id marker cannot be specified without a key marker.",
    ],
    [
      "less than no uploads",
      () => s3.listMultipartUploads({ ...listing, MaxUploads: -1 }),
      "400 InvalidArgument: Argument max-uploads must be an integer between 0 and 2147483647",
    ],
    [
      "too many buckets",
      () => s3.listBuckets({ MaxBuckets: 10_001 }),
      "400 InvalidArgument: Argument max-buckets must be an integer between 1 and 10000",
    ],
  ])("of %s", async (_what, call, refusal) => {
    expect(await refusalOf(call())).toBe(refusal);
  });
});

/** Operations of AWS's model that are not built say so by their names. */
test.each([
  ["GetBucketAccelerateConfiguration", () => s3.getBucketAccelerateConfiguration({ Bucket })],
  ["GetBucketLogging", () => s3.getBucketLogging({ Bucket })],
  ["GetBucketReplication", () => s3.getBucketReplication({ Bucket })],
  ["GetBucketRequestPayment", () => s3.getBucketRequestPayment({ Bucket })],
  ["GetObjectTorrent", () => s3.getObjectTorrent({ Bucket, Key })],
  ["RestoreObject", () => s3.restoreObject({ Bucket, Key, RestoreRequest: { Days: 1 } })],
  ["ListBucketInventoryConfigurations", () => s3.listBucketInventoryConfigurations({ Bucket })],
  ["PutBucketLogging", () => s3.putBucketLogging({ Bucket, BucketLoggingStatus: {} })],
])("%s answers NotImplemented", async (name, call) => {
  expect(await refusalOf(call())).toBe(`501 NotImplemented: s3:${name} is not implemented by Cumulet`);
});
