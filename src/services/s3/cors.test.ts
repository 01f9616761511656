import type { CORSRule, S3 } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../testing/s3.ts";
import { allowCrossOrigin } from "./cors/rules.ts";

let platform: TestPlatform;
let s3: S3;
let Bucket = "";
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
});
afterAll(() => platform.stop());
beforeEach(async () => {
  Bucket = `shared-${(count += 1)}`;
  await s3.createBucket({ Bucket });
});

const configure = (...CORSRules: object[]) =>
  s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules: CORSRules as CORSRule[] } });

const page = { AllowedOrigins: ["https://page.example"], AllowedMethods: ["GET", "PUT"], AllowedHeaders: ["x-amz-*"] };

function ask(method: string, headers: Record<string, string>, path = `/${Bucket}/key`) {
  return fetch(platform.endpoint + path, { method, headers });
}

async function preflight(headers: Record<string, string>, path?: string) {
  const answer = await ask("OPTIONS", headers, path);
  const told = Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith("access-control")));
  return { status: answer.status, told, text: await answer.text(), vary: answer.headers.get("vary") };
}

describe("A preflight request", () => {
  test("is told what the first rule that fits allows", async () => {
    await configure(
      { AllowedOrigins: ["https://other.example"], AllowedMethods: ["GET"] },
      { ...page, ExposeHeaders: ["ETag", "x-amz-request-id"], MaxAgeSeconds: 600 },
      { AllowedOrigins: ["*"], AllowedMethods: ["GET"] },
    );
    const asked = {
      origin: "https://page.example",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "X-Amz-Date, x-amz-acl",
    };
    expect(await preflight(asked)).toEqual({
      status: 200,
      text: "",
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
      told: {
        "access-control-allow-origin": "https://page.example",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-amz-date, x-amz-acl",
        "access-control-expose-headers": "ETag, x-amz-request-id",
        "access-control-max-age": "600",
        "access-control-allow-credentials": "true",
      },
    });
    const anybody = await preflight({ origin: "https://third.example", "access-control-request-method": "GET" });
    expect(anybody.told).toEqual({ "access-control-allow-origin": "*", "access-control-allow-methods": "GET" });
  });

  const get = { origin: "https://page.example", "access-control-request-method": "GET" };
  const notAllowed = /^403 AccessForbidden CORSResponse: This CORS request is not allowed\./;
  test.each<[string, Record<string, string>, RegExp]>([
    ["another origin", { ...get, origin: "https://other.example" }, notAllowed],
    ["the origin's other scheme", { ...get, origin: "http://page.example" }, notAllowed],
    ["another method", { ...get, "access-control-request-method": "DELETE" }, notAllowed],
    ["another header", { ...get, "access-control-request-headers": "x-amz-date,authorization" }, notAllowed],
    [
      "no origin",
      { "access-control-request-method": "GET" },
      /^400 BadRequest Insufficient information\. Origin request header needed\.$/,
    ],
    ["no method", { origin: "https://page.example" }, /^400 BadRequest Invalid Access-Control-Request-Method: null$/],
    [
      "a method that there is not",
      { ...get, "access-control-request-method": "PATCH" },
      /^400 BadRequest Invalid Access-Control-Request-Method: PATCH$/,
    ],
  ])("with %s is refused", async (_what, headers, refusal) => {
    await configure(page);
    const { status, told, text } = await preflight(headers);
    const [, code, message] = /<Code>(.*)<\/Code><Message>(.*)<\/Message>/.exec(text) ?? [];
    expect(`${status} ${code} ${message}`).toMatch(refusal);
    expect(told).toEqual({});
  });

  test("to a bucket without a configuration, or to none, is refused", async () => {
    expect((await preflight(get)).text).toContain("CORSResponse: CORS is not enabled for this bucket.");
    expect((await preflight(get, "/is-not-there/key")).text).toContain("CORSResponse: Bucket not found");
    expect((await preflight(get, "/%zz/key")).status).toBe(403);
  });
});

test("Answers to pages of an allowed origin carry the headers, errors too; others do not", async () => {
  await configure(page);
  const allowed = await ask("GET", { origin: "https://page.example" });
  expect(allowed.status).toBe(403);
  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://page.example");
  for (const headers of [{ origin: "https://other.example" }, {}] as Record<string, string>[]) {
    const refused = await ask("GET", headers);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  }
  expect(
    (await ask("DELETE", { origin: "https://page.example" })).headers.get("access-control-allow-origin"),
  ).toBeNull();
});

test("GetBucketCors answers what was put, until it is deleted", async () => {
  const none = "404 NoSuchCORSConfiguration: The CORS configuration does not exist";
  expect(await refusalOf(s3.getBucketCors({ Bucket }))).toBe(none);
  await configure(
    { ID: "one", ...page, ExposeHeaders: ["ETag"], MaxAgeSeconds: 0 },
    { AllowedOrigins: ["*"], AllowedMethods: ["HEAD"] },
  );
  expect((await s3.getBucketCors({ Bucket })).CORSRules).toEqual([
    { ID: "one", ...page, ExposeHeaders: ["ETag"], MaxAgeSeconds: 0 },
    { AllowedOrigins: ["*"], AllowedMethods: ["HEAD"] },
  ]);
  await s3.deleteBucketCors({ Bucket });
  await s3.deleteBucketCors({ Bucket });
  expect(await refusalOf(s3.getBucketCors({ Bucket }))).toBe(none);
});

describe("PutBucketCors refuses", () => {
  const malformed =
    "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";
  test.each<[string, object[], string]>([
    ["no rules", [], malformed],
    ["more than a hundred", Array.from({ length: 101 }, () => page), malformed],
    ["a rule without origins", [{ AllowedMethods: ["GET"] }], malformed],
    ["a rule without methods", [{ AllowedOrigins: ["*"] }], malformed],
    [
      "a method of another kind",
      [{ ...page, AllowedMethods: ["PATCH"] }],
      "400 InvalidRequest: Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
    ],
    [
      "two wildcards in an origin",
      [{ ...page, AllowedOrigins: ["http://*.a.*"] }],
      '400 InvalidRequest: AllowedOrigin "http://*.a.*" can not have more than one wildcard.',
    ],
    [
      "two wildcards in a header",
      [{ ...page, AllowedHeaders: ["*-*"] }],
      '400 InvalidRequest: AllowedHeader "*-*" can not have more than one wildcard.',
    ],
    [
      "a wildcard in what is exposed",
      [{ ...page, ExposeHeaders: ["x-*"] }],
      '400 InvalidRequest: ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
    ],
    [
      "an id too long",
      [{ ...page, ID: "i".repeat(256) }],
      "400 InvalidRequest: The ID of a CORS rule must not be longer than 255 characters.",
    ],
  ])("%s", async (_what, rules, refusal) => {
    expect(await refusalOf(configure(...rules))).toBe(refusal);
  });

  test("whoever may not", async () => {
    const user = await userClient(platform, `u-${Bucket}`, [
      { Effect: "Allow", Action: "s3:GetBucketCORS", Resource: "*" },
    ]);
    await expect(
      user.putBucketCors({ Bucket, CORSConfiguration: { CORSRules: [page] as CORSRule[] } }),
    ).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(user.deleteBucketCors({ Bucket })).rejects.toMatchObject({ name: "AccessDenied" });
  });
});

test("An origin with a wildcard lets in what the wildcard stands for, and never more", () => {
  const label = fc.stringMatching(/^[a-z]{1,8}$/);
  const rule = { methods: ["GET"], origins: ["https://*.example"], headers: [], exposed: [] };
  fc.assert(
    fc.property(
      label,
      fc.constantFrom("https", "http"),
      fc.constantFrom("example", "example.org"),
      (name, scheme, end) => {
        const origin = `${scheme}://${name}.${end}`;
        const allowed = allowCrossOrigin([rule], { origin, method: "GET" });
        expect(allowed?.["access-control-allow-origin"]).toBe(
          scheme === "https" && end === "example" ? origin : undefined,
        );
      },
    ),
  );
});
