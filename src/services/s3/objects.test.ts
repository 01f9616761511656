import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand, type S3 } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client } from "../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
const Bucket = "objects";

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
});
afterAll(() => platform.stop());

const put = (Key: string, Body: string | Uint8Array, more: object = {}) => s3.putObject({ Bucket, Key, Body, ...more });
const textOf = async (Key: string, more: object = {}) =>
  (await s3.getObject({ Bucket, Key, ...more })).Body?.transformToString();
const md5 = (content: string | Uint8Array) => createHash("md5").update(content).digest("hex");

describe("PutObject and GetObject", () => {
  test("keep content, headers and metadata", async () => {
    const headers = {
      ContentType: "text/plain; charset=utf-8",
      CacheControl: "max-age=60",
      ContentDisposition: 'attachment; filename="a.txt"',
      ContentEncoding: "identity",
      ContentLanguage: "de",
      Expires: new Date("2030-01-01T00:00:00Z"),
      WebsiteRedirectLocation: "/elsewhere",
    };
    const written = await put("full", "hello", { ...headers, Metadata: { Color: "green", empty: "" } });
    expect(written).toMatchObject({ ETag: `"${md5("hello")}"`, ServerSideEncryption: "AES256" });
    expect(written.VersionId).toBeUndefined();
    const { Body, $metadata, ExpiresString, ...answer } = await s3.getObject({ Bucket, Key: "full" });
    expect(await Body?.transformToString()).toBe("hello");
    expect(ExpiresString).toBe("Tue, 01 Jan 2030 00:00:00 GMT");
    expect($metadata.httpStatusCode).toBe(200);
    expect(answer).toEqual({
      ...headers,
      AcceptRanges: "bytes",
      ContentLength: 5,
      ETag: `"${md5("hello")}"`,
      LastModified: expect.any(Date),
      Metadata: { color: "green", empty: "" },
      ServerSideEncryption: "AES256",
      // The SDK asks for checksums by itself.
      ChecksumCRC32: "NhCmhg==",
      ChecksumType: "FULL_OBJECT",
    });
    const head = await s3.headObject({ Bucket, Key: "full" });
    expect(head).toMatchObject({
      ContentLength: 5,
      ContentType: "text/plain; charset=utf-8",
      Metadata: { color: "green" },
    });
  });

  test.each(["a b/c+d/é.txt", "?query&x=1#frag", "trailing/", "//double", "..", "./x", "100%", "a\u{1F600}"])(
    "take the key %j as it is",
    async (Key) => {
      await put(Key, Key);
      expect(await textOf(Key)).toBe(Key);
      const listed = await s3.listObjectsV2({ Bucket, Prefix: Key, EncodingType: undefined });
      expect(listed.Contents?.map((each) => each.Key)).toContain(Key);
      await s3.deleteObject({ Bucket, Key });
    },
  );

  test("take a bucket named in the host as they take it in the path", async () => {
    await put("virtual", "host");
    const answer = await new Promise<string>((resolve, reject) => {
      getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "virtual" })).then((signed) => {
        const url = new URL(signed);
        request(
          { port: platform.port, path: `${url.pathname}${url.search}`, headers: { host: url.host } },
          (response) => {
            response.setEncoding("utf8").on("data", resolve);
          },
        )
          .on("error", reject)
          .end();
      }, reject);
    });
    expect(answer).toBe("host");
    const virtual = s3Client(platform, { endpoint: `http://localhost:${platform.port}` });
    virtual.config.forcePathStyle = false;
    const host = new URL(await getSignedUrl(virtual, new GetObjectCommand({ Bucket, Key: "virtual" }))).host;
    expect(host).toBe(`objects.localhost:${platform.port}`);
  });

  test("stream large content both ways without loss", async () => {
    const content = randomBytes(12_000_000);
    await s3.putObject({
      Bucket,
      Key: "large",
      Body: Readable.from([content.subarray(0, 5_000_000), content.subarray(5_000_000)]),
      ContentLength: content.length,
    });
    const read = await (await s3.getObject({ Bucket, Key: "large" })).Body?.transformToByteArray();
    expect(md5(read ?? "")).toBe(md5(content));
    expect((await s3.headObject({ Bucket, Key: "large" })).ETag).toBe(`"${md5(content)}"`);
  });

  test("hold empty content", async () => {
    await put("empty", "");
    expect(await textOf("empty")).toBe("");
    expect((await s3.headObject({ Bucket, Key: "empty" })).ContentLength).toBe(0);
  });

  test("replace what was there", async () => {
    await put("twice", "one", { Metadata: { a: "1" } });
    await put("twice", "two");
    expect(await textOf("twice")).toBe("two");
    expect((await s3.headObject({ Bucket, Key: "twice" })).Metadata).toEqual({});
  });

  test("give metadata beyond ASCII back as RFC 2047 has it", async () => {
    await put("umlaut", "x", { Metadata: { name: "grün" } });
    expect((await s3.headObject({ Bucket, Key: "umlaut" })).Metadata).toEqual({ name: "=?UTF-8?B?Z3LDvG4=?=" });
  });

  test("answer NoSuchKey for a key that is not there", async () => {
    expect(await refusalOf(s3.getObject({ Bucket, Key: "absent" }))).toBe(
      "404 NoSuchKey: The specified key does not exist.",
    );
    expect(await refusalOf(s3.headObject({ Bucket, Key: "absent" }))).toContain("404 NotFound");
  });

  test("have no name too long for any operation", async () => {
    const at = { Bucket, Key: "k".repeat(3_000) };
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/${at.Key}` };
    for (const ask of [
      () => s3.getObject(at),
      () => s3.getObjectTagging(at),
      () => s3.deleteObject(at),
      () => s3.copyObject(copy),
      () => s3.uploadPart({ ...at, UploadId: "x", PartNumber: 1, Body: "x" }),
    ]) {
      expect(await refusalOf(ask())).toContain("400 KeyTooLongError");
    }
    const { Errors } = await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: at.Key }, { Key: "absent" }] } });
    expect(Errors).toMatchObject([{ Key: at.Key, Code: "KeyTooLongError" }]);
  });

  test.each([
    ["a key too long", { Key: "k".repeat(1025) }, "400 KeyTooLongError: Your key is too long"],
    ["too much metadata", { Metadata: { a: "x".repeat(2048) } }, "400 MetadataTooLarge: Your metadata headers exceed"],
    ["an ACL", { ACL: "public-read" }, "400 AccessControlListNotSupported: The bucket does not allow ACLs"],
    ["a grant", { GrantRead: "id=1" }, "400 AccessControlListNotSupported"],
    [
      "a storage class that needs restoring",
      { StorageClass: "GLACIER" },
      "501 NotImplemented: The storage class GLACIER",
    ],
    ["a customer's key", { SSECustomerAlgorithm: "AES256" }, "501 NotImplemented: The parameter SSECustomerAlgorithm"],
    [
      "a KMS key",
      { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "k" },
      "501 NotImplemented: ServerSideEncryption aws:kms",
    ],
    ["a lock", { ObjectLockLegalHoldStatus: "ON" }, "400 InvalidRequest: Bucket is missing ObjectLockConfiguration"],
    [
      "too many tags",
      {
        Tagging: "abcdefghijk"
          .split("")
          .map((k) => `${k}=1`)
          .join("&"),
      },
      "400 BadRequest: Object tags",
    ],
    ["a redirect to nowhere", { WebsiteRedirectLocation: "x" }, "400 InvalidRequest: The website redirect location"],
  ])("refuse %s", async (_name, more, refusal) => {
    expect(await refusalOf(put("refused", "x", more))).toContain(refusal);
    expect(await refusalOf(s3.headObject({ Bucket, Key: "refused" }))).toContain("404");
  });
});

describe("checksums", () => {
  const content = "The quick brown fox";
  test.each([
    ["CRC32", "t05isw=="],
    ["CRC32C", ""],
    ["CRC64NVME", ""],
    ["SHA1", createHash("sha1").update(content).digest("base64")],
    ["SHA256", createHash("sha256").update(content).digest("base64")],
    ["MD5", createHash("md5").update(content).digest("base64")],
  ] as const)("by %s are computed, checked, kept and told when asked for", async (ChecksumAlgorithm, known) => {
    const Key = `sum-${ChecksumAlgorithm}`;
    const name = `Checksum${ChecksumAlgorithm}` as const;
    const written = await put(Key, content, { ChecksumAlgorithm });
    expect(written[name]).toEqual(expect.any(String));
    if (ChecksumAlgorithm.startsWith("SHA")) expect(written[name]).toBe(known);
    const asked = await s3.headObject({ Bucket, Key, ChecksumMode: "ENABLED" });
    expect(asked).toMatchObject({ [name]: written[name], ChecksumType: "FULL_OBJECT" });
    const wrong = { [name]: Buffer.alloc(Buffer.from(written[name] ?? "", "base64").length).toString("base64") };
    expect(await refusalOf(put(Key, content, wrong))).toBe(
      `400 BadDigest: The ${ChecksumAlgorithm} you specified did not match the calculated checksum.`,
    );
    expect(await refusalOf(put(Key, content, { [name]: "AAAA" }))).toContain(
      "400 InvalidRequest: Value for x-amz-checksum",
    );
  });

  test("come in a trailer when the body is streamed", async () => {
    const Body = Readable.from([Buffer.from("stre"), Buffer.from("amed")]);
    const written = await s3.putObject({ Bucket, Key: "trailer", Body, ContentLength: 8, ChecksumAlgorithm: "SHA256" });
    expect(written.ChecksumSHA256).toBe(createHash("sha256").update("streamed").digest("base64"));
    expect(await textOf("trailer")).toBe("streamed");
    expect((await s3.headObject({ Bucket, Key: "trailer" })).ContentEncoding).toBeUndefined();
  });

  test("are CRC-64/NVME when the client sends none", async () => {
    const silent = s3Client(platform);
    silent.config.requestChecksumCalculation = async () => "WHEN_REQUIRED";
    const written = await silent.putObject({ Bucket, Key: "silent", Body: "123456789" });
    // The check value of CRC-64/NVME: ae8b14860a799888.
    expect(written).toMatchObject({ ChecksumCRC64NVME: "rosUhgp5mIg=", ChecksumType: "FULL_OBJECT" });
  });

  test("by Content-MD5 are checked", async () => {
    const right = createHash("md5").update("x").digest("base64");
    await put("md5", "x", { ContentMD5: right });
    expect(await refusalOf(put("md5", "y", { ContentMD5: right }))).toBe(
      "400 BadDigest: The Content-MD5 you specified did not match what we received.",
    );
    expect(await refusalOf(put("md5", "y", { ContentMD5: "nonsense" }))).toContain("400 InvalidDigest");
    expect(await textOf("md5")).toBe("x");
  });
});

const readConditional = (more: object) => s3.getObject({ Bucket, Key: "conditional", ...more });

describe("a read", () => {
  test.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=5-500", "56789", "bytes 5-9/10"],
    ["bytes=-500", "0123456789", "bytes 0-9/10"],
  ])("of the range %s answers a part", async (Range, text, ContentRange) => {
    await put("digits", "0123456789");
    const answer = await s3.getObject({ Bucket, Key: "digits", Range });
    expect(answer.$metadata.httpStatusCode).toBe(206);
    expect(answer).toMatchObject({ ContentRange, ContentLength: text.length });
    expect(await answer.Body?.transformToString()).toBe(text);
  });

  test.each(["bytes=5-2", "lines=1-2", "bytes=0-1,3-4"])("of the range %s answers the whole", async (Range) => {
    await put("digits", "0123456789");
    const answer = await s3.getObject({ Bucket, Key: "digits", Range });
    expect(answer.$metadata.httpStatusCode).toBe(200);
    expect(await answer.Body?.transformToString()).toBe("0123456789");
  });

  test.each(["bytes=10-", "bytes=-0"])("of the range %s answers InvalidRange", async (Range) => {
    await put("digits", "0123456789");
    expect(await refusalOf(s3.getObject({ Bucket, Key: "digits", Range }))).toBe(
      "416 InvalidRange: The requested range is not satisfiable",
    );
  });

  test("on a condition answers, 304s or 412s", async () => {
    const { ETag = "" } = await put("conditional", "x");
    const [past, future] = [new Date(Date.now() - 86_400_000), new Date(Date.now() + 3_600_000)];
    await readConditional({ IfMatch: ETag });
    await readConditional({ IfMatch: ETag, IfUnmodifiedSince: past });
    await readConditional({ IfNoneMatch: '"other"', IfModifiedSince: future });
    const failed = "412 PreconditionFailed: At least one of the pre-conditions you specified did not hold";
    expect(await refusalOf(readConditional({ IfMatch: '"other"' }))).toBe(failed);
    expect(await refusalOf(readConditional({ IfUnmodifiedSince: past }))).toBe(failed);
    expect(await refusalOf(readConditional({ IfNoneMatch: ETag }))).toMatch(/^304 /);
    expect(await refusalOf(readConditional({ IfModifiedSince: future }))).toMatch(/^304 /);
  });

  test("may choose the headers of its answer", async () => {
    await put("overridden", "x", { ContentType: "text/plain" });
    const answer = await s3.getObject({
      Bucket,
      Key: "overridden",
      ResponseContentType: "application/pdf",
      ResponseContentDisposition: "inline",
      ResponseCacheControl: "no-store",
    });
    expect(answer).toMatchObject({
      ContentType: "application/pdf",
      ContentDisposition: "inline",
      CacheControl: "no-store",
    });
  });
});

describe("a conditional write", () => {
  test("with If-None-Match: * creates and does not replace", async () => {
    await put("once", "first", { IfNoneMatch: "*" });
    expect(await refusalOf(put("once", "second", { IfNoneMatch: "*" }))).toContain("412 PreconditionFailed");
    expect(await textOf("once")).toBe("first");
    expect(await refusalOf(put("once", "second", { IfNoneMatch: '"tag"' }))).toContain("501 NotImplemented");
  });

  test("is won by one of many", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => put("race", `${n}`, { IfNoneMatch: "*" })),
    );
    expect(outcomes.filter((each) => each.status === "fulfilled")).toHaveLength(1);
  });

  test("with If-Match replaces exactly what it saw", async () => {
    const { ETag = "" } = await put("seen", "1");
    await put("seen", "2", { IfMatch: ETag });
    expect(await refusalOf(put("seen", "3", { IfMatch: ETag }))).toContain("412 PreconditionFailed");
    expect(await refusalOf(put("unseen", "3", { IfMatch: ETag }))).toContain("404 NoSuchKey");
  });
});

describe("CopyObject", () => {
  test("copies content, metadata and tags, or takes new ones", async () => {
    await put("source é", "content", { ContentType: "text/plain", Metadata: { a: "1" }, Tagging: "t=1" });
    const CopySource = `${Bucket}/${encodeURIComponent("source é")}`;
    const copied = await s3.copyObject({ Bucket, Key: "copy", CopySource });
    expect(copied.CopyObjectResult).toMatchObject({ ETag: `"${md5("content")}"`, LastModified: expect.any(Date) });
    expect(await s3.headObject({ Bucket, Key: "copy" })).toMatchObject({
      ContentType: "text/plain",
      Metadata: { a: "1" },
      TagCount: 1,
    });
    await s3.copyObject({
      Bucket,
      Key: "copy",
      CopySource,
      MetadataDirective: "REPLACE",
      Metadata: { b: "2" },
      TaggingDirective: "REPLACE",
      Tagging: "",
    });
    const head = await s3.headObject({ Bucket, Key: "copy" });
    expect(head.Metadata).toEqual({ b: "2" });
    expect(head.TagCount).toBeUndefined();
    expect(await textOf("copy")).toBe("content");
  });

  test("refuses a copy onto itself that changes nothing, and one of what is not there", async () => {
    await put("self", "x");
    expect(await refusalOf(s3.copyObject({ Bucket, Key: "self", CopySource: `${Bucket}/self` }))).toContain(
      "400 InvalidRequest: This copy request is illegal",
    );
    await s3.copyObject({ Bucket, Key: "self", CopySource: `${Bucket}/self`, MetadataDirective: "REPLACE" });
    expect(await refusalOf(s3.copyObject({ Bucket, Key: "k", CopySource: `${Bucket}/absent` }))).toContain(
      "404 NoSuchKey",
    );
    expect(await refusalOf(s3.copyObject({ Bucket, Key: "k", CopySource: "absent-bucket/k" }))).toContain(
      "404 NoSuchBucket",
    );
    expect(await refusalOf(s3.copyObject({ Bucket, Key: "k", CopySource: "nonsense" }))).toContain(
      "400 InvalidArgument",
    );
    expect(
      await refusalOf(s3.copyObject({ Bucket, Key: "k", CopySource: `${Bucket}/self`, CopySourceIfMatch: '"other"' })),
    ).toContain("412 PreconditionFailed");
  });
});

describe("DeleteObject and DeleteObjects", () => {
  test("succeed, whether there was anything or not", async () => {
    await put("gone", "x");
    expect((await s3.deleteObject({ Bucket, Key: "gone" })).$metadata.httpStatusCode).toBe(204);
    expect((await s3.deleteObject({ Bucket, Key: "gone" })).$metadata.httpStatusCode).toBe(204);
    expect(await refusalOf(s3.getObject({ Bucket, Key: "gone" }))).toContain("404");
  });

  test("delete many at once, quietly when asked to", async () => {
    for (const Key of ["many/1", "many/2", "many/3"]) await put(Key, "x");
    const Objects = [{ Key: "many/1" }, { Key: "many/2" }, { Key: "many/absent" }];
    expect((await s3.deleteObjects({ Bucket, Delete: { Objects } })).Deleted).toEqual(Objects);
    const quiet = await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "many/3" }], Quiet: true } });
    expect(quiet.Deleted).toBeUndefined();
    expect((await s3.listObjectsV2({ Bucket, Prefix: "many/" })).KeyCount).toBe(0);
    const tooMany = Array.from({ length: 1001 }, (_, n) => ({ Key: `${n}` }));
    expect(await refusalOf(s3.deleteObjects({ Bucket, Delete: { Objects: tooMany } }))).toContain("400 MalformedXML");
  });

  test("delete only what matches", async () => {
    const { ETag = "" } = await put("matched", "x");
    expect(await refusalOf(s3.deleteObject({ Bucket, Key: "matched", IfMatch: '"other"' }))).toContain("412");
    await s3.deleteObject({ Bucket, Key: "matched", IfMatch: ETag });
  });
});

describe("object tags", () => {
  test("are put, told and deleted", async () => {
    await put("tagged", "x", { Tagging: "a=1&b=two%20words" });
    expect((await s3.getObjectTagging({ Bucket, Key: "tagged" })).TagSet).toEqual([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "two words" },
    ]);
    expect((await s3.headObject({ Bucket, Key: "tagged" })).TagCount).toBe(2);
    await s3.putObjectTagging({ Bucket, Key: "tagged", Tagging: { TagSet: [{ Key: "c", Value: "" }] } });
    expect((await s3.getObjectTagging({ Bucket, Key: "tagged" })).TagSet).toEqual([{ Key: "c", Value: "" }]);
    await s3.deleteObjectTagging({ Bucket, Key: "tagged" });
    expect((await s3.getObjectTagging({ Bucket, Key: "tagged" })).TagSet).toEqual([]);
    expect(await textOf("tagged")).toBe("x");
  });
});

test("GetObjectAttributes tells what it is asked for", async () => {
  await put("attributes", "hello", { ChecksumAlgorithm: "CRC32" });
  const ObjectAttributes = ["ETag", "Checksum", "ObjectSize", "StorageClass"] as const;
  expect(
    await s3.getObjectAttributes({ Bucket, Key: "attributes", ObjectAttributes: [...ObjectAttributes] }),
  ).toMatchObject({
    ETag: md5("hello"),
    Checksum: { ChecksumCRC32: "NhCmhg==", ChecksumType: "FULL_OBJECT" },
    ObjectSize: 5,
    StorageClass: "STANDARD",
  });
});

describe("presigned URLs", () => {
  test("write and read without credentials, and not once they are changed", async () => {
    const putUrl = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "presigned" }), { expiresIn: 60 });
    expect((await fetch(putUrl, { method: "PUT", body: "signed" })).status).toBe(200);
    const getUrl = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "presigned" }), { expiresIn: 60 });
    expect(await (await fetch(getUrl)).text()).toBe("signed");
    const changed = await fetch(getUrl.replace("/presigned?", "/full?"));
    expect(changed.status).toBe(403);
    expect(await changed.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
  });

  test("are the only way in for strangers", async () => {
    const answer = await fetch(`${platform.endpoint}/${Bucket}/full`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("<Code>AccessDenied</Code>");
  });
});
