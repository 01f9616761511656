import type { S3 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toCanonicalUserId } from "../../../aws/canonical-user.ts";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../../testing/s3.ts";

const account = "000000000000";
const other = "111122223333";
const ownerId = toCanonicalUserId(account);
const otherId = toCanonicalUserId(other);
const allUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
const authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const Body = "content";
const Key = "k";

let platform: TestPlatform;
let s3: S3;
/** The root of another account. */
let stranger: S3;
/** A user without any policy. */
let nobody: S3;
let count = 0;

const newBucket = async (ObjectOwnership: "ObjectWriter" | "BucketOwnerPreferred" = "ObjectWriter", open = true) => {
  const Bucket = `acl-${(count += 1)}`;
  await s3.createBucket({ Bucket, ObjectOwnership });
  if (open) await s3.deletePublicAccessBlock({ Bucket });
  return Bucket;
};
const anonymous = (path: string, init?: RequestInit) => fetch(`${platform.endpoint}/${path}`, init);
const toUser = (ID: string, Permission: "FULL_CONTROL" | "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP") => ({
  Grantee: { ID, Type: "CanonicalUser" as const },
  Permission,
});
const toGroup = (URI: string, Permission: "READ" | "WRITE") => ({
  Grantee: { URI, Type: "Group" as const },
  Permission,
});

/** The SDK's word for an error without a message. */
const told = async (call: Promise<unknown>) => (await refusalOf(call)).replace(/: UnknownError$/, ": InvalidArgument");

const blocked = (action: string, resource: string) =>
  `403 AccessDenied: User: arn:aws:iam::000000000000:root is not authorized to perform: ${action} on resource: "${resource}" because public access control lists (ACLs) are blocked by the BlockPublicAcls block public access setting.`;

beforeAll(async () => {
  // With `dev` an access key of twelve digits is the root of that account.
  platform = await startTestPlatform({ dev: true });
  s3 = s3Client(platform);
  stranger = s3Client(platform, { credentials: { accessKeyId: other, secretAccessKey: "any" } });
  nobody = await userClient(platform, "nobody", []);
});
afterAll(() => platform.stop());

describe("canned access control lists", () => {
  test.each([
    ["private", []],
    ["public-read", [toGroup(allUsers, "READ")]],
    ["public-read-write", [toGroup(allUsers, "READ"), toGroup(allUsers, "WRITE")]],
    ["authenticated-read", [toGroup(authenticatedUsers, "READ")]],
  ] as const)("%s is what AWS makes of it, of buckets and objects", async (ACL, more) => {
    const Bucket = await newBucket();
    const Grants = [toUser(ownerId, "FULL_CONTROL"), ...more];
    await s3.putBucketAcl({ Bucket, ACL });
    expect(await s3.getBucketAcl({ Bucket })).toMatchObject({ Owner: { ID: ownerId }, Grants });
    await s3.putObject({ Bucket, Key, Body, ACL });
    expect(await s3.getObjectAcl({ Bucket, Key })).toMatchObject({ Owner: { ID: ownerId }, Grants });
    await s3.putObjectAcl({ Bucket, Key, ACL: "private" });
    expect((await s3.getObjectAcl({ Bucket, Key })).Grants).toEqual([toUser(ownerId, "FULL_CONTROL")]);
  });

  test("public-read lets everybody read the object, and list nothing", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key, Body, ACL: "public-read" });
    await s3.putObject({ Bucket, Key: "private", Body });
    expect(await (await anonymous(`${Bucket}/${Key}`)).text()).toBe(Body);
    expect((await anonymous(`${Bucket}/private`)).status).toBe(403);
    expect((await anonymous(Bucket)).status).toBe(403);
    // A user of the owner's account without any policy is one of everybody.
    expect((await nobody.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
    expect((await stranger.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
    expect(await refusalOf(nobody.getObject({ Bucket, Key: "private" }))).toContain("403 AccessDenied");
    expect(await refusalOf(stranger.getObjectAcl({ Bucket, Key }))).toContain("403 AccessDenied");
  });

  test("authenticated-read lets in whoever signs", async () => {
    const Bucket = await newBucket();
    await s3.putBucketAcl({ Bucket, ACL: "authenticated-read" });
    await s3.putObject({ Bucket, Key, Body, ACL: "authenticated-read" });
    expect((await stranger.listObjectsV2({ Bucket })).KeyCount).toBe(1);
    expect((await stranger.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
    expect((await anonymous(`${Bucket}/${Key}`)).status).toBe(403);
    expect((await anonymous(Bucket)).status).toBe(403);
  });

  test("public-read-write lets everybody add objects, and change none of others", async () => {
    const Bucket = await newBucket();
    await s3.putBucketAcl({ Bucket, ACL: "public-read-write" });
    await s3.putObject({ Bucket, Key, Body });
    const put = (key: string) => anonymous(`${Bucket}/${key}`, { method: "PUT", body: "x" });
    expect((await put("theirs")).status).toBe(200);
    expect((await put(Key)).status).toBe(403);
    expect((await anonymous(`${Bucket}/${Key}`, { method: "DELETE" })).status).toBe(403);
    expect((await put("theirs")).status).toBe(200);
    // AWS: nobody's objects are nobody's, the bucket's owner may remove them.
    expect(await refusalOf(s3.getObject({ Bucket, Key: "theirs" }))).toContain("403");
    const owners = (await s3.listObjects({ Bucket })).Contents?.map(({ Owner }) => Owner?.ID);
    expect(owners).toEqual([ownerId, "65a011a29cdf8ec533ec3d1ccaae921c"]);
    await s3.deleteObject({ Bucket, Key: "theirs" });
  });
});

describe("grants", () => {
  test("in headers and in a body let in those whom they name, as far as they say", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key, Body, GrantRead: `id="${otherId}"`, GrantReadACP: `uri=${authenticatedUsers}` });
    expect((await stranger.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
    expect((await stranger.getObjectAcl({ Bucket, Key })).Grants).toEqual([
      toUser(otherId, "READ"),
      { Grantee: { URI: authenticatedUsers, Type: "Group" }, Permission: "READ_ACP" },
    ]);
    expect(await refusalOf(stranger.putObjectAcl({ Bucket, Key, ACL: "private" }))).toContain("403 AccessDenied");
    const AccessControlPolicy = { Owner: { ID: ownerId }, Grants: [toUser(otherId, "WRITE_ACP")] };
    await s3.putObjectAcl({ Bucket, Key, AccessControlPolicy });
    expect(await refusalOf(stranger.getObject({ Bucket, Key }))).toContain("403 AccessDenied");
    await stranger.putObjectAcl({ Bucket, Key, GrantFullControl: `id=${otherId}` });
    expect((await stranger.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
    // Of the account, not of each of its users.
    await s3.putBucketAcl({ Bucket, GrantRead: `id=${ownerId}, id=${otherId}`, GrantWriteACP: `id=${otherId}` });
    expect((await stranger.listObjectsV2({ Bucket })).KeyCount).toBe(1);
    expect(await refusalOf(nobody.listObjectsV2({ Bucket }))).toContain("403 AccessDenied");
    expect(await refusalOf(stranger.getBucketAcl({ Bucket }))).toContain("403 AccessDenied");
    await stranger.putBucketAcl({ Bucket, GrantRead: `id=${otherId}` });
  });

  test("do not undo what a policy denies", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key, Body, ACL: "public-read" });
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` }],
    });
    await s3.putBucketPolicy({ Bucket, Policy });
    expect((await anonymous(`${Bucket}/${Key}`)).status).toBe(403);
  });

  test.each([
    ["an unknown name", { ACL: "open" }, "400 InvalidArgument: InvalidArgument"],
    [
      "both kinds of headers",
      { ACL: "private", GrantRead: `id=${otherId}` },
      "400 InvalidRequest: Specifying both Canned ACLs and Header Grants is not allowed",
    ],
    ["an id of nobody", { GrantRead: "id=123" }, "400 InvalidArgument: Invalid id"],
    ["a group of nobody", { GrantRead: "uri=http://example.com" }, "400 InvalidArgument: Invalid group uri"],
    ["no grantee", { GrantRead: "somebody" }, "400 InvalidArgument: Argument format not recognized"],
    [
      "an address",
      { GrantRead: "emailAddress=a@example.com" },
      "405 MethodNotAllowed: The specified method is not allowed against this resource.",
    ],
    ["nothing", {}, "400 MissingSecurityHeader: Your request was missing a required header"],
    [
      "a header and a body",
      { ACL: "private", AccessControlPolicy: { Owner: { ID: ownerId }, Grants: [] } },
      "400 UnexpectedContent: This request does not support content",
    ],
    [
      "a body without grants",
      { AccessControlPolicy: { Owner: { ID: ownerId } } },
      "400 MalformedACLError: The XML you provided was not well-formed or did not validate against our published schema",
    ],
    [
      "a body with an id of nobody",
      { AccessControlPolicy: { Owner: { ID: ownerId }, Grants: [toUser("x", "READ")] } },
      "400 InvalidArgument: Invalid id",
    ],
  ])("are refused that name %s", async (_what, asked, refusal) => {
    const Bucket = "acl-1";
    const input = asked as object;
    expect(await told(s3.putBucketAcl({ Bucket, ...input }))).toBe(refusal);
    expect(await told(s3.putObjectAcl({ Bucket, Key, ...input }))).toBe(refusal);
  });
});

describe("object ownership", () => {
  test("ObjectWriter: what an account writes is its own, whoever owns the bucket", async () => {
    const Bucket = await newBucket();
    await s3.putBucketAcl({ Bucket, GrantWrite: `id=${otherId}`, GrantFullControl: `id=${ownerId}` });
    await stranger.putObject({ Bucket, Key, Body });
    expect(await refusalOf(s3.getObject({ Bucket, Key }))).toContain("403 AccessDenied");
    expect((await stranger.getObjectAcl({ Bucket, Key })).Owner?.ID).toBe(otherId);
    // The bucket's policy cannot let anybody read it, either.
    const statement = { Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
    await s3.putBucketPolicy({ Bucket, Policy });
    expect((await anonymous(`${Bucket}/${Key}`)).status).toBe(403);
    await stranger.putObjectAcl({ Bucket, Key, ACL: "bucket-owner-read" });
    expect((await s3.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
    expect(await refusalOf(s3.getObjectAcl({ Bucket, Key }))).toContain("403 AccessDenied");
    await stranger.putObject({ Bucket, Key, Body, ACL: "bucket-owner-full-control" });
    expect((await s3.getObjectAcl({ Bucket, Key })).Owner?.ID).toBe(otherId);
    await stranger.deleteObject({ Bucket, Key });
    // Turned off, all is the bucket owner's.
    await stranger.putObject({ Bucket, Key, Body });
    await s3.putBucketAcl({ Bucket, ACL: "private" });
    const Rules = [{ ObjectOwnership: "BucketOwnerEnforced" as const }];
    await s3.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules } });
    expect((await s3.getObjectAcl({ Bucket, Key })).Owner?.ID).toBe(ownerId);
  });

  test("BucketOwnerPreferred: what is given with bucket-owner-full-control is the bucket owner's", async () => {
    const Bucket = await newBucket("BucketOwnerPreferred");
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: other },
          Action: ["s3:PutObject", "s3:PutObjectAcl"],
          Resource: `arn:aws:s3:::${Bucket}/*`,
          Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } },
        },
      ],
    });
    await s3.putBucketPolicy({ Bucket, Policy });
    expect(await refusalOf(stranger.putObject({ Bucket, Key, Body }))).toContain("403 AccessDenied");
    await stranger.putObject({ Bucket, Key, Body, ACL: "bucket-owner-full-control" });
    expect((await s3.getObjectAcl({ Bucket, Key })).Owner?.ID).toBe(ownerId);
    expect((await s3.getObject({ Bucket, Key })).ContentLength).toBe(Body.length);
  });

  test("BucketOwnerEnforced: there are no access control lists, and none may be left", async () => {
    const Bucket = await newBucket();
    await s3.putBucketAcl({ Bucket, ACL: "public-read" });
    const enforced = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
    const refusal =
      "400 InvalidBucketAclWithObjectOwnership: Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    expect(await refusalOf(s3.putBucketOwnershipControls({ Bucket, OwnershipControls: enforced }))).toBe(refusal);
    expect(await refusalOf(s3.createBucket({ Bucket: "acl-enforced", ACL: "public-read" }))).toBe(refusal);
    await s3.putObject({ Bucket, Key, Body, ACL: "public-read" });
    await s3.putBucketAcl({ Bucket, ACL: "private" });
    await s3.putBucketOwnershipControls({ Bucket, OwnershipControls: enforced });
    const off = "400 AccessControlListNotSupported: The bucket does not allow ACLs";
    expect(await refusalOf(s3.putBucketAcl({ Bucket, ACL: "private" }))).toBe(off);
    expect(await refusalOf(s3.putObjectAcl({ Bucket, Key, ACL: "public-read" }))).toBe(off);
    expect(await refusalOf(s3.putObject({ Bucket, Key, Body, GrantRead: `id=${otherId}` }))).toBe(off);
    await s3.putObject({ Bucket, Key: "given", Body, ACL: "bucket-owner-full-control" });
    expect((await anonymous(`${Bucket}/${Key}`)).status).toBe(403);
    expect((await s3.getObjectAcl({ Bucket, Key })).Grants).toEqual([toUser(ownerId, "FULL_CONTROL")]);
  });
});

describe("the public access block", () => {
  test("keeps public lists out", async () => {
    const Bucket = await newBucket("ObjectWriter", false);
    const arn = `arn:aws:s3:::${Bucket}`;
    expect(await refusalOf(s3.putBucketAcl({ Bucket, ACL: "public-read" }))).toBe(blocked("s3:PutBucketAcl", arn));
    const put = s3.putObject({ Bucket, Key, Body, ACL: "authenticated-read" });
    expect(await refusalOf(put)).toBe(blocked("s3:PutObjectAcl", `${arn}/${Key}`));
    await s3.putObject({ Bucket, Key, Body, GrantRead: `id=${otherId}` });
    const create = s3.createBucket({ Bucket: "acl-public", ObjectOwnership: "ObjectWriter", ACL: "public-read" });
    expect(await refusalOf(create)).toBe(blocked("s3:PutBucketAcl", "arn:aws:s3:::acl-public"));
  });

  test("ignores those that are there", async () => {
    const Bucket = await newBucket();
    await s3.putObject({ Bucket, Key, Body, ACL: "public-read" });
    await s3.putBucketAcl({ Bucket, ACL: "public-read" });
    expect((await anonymous(Bucket)).status).toBe(200);
    await s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { IgnorePublicAcls: true } });
    expect((await anonymous(`${Bucket}/${Key}`)).status).toBe(403);
    expect((await anonymous(Bucket)).status).toBe(403);
    expect((await s3.getObjectAcl({ Bucket, Key })).Grants).toContainEqual(toGroup(allUsers, "READ"));
  });
});

test("whoever writes an object with a list needs the permission to set it", async () => {
  const Bucket = await newBucket();
  const writer = await userClient(platform, "writer", [{ Effect: "Allow", Action: "s3:PutObject", Resource: "*" }]);
  await writer.putObject({ Bucket, Key, Body });
  expect(await refusalOf(writer.putObject({ Bucket, Key, Body, ACL: "private" }))).toContain("s3:PutObjectAcl");
  expect(await refusalOf(writer.createBucket({ Bucket: "acl-mine", ObjectOwnership: "ObjectWriter" }))).toContain(
    "403",
  );
});
