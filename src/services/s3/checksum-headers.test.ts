import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client } from "../../testing/s3.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const Bucket = "checksum-headers";
const Key = "k";
const Body = "content";

// The SDK computes neither: it sends what it is given.
test("SHA-512 is checked, kept and told; xxHash is refused by its name", async () => {
  const s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
  const ChecksumSHA512 = createHash("sha512").update(Body).digest("base64");
  expect(await s3.putObject({ Bucket, Key, Body, ChecksumSHA512 })).toMatchObject({ ChecksumSHA512 });
  expect(await s3.getObjectAttributes({ Bucket, Key, ObjectAttributes: ["Checksum"] })).toMatchObject({
    Checksum: { ChecksumSHA512, ChecksumType: "FULL_OBJECT" },
  });
  const other = createHash("sha512").update("other").digest("base64");
  expect(await refusalOf(s3.putObject({ Bucket, Key, Body, ChecksumSHA512: other }))).toBe(
    "400 BadDigest: The SHA512 you specified did not match the calculated checksum.",
  );
  expect(await refusalOf(s3.putObject({ Bucket, Key, Body, ChecksumXXHASH64: "AAAAAAAAAAA=" }))).toBe(
    "501 NotImplemented: The parameter ChecksumXXHASH64 of PutObject is not implemented by Cumulet",
  );
});

test("DeleteObjects must say what it sends", async () => {
  const s3 = s3Client(platform);
  s3.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request: { headers: Record<string, string> } };
      const sent = Object.entries(request.headers);
      request.headers = Object.fromEntries(sent.filter(([name]) => !/checksum|content-md5/.test(name)));
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  expect(await refusalOf(s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key }] } }))).toBe(
    "400 InvalidRequest: Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
  );
  s3.destroy();
});
