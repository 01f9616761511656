import type { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
let count = 0;
const newBucket = async () => {
  const Bucket = `bucket-${(count += 1)}`;
  await s3.createBucket({ Bucket });
  return Bucket;
};
const policyOf = (Bucket: string, statement: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*`, ...statement }],
  });

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
});
afterAll(() => platform.stop());

describe("CreateBucket", () => {
  test("answers where the bucket is, and ListBuckets lists it", async () => {
    const answer = await s3.createBucket({ Bucket: "listed-bucket" });
    expect(answer).toMatchObject({ Location: "/listed-bucket", BucketArn: "arn:aws:s3:::listed-bucket" });
    const { Buckets, Owner } = await s3.listBuckets({});
    expect(Buckets?.map((bucket) => bucket.Name)).toContain("listed-bucket");
    expect(Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  test("succeeds again for its owner in us-east-1, and nowhere else", async () => {
    await s3.createBucket({ Bucket: "mine-again" });
    await s3.createBucket({ Bucket: "mine-again" });
    const CreateBucketConfiguration = { LocationConstraint: "eu-west-1" } as const;
    const west = s3Client(platform, { region: "eu-west-1" });
    await west.createBucket({ Bucket: "mine-in-ireland", CreateBucketConfiguration });
    expect(await refusalOf(west.createBucket({ Bucket: "mine-in-ireland", CreateBucketConfiguration }))).toBe(
      "409 BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it.",
    );
  });

  test.each([
    "ab",
    "Upper",
    "under_score",
    "dot..dot",
    "-dash",
    "192.168.1.1",
    "xn--name",
    "name-s3alias",
    "a".repeat(64),
  ])("refuses the name %s", async (Bucket) => {
    expect(await refusalOf(s3.createBucket({ Bucket }))).toBe(
      "400 InvalidBucketName: The specified bucket is not valid.",
    );
  });

  test("refuses a location constraint that the endpoint's region does not serve", async () => {
    const west = s3Client(platform, { region: "eu-west-1" });
    expect(
      await refusalOf(
        west.createBucket({ Bucket: "elsewhere", CreateBucketConfiguration: { LocationConstraint: "us-west-2" } }),
      ),
    ).toContain("400 IllegalLocationConstraintException: The us-west-2 location constraint is incompatible");
  });

  test.each([["BucketNamespace", { BucketNamespace: "account-regional" as const }]])(
    "refuses, by name, what is not built: %s",
    async (name, more) => {
      const refusal = await refusalOf(s3.createBucket({ Bucket: "not-built", ...more }));
      expect(refusal).toContain("501 NotImplemented");
      expect(refusal).toContain(name);
      expect(await refusalOf(s3.headBucket({ Bucket: "not-built" }))).toContain("404");
    },
  );
});

describe("a bucket", () => {
  test("is in its region, and says so to a request signed for another", async () => {
    const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" } as const;
    await s3.createBucket({ Bucket: "in-frankfurt", CreateBucketConfiguration });
    expect((await s3.getBucketLocation({ Bucket: "in-frankfurt" })).LocationConstraint).toBe("eu-central-1");
    expect(await refusalOf(s3.listObjectsV2({ Bucket: "in-frankfurt" }))).toBe(
      "400 AuthorizationHeaderMalformed: The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'",
    );
    const there = s3Client(platform, { region: "eu-central-1" });
    expect(await there.headBucket({ Bucket: "in-frankfurt" })).toMatchObject({ BucketRegion: "eu-central-1" });
  });

  test("that is not there answers NoSuchBucket", async () => {
    const Bucket = "no-such-bucket";
    const refusal = "404 NoSuchBucket: The specified bucket does not exist";
    expect(await refusalOf(s3.listObjectsV2({ Bucket }))).toBe(refusal);
    expect(await refusalOf(s3.putObject({ Bucket, Key: "k", Body: "x" }))).toBe(refusal);
    expect(await refusalOf(s3.deleteBucket({ Bucket }))).toBe(refusal);
    expect(await refusalOf(s3.getBucketPolicy({ Bucket }))).toBe(refusal);
    expect(await refusalOf(s3.headBucket({ Bucket }))).toContain("404 NotFound");
  });

  test("of another owner than expected answers AccessDenied", async () => {
    const Bucket = await newBucket();
    expect(await refusalOf(s3.headBucket({ Bucket, ExpectedBucketOwner: "111122223333" }))).toContain("403");
    expect(await refusalOf(s3.listObjectsV2({ Bucket, ExpectedBucketOwner: "111122223333" }))).toBe(
      "403 AccessDenied: Access Denied",
    );
  });

  test("can be deleted when it is empty, and not before", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key: "k", Body: "x" });
    expect(await refusalOf(s3.deleteBucket({ Bucket }))).toBe(
      "409 BucketNotEmpty: The bucket you tried to delete is not empty",
    );
    await s3.deleteObject({ Bucket, Key: "k" });
    await s3.deleteBucket({ Bucket });
    expect(await refusalOf(s3.headBucket({ Bucket }))).toContain("404");
  });

  test("that is made anew has nothing of the one before", async () => {
    const Bucket = await newBucket();
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    await s3.createMultipartUpload({ Bucket, Key: "k" });
    await s3.deleteBucket({ Bucket });
    await s3.createBucket({ Bucket });
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBeUndefined();
    expect((await s3.listMultipartUploads({ Bucket })).Uploads).toBeUndefined();
  });
});

test("ListBuckets goes page by page to the end", async () => {
  for (const n of [1, 2, 3]) await s3.createBucket({ Bucket: `paged-${n}` });
  const names: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.listBuckets({
      Prefix: "paged-",
      MaxBuckets: 2,
      ...(ContinuationToken && { ContinuationToken }),
    });
    expect(page.Buckets?.length).toBeLessThanOrEqual(2);
    names.push(...(page.Buckets ?? []).map((bucket) => bucket.Name));
    ({ ContinuationToken } = page);
  } while (ContinuationToken);
  expect(names).toEqual(["paged-1", "paged-2", "paged-3"]);
});

describe("settings of a bucket", () => {
  test("are AWS's defaults to begin with", async () => {
    const Bucket = await newBucket();
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBeUndefined();
    expect((await s3.getBucketEncryption({ Bucket })).ServerSideEncryptionConfiguration?.Rules).toEqual([
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false },
    ]);
    expect((await s3.getPublicAccessBlock({ Bucket })).PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect((await s3.getBucketOwnershipControls({ Bucket })).OwnershipControls?.Rules).toEqual([
      { ObjectOwnership: "BucketOwnerEnforced" },
    ]);
    const acl = await s3.getBucketAcl({ Bucket });
    expect(acl.Grants).toEqual([{ Grantee: { ID: acl.Owner?.ID, Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }]);
    expect(await refusalOf(s3.getBucketPolicy({ Bucket }))).toBe(
      "404 NoSuchBucketPolicy: The bucket policy does not exist",
    );
    expect(await refusalOf(s3.getBucketTagging({ Bucket }))).toBe("404 NoSuchTagSet: The TagSet does not exist");
  });

  test("change, and go back when they are deleted", async () => {
    const Bucket = await newBucket();
    await s3.putBucketEncryption({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" }, BucketKeyEnabled: true }],
      },
    });
    expect(await s3.putObject({ Bucket, Key: "k", Body: "x" })).toMatchObject({
      ServerSideEncryption: "aws:kms",
      BucketKeyEnabled: true,
    });
    await s3.deleteBucketEncryption({ Bucket });
    expect(await s3.putObject({ Bucket, Key: "k", Body: "x" })).toMatchObject({ ServerSideEncryption: "AES256" });
    await s3.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: "team", Value: "a b" }] } });
    expect((await s3.getBucketTagging({ Bucket })).TagSet).toEqual([{ Key: "team", Value: "a b" }]);
    await s3.deleteBucketTagging({ Bucket });
    expect(await refusalOf(s3.getBucketTagging({ Bucket }))).toContain("404 NoSuchTagSet");
    await s3.deleteBucketOwnershipControls({ Bucket });
    expect(await refusalOf(s3.getBucketOwnershipControls({ Bucket }))).toContain("404 OwnershipControlsNotFoundError");
    await s3.deletePublicAccessBlock({ Bucket });
    expect(await refusalOf(s3.getPublicAccessBlock({ Bucket }))).toContain("404 NoSuchPublicAccessBlockConfiguration");
  });

  test("that are not built are refused by name", async () => {
    const Bucket = await newBucket();
    expect(
      await refusalOf(
        s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled", MFADelete: "Enabled" } }),
      ),
    ).toContain("501 NotImplemented: MFADelete");
    expect(await refusalOf(s3.putBucketAcl({ Bucket, ACL: "public-read" }))).toBe(
      "400 AccessControlListNotSupported: The bucket does not allow ACLs",
    );
    expect(await refusalOf(s3.getBucketReplication({ Bucket }))).toContain("501");
  });

  test.each([
    ["a reserved name", [{ Key: "aws:x", Value: "1" }], "InvalidTag: System tags cannot be added/updated by requester"],
    [
      "a name twice",
      [
        { Key: "a", Value: "1" },
        { Key: "a", Value: "2" },
      ],
      "InvalidTag: Cannot provide multiple Tags",
    ],
    ["a name too long", [{ Key: "k".repeat(129), Value: "1" }], "InvalidTag: The TagKey you have provided is invalid"],
  ])("refuse tags with %s", async (_name, TagSet, refusal) => {
    const Bucket = await newBucket();
    expect(await refusalOf(s3.putBucketTagging({ Bucket, Tagging: { TagSet } }))).toContain(refusal);
  });
});

describe("a bucket policy", () => {
  test("lets in a user of the account whom nothing else allows, and nobody beside", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key: "k", Body: "x" });
    const [reader, other] = [await userClient(platform, "reader", []), await userClient(platform, "other", [])];
    expect(await refusalOf(reader.getObject({ Bucket, Key: "k" }))).toContain("403 AccessDenied");
    const Policy = policyOf(Bucket, { Principal: { AWS: "arn:aws:iam::000000000000:user/reader" } });
    await s3.putBucketPolicy({ Bucket, Policy });
    expect((await s3.getBucketPolicy({ Bucket })).Policy).toBe(Policy);
    expect(await (await reader.getObject({ Bucket, Key: "k" })).Body?.transformToString()).toBe("x");
    expect(await refusalOf(other.getObject({ Bucket, Key: "k" }))).toContain("403 AccessDenied");
    expect(await refusalOf(reader.putObject({ Bucket, Key: "k", Body: "y" }))).toContain("403 AccessDenied");
  });

  test("that denies, denies whoever may otherwise", async () => {
    const Bucket = await newBucket();
    const may = await userClient(platform, "denied", [{ Effect: "Allow", Action: "s3:*", Resource: "*" }]);
    await may.putObject({ Bucket, Key: "k", Body: "x" });
    await s3.putBucketPolicy({ Bucket, Policy: policyOf(Bucket, { Effect: "Deny", Principal: "*" }) });
    expect(await refusalOf(may.getObject({ Bucket, Key: "k" }))).toContain("403 AccessDenied");
    await s3.deleteBucketPolicy({ Bucket });
    await may.getObject({ Bucket, Key: "k" });
  });

  test("that is public is refused while public policies are blocked, and lets anyone in once they are not", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key: "k", Body: "x" });
    const Policy = policyOf(Bucket, { Principal: "*" });
    const address = `${platform.endpoint}/${Bucket}/k`;
    expect(await refusalOf(s3.putBucketPolicy({ Bucket, Policy }))).toContain("403 AccessDenied");
    expect((await fetch(address)).status).toBe(403);
    await s3.deletePublicAccessBlock({ Bucket });
    await s3.putBucketPolicy({ Bucket, Policy });
    expect((await s3.getBucketPolicyStatus({ Bucket })).PolicyStatus?.IsPublic).toBe(true);
    expect(await (await fetch(address)).text()).toBe("x");
    expect((await fetch(`${platform.endpoint}/${Bucket}`)).status).toBe(403);
    await s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } });
    expect((await fetch(address)).status).toBe(403);
  });

  test("that denies everything to everyone can still be read and deleted by the root", async () => {
    const Bucket = await newBucket();
    const Deny = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [`arn:aws:s3:::${Bucket}`] };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [Deny] });
    await s3.putBucketPolicy({ Bucket, Policy });
    expect(await refusalOf(s3.listObjectsV2({ Bucket }))).toContain("403 AccessDenied");
    expect((await s3.getBucketPolicy({ Bucket })).Policy).toBe(Policy);
    await s3.deleteBucketPolicy({ Bucket });
    await s3.listObjectsV2({ Bucket });
  });

  test.each([
    ["no JSON", "{", "MalformedPolicy"],
    ["another bucket", policyOf("other-bucket", { Principal: "*" }), "MalformedPolicy: Policy has invalid resource"],
    [
      "another service's action",
      policyOf("policies", { Principal: "*", Action: "sqs:*" }),
      "MalformedPolicy: Policy has invalid action",
    ],
    ["no principal", policyOf("policies", {}), "MalformedPolicy"],
  ])("is refused with %s", async (_name, Policy, refusal) => {
    await s3.createBucket({ Bucket: "policies" });
    expect(await refusalOf(s3.putBucketPolicy({ Bucket: "policies", Policy }))).toContain(refusal);
  });
});

describe("who may", () => {
  test("read an object but not list is not told that one is absent", async () => {
    const Bucket = await newBucket();
    const Resource = `arn:aws:s3:::${Bucket}/*`;
    const blind = await userClient(platform, "blind", [{ Effect: "Allow", Action: "s3:GetObject", Resource }]);
    expect(await refusalOf(blind.getObject({ Bucket, Key: "absent" }))).toBe("403 AccessDenied: Access Denied");
    expect(await refusalOf(s3.getObject({ Bucket, Key: "absent" }))).toContain("404 NoSuchKey");
  });

  test("list below a prefix only, lists nothing else", async () => {
    const Bucket = await newBucket();
    const Condition = { StringLike: { "s3:prefix": "home/*" } };
    const Resource = `arn:aws:s3:::${Bucket}`;
    const home = await userClient(platform, "home", [
      { Effect: "Allow", Action: "s3:ListBucket", Resource, Condition },
    ]);
    await home.listObjectsV2({ Bucket, Prefix: "home/a" });
    expect(await refusalOf(home.listObjectsV2({ Bucket, Prefix: "other/" }))).toContain("403 AccessDenied");
    expect(await refusalOf(home.listObjectsV2({ Bucket }))).toContain("403 AccessDenied");
  });

  test("delete some keys has the others refused one by one", async () => {
    const Bucket = await newBucket();
    for (const Key of ["mine/a", "theirs/a"]) await s3.putObject({ Bucket, Key, Body: "x" });
    const Resource = `arn:aws:s3:::${Bucket}/mine/*`;
    const user = await userClient(platform, "deleter", [{ Effect: "Allow", Action: "s3:DeleteObject", Resource }]);
    const answer = await user.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "theirs/a" }, { Key: "mine/a" }] } });
    expect(answer.Deleted).toEqual([{ Key: "mine/a" }]);
    expect(answer.Errors).toMatchObject([{ Key: "theirs/a", Code: "AccessDenied" }]);
    expect((await s3.listObjectsV2({ Bucket })).Contents?.map((each) => each.Key)).toEqual(["theirs/a"]);
  });
});
