import type { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeClock, startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
let count = 0;
const clock = createFakeClock(Date.now());
const day = 86_400_000;
const Body = "held";
const protectedRefusal = "403 AccessDenied: Access Denied because object protected by object lock.";

const newBucket = async () => {
  const Bucket = `locked-${(count += 1)}`;
  await s3.createBucket({ Bucket, ObjectLockEnabledForBucket: true });
  return Bucket;
};
/** Whole seconds: dates go over the wire as headers. */
const inDays = (days: number) => new Date(Math.floor(clock.now() / 1000) * 1000 + days * day);
const locked = (ObjectLockMode: "GOVERNANCE" | "COMPLIANCE", days = 10) => ({
  ObjectLockMode,
  ObjectLockRetainUntilDate: inDays(days),
});

beforeAll(async () => {
  platform = await startTestPlatform({ clock });
  s3 = s3Client(platform);
});
afterAll(() => platform.stop());

describe("Object Lock of a bucket", () => {
  test("comes with versioning when the bucket is created, and its default locks what is written", async () => {
    const Bucket = await newBucket();
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBe("Enabled");
    expect((await s3.getObjectLockConfiguration({ Bucket })).ObjectLockConfiguration).toEqual({
      ObjectLockEnabled: "Enabled",
    });
    const ObjectLockConfiguration = {
      ObjectLockEnabled: "Enabled",
      Rule: { DefaultRetention: { Mode: "GOVERNANCE", Years: 1 } },
    } as const;
    await s3.putObjectLockConfiguration({ Bucket, ObjectLockConfiguration });
    expect((await s3.getObjectLockConfiguration({ Bucket })).ObjectLockConfiguration).toEqual(ObjectLockConfiguration);
    const { VersionId = "" } = await s3.putObject({ Bucket, Key: "k", Body });
    const head = await s3.headObject({ Bucket, Key: "k" });
    expect(head.ObjectLockMode).toBe("GOVERNANCE");
    expect(Math.round(((head.ObjectLockRetainUntilDate?.getTime() ?? 0) - clock.now()) / day)).toBe(365);
    expect(await refusalOf(s3.deleteObject({ Bucket, Key: "k", VersionId }))).toBe(protectedRefusal);
    // Only what is removed for good: a delete marker hides and removes nothing.
    expect((await s3.deleteObject({ Bucket, Key: "k" })).DeleteMarker).toBe(true);
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "large" });
    const { ETag } = await s3.uploadPart({ Bucket, Key: "large", UploadId, PartNumber: 1, Body });
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.completeMultipartUpload({ Bucket, Key: "large", UploadId, MultipartUpload });
    expect((await s3.headObject({ Bucket, Key: "large" })).ObjectLockMode).toBe("GOVERNANCE");
  });

  test("is turned on later where versioning is enabled, and keeps it so", async () => {
    const Bucket = "later";
    await s3.createBucket({ Bucket });
    const put = () =>
      s3.putObjectLockConfiguration({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } });
    expect(await refusalOf(put())).toBe(
      "409 InvalidBucketState: Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
    expect(await refusalOf(s3.getObjectLockConfiguration({ Bucket }))).toBe(
      "404 ObjectLockConfigurationNotFoundError: Object Lock configuration does not exist for this bucket",
    );
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    await put();
    expect(await refusalOf(s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Suspended" } }))).toBe(
      "409 InvalidBucketState: An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
    );
  });

  const malformed =
    "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";
  test.each([
    [malformed, {}],
    [malformed, { ObjectLockEnabled: "Enabled", Rule: {} }],
    [malformed, { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: "GOVERNANCE" } } }],
    [
      malformed,
      { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 1, Years: 1 } } },
    ],
    [malformed, { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: "NONE", Days: 1 } } }],
    [
      "400 InvalidArgument: Default retention period must be a positive integer value.",
      { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 0 } } },
    ],
    [
      "501 NotImplemented: DefaultEventHold of PutObjectLockConfiguration is not implemented by Cumulet",
      {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 1, DefaultEventHold: { Days: 1 } } },
      },
    ],
  ])("refuses with %s", async (refusal, configuration) => {
    const ObjectLockConfiguration = configuration as object;
    expect(await refusalOf(s3.putObjectLockConfiguration({ Bucket: "later", ObjectLockConfiguration }))).toBe(refusal);
  });
});

describe("a retention", () => {
  test("in governance mode yields to those who may bypass it, and to nobody else", async () => {
    const Bucket = await newBucket();
    const { VersionId = "" } = await s3.putObject({ Bucket, Key: "k", Body, ...locked("GOVERNANCE") });
    const user = await userClient(platform, "without-bypass", [
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
      { Effect: "Deny", Action: "s3:BypassGovernanceRetention", Resource: "*" },
    ]);
    const removal = { Bucket, Key: "k", VersionId };
    expect(await refusalOf(user.deleteObject(removal))).toBe(protectedRefusal);
    expect(await refusalOf(user.deleteObject({ ...removal, BypassGovernanceRetention: true }))).toContain(
      "403 AccessDenied: User: arn:aws:iam::000000000000:user/without-bypass is not authorized to perform: s3:BypassGovernanceRetention",
    );
    const { Errors } = await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "k", VersionId }] } });
    expect(Errors).toEqual([
      { Key: "k", VersionId, Code: "AccessDenied", Message: "Access Denied because object protected by object lock." },
    ]);
    const shorter = { Mode: "GOVERNANCE", RetainUntilDate: inDays(1) } as const;
    expect(await refusalOf(s3.putObjectRetention({ ...removal, Retention: shorter }))).toBe(protectedRefusal);
    const other = { Mode: "COMPLIANCE", RetainUntilDate: inDays(20) } as const;
    expect(await refusalOf(s3.putObjectRetention({ ...removal, Retention: other }))).toBe(protectedRefusal);
    expect(await refusalOf(s3.putObjectRetention({ ...removal, Retention: {} }))).toBe(protectedRefusal);
    await s3.putObjectRetention({ ...removal, Retention: { Mode: "GOVERNANCE", RetainUntilDate: inDays(20) } });
    await s3.putObjectRetention({ ...removal, Retention: shorter, BypassGovernanceRetention: true });
    expect((await s3.getObjectRetention(removal)).Retention).toEqual(shorter);
    await s3.deleteObjects({
      Bucket,
      BypassGovernanceRetention: true,
      Delete: { Objects: [{ Key: "k", VersionId }] },
    });
    expect((await s3.listObjectVersions({ Bucket })).Versions).toBeUndefined();
  });

  test("in compliance mode yields to nobody until it ends", async () => {
    const Bucket = await newBucket();
    const { VersionId = "" } = await s3.putObject({ Bucket, Key: "k", Body, ...locked("COMPLIANCE", 0.01) });
    const version = { Bucket, Key: "k", VersionId };
    const bypass = { BypassGovernanceRetention: true };
    expect(await refusalOf(s3.deleteObject({ ...version, ...bypass }))).toBe(protectedRefusal);
    const governance = { Mode: "GOVERNANCE", RetainUntilDate: inDays(20) } as const;
    expect(await refusalOf(s3.putObjectRetention({ ...version, ...bypass, Retention: governance }))).toBe(
      protectedRefusal,
    );
    expect(await refusalOf(s3.putObjectRetention({ ...version, ...bypass, Retention: {} }))).toBe(protectedRefusal);
    clock.advance(0.011 * day);
    // Clients sign with their own clock: it is not far enough away to matter.
    await s3Client(platform, { systemClockOffset: 0.011 * day } as object).deleteObject(version);
    clock.advance(-0.011 * day);
  });

  test("is not needed for a legal hold, which stays until it is taken away", async () => {
    const Bucket = await newBucket();
    const { VersionId = "" } = await s3.putObject({ Bucket, Key: "k", Body, ObjectLockLegalHoldStatus: "ON" });
    const version = { Bucket, Key: "k", VersionId };
    expect(await s3.headObject(version)).toMatchObject({ ObjectLockLegalHoldStatus: "ON" });
    expect(await refusalOf(s3.deleteObject({ ...version, BypassGovernanceRetention: true }))).toBe(protectedRefusal);
    await s3.putObjectLegalHold({ ...version, LegalHold: { Status: "OFF" } });
    expect((await s3.getObjectLegalHold(version)).LegalHold).toEqual({ Status: "OFF" });
    await s3.deleteObject(version);
  });

  test("is not copied with an object, and outlives the rules of a lifecycle", async () => {
    const Bucket = await newBucket();
    const { VersionId } = await s3.putObject({ Bucket, Key: "k", Body, ...locked("COMPLIANCE", 90) });
    await s3.copyObject({ Bucket, Key: "copy", CopySource: `${Bucket}/k` });
    expect((await s3.headObject({ Bucket, Key: "copy" })).ObjectLockMode).toBeUndefined();
    await s3.putObject({ Bucket, Key: "k", Body: "newer" });
    await s3.putObject({ Bucket, Key: "copy", Body: "newer" });
    const rule = {
      ID: "r",
      Status: "Enabled",
      Filter: {},
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    } as const;
    await s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules: [rule] } });
    clock.advance(3 * day);
    await platform.platform.jobs.drain();
    clock.advance(-3 * day);
    const { Versions = [] } = await s3.listObjectVersions({ Bucket });
    expect(Versions.filter(({ IsLatest }) => !IsLatest)).toMatchObject([{ Key: "k", VersionId }]);
  });

  test("is told to those alone who may ask for it", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key: "k", Body, ...locked("GOVERNANCE"), ObjectLockLegalHoldStatus: "ON" });
    const reader = await userClient(platform, "reader-of-locked", [
      { Effect: "Allow", Action: ["s3:GetObject", "s3:GetObjectLegalHold"], Resource: "*" },
    ]);
    const head = await reader.headObject({ Bucket, Key: "k" });
    expect(head).toMatchObject({ ObjectLockLegalHoldStatus: "ON" });
    expect(head.ObjectLockMode).toBeUndefined();
    expect(await refusalOf(reader.getObjectRetention({ Bucket, Key: "k" }))).toContain("403 AccessDenied");
  });

  test("needs the permission to set one, of whoever writes the object, too", async () => {
    const Bucket = await newBucket();
    const writer = await userClient(platform, "writer-of-locked", [
      { Effect: "Allow", Action: ["s3:PutObject", "s3:PutObjectRetention"], Resource: "*" },
      {
        Effect: "Deny",
        Action: "s3:PutObjectRetention",
        Resource: "*",
        Condition: { NumericGreaterThan: { "s3:object-lock-remaining-retention-days": "30" } },
      },
    ]);
    await writer.putObject({ Bucket, Key: "k", Body, ...locked("GOVERNANCE") });
    const long = { Bucket, Key: "k", Body, ...locked("GOVERNANCE", 60) };
    expect(await refusalOf(writer.putObject(long))).toContain("s3:PutObjectRetention");
    const hold = { Bucket, Key: "k", Body, ObjectLockLegalHoldStatus: "ON" } as const;
    expect(await refusalOf(writer.putObject(hold))).toContain("s3:PutObjectLegalHold");
  });
});

describe("what is wrong with a lock", () => {
  const missing = "400 InvalidRequest: Bucket is missing Object Lock Configuration";
  test("is said of a bucket without one", async () => {
    const Bucket = "unlocked";
    await s3.createBucket({ Bucket });
    await s3.putObject({ Bucket, Key: "k", Body });
    const Key = "k";
    expect(await refusalOf(s3.putObject({ Bucket, Key, Body, ...locked("GOVERNANCE") }))).toBe(
      "400 InvalidRequest: Bucket is missing ObjectLockConfiguration",
    );
    expect(await refusalOf(s3.getObjectRetention({ Bucket, Key }))).toBe(missing);
    expect(await refusalOf(s3.getObjectLegalHold({ Bucket, Key }))).toBe(missing);
    expect(await refusalOf(s3.putObjectLegalHold({ Bucket, Key, LegalHold: { Status: "ON" } }))).toBe(missing);
    const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inDays(1) } as const;
    expect(await refusalOf(s3.putObjectRetention({ Bucket, Key, Retention }))).toBe(missing);
    expect(await refusalOf(s3.deleteObject({ Bucket, Key, BypassGovernanceRetention: true }))).toBe(
      "400 InvalidArgument: x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
    );
  });

  test.each([
    ["400 InvalidArgument: Unknown wormMode directive.", { ObjectLockMode: "x", ObjectLockRetainUntilDate: inDays(1) }],
    [
      "400 InvalidArgument: x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
      { ObjectLockMode: "GOVERNANCE" },
    ],
    ["400 InvalidArgument: The retain until date must be in the future!", locked("GOVERNANCE", -1)],
    ["400 InvalidArgument: Legal Hold must be either of 'ON' or 'OFF'", { ObjectLockLegalHoldStatus: "MAYBE" }],
    [
      "501 NotImplemented: The parameter ObjectLockEventHold of PutObject is not implemented by Cumulet",
      { ObjectLockEventHold: "ON" },
    ],
  ])("is said in headers: %s", async (refusal, more) => {
    const headers = more as object;
    expect(await refusalOf(s3.putObject({ Bucket: "locked-1", Key: "wrong", Body, ...headers }))).toBe(refusal);
  });

  test("is said of an object that has none, and of a body that is none", async () => {
    const Bucket = await newBucket();
    const Key = "k";
    await s3.putObject({ Bucket, Key, Body });
    const none = "404 NoSuchObjectLockConfiguration: The specified object does not have a ObjectLock configuration";
    expect(await refusalOf(s3.getObjectRetention({ Bucket, Key }))).toBe(none);
    expect(await refusalOf(s3.getObjectLegalHold({ Bucket, Key }))).toBe(none);
    const past = { Mode: "GOVERNANCE", RetainUntilDate: inDays(-1) } as const;
    expect(await refusalOf(s3.putObjectRetention({ Bucket, Key, Retention: past }))).toBe(
      "400 InvalidArgument: The retain until date must be in the future!",
    );
    expect(await refusalOf(s3.putObjectRetention({ Bucket, Key, Retention: { Mode: "GOVERNANCE" } }))).toContain(
      "400 MalformedXML",
    );
    expect(await refusalOf(s3.putObjectLegalHold({ Bucket, Key, LegalHold: {} }))).toContain("400 MalformedXML");
  });

  test("a body of a locked object must be checked: without a digest it is refused", async () => {
    const Bucket = await newBucket();
    const plain = s3Client(platform, { requestChecksumCalculation: "WHEN_REQUIRED" } as object);
    expect(await refusalOf(plain.putObject({ Bucket, Key: "k", Body, ...locked("GOVERNANCE") }))).toBe(
      "400 InvalidRequest: Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    );
  });
});
