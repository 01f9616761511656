import { describe, expect, test } from "vitest";
import { ConfigError, parseStore, readConfig } from "./config.ts";

describe("--store", () => {
  test.each([undefined, "", "embedded"])("%s is the embedded store", (text) => {
    expect(parseStore(text)).toEqual({ kind: "embedded" });
  });

  test("takes the address of a PostgreSQL, goes before CUMULET_STORE, and may come from it", () => {
    const url = "postgres://u:p@db:5432/cumulet";
    expect(readConfig({ store: url }, { CUMULET_STORE: "embedded" }).store).toEqual({ kind: "postgres", url });
    expect(readConfig({}, { CUMULET_STORE: url }).store).toEqual({ kind: "postgres", url });
  });

  test.each([
    ["mysql://root:secret@db/x", "has the scheme mysql"],
    ["/var/lib/secret", "has no scheme"],
    ["postgres://u:secret#x@y/z:9:9", "no URL"],
  ])("refuses what it does not know, without repeating it: %s", (text, message) => {
    expect(() => parseStore(text)).toThrow(message);
    expect(() => parseStore(text)).not.toThrow("secret");
  });
});

test("CUMULET_SERVER_KEY must be 64 hex digits", () => {
  expect(() => readConfig({}, { CUMULET_SERVER_KEY: "secret" })).toThrow(/64 hex digits/);
  expect(() => readConfig({}, { CUMULET_SERVER_KEY: "secret" })).not.toThrow("secret");
});

describe("--workers", () => {
  test("is one unless told, by flag before variable", () => {
    const machine = { cores: 4, memoryBytes: 8 * 2 ** 30 };
    expect(readConfig({}, {}, machine).workers).toBe(4);
    expect(readConfig({}, {}, { ...machine, memoryBytes: 2 ** 30 }).workers).toBe(2);
    expect(readConfig({}, {}, { ...machine, memoryBytes: 2 ** 20 }).workers).toBe(1);
    expect(readConfig({ dev: true }, {}, machine).workers).toBe(1);
    expect(readConfig({ dev: true, workers: "3" }, {}, machine).workers).toBe(3);
    expect(readConfig({}, { CUMULET_WORKERS: "3" }).workers).toBe(3);
    expect(readConfig({ workers: "2" }, { CUMULET_WORKERS: "3" }).workers).toBe(2);
  });

  test.each(["0", "129", "1.5", "-1", "many", ""])("refuses %j", (workers) => {
    expect(() => readConfig({ workers }, {})).toThrow("--workers takes a number from 1 to 128");
  });
});

describe("--blobs", () => {
  const postgres = "postgres://user@host/db";
  const keys = { CUMULET_BLOBS_ACCESS_KEY_ID: "AKIA", CUMULET_BLOBS_SECRET_ACCESS_KEY: "hidden" };
  const s3 = "s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-west-1";

  test("is files beside the embedded store, and the store where nodes share one", () => {
    expect(readConfig({}, {}).blobs).toEqual({ kind: "files" });
    expect(readConfig({ store: postgres }, {}).blobs).toEqual({ kind: "store" });
    expect(readConfig({ blobs: "store" }, {}).blobs).toEqual({ kind: "store" });
  });

  test("names a bucket, and takes its credentials from the environment alone", () => {
    expect(readConfig({ blobs: s3 }, keys).blobs).toMatchObject({
      kind: "s3",
      location: { bucket: "bucket", prefix: "prefix/", region: "eu-west-1" },
    });
    expect(() => readConfig({ blobs: s3 }, {})).toThrow("CUMULET_BLOBS_ACCESS_KEY_ID");
    expect(() => readConfig({ blobs: "s3://AKIA:hidden@bucket/" }, keys)).toThrow("holds no credentials");
    expect(() => readConfig({ blobs: "s3://AKIA:hidden@bucket/" }, keys)).not.toThrow("hidden");
  });

  test("refuses files of one node where nodes share a store", () => {
    expect(() => readConfig({ store: postgres, blobs: "files" }, {})).toThrow("with PostgreSQL take store or s3://");
  });

  test.each([
    "disk",
    "https://host/bucket",
    "s3://bucket?endpoint=http://s3.example.com&region=x",
    "s3://bucket?endpoint=https://host/path&region=x",
    "s3://B?endpoint=https://host&region=x",
    "s3://bucket?endpoint=https://host&region=x&acl=public",
  ])("refuses %j", (blobs) => {
    expect(() => readConfig({ blobs }, keys)).toThrow(ConfigError);
  });
});

const read = (text: string) => readConfig({}, { CUMULET_USER_POOL_ISSUERS: text }).userPoolIssuers;

describe("CUMULET_USER_POOL_ISSUERS", () => {
  const pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";

  test("names issuers by the ARNs of pools", () => {
    expect(read("")).toEqual({});
    expect(read(`${pool}=https://a.example/x, ${pool}d=http://localhost:9000`)).toEqual({
      [pool]: "https://a.example/x",
      [`${pool}d`]: "http://localhost:9000",
    });
  });

  test.each(["https://a.example", `${pool}=`, `${pool}=ftp://a.example`, "arn:aws:iam::000000000000:role/x=https://a"])(
    "refuses %s",
    (text) => {
      expect(() => read(text)).toThrow("CUMULET_USER_POOL_ISSUERS");
    },
  );
});
