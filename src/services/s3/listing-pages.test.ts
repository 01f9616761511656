import type { ListMultipartUploadsOutput, ListObjectVersionsOutput, ListPartsOutput, S3 } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { s3Client } from "../../testing/s3.ts";

/** What a listing lists, in its order, by a naive model: everything, filtered, grouped, sorted. */
interface Listed {
  readonly key: string;
  readonly id: string;
  readonly isLatest: boolean;
}

let platform: TestPlatform;
let s3: S3;
const Bucket = "pages";
const keys = ["a", "a/1", "a/1/x", "a/2", "a b", "a+b", "b", "b/", "b//c", "é", "é/1", "z%2F", "\u{10FFFF}", "z&<"];
const versions: Listed[] = [];
const uploads: Listed[] = [];
const parts = [1, 2, 3, 5, 8, 13, 9_999, 10_000];
let UploadId = "";

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  for (const [at, Key] of keys.entries()) {
    const made: string[] = [];
    for (let n = 0; n <= at % 3; n += 1) made.push((await s3.putObject({ Bucket, Key, Body: "x" })).VersionId ?? "");
    if (at % 4 === 1) made.push((await s3.deleteObject({ Bucket, Key })).VersionId ?? "");
    made.toReversed().forEach((id, place) => versions.push({ key: Key, id, isLatest: place === 0 }));
    for (let n = 0; n <= at % 2; n += 1) {
      const upload = await s3.createMultipartUpload({ Bucket, Key });
      uploads.push({ key: Key, id: upload.UploadId ?? "", isLatest: false });
      ({ UploadId = "" } = upload);
    }
  }
  for (const PartNumber of parts) {
    await s3.uploadPart({ Bucket, Key: keys.at(-1) ?? "", UploadId, PartNumber, Body: "x" });
  }
});
afterAll(() => platform.stop());

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function naive(all: readonly Listed[], prefix: string, delimiter: string | undefined) {
  const items: string[] = [];
  const groups = new Set<string>();
  for (const { key, id, isLatest } of all) {
    if (!key.startsWith(prefix)) continue;
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    if (delimiter && end >= 0) groups.add(key.slice(0, end + delimiter.length));
    else items.push(`${key} ${id} ${isLatest}`);
  }
  return { items: items.toSorted(), groups: [...groups].toSorted(byBytes) };
}

const question = fc.record({
  prefix: fc.constantFrom("", "a", "a/", "b/", "é", "nothing"),
  delimiter: fc.constantFrom(undefined, "/", "1", " "),
  max: fc.integer({ min: 1, max: 7 }),
  encoded: fc.boolean(),
});

/** Keys as the client asked for them: the SDK leaves decoding to whoever asked. */
const decode = (text: string, encoded: boolean) => (encoded ? decodeURIComponent(text.replaceAll("+", " ")) : text);

test("ListObjectVersions: pages of any size list what is there, each once", async () => {
  await fc.assert(
    fc.asyncProperty(question, async ({ prefix, delimiter, max, encoded }) => {
      const items: string[] = [];
      const groups: string[] = [];
      let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
      while (marker) {
        const page: ListObjectVersionsOutput = await s3.listObjectVersions({
          Bucket,
          Prefix: prefix,
          MaxKeys: max,
          ...(delimiter && { Delimiter: delimiter }),
          ...(encoded && { EncodingType: "url" as const }),
          ...marker,
        });
        const listed = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
        const prefixes = (page.CommonPrefixes ?? []).map(({ Prefix = "" }) => decode(Prefix, encoded));
        expect(listed.length + prefixes.length).toBeLessThanOrEqual(max);
        items.push(
          ...listed.map(({ Key = "", VersionId, IsLatest }) => `${decode(Key, encoded)} ${VersionId} ${IsLatest}`),
        );
        groups.push(...prefixes);
        marker = page.IsTruncated
          ? {
              KeyMarker: decode(page.NextKeyMarker ?? "", encoded),
              ...(page.NextVersionIdMarker && { VersionIdMarker: page.NextVersionIdMarker }),
            }
          : undefined;
      }
      expect({ items: items.toSorted(), groups }).toEqual(naive(versions, prefix, delimiter));
    }),
    { numRuns: 15 },
  );
});

test("ListMultipartUploads: pages of any size list what is under way, each once", async () => {
  await fc.assert(
    fc.asyncProperty(question, async ({ prefix, delimiter, max, encoded }) => {
      const items: string[] = [];
      const groups: string[] = [];
      let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
      while (marker) {
        const page: ListMultipartUploadsOutput = await s3.listMultipartUploads({
          Bucket,
          Prefix: prefix,
          MaxUploads: max,
          ...(delimiter && { Delimiter: delimiter }),
          ...(encoded && { EncodingType: "url" as const }),
          ...marker,
        });
        const listed = page.Uploads ?? [];
        const prefixes = (page.CommonPrefixes ?? []).map(({ Prefix = "" }) => decode(Prefix, encoded));
        expect(listed.length + prefixes.length).toBeLessThanOrEqual(max);
        items.push(...listed.map(({ Key = "", UploadId: id }) => `${decode(Key, encoded)} ${id} false`));
        groups.push(...prefixes);
        marker = page.IsTruncated
          ? {
              KeyMarker: decode(page.NextKeyMarker ?? "", encoded),
              ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }),
            }
          : undefined;
      }
      expect({ items: items.toSorted(), groups }).toEqual(naive(uploads, prefix, delimiter));
    }),
    { numRuns: 15 },
  );
});

test("ListParts: pages of any size list every part once, in order", async () => {
  const Key = keys.at(-1) ?? "";
  for (const MaxParts of [1, 2, 3, 7, 8, 9]) {
    const seen: (number | undefined)[] = [];
    let PartNumberMarker: string | undefined = "0";
    while (PartNumberMarker !== undefined) {
      const page: ListPartsOutput = await s3.listParts({
        Bucket,
        Key,
        UploadId,
        MaxParts,
        PartNumberMarker,
      });
      expect(page.Parts?.length).toBeLessThanOrEqual(MaxParts);
      seen.push(...(page.Parts ?? []).map(({ PartNumber }) => PartNumber));
      PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    }
    expect(seen).toEqual(parts);
  }
});
