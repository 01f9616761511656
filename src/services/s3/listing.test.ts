import type { ListObjectVersionsOutput, S3 } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMemoryStore } from "../../kernel/store/memory-store.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client } from "../../testing/s3.ts";
import { list, type Position } from "./listing.ts";

let platform: TestPlatform;
let s3: S3;
const Bucket = "listings";
const keys = ["a", "b/1", "b/2", "b/c/1", "d", "e f/1", "é/x", "z"];

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
  for (const Key of keys) await s3.putObject({ Bucket, Key, Body: Key });
});
afterAll(() => platform.stop());

describe("ListObjectsV2", () => {
  test("lists in the order of UTF-8, with what AWS tells of each", async () => {
    const page = await s3.listObjectsV2({ Bucket });
    expect(page.Contents?.map((each) => each.Key)).toEqual(
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    expect(page).toMatchObject({ Name: Bucket, Prefix: "", MaxKeys: 1000, KeyCount: 8, IsTruncated: false });
    expect(page.Contents?.[0]).toEqual({
      Key: "a",
      ETag: '"0cc175b9c0f1b6a831c399e269772661"',
      Size: 1,
      StorageClass: "STANDARD",
      LastModified: expect.any(Date),
      ChecksumAlgorithm: ["CRC32"],
      ChecksumType: "FULL_OBJECT",
    });
    expect((await s3.listObjectsV2({ Bucket, FetchOwner: true })).Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  test("rolls keys up to the delimiter", async () => {
    const page = await s3.listObjectsV2({ Bucket, Delimiter: "/" });
    expect(page.Contents?.map((each) => each.Key)).toEqual(["a", "d", "z"]);
    expect(page.CommonPrefixes?.map((each) => each.Prefix)).toEqual(["b/", "e f/", "é/"]);
    const below = await s3.listObjectsV2({ Bucket, Delimiter: "/", Prefix: "b/" });
    expect(below.Contents?.map((each) => each.Key)).toEqual(["b/1", "b/2"]);
    expect(below.CommonPrefixes?.map((each) => each.Prefix)).toEqual(["b/c/"]);
  });

  test.each([1, 2, 3, 5])("goes to the end in pages of %s", async (MaxKeys) => {
    const seen: unknown[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.listObjectsV2({
        Bucket,
        Delimiter: "/",
        MaxKeys,
        ...(ContinuationToken && { ContinuationToken }),
      });
      expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
      seen.push(
        ...(page.Contents ?? []).map((each) => each.Key),
        ...(page.CommonPrefixes ?? []).map((each) => each.Prefix),
      );
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken);
    expect(seen.toSorted()).toEqual(["a", "b/", "d", "e f/", "z", "é/"].toSorted());
  });

  test("begins after a key, encodes when asked to, and lists nothing for nothing", async () => {
    const after = await s3.listObjectsV2({ Bucket, StartAfter: "b/2", Delimiter: "/" });
    expect(after.Contents?.map((each) => each.Key)).toEqual(["d", "z"]);
    const encoded = await s3.listObjectsV2({ Bucket, EncodingType: "url", Prefix: "e f" });
    expect(encoded.Contents?.map((each) => each.Key)).toEqual(["e+f/1"]);
    expect(await s3.listObjectsV2({ Bucket, MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  test("refuses a token that it did not give", async () => {
    expect(await refusalOf(s3.listObjectsV2({ Bucket, ContinuationToken: "nonsense" }))).toBe(
      "400 InvalidArgument: The continuation token provided is incorrect",
    );
  });
});

test("ListObjects goes to the end by its markers", async () => {
  const seen: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await s3.listObjects({ Bucket, Delimiter: "/", MaxKeys: 2, ...(Marker !== undefined && { Marker }) });
    seen.push(
      ...(page.Contents ?? []).map((each) => each.Key),
      ...(page.CommonPrefixes ?? []).map((each) => each.Prefix),
    );
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  expect(seen.toSorted()).toEqual(["a", "b/", "d", "e f/", "z", "é/"].toSorted());
  const plain = await s3.listObjects({ Bucket, MaxKeys: 2 });
  expect(plain).toMatchObject({ IsTruncated: true, Marker: "" });
  expect(plain.NextMarker).toBeUndefined();
});

test("pages of any size list what one page lists, whatever the keys", async () => {
  const part = fc.constantFrom("a", "b", "/", "//", "\u{10FFFF}", "é", "\x00");
  const key = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 20 }),
      fc.constantFrom("", "a", "/", "b/"),
      fc.constantFrom(undefined, "/", "a/"),
      fc.integer({ min: 1, max: 4 }),
      async (stored, prefix, delimiter, limit) => {
        const store = createMemoryStore();
        await store.transact(async (tx) => {
          for (const each of stored) tx.set(["l", each], 1);
        });
        const page = (after: Position | undefined, size: number) =>
          store.read((reader) => list(reader, { base: ["l"], prefix, delimiter, after, limit: size }));
        const whole = await page(undefined, 1000);
        const items: string[] = [];
        const groups: string[] = [];
        let after: Position | undefined;
        do {
          const next = await page(after, limit);
          items.push(...next.items.map((each) => each.key));
          groups.push(...next.commonPrefixes);
          after = next.next;
        } while (after);
        expect(items).toEqual(whole.items.map((each) => each.key));
        expect(groups).toEqual(whole.commonPrefixes);
        expect(new Set(groups).size).toBe(groups.length);
        const matching = stored.filter((each) => each.startsWith(prefix));
        const rolled = matching.filter(
          (each) => delimiter !== undefined && each.indexOf(delimiter, prefix.length) !== -1,
        );
        expect(items.length).toBe(matching.length - rolled.length);
      },
    ),
    { numRuns: 200 },
  );
});

describe("versions", () => {
  const versioned = "versioned";
  const put = async (Key: string, Body: string) =>
    (await s3.putObject({ Bucket: versioned, Key, Body })).VersionId ?? "";
  const read = async (Key: string, VersionId?: string) =>
    (await s3.getObject({ Bucket: versioned, Key, ...(VersionId && { VersionId }) })).Body?.transformToString();
  const enable = (Status: "Enabled" | "Suspended") =>
    s3.putBucketVersioning({ Bucket: versioned, VersioningConfiguration: { Status } });
  const history = async (Prefix: string) => {
    const page = await s3.listObjectVersions({ Bucket: versioned, Prefix });
    return { versions: page.Versions ?? [], markers: page.DeleteMarkers ?? [] };
  };

  beforeAll(async () => {
    await s3.createBucket({ Bucket: versioned });
    await s3.putObject({ Bucket: versioned, Key: "before", Body: "null version" });
    await enable("Enabled");
  });

  test("are kept, each readable by its id, the latest by none", async () => {
    const [first, second] = [await put("kept", "one"), await put("kept", "two")];
    expect(first).toMatch(/^\w{32}$/);
    expect(await read("kept")).toBe("two");
    expect(await read("kept", first)).toBe("one");
    const { versions } = await history("kept");
    expect(versions.map(({ VersionId, IsLatest, Size }) => [VersionId, IsLatest, Size])).toEqual([
      [second, true, 3],
      [first, false, 3],
    ]);
  });

  test("hide behind a delete marker, and come back when it is deleted", async () => {
    const version = await put("hidden", "x");
    const deleted = await s3.deleteObject({ Bucket: versioned, Key: "hidden" });
    expect(deleted).toMatchObject({ DeleteMarker: true, VersionId: expect.stringMatching(/^\w{32}$/) });
    expect(await refusalOf(read("hidden"))).toContain("404 NoSuchKey");
    expect(await read("hidden", version)).toBe("x");
    expect((await s3.listObjectsV2({ Bucket: versioned, Prefix: "hidden" })).KeyCount).toBe(0);
    const { markers } = await history("hidden");
    expect(markers).toMatchObject([{ VersionId: deleted.VersionId, IsLatest: true }]);
    const marker = { Bucket: versioned, Key: "hidden", VersionId: deleted.VersionId };
    expect(await refusalOf(s3.getObject(marker))).toBe(
      "405 MethodNotAllowed: The specified method is not allowed against this resource.",
    );
    expect(await s3.deleteObject(marker)).toMatchObject({ DeleteMarker: true, VersionId: deleted.VersionId });
    expect(await read("hidden")).toBe("x");
  });

  test("go for good one by one, the one below coming to light", async () => {
    const [first, second] = [await put("onebyone", "1"), await put("onebyone", "2")];
    await s3.deleteObject({ Bucket: versioned, Key: "onebyone", VersionId: second });
    expect(await read("onebyone")).toBe("1");
    await s3.deleteObject({ Bucket: versioned, Key: "onebyone", VersionId: first });
    expect(await history("onebyone")).toEqual({ versions: [], markers: [] });
    expect(await refusalOf(read("onebyone", first))).toBe("404 NoSuchVersion: The specified version does not exist.");
  });

  test("of the time before versioning are the null version", async () => {
    const later = await put("before", "a version");
    const { versions } = await history("before");
    expect(versions.map((each) => each.VersionId)).toEqual([later, "null"]);
    expect(await read("before", "null")).toBe("null version");
  });

  test("are replaced only as the null version while versioning is suspended", async () => {
    const kept = await put("suspended", "kept");
    await enable("Suspended");
    await s3.putObject({ Bucket: versioned, Key: "suspended", Body: "null 1" });
    await s3.putObject({ Bucket: versioned, Key: "suspended", Body: "null 2" });
    expect((await history("suspended")).versions.map((each) => each.VersionId)).toEqual(["null", kept]);
    expect(await read("suspended")).toBe("null 2");
    expect(await s3.deleteObject({ Bucket: versioned, Key: "suspended" })).toMatchObject({ VersionId: "null" });
    expect((await history("suspended")).versions.map((each) => each.VersionId)).toEqual([kept]);
    await enable("Enabled");
  });

  test("are listed page by page, each once", async () => {
    for (const Key of ["page/a", "page/b"]) for (const Body of ["1", "2", "3"]) await put(Key, Body);
    const whole = (await history("page/")).versions.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]);
    const seen: unknown[] = [];
    let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
    while (marker) {
      const page: ListObjectVersionsOutput = await s3.listObjectVersions({
        Bucket: versioned,
        Prefix: "page/",
        MaxKeys: 2,
        ...marker,
      });
      seen.push(...(page.Versions ?? []).map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]));
      marker = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker ?? "", VersionIdMarker: page.NextVersionIdMarker ?? "" }
        : undefined;
    }
    expect(seen).toEqual(whole);
    expect(whole).toHaveLength(6);
  });

  test("keep a bucket from being deleted", async () => {
    expect(await refusalOf(s3.deleteBucket({ Bucket: versioned }))).toBe(
      "409 BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    );
  });

  test.each(["nonsense", "../x", "a".repeat(32)])("refuse the id %s", async (VersionId) => {
    expect(await refusalOf(read("kept", VersionId))).toMatch(
      /^(400 InvalidArgument: Invalid version id specified|404 NoSuchVersion)/,
    );
  });
});
