import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { s3Client } from "../../src/testing/s3.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ durable: true });
});
afterAll(() => platform.stop());

test("objects, versions and uploads under way are there after a restart", async () => {
  const Bucket = "durable";
  const s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  const large = randomBytes(300_000);
  const first = await s3.putObject({ Bucket, Key: "k", Body: "first" });
  await s3.putObject({ Bucket, Key: "k", Body: large });
  const { UploadId = "" } = await s3.createMultipartUpload({ Bucket, Key: "m" });
  const upload = { Bucket, Key: "m", UploadId };
  const part = await s3.uploadPart({ ...upload, PartNumber: 1, Body: "part" });

  await platform.restart();

  const again = s3Client(platform);
  const latest = await (await again.getObject({ Bucket, Key: "k" })).Body?.transformToByteArray();
  expect(Buffer.from(latest ?? []).equals(large)).toBe(true);
  const old = await again.getObject({ Bucket, Key: "k", VersionId: first.VersionId });
  expect(await old.Body?.transformToString()).toBe("first");
  const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
  await again.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
  expect(await (await again.getObject({ Bucket, Key: "m" })).Body?.transformToString()).toBe("part");
});
