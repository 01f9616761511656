import type { LifecycleRule, S3 } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../kernel/clock.ts";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../testing/s3.ts";
import { findDue } from "./lifecycle/due.ts";
import type { LifecycleRule as StoredRule, StoredObject } from "./model.ts";

const dayMs = 86_400_000;
/** It runs as this machine's, so many milliseconds ahead: one that stood still would call every timer of the days between. */
let aheadMs = 0;
const clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  advance: (ms: number) => {
    aheadMs += ms;
  },
};

let platform: TestPlatform;
let s3: S3;
let reader: S3;
let Bucket = "";
let count = 0;
/** When the test began: half past ten in the morning (UTC) of a day of its own. */
let begun = 0;

beforeAll(async () => {
  platform = await startTestPlatform({ clock, durable: true });
  const Statement = { Effect: "Allow", Action: "s3:GetLifecycleConfiguration", Resource: "*" };
  reader = atPlatformTime(await userClient(platform, "reader", [Statement]));
  s3 = atPlatformTime(s3Client(platform));
});
afterAll(() => platform.stop());
beforeEach(async () => {
  begun = (Math.floor(clock.now() / dayMs) + 1) * dayMs + 10.5 * 3_600_000;
  clock.advance(begun - clock.now());
  Bucket = `ages-${(count += 1)}`;
  await s3.createBucket({ Bucket });
});

/** The platform's clock is ahead of this machine's: requests are signed by it. */
function atPlatformTime(client: S3): S3 {
  client.middlewareStack.add(
    (next) => (args) => {
      client.config.systemClockOffset = clock.now() - Date.now();
      return next(args);
    },
    { step: "initialize" },
  );
  return client;
}

const configure = (...Rules: object[]) =>
  s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules: Rules as LifecycleRule[] } });

const midnight = (days: number) => new Date((Math.floor(begun / dayMs) + days) * dayMs);
const classOf = async (Key: string) => (await s3.headObject({ Bucket, Key })).StorageClass;
const rule = (more: object) => ({ ID: "r", Status: "Enabled", Filter: { Prefix: "" }, ...more });
const put = (Key: string, Body = "x", more: object = {}) => s3.putObject({ Bucket, Key, Body, ...more });

/** What is there once so many days have passed and the sweep has been: keys, a `-` before those that are delete markers. */
async function after(days: number): Promise<string[]> {
  clock.advance(begun + days * dayMs - clock.now());
  await platform.platform.jobs.drain();
  const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket });
  return [
    ...Versions.map(({ Key, IsLatest }) => (IsLatest ? `${Key}` : `(${Key})`)),
    ...DeleteMarkers.map(({ Key }) => `-${Key}`),
  ].toSorted();
}

describe("Objects", () => {
  test("expire at the midnight after their days, and answers say when", async () => {
    await configure(rule({ ID: "old logs", Filter: { Prefix: "logs/" }, Expiration: { Days: 3 } }));
    const expiration = `expiry-date="${midnight(4).toUTCString()}", rule-id="old%20logs"`;
    expect((await put("logs/a")).Expiration).toBe(expiration);
    expect((await put("kept")).Expiration).toBeUndefined();
    expect((await s3.headObject({ Bucket, Key: "logs/a" })).Expiration).toBe(expiration);
    expect(await after(3.5)).toEqual(["kept", "logs/a"]);
    expect(await after(3.6)).toEqual(["kept"]);
  });

  test("expire on a date, also those that came before the rule", async () => {
    await put("a");
    await configure(rule({ Expiration: { Date: midnight(2) } }));
    expect(await after(1)).toEqual(["a"]);
    expect(await after(2)).toEqual([]);
  });

  test("of a bucket with versions get a delete marker, which goes when nothing is under it", async () => {
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    await put("a");
    await configure(
      rule({ ID: "1", Expiration: { Days: 1 } }),
      rule({ ID: "2", NoncurrentVersionExpiration: { NoncurrentDays: 1 } }),
      rule({ ID: "3", Expiration: { ExpiredObjectDeleteMarker: true } }),
    );
    expect(await after(2)).toEqual(["(a)", "-a"]);
    expect(await after(4)).toEqual(["-a"]);
    expect(await after(5)).toEqual([]);
  });

  test("of old are kept as many as the rule says", async () => {
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    for (const body of ["1", "2", "3", "4"]) await put("a", body);
    await configure(rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } }));
    expect(await after(2)).toEqual(["(a)", "(a)", "a"]);
    const { Versions = [] } = await s3.listObjectVersions({ Bucket });
    const bodies = Versions.map(async ({ VersionId }) =>
      (await s3.getObject({ Bucket, Key: "a", VersionId })).Body?.transformToString(),
    );
    expect(await Promise.all(bodies)).toEqual(["4", "3", "2"]);
  });

  test("that no filter means stay", async () => {
    await put("tagged", "x", { Tagging: "keep=no&team=a" });
    await put("other", "x", { Tagging: "keep=yes" });
    await put("large", "x".repeat(2_000), { Tagging: "keep=no" });
    await put("out/tagged", "x", { Tagging: "keep=no" });
    const And = { Prefix: "", Tags: [{ Key: "keep", Value: "no" }], ObjectSizeLessThan: 1_000 };
    await configure(
      rule({ ID: "1", Filter: { And: { ...And, Prefix: "t" } }, Expiration: { Days: 1 } }),
      rule({ ID: "2", Filter: { ObjectSizeGreaterThan: 2_000 }, Expiration: { Days: 1 } }),
      rule({ ID: "3", Status: "Disabled", Expiration: { Days: 1 } }),
    );
    expect(await after(3)).toEqual(["large", "other", "out/tagged"]);
  });

  test("move to another class, small ones only where the rule speaks of sizes", async () => {
    await put("large", "x".repeat(128 * 1024));
    await put("small");
    await configure(
      rule({ ID: "1", Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }] }),
      rule({ ID: "2", Filter: { ObjectSizeLessThan: 10 }, Transitions: [{ Days: 60, StorageClass: "ONEZONE_IA" }] }),
    );
    await after(31);
    expect([await classOf("large"), await classOf("small")]).toEqual(["STANDARD_IA", undefined]);
    await after(62);
    expect([await classOf("large"), await classOf("small")]).toEqual(["STANDARD_IA", "ONEZONE_IA"]);
  });

  test("expire after a restart, too, and by thousands", async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => put(`many/${n}`)));
    await configure(rule({ Expiration: { Days: 1 } }));
    await platform.platform.jobs.drain();
    await platform.restart();
    s3 = atPlatformTime(s3Client(platform));
    expect(await after(2)).toEqual([]);
  });
});

test("Uploads that nobody completes are aborted, and answers say when", async () => {
  await configure(rule({ ID: "up", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }));
  const upload = await s3.createMultipartUpload({ Bucket, Key: "k" });
  const AbortDate = midnight(3);
  expect(upload).toMatchObject({ AbortDate, AbortRuleId: "up" });
  const name = { Bucket, Key: "k", UploadId: upload.UploadId };
  await s3.uploadPart({ ...name, PartNumber: 1, Body: "p" });
  expect(await s3.listParts(name)).toMatchObject({ AbortDate, AbortRuleId: "up" });
  await after(2);
  await s3.listParts(name);
  await after(3);
  expect(await refusalOf(s3.listParts(name))).toMatch(/^404 NoSuchUpload/);
});

test("GetBucketLifecycleConfiguration answers what was put, until it is deleted", async () => {
  const none = "404 NoSuchLifecycleConfiguration: The lifecycle configuration does not exist";
  expect(await refusalOf(s3.getBucketLifecycleConfiguration({ Bucket }))).toBe(none);
  const Rules = [
    { ID: "a", Status: "Enabled", Prefix: "old/", Expiration: { Days: 90 } },
    {
      ID: "b",
      Status: "Disabled",
      Filter: { And: { Prefix: "p", Tags: [{ Key: "k", Value: "v" }], ObjectSizeGreaterThan: 5 } },
      Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }],
      NoncurrentVersionTransitions: [{ NoncurrentDays: 30, NewerNoncurrentVersions: 3, StorageClass: "ONEZONE_IA" }],
    },
    { ID: "c", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { ExpiredObjectDeleteMarker: true } },
    {
      ID: "d",
      Status: "Enabled",
      Filter: { Tag: { Key: "k", Value: "v" } },
      Expiration: { Date: new Date("2040-01-01") },
    },
    {
      ID: "e",
      Status: "Enabled",
      Filter: { ObjectSizeLessThan: 9 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    },
    { ID: "f", Status: "Enabled", Filter: { Prefix: "x" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
  ];
  await configure(...Rules);
  expect(await s3.getBucketLifecycleConfiguration({ Bucket })).toEqual({
    $metadata: expect.anything(),
    Rules,
    TransitionDefaultMinimumObjectSize: "all_storage_classes_128K",
  });
  await s3.deleteBucketLifecycle({ Bucket });
  expect(await refusalOf(s3.getBucketLifecycleConfiguration({ Bucket }))).toBe(none);
  await put("old/a");
  expect(await after(100)).toEqual(["old/a"]);
});

describe("PutBucketLifecycleConfiguration refuses", () => {
  const malformed =
    "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";
  const Days = { Expiration: { Days: 1 } };
  test.each<[string, object[], string | RegExp]>([
    ["no rules", [], malformed],
    ["a rule without an action", [rule({})], "400 InvalidRequest: At least one action needs to be specified in a rule"],
    [
      "an id twice",
      [rule(Days), rule(Days)],
      "400 InvalidArgument: Rule ID must be unique. Found same ID for more than one rule",
    ],
    [
      "an id too long",
      [rule({ ...Days, ID: "i".repeat(256) })],
      "400 InvalidArgument: ID length should not exceed allowed limit of 255",
    ],
    ["a prefix and a filter", [rule({ ...Days, Prefix: "a" })], malformed],
    ["neither", [{ Status: "Enabled", ...Days }], malformed],
    ["two filters outside And", [rule({ ...Days, Filter: { Prefix: "a", ObjectSizeLessThan: 3 } })], malformed],
    [
      "sizes that exclude each other",
      [rule({ ...Days, Filter: { And: { ObjectSizeGreaterThan: 3, ObjectSizeLessThan: 3 } } })],
      "400 InvalidRequest: 'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
    ],
    ["no days", [rule({ Expiration: {} })], malformed],
    ["days and a date", [rule({ Expiration: { Days: 1, Date: new Date(0) } })], malformed],
    [
      "zero days",
      [rule({ Expiration: { Days: 0 } })],
      "400 InvalidArgument: 'Days' for Expiration action must be a positive integer",
    ],
    [
      "a date within a day",
      [rule({ Expiration: { Date: new Date(5_000) } })],
      "400 InvalidArgument: 'Date' must be at midnight GMT",
    ],
    [
      "zero noncurrent days",
      [rule({ NoncurrentVersionExpiration: { NoncurrentDays: 0 } })],
      "400 InvalidArgument: 'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
    ],
    [
      "more versions than a hundred",
      [rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } })],
      /^400 InvalidArgument: 'NewerNoncurrentVersions'/,
    ],
    [
      "zero days for uploads",
      [rule({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 0 } })],
      "400 InvalidArgument: 'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
    ],
    [
      "uploads by tag",
      [rule({ Filter: { Tag: { Key: "a", Value: "b" } }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })],
      "400 InvalidRequest: AbortIncompleteMultipartUpload cannot be specified with Tags.",
    ],
    [
      "delete markers by size",
      [rule({ Filter: { ObjectSizeLessThan: 1 }, Expiration: { ExpiredObjectDeleteMarker: true } })],
      "400 InvalidRequest: ExpiredObjectDeleteMarker cannot be specified with ObjectSizeLessThan.",
    ],
    [
      "a move too early",
      [rule({ Transitions: [{ Days: 29, StorageClass: "STANDARD_IA" }] })],
      "400 InvalidArgument: 'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
    ],
    [
      "an end before the move",
      [rule({ Expiration: { Days: 30 }, Transitions: [{ Days: 30, StorageClass: "ONEZONE_IA" }] })],
      "400 InvalidArgument: 'Days' in the Expiration action for filter '(prefix=)' must be greater than 'Days' in the Transition action",
    ],
    [
      "an archive, by name",
      [rule({ Transitions: [{ Days: 30, StorageClass: "GLACIER" }] })],
      /^501 NotImplemented: .*GLACIER/,
    ],
  ])("%s", async (_what, rules, refusal) => {
    expect(await refusalOf(configure(...rules))).toMatch(refusal);
    expect(await refusalOf(s3.getBucketLifecycleConfiguration({ Bucket }))).toMatch(/^404 NoSuchLifecycle/);
  });

  test("whoever may not", async () => {
    await expect(reader.deleteBucketLifecycle({ Bucket })).rejects.toMatchObject({ name: "AccessDenied" });
    const LifecycleConfiguration = { Rules: [rule({ Expiration: { Days: 1 } })] as LifecycleRule[] };
    await expect(reader.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration })).rejects.toMatchObject({
      name: "AccessDenied",
    });
  });
});

test("What is due stays due: time passing never brings an object back, and a disabled rule does nothing", () => {
  const object = {
    kind: "object",
    modifiedAt: 0,
    size: 200_000,
    tags: [],
    storageClass: "STANDARD",
  } as unknown as StoredObject;
  const rules = fc.array(
    fc.record({
      id: fc.uuid(),
      enabled: fc.boolean(),
      filter: fc.constant({ form: "one", prefix: "", tags: [] } as const),
      expiration: fc.option(fc.record({ days: fc.integer({ min: 1, max: 50 }) }), { nil: undefined }),
      transitions: fc.array(
        fc.record({
          days: fc.integer({ min: 0, max: 50 }),
          storageClass: fc.constantFrom("STANDARD_IA", "ONEZONE_IA"),
        }),
        { maxLength: 2 },
      ),
      noncurrentTransitions: fc.constant([]),
    }),
  );
  fc.assert(
    fc.property(rules, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (given, day, later) => {
      const at = (days: number) =>
        findDue(
          given as unknown as StoredRule[],
          { key: "k", version: object, replacedAt: undefined, newer: 0, alone: true },
          days * dayMs,
        );
      if (at(day)?.kind === "expire") expect(at(day + later)?.kind).toBe("expire");
      if (given.every(({ enabled }) => !enabled)) expect(at(day)).toBeUndefined();
    }),
  );
});
