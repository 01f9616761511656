import { S3, type S3ServiceException } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../src/testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../../src/testing/s3.ts";

/** What each operation on buckets is refused with. Source: "Error responses", Amazon S3 API Reference, and S3's answers. */

let platform: TestPlatform;
let s3: S3;
let nobody: S3;
const Bucket = "errors-of-buckets";

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  nobody = await userClient(platform, "nobody", []);
  await s3.createBucket({ Bucket });
});
afterAll(() => platform.stop());

const none = "404 NoSuchBucket: The specified bucket does not exist";
const malformed =
  "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";
const rules = (Rules: object[]) => ({ Rules }) as never;

/** Every operation of a bucket: input that is right, but for the bucket. */
const operations: readonly (readonly [string, (client: S3, Bucket: string) => Promise<unknown>])[] = [
  ["DeleteBucket", (c, b) => c.deleteBucket({ Bucket: b })],
  ["DeleteBucketCors", (c, b) => c.deleteBucketCors({ Bucket: b })],
  ["DeleteBucketEncryption", (c, b) => c.deleteBucketEncryption({ Bucket: b })],
  ["DeleteBucketLifecycle", (c, b) => c.deleteBucketLifecycle({ Bucket: b })],
  ["DeleteBucketOwnershipControls", (c, b) => c.deleteBucketOwnershipControls({ Bucket: b })],
  ["DeleteBucketPolicy", (c, b) => c.deleteBucketPolicy({ Bucket: b })],
  ["DeleteBucketTagging", (c, b) => c.deleteBucketTagging({ Bucket: b })],
  ["DeleteBucketWebsite", (c, b) => c.deleteBucketWebsite({ Bucket: b })],
  ["DeletePublicAccessBlock", (c, b) => c.deletePublicAccessBlock({ Bucket: b })],
  ["GetBucketAcl", (c, b) => c.getBucketAcl({ Bucket: b })],
  ["GetBucketCors", (c, b) => c.getBucketCors({ Bucket: b })],
  ["GetBucketEncryption", (c, b) => c.getBucketEncryption({ Bucket: b })],
  ["GetBucketLifecycleConfiguration", (c, b) => c.getBucketLifecycleConfiguration({ Bucket: b })],
  ["GetBucketLocation", (c, b) => c.getBucketLocation({ Bucket: b })],
  ["GetBucketNotificationConfiguration", (c, b) => c.getBucketNotificationConfiguration({ Bucket: b })],
  ["GetBucketOwnershipControls", (c, b) => c.getBucketOwnershipControls({ Bucket: b })],
  ["GetBucketPolicy", (c, b) => c.getBucketPolicy({ Bucket: b })],
  ["GetBucketPolicyStatus", (c, b) => c.getBucketPolicyStatus({ Bucket: b })],
  ["GetBucketTagging", (c, b) => c.getBucketTagging({ Bucket: b })],
  ["GetBucketVersioning", (c, b) => c.getBucketVersioning({ Bucket: b })],
  ["GetBucketWebsite", (c, b) => c.getBucketWebsite({ Bucket: b })],
  ["GetObjectLockConfiguration", (c, b) => c.getObjectLockConfiguration({ Bucket: b })],
  ["GetPublicAccessBlock", (c, b) => c.getPublicAccessBlock({ Bucket: b })],
  ["ListMultipartUploads", (c, b) => c.listMultipartUploads({ Bucket: b })],
  ["ListObjects", (c, b) => c.listObjects({ Bucket: b })],
  ["ListObjectsV2", (c, b) => c.listObjectsV2({ Bucket: b })],
  ["ListObjectVersions", (c, b) => c.listObjectVersions({ Bucket: b })],
  ["PutBucketAcl", (c, b) => c.putBucketAcl({ Bucket: b, ACL: "private" })],
  [
    "PutBucketCors",
    (c, b) =>
      c.putBucketCors({
        Bucket: b,
        CORSConfiguration: { CORSRules: [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }] },
      }),
  ],
  [
    "PutBucketEncryption",
    (c, b) =>
      c.putBucketEncryption({
        Bucket: b,
        ServerSideEncryptionConfiguration: rules([{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }]),
      }),
  ],
  [
    "PutBucketLifecycleConfiguration",
    (c, b) =>
      c.putBucketLifecycleConfiguration({
        Bucket: b,
        LifecycleConfiguration: rules([{ Status: "Enabled", Filter: {}, Expiration: { Days: 1 } }]),
      }),
  ],
  [
    "PutBucketNotificationConfiguration",
    (c, b) => c.putBucketNotificationConfiguration({ Bucket: b, NotificationConfiguration: {} }),
  ],
  [
    "PutBucketOwnershipControls",
    (c, b) =>
      c.putBucketOwnershipControls({ Bucket: b, OwnershipControls: rules([{ ObjectOwnership: "ObjectWriter" }]) }),
  ],
  [
    "PutBucketPolicy",
    (c, b) =>
      c.putBucketPolicy({
        Bucket: b,
        Policy: JSON.stringify({
          Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: `arn:aws:s3:::${b}` }],
        }),
      }),
  ],
  ["PutBucketTagging", (c, b) => c.putBucketTagging({ Bucket: b, Tagging: { TagSet: [{ Key: "k", Value: "v" }] } })],
  [
    "PutBucketVersioning",
    (c, b) => c.putBucketVersioning({ Bucket: b, VersioningConfiguration: { Status: "Enabled" } }),
  ],
  [
    "PutBucketWebsite",
    (c, b) => c.putBucketWebsite({ Bucket: b, WebsiteConfiguration: { IndexDocument: { Suffix: "i" } } }),
  ],
  [
    "PutObjectLockConfiguration",
    (c, b) => c.putObjectLockConfiguration({ Bucket: b, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } }),
  ],
  ["PutPublicAccessBlock", (c, b) => c.putPublicAccessBlock({ Bucket: b, PublicAccessBlockConfiguration: {} })],
];

test.each(operations)(
  "%s: NoSuchBucket, AccessDenied for those who may not, and for another owner's",
  async (name, call) => {
    expect(await refusalOf(call(s3, "no-such-bucket"))).toBe(none);
    expect(await refusalOf(call(nobody, Bucket))).toMatch(
      /^403 AccessDenied: User: arn:aws:iam::000000000000:user\/nobody is not authorized to perform: s3:\w+ on resource: "arn:aws:s3:::errors-of-buckets" because no identity-based policy allows the s3:\w+ action$/,
    );
    const owned = withOwner("111122223333");
    expect(await refusalOf(call(owned, Bucket)), name).toBe("403 AccessDenied: Access Denied");
    owned.destroy();
  },
);

/** A client whose every request names the owner that it expects. */
function withOwner(owner: string): S3 {
  const client = s3Client(platform);
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request: { headers: Record<string, string> } };
      request.headers["x-amz-expected-bucket-owner"] = owner;
      return next(args);
    },
    { step: "build" },
  );
  return client;
}

test.each([
  ["GetBucketCors", "404 NoSuchCORSConfiguration: The CORS configuration does not exist"],
  ["GetBucketLifecycleConfiguration", "404 NoSuchLifecycleConfiguration: The lifecycle configuration does not exist"],
  ["GetBucketPolicy", "404 NoSuchBucketPolicy: The bucket policy does not exist"],
  ["GetBucketPolicyStatus", "404 NoSuchBucketPolicy: The bucket policy does not exist"],
  ["GetBucketTagging", "404 NoSuchTagSet: The TagSet does not exist"],
  ["GetBucketWebsite", "404 NoSuchWebsiteConfiguration: The specified bucket does not have a website configuration"],
  [
    "GetObjectLockConfiguration",
    "404 ObjectLockConfigurationNotFoundError: Object Lock configuration does not exist for this bucket",
  ],
])("%s of a bucket without any: %s", async (name, refusal) => {
  const call = operations.find(([each]) => each === name)?.[1];
  expect(await refusalOf(call?.(s3, Bucket) ?? Promise.resolve())).toBe(refusal);
});

/** Bodies that are none, by the query of the operation. */
test.each([
  ["acl", "<a", malformed],
  ["cors", "", "400 MissingRequestBodyError: Request Body is empty"],
  ["cors", "<CORSConfiguration/>", malformed],
  ["cors", "<CORSConfiguration><CORSRule/></CORSConfiguration>", malformed],
  ["encryption", "<ServerSideEncryptionConfiguration/>", malformed],
  ["lifecycle", "<LifecycleConfiguration/>", malformed],
  ["notification", "<a><b></a>", malformed],
  ["object-lock", "<ObjectLockConfiguration/>", malformed],
  ["ownershipControls", "<OwnershipControls/>", malformed],
  ["publicAccessBlock", "", "400 MissingRequestBodyError: Request Body is empty"],
  ["tagging", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>", malformed],
  ["versioning", "<VersioningConfiguration/>", malformed],
  ["versioning", "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", malformed],
  ["website", "", "400 MissingRequestBodyError: Request Body is empty"],
])("PUT ?%s with the body %j: %s", async (query, body, refusal) => {
  expect(await refusalOf(raw("PUT", query, body))).toBe(refusal);
});

test.each([
  [
    "Content-MD5 of another body",
    { "content-md5": "XrY7u+Ae7tCTyyK7j1rNww==" },
    "400 BadDigest: The Content-MD5 you specified did not match what we received.",
  ],
  ["Content-MD5 that is none", { "content-md5": "x" }, "400 InvalidDigest: The Content-MD5 you specified was invalid."],
  [
    "a checksum of another body",
    { "x-amz-checksum-crc32": "AAAAAA==" },
    "400 BadDigest: The CRC32 you specified did not match the calculated checksum.",
  ],
  [
    "a checksum that is none",
    { "x-amz-checksum-sha256": "AAAA" },
    "400 InvalidRequest: Value for x-amz-checksum-sha256 header is invalid.",
  ],
])("A body of XML with %s is refused", async (_what, headers, refusal) => {
  const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  expect(await refusalOf(raw("PUT", "versioning", body, headers))).toBe(refusal);
  expect((await s3.getBucketVersioning({ Bucket })).Status).toBeUndefined();
});

/** A request signed by the SDK, its body and digest headers put in the place of what the SDK would send. */
async function raw(method: "PUT", query: string, body: string, more: Record<string, string> = {}): Promise<unknown> {
  const client = s3Client(platform);
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as {
        request: { method: string; body: unknown; query: Record<string, string>; headers: Record<string, string> };
      };
      const kept = Object.entries(request.headers).filter(
        ([name]) => !/checksum|content-md5|content-length/.test(name),
      );
      request.headers = { ...Object.fromEntries(kept), ...more, "content-length": String(Buffer.byteLength(body)) };
      Object.assign(request, { method, body, query: { [query]: "" } });
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  return client.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
}

test("BucketNotEmpty, BucketAlreadyOwnedByYou and the ways to name a location that is none", async () => {
  const full = "errors-full";
  await s3.createBucket({ Bucket: full });
  await s3.putObject({ Bucket: full, Key: "k", Body: "x" });
  expect(await refusalOf(s3.deleteBucket({ Bucket: full }))).toBe(
    "409 BucketNotEmpty: The bucket you tried to delete is not empty",
  );
  await s3.putBucketVersioning({ Bucket: full, VersioningConfiguration: { Status: "Enabled" } });
  await s3.deleteObject({ Bucket: full, Key: "k" });
  expect(await refusalOf(s3.deleteBucket({ Bucket: full }))).toBe(
    "409 BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
  );
  const at = (LocationConstraint: string, client = s3) =>
    client.createBucket({ Bucket: "errors-at", CreateBucketConfiguration: { LocationConstraint } as never });
  expect(await refusalOf(at("us-east-1"))).toBe(
    "400 InvalidLocationConstraint: The specified location-constraint is not valid",
  );
  expect(await refusalOf(at("nowhere"))).toBe(
    "400 InvalidLocationConstraint: The specified location-constraint is not valid",
  );
  const west = s3Client(platform, { region: "eu-west-1" });
  expect(await refusalOf(at("us-west-2", west))).toBe(
    "400 IllegalLocationConstraintException: The us-west-2 location constraint is incompatible for the region specific endpoint this request was sent to.",
  );
  await at("EU", west);
  const again = await west
    .createBucket({ Bucket: "errors-at", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } })
    .catch((error: S3ServiceException) => error.name);
  expect(again).toBe("BucketAlreadyOwnedByYou");
});
