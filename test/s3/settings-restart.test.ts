import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { refusalOf, s3Client } from "../../src/testing/s3.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ durable: true });
});
afterAll(() => platform.stop());

test("a website, locks and access control lists are there after a restart", async () => {
  const Bucket = "kept-settings";
  const Key = "index.html";
  const s3 = s3Client(platform);
  await s3.createBucket({ Bucket, ObjectLockEnabledForBucket: true, ObjectOwnership: "ObjectWriter" });
  await s3.deletePublicAccessBlock({ Bucket });
  await s3.putBucketWebsite({ Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: Key } } });
  const ObjectLockRetainUntilDate = new Date(Date.now() + 86_400_000);
  const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate } as const;
  const { VersionId } = await s3.putObject({ Bucket, Key, Body: "home", ACL: "public-read", ...lock });
  await platform.restart();
  expect(await (await fetch(`${platform.endpoint}/_cumulet/website/${Bucket}/`)).text()).toBe("home");
  expect(await refusalOf(s3.deleteObject({ Bucket, Key, VersionId, BypassGovernanceRetention: true }))).toBe(
    "403 AccessDenied: Access Denied because object protected by object lock.",
  );
  expect((await s3.getObjectAcl({ Bucket, Key })).Grants).toHaveLength(2);
});
