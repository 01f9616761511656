import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { S3, WebsiteConfiguration } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../../testing/platform.ts";
import { refusalOf, s3Client } from "../../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
});
afterAll(() => platform.stop());

/** A website that everybody may read, of which nobody may list the objects. */
async function newSite(WebsiteConfiguration: WebsiteConfiguration, actions = ["s3:GetObject"]) {
  const Bucket = `site-${(count += 1)}`;
  await s3.createBucket({ Bucket });
  await s3.deletePublicAccessBlock({ Bucket });
  const Resource = [`arn:aws:s3:::${Bucket}/*`, `arn:aws:s3:::${Bucket}`];
  const Statement = [{ Effect: "Allow", Principal: "*", Action: actions, Resource }];
  await s3.putBucketPolicy({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
  await s3.putBucketWebsite({ Bucket, WebsiteConfiguration });
  return Bucket;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** As a browser that was given the website's name. */
function get(host: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = platform;
    const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers: { host, ...headers } }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (body += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

const hostOf = (bucket: string) => `${bucket}.s3-website-us-east-1.localhost:${platform.port}`;
const index = { IndexDocument: { Suffix: "index.html" } };
const put = (Bucket: string, Key: string, Body: string, more: object = {}) =>
  s3.putObject({ Bucket, Key, Body, ContentType: "text/html", ...more });

describe("a website", () => {
  test("answers pages, the index of folders, and sends folders on to their slash", async () => {
    const bucket = await newSite(index);
    await put(bucket, "index.html", "home");
    await put(bucket, "docs/index.html", "docs");
    await put(bucket, "a b.html", "spaced");
    const home = await get(hostOf(bucket), "/");
    expect(home).toMatchObject({ status: 200, body: "home" });
    expect(home.headers).toMatchObject({ "content-type": "text/html", server: "AmazonS3" });
    expect(await get(hostOf(bucket), "/index.html?x=1")).toMatchObject({ status: 200, body: "home" });
    expect(await get(hostOf(bucket), "/a%20b.html")).toMatchObject({ status: 200, body: "spaced" });
    expect(await get(hostOf(bucket), "/docs/")).toMatchObject({ status: 200, body: "docs" });
    const folder = await get(hostOf(bucket), "/docs");
    expect(folder).toMatchObject({ status: 302, headers: { location: "/docs/", "x-amz-error-code": "Found" } });
    expect(folder.body).toContain("<li>Code: Found</li>\n<li>Message: Resource Found</li>");
    // The other form of the name, and the one for clients that cannot resolve either.
    const dotted = `${bucket}.s3-website.us-east-1.localhost:${platform.port}`;
    expect(await get(dotted, "/docs/")).toMatchObject({ status: 200, body: "docs" });
    const path = `/_cumulet/website/${bucket}`;
    const inPath = await get("127.0.0.1", `${path}/docs/`);
    expect(inPath).toMatchObject({ status: 200, body: "docs" });
    expect((await get("127.0.0.1", `${path}/docs`)).headers.location).toBe(`${path}/docs/`);
    expect((await get("127.0.0.1", path)).headers.location).toBe(`${path}/`);
    // There its pages would be of the same origin as the platform's: no script of theirs may act there.
    expect(inPath.headers["content-security-policy"]).toMatch(/^sandbox (?!.*allow-same-origin)/);
    expect((await get(dotted, "/docs/")).headers).not.toHaveProperty("content-security-policy");
  });

  test("answers HEAD, conditions and ranges as S3 does", async () => {
    const bucket = await newSite(index);
    await put(bucket, "index.html", "0123456789");
    const host = hostOf(bucket);
    const head = await get(host, "/", {}, "HEAD");
    expect(head).toMatchObject({ status: 200, body: "", headers: { "content-length": "10" } });
    const etag = head.headers.etag ?? "";
    expect(await get(host, "/", { "if-none-match": etag })).toMatchObject({ status: 304, body: "" });
    expect((await get(host, "/", { "if-modified-since": new Date(Date.now() + 5000).toUTCString() })).status).toBe(304);
    expect((await get(host, "/", { "if-match": '"x"' })).status).toBe(412);
    const part = await get(host, "/", { range: "bytes=2-4" });
    expect(part).toMatchObject({ status: 206, body: "234", headers: { "content-range": "bytes 2-4/10" } });
    expect((await get(host, "/", { range: "bytes=90-" })).status).toBe(416);
    for (const method of ["PUT", "POST", "DELETE"]) {
      const refused = await get(host, "/", {}, method);
      expect(refused).toMatchObject({ status: 405, headers: { "x-amz-error-code": "MethodNotAllowed" } });
    }
  });

  test("says in HTML what is wrong", async () => {
    const bucket = await newSite(index);
    const host = hostOf(bucket);
    const denied = await get(host, "/missing");
    expect(denied).toMatchObject({ status: 403, headers: { "content-type": "text/html; charset=utf-8" } });
    expect(denied.body).toContain(
      "<h1>403 Forbidden</h1>\n<ul>\n<li>Code: AccessDenied</li>\n<li>Message: Access Denied</li>",
    );
    expect(denied.body).toContain(`<li>RequestId: ${denied.headers["x-amz-request-id"]}</li>`);
    const listed = await newSite(index, ["s3:GetObject", "s3:ListBucket"]);
    const missing = await get(hostOf(listed), "/missing/");
    expect(missing.status).toBe(404);
    expect(missing.body).toContain(
      "<li>Code: NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>\n<li>Key: missing/index.html</li>",
    );
    expect((await get(hostOf("not-there"), "/")).body).toContain("<li>Code: NoSuchBucket</li>");
    await s3.deleteBucketWebsite({ Bucket: bucket });
    const none = await get(host, "/");
    expect(none).toMatchObject({ status: 404, headers: { "x-amz-error-code": "NoSuchWebsiteConfiguration" } });
    expect(await refusalOf(s3.getBucketWebsite({ Bucket: bucket }))).toBe(
      "404 NoSuchWebsiteConfiguration: The specified bucket does not have a website configuration",
    );
    const elsewhere = await get(`${listed}.s3-website-eu-west-1.localhost:${platform.port}`, "/");
    expect(elsewhere).toMatchObject({ status: 400, headers: { "x-amz-error-code": "IncorrectEndpoint" } });
    expect((await get(hostOf(listed), "/%zz")).status).toBe(400);
  });

  test("answers its error document with the status of what went wrong", async () => {
    const bucket = await newSite({ ...index, ErrorDocument: { Key: "error.html" } }, ["s3:GetObject", "s3:ListBucket"]);
    const without = await get(hostOf(bucket), "/missing");
    expect(without.status).toBe(404);
    expect(without.body).toContain(
      "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n<li>Code: NoSuchKey</li>",
    );
    await put(bucket, "error.html", "<b>gone</b>");
    const told = await get(hostOf(bucket), "/missing", { range: "bytes=0-1" });
    expect(told).toMatchObject({ status: 404, body: "<b>gone</b>", headers: { "content-type": "text/html" } });
    expect(told.headers["x-amz-error-code"]).toBe("NoSuchKey");
    expect(await get(hostOf(bucket), "/missing", {}, "HEAD")).toMatchObject({ status: 404, body: "" });
  });

  test("is of those alone whom the bucket lets in", async () => {
    const bucket = await newSite(index, ["s3:ListBucket"]);
    await put(bucket, "index.html", "home");
    expect((await get(hostOf(bucket), "/")).status).toBe(403);
    // The website says nothing of what may be read: a signature counts for nothing here.
    expect((await get(hostOf(bucket), "/", { authorization: "AWS4-HMAC-SHA256 x" })).status).toBe(403);
  });

  test("answers pages of other origins as the bucket's CORS configuration says", async () => {
    const bucket = await newSite(index);
    await put(bucket, "index.html", "home");
    const CORSRules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["https://a.example"] }];
    await s3.putBucketCors({ Bucket: bucket, CORSConfiguration: { CORSRules } });
    const asked = await get(hostOf(bucket), "/", { origin: "https://a.example" });
    expect(asked.headers["access-control-allow-origin"]).toBe("https://a.example");
    const preflight = { origin: "https://a.example", "access-control-request-method": "GET" };
    expect((await get(hostOf(bucket), "/", preflight, "OPTIONS")).status).toBe(200);
    expect((await get(hostOf(bucket), "/", { ...preflight, origin: "https://b.example" }, "OPTIONS")).status).toBe(403);
  });
});

describe("redirects", () => {
  test("of objects are what they say", async () => {
    const bucket = await newSite(index);
    await put(bucket, "old", "", { WebsiteRedirectLocation: "/new" });
    await put(bucket, "away", "", { WebsiteRedirectLocation: "https://example.com/x" });
    const old = await get(hostOf(bucket), "/old");
    expect(old).toMatchObject({ status: 301, body: "", headers: { location: "/new", "content-length": "0" } });
    expect((await get(hostOf(bucket), "/away")).headers.location).toBe("https://example.com/x");
    const path = `/_cumulet/website/${bucket}`;
    expect((await get("127.0.0.1", `${path}/old`)).headers.location).toBe(`${path}/new`);
    // At the REST endpoint it is an object with a header.
    expect((await s3.getObject({ Bucket: bucket, Key: "old" })).WebsiteRedirectLocation).toBe("/new");
  });

  test("of all requests keep the path", async () => {
    const bucket = await newSite({ RedirectAllRequestsTo: { HostName: "www.example.com", Protocol: "https" } });
    const { status, headers } = await get(hostOf(bucket), "/a/b?c=d");
    expect(status).toBe(301);
    expect(headers.location).toBe("https://www.example.com/a/b?c=d");
    expect((await s3.getBucketWebsite({ Bucket: bucket })).RedirectAllRequestsTo).toEqual({
      HostName: "www.example.com",
      Protocol: "https",
    });
  });

  test("by rules: the first that holds, by prefix before the object is looked for, by error after", async () => {
    const RoutingRules = [
      { Condition: { KeyPrefixEquals: "docs/" }, Redirect: { ReplaceKeyPrefixWith: "documents/" } },
      { Condition: { KeyPrefixEquals: "one" }, Redirect: { ReplaceKeyWith: "other page", HttpRedirectCode: "302" } },
      {
        Condition: { KeyPrefixEquals: "api/", HttpErrorCodeReturnedEquals: "403" },
        Redirect: { HostName: "api.example.com", Protocol: "https" as const },
      },
      {
        Condition: { HttpErrorCodeReturnedEquals: "403" },
        Redirect: { HostName: "example.com", ReplaceKeyPrefixWith: "report-404/" },
      },
    ];
    const bucket = await newSite({ ...index, RoutingRules });
    const host = hostOf(bucket);
    await put(bucket, "docs/there.html", "never seen");
    const locationOf = async (path: string) => {
      const { status, headers } = await get(host, path);
      return `${status} ${headers.location}`;
    };
    expect(await locationOf("/docs/there.html")).toBe(`301 http://${host}/documents/there.html`);
    expect(await locationOf("/one/two")).toBe(`302 http://${host}/other%20page`);
    expect(await locationOf("/api/users")).toBe("301 https://api.example.com/api/users");
    expect(await locationOf("/page.html")).toBe("301 http://example.com/report-404/page.html");
    const inPath = await get(`127.0.0.1:${platform.port}`, `/_cumulet/website/${bucket}/docs/x`);
    expect(inPath.headers.location).toBe(`${platform.endpoint}/_cumulet/website/${bucket}/documents/x`);
    expect((await s3.getBucketWebsite({ Bucket: bucket })).RoutingRules).toEqual(RoutingRules);
  });
});

describe("PutBucketWebsite", () => {
  const malformed =
    "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";
  const rule = (Redirect: object, Condition?: object) => ({ ...index, RoutingRules: [{ Redirect, Condition }] });
  test.each([
    [
      "400 InvalidArgument: A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
      { ErrorDocument: { Key: "e" } },
    ],
    ["400 InvalidArgument: The IndexDocument Suffix is not well formed", { IndexDocument: { Suffix: "a/b" } }],
    ["400 InvalidArgument: The IndexDocument Suffix is not well formed", { IndexDocument: { Suffix: "" } }],
    [
      "400 InvalidArgument: RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
      { ...index, RedirectAllRequestsTo: { HostName: "a" } },
    ],
    [malformed, { RedirectAllRequestsTo: {} }],
    [malformed, { ...index, ErrorDocument: {} }],
    [
      "400 InvalidRequest: You can only define ReplaceKeyPrefix or ReplaceKey but not both.",
      rule({ ReplaceKeyPrefixWith: "a", ReplaceKeyWith: "b" }),
    ],
    [
      "400 InvalidRequest: Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
      rule({ HostName: "a" }, {}),
    ],
    [
      "400 InvalidRequest: The provided HTTP redirect code (200) is not valid. Valid codes are 3XX except 300.",
      rule({ HttpRedirectCode: "200" }),
    ],
    [
      "400 InvalidRequest: The provided HTTP error code (301) is not valid. Valid codes are 4XX or 5XX.",
      rule({ HostName: "a" }, { HttpErrorCodeReturnedEquals: "301" }),
    ],
    [
      "400 InvalidRequest: The number of routing rules must not exceed the allowed limit of 50 rules.",
      { ...index, RoutingRules: Array.from({ length: 51 }, () => ({ Redirect: { HostName: "a" } })) },
    ],
  ])("answers %s", async (refusal, configuration) => {
    const Bucket = "site-1";
    const WebsiteConfiguration = configuration as object;
    expect(await refusalOf(s3.putBucketWebsite({ Bucket, WebsiteConfiguration }))).toBe(refusal);
  });
});
