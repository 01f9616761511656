import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type { S3 } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client } from "../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
const Bucket = "uploads";
const megabyte = 1024 ** 2;
const first = randomBytes(5 * megabyte);
const second = randomBytes(1000);
const md5 = (content: Uint8Array) => createHash("md5").update(content).digest();

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
});
afterAll(() => platform.stop());

const begin = async (Key: string, more: object = {}) => {
  const { UploadId = "" } = await s3.createMultipartUpload({ Bucket, Key, ...more });
  return { Bucket, Key, UploadId };
};
type Begun = Awaited<ReturnType<typeof begin>>;
const uploadPart = async (upload: Begun, PartNumber: number, Body: Uint8Array, more: object = {}) => {
  const {
    $metadata: _,
    ServerSideEncryption: _sse,
    ...part
  } = await s3.uploadPart({ ...upload, PartNumber, Body, ...more });
  return { PartNumber, ...part };
};
const complete = (upload: Begun, Parts: object[], more: object = {}) =>
  s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts }, ...more });

describe("a multipart upload", () => {
  test("becomes an object of its parts, with its headers, tags and AWS's ETag", async () => {
    const upload = await begin("whole", { ContentType: "text/plain", Metadata: { a: "1" }, Tagging: "t=1" });
    const parts = [await uploadPart(upload, 2, first), await uploadPart(upload, 7, second)];
    const answer = await complete(upload, parts);
    const ETag = `"${md5(Buffer.concat([md5(first), md5(second)])).toString("hex")}-2"`;
    expect(answer).toMatchObject({ Bucket, Key: "whole", ETag, Location: `${platform.endpoint}/${Bucket}/whole` });
    const read = await s3.getObject({ Bucket, Key: "whole" });
    expect(md5((await read.Body?.transformToByteArray()) ?? new Uint8Array())).toEqual(
      md5(Buffer.concat([first, second])),
    );
    expect(read).toMatchObject({
      ContentType: "text/plain",
      Metadata: { a: "1" },
      TagCount: 1,
      ContentLength: first.length + 1000,
    });
    expect(await refusalOf(s3.listParts(upload))).toContain("404 NoSuchUpload");
  });

  test("is read by range across parts, and by part", async () => {
    const whole = Buffer.concat([first, second]);
    const Range = `bytes=${first.length - 10}-${first.length + 9}`;
    const range = await s3.getObject({ Bucket, Key: "whole", Range });
    const bytes = await range.Body?.transformToByteArray();
    expect(Buffer.from(bytes ?? []).equals(whole.subarray(first.length - 10, first.length + 10))).toBe(true);
    const part = await s3.getObject({ Bucket, Key: "whole", PartNumber: 7 });
    expect(part).toMatchObject({ PartsCount: 2, ContentLength: 1000 });
    expect(part.$metadata.httpStatusCode).toBe(206);
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? []).equals(second)).toBe(true);
    expect(await refusalOf(s3.getObject({ Bucket, Key: "whole", PartNumber: 3 }))).toContain("416 InvalidPartNumber");
    const attributes = await s3.getObjectAttributes({
      Bucket,
      Key: "whole",
      ObjectAttributes: ["ObjectParts", "ObjectSize"],
    });
    expect(attributes).toMatchObject({ ObjectSize: whole.length, ObjectParts: { TotalPartsCount: 2 } });
  });

  test("takes a part twice, the last one counting, and leaves out what is not named", async () => {
    const upload = await begin("again");
    await uploadPart(upload, 1, second);
    await uploadPart(upload, 2, second);
    const part = await uploadPart(upload, 1, Buffer.from("last"));
    await complete(upload, [part]);
    expect(await (await s3.getObject({ Bucket, Key: "again" })).Body?.transformToString()).toBe("last");
  });

  test("is refused with parts that are not there, too small, or out of order", async () => {
    const upload = await begin("refused");
    const [small, other] = [await uploadPart(upload, 1, second), await uploadPart(upload, 2, second)];
    expect(await refusalOf(complete(upload, [small, other]))).toBe(
      "400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size",
    );
    expect(await refusalOf(complete(upload, [other, small]))).toContain("400 InvalidPartOrder");
    expect(await refusalOf(complete(upload, [{ PartNumber: 3, ETag: '"x"' }]))).toContain("400 InvalidPart:");
    expect(await refusalOf(complete(upload, [{ ...small, ETag: '"x"' }]))).toContain("400 InvalidPart:");
    expect(await refusalOf(complete(upload, [small], { IfMatch: '"x"' }))).toContain("404 NoSuchKey");
    expect(await refusalOf(complete(upload, [small], { MpuObjectSize: 5 }))).toContain("400 InvalidRequest");
    expect(await refusalOf(uploadPart(upload, 10_001, second))).toContain("400 InvalidArgument: Part number must be");
    expect(await refusalOf(uploadPart({ ...upload, UploadId: "x" }, 1, second))).toContain("404 NoSuchUpload");
    expect(await refusalOf(s3.headObject({ Bucket, Key: "refused" }))).toContain("404");
  });

  test("that is aborted is gone", async () => {
    const upload = await begin("aborted");
    const part = await uploadPart(upload, 1, second);
    expect((await s3.abortMultipartUpload(upload)).$metadata.httpStatusCode).toBe(204);
    expect(await refusalOf(complete(upload, [part]))).toContain("404 NoSuchUpload");
    expect(await refusalOf(s3.abortMultipartUpload(upload))).toContain("404 NoSuchUpload");
  });

  test("is what lib-storage does with a stream of unknown length", async () => {
    const content = randomBytes(11 * megabyte);
    const Body = Readable.from([content.subarray(0, 7 * megabyte), content.subarray(7 * megabyte)]);
    await new Upload({ client: s3, params: { Bucket, Key: "streamed", Body } }).done();
    const read = await s3.getObject({ Bucket, Key: "streamed" });
    expect(read.ETag).toMatch(/-3"$/);
    expect(md5((await read.Body?.transformToByteArray()) ?? new Uint8Array())).toEqual(md5(content));
    const copied = await s3.copyObject({ Bucket, Key: "copied", CopySource: `${Bucket}/streamed` });
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5(content).toString("hex")}"`);
  });
});

describe("checksums of a multipart upload", () => {
  test.each(["CRC32", "CRC32C", "SHA1", "SHA256", "MD5"] as const)(
    "by %s are composite unless asked otherwise",
    async (ChecksumAlgorithm) => {
      const upload = await begin(`composite-${ChecksumAlgorithm}`, { ChecksumAlgorithm });
      const part = await uploadPart(upload, 1, second, { ChecksumAlgorithm });
      const { PartNumber, ETag } = part;
      expect(await refusalOf(complete(upload, [{ PartNumber, ETag }]))).toContain(
        "must include the checksum for each part",
      );
      const answer = await complete(upload, [part]);
      expect(answer.ChecksumType).toBe("COMPOSITE");
      expect(answer[`Checksum${ChecksumAlgorithm}`]).toMatch(/-1$/);
    },
  );

  test.each(["CRC32", "CRC32C", "CRC64NVME"] as const)(
    "by %s of the whole object are put together from those of its parts",
    async (ChecksumAlgorithm) => {
      const name = `Checksum${ChecksumAlgorithm}` as const;
      const whole = Buffer.concat([first, second]);
      const single = await s3.putObject({ Bucket, Key: "single", Body: whole, ChecksumAlgorithm });
      const upload = await begin(`full-${ChecksumAlgorithm}`, { ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" });
      const parts = [
        await uploadPart(upload, 1, first, { ChecksumAlgorithm }),
        await uploadPart(upload, 2, second, { ChecksumAlgorithm }),
      ];
      const wrong = { [name]: Buffer.alloc(Buffer.from(single[name] ?? "", "base64").length).toString("base64") };
      expect(await refusalOf(complete(upload, parts, wrong))).toContain("400 BadDigest");
      const answer = await complete(upload, parts, { [name]: single[name], ChecksumType: "FULL_OBJECT" });
      expect(answer).toMatchObject({ [name]: single[name], ChecksumType: "FULL_OBJECT" });
    },
  );

  test("cannot be of a type that the algorithm does not have, nor change between parts", async () => {
    const refused = { Bucket, Key: "k", ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" } as const;
    expect(await refusalOf(s3.createMultipartUpload(refused))).toContain("400 InvalidRequest");
    const upload = await begin("mismatch", { ChecksumAlgorithm: "SHA256" });
    expect(await refusalOf(uploadPart(upload, 1, second, { ChecksumAlgorithm: "CRC32" }))).toContain(
      "400 InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32",
    );
  });
});

test("UploadPartCopy takes a part, or a range of it, from an object", async () => {
  await s3.putObject({ Bucket, Key: "origin", Body: "0123456789" });
  const upload = await begin("assembled");
  const CopySource = `${Bucket}/origin`;
  const copied = await s3.uploadPartCopy({ ...upload, PartNumber: 1, CopySource, CopySourceRange: "bytes=2-4" });
  expect(
    await refusalOf(s3.uploadPartCopy({ ...upload, PartNumber: 2, CopySource, CopySourceRange: "bytes=5-10" })),
  ).toBe("400 InvalidArgument: Range specified is not valid for source object of size: 10");
  const { ETag, ChecksumCRC32 } = copied.CopyPartResult ?? {};
  await complete(upload, [{ PartNumber: 1, ETag, ChecksumCRC32 }]);
  expect(await (await s3.getObject({ Bucket, Key: "assembled" })).Body?.transformToString()).toBe("234");
});

describe("listings of uploads", () => {
  test("ListParts goes part by part to the end", async () => {
    const upload = await begin("listed-parts");
    for (const n of [1, 2, 5]) await uploadPart(upload, n, second);
    const seen: (number | undefined)[] = [];
    let PartNumberMarker: string | undefined;
    for (;;) {
      const page = await s3.listParts({ ...upload, MaxParts: 2, ...(PartNumberMarker && { PartNumberMarker }) });
      seen.push(...(page.Parts ?? []).map((part) => part.PartNumber));
      if (!page.IsTruncated) break;
      PartNumberMarker = page.NextPartNumberMarker;
    }
    expect(seen).toEqual([1, 2, 5]);
    expect((await s3.listParts(upload)).Parts?.[0]).toMatchObject({
      Size: 1000,
      ETag: `"${md5(second).toString("hex")}"`,
    });
  });

  test("ListMultipartUploads lists what is under way, by key", async () => {
    await s3.createBucket({ Bucket: "under-way" });
    for (const Key of ["b", "a", "a", "c/1", "c/2"]) await s3.createMultipartUpload({ Bucket: "under-way", Key });
    const all = await s3.listMultipartUploads({ Bucket: "under-way", Delimiter: "/" });
    expect(all.Uploads?.map((each) => each.Key)).toEqual(["a", "a", "b"]);
    expect(all.CommonPrefixes).toEqual([{ Prefix: "c/" }]);
    const page = await s3.listMultipartUploads({ Bucket: "under-way", MaxUploads: 1 });
    expect(page).toMatchObject({ IsTruncated: true, NextKeyMarker: "a" });
    const next = await s3.listMultipartUploads({
      Bucket: "under-way",
      KeyMarker: page.NextKeyMarker,
      UploadIdMarker: page.NextUploadIdMarker,
    });
    expect(next.Uploads?.map((each) => each.Key)).toEqual(["a", "b", "c/1", "c/2"]);
  });
});
