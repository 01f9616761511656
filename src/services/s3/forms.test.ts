import { createHmac } from "node:crypto";
import type { S3 } from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../testing/platform.ts";
import { refusalOf, s3Client, userClient } from "../../testing/s3.ts";

let platform: TestPlatform;
let s3: S3;
const Bucket = "forms";

beforeAll(async () => {
  platform = await startTestPlatform();
  s3 = s3Client(platform);
  await s3.createBucket({ Bucket });
});
afterAll(() => platform.stop());

type Fields = Readonly<Record<string, string>>;

async function sign(more: Partial<PresignedPostOptions> = {}, client = s3): Promise<Fields> {
  return (await createPresignedPost(client, { Bucket, Key: "key", ...more })).fields;
}

/** Posts a form as a browser does; the file comes last. */
async function post(fields: Fields, content: string | undefined = "hello", fileName = "a.txt", path = `/${Bucket}`) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (content !== undefined) form.append("file", new Blob([content], { type: "text/plain" }), fileName);
  return told(await fetch(platform.endpoint + path, { method: "POST", body: form, redirect: "manual" }));
}

async function told(answer: Response) {
  const text = await answer.text();
  const [, code = "", message = ""] = /<Code>(.*)<\/Code><Message>(.*)<\/Message>/s.exec(text) ?? [];
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    refusal: `${answer.status} ${code}: ${message.replaceAll("&quot;", '"')}`,
  };
}

const textOf = async (Key: string) => (await s3.getObject({ Bucket, Key })).Body?.transformToString();

describe("A form that somebody has signed", () => {
  test("makes an object, with what its fields say of it", async () => {
    const fields = await sign({
      Key: "up/${filename}",
      Fields: {
        "Content-Type": "image/png",
        "Cache-Control": "no-store",
        "x-amz-meta-color": "green",
        tagging: "<Tagging><TagSet><Tag><Key>a</Key><Value>b+c@d</Value></Tag></TagSet></Tagging>",
      },
      Conditions: [["starts-with", "$x-amz-meta-color", "gr"]],
    });
    const { status, headers, text } = await post(fields, "content", "Ä b.png");
    expect([status, text]).toEqual([204, ""]);
    expect(headers.get("location")).toBe(`${platform.endpoint}/forms/up/%C3%84%20b.png`);
    const found = await s3.getObject({ Bucket, Key: "up/Ä b.png" });
    expect(await found.Body?.transformToString()).toBe("content");
    expect(found).toMatchObject({
      ETag: headers.get("etag"),
      ContentType: "image/png",
      CacheControl: "no-store",
      Metadata: { color: "green" },
    });
    const { TagSet } = await s3.getObjectTagging({ Bucket, Key: "up/Ä b.png" });
    expect(TagSet).toEqual([{ Key: "a", Value: "b+c@d" }]);
  });

  test("is answered as it asks: 200, 201 with a document, or a redirect", async () => {
    const ok = await post(await sign({ Fields: { success_action_status: "200" } }));
    expect([ok.status, ok.text]).toEqual([200, ""]);
    const made = await post(await sign({ Key: "a&b", Fields: { success_action_status: "201" } }));
    expect(made.status).toBe(201);
    expect(made.text).toContain("<Bucket>forms</Bucket><Key>a&amp;b</Key><ETag>");
    const target = "https://page.example/done?x=1";
    const sent = await post(await sign({ Fields: { success_action_redirect: target } }));
    expect(sent.status).toBe(303);
    const location = new URL(sent.headers.get("location") ?? "");
    expect(location.href.startsWith(target)).toBe(true);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({ x: "1", bucket: Bucket, key: "key" });
    const script = await post(await sign({ Fields: { success_action_redirect: "javascript:alert(1)" } }));
    expect([script.status, script.headers.get("location")]).toEqual([204, `${platform.endpoint}/forms/key`]);
  });

  test("may be of any size within its range, and of none outside it", async () => {
    const fields = await sign({ Key: "range", Conditions: [["content-length-range", 3, 5]] });
    expect((await post(fields, "123")).status).toBe(204);
    expect((await post(fields, "12345")).status).toBe(204);
    expect((await post(fields, "12")).refusal).toBe(
      "400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size",
    );
    expect((await post(fields, "1".repeat(2_000_000))).refusal).toBe(
      "400 EntityTooLarge: Your proposed upload exceeds the maximum allowed size",
    );
    expect(await textOf("range")).toBe("12345");
  });

  test("may be a session's, and nobody else's with its token", async () => {
    const { Credentials } = await new STSClient(platform.settings).send(new GetSessionTokenCommand({}));
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    const fields = await sign({ Key: "session" }, s3Client(platform, { credentials }));
    expect((await post(fields)).status).toBe(204);
    const { "X-Amz-Security-Token": token = "", ...without } = fields;
    expect((await post(without)).refusal).toMatch(/^403 InvalidAccessKeyId/);
    expect((await post({ ...fields, "X-Amz-Security-Token": `${token.slice(0, -4)}AAAA` })).refusal).toMatch(
      /^400 InvalidToken/,
    );
  });

  test("does what its signer may, and no more", async () => {
    const user = await userClient(platform, "poster", [
      { Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${Bucket}/mine/*` },
    ]);
    expect((await post(await sign({ Key: "mine/a" }, user))).status).toBe(204);
    expect((await post(await sign({ Key: "theirs/a" }, user))).refusal).toMatch(/^403 AccessDenied: User: .*poster/);
    expect(await refusalOf(s3.headObject({ Bucket, Key: "theirs/a" }))).toMatch(/^404/);
  });

  test("is told of as a form", async () => {
    const { status } = await post(await sign({ Key: "virtual" }), "x", "a", "/");
    expect(status).not.toBe(204);
    const form = new FormData();
    for (const [name, value] of Object.entries(await sign({ Key: "virtual" }))) form.append(name, value);
    form.append("file", new Blob(["by host"]), "a");
    const body = Buffer.from(await new Response(form).arrayBuffer());
    const boundary = body.subarray(2, body.indexOf("\r\n")).toString();
    const { request } = await import("node:http");
    const answered = await new Promise((resolve, reject) => {
      const sent = request(platform.endpoint, {
        method: "POST",
        headers: {
          host: `${Bucket}.s3.localhost:${platform.port}`,
          "content-type": `multipart/form-data; boundary=${boundary}`,
        },
      });
      sent.on("response", (answer) => resolve(answer.resume().statusCode)).on("error", reject);
      sent.end(body);
    });
    expect(answered).toBe(204);
    expect(await textOf("virtual")).toBe("by host");
  });
});

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const policyOf = (document: unknown) => Buffer.from(JSON.stringify(document)).toString("base64");

const changed = async (change: (fields: Record<string, string>) => void, more: Partial<PresignedPostOptions> = {}) => {
  const fields = { ...(await sign({ Key: "refused", ...more })) };
  change(fields);
  const { refusal } = await post(fields);
  expect(await refusalOf(s3.headObject({ Bucket, Key: "refused" }))).toMatch(/^404/);
  return refusal;
};

/** Signs any policy with the fields of a form. */
const resign = (fields: Record<string, string>, document: unknown) => {
  const { secretAccessKey } = platform.settings.credentials;
  const [, date = "", region = ""] = (fields["X-Amz-Credential"] ?? "").split("/");
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), "s3"), "aws4_request");
  const policy = typeof document === "string" ? document : policyOf(document);
  fields["Policy"] = policy;
  fields["X-Amz-Signature"] = hmac(key, policy).toString("hex");
};
describe("A form is refused", () => {
  const far = "2999-01-01T00:00:00Z";

  test.each<[string, (fields: Record<string, string>) => void, RegExp]>([
    [
      "with another policy than was signed",
      (f) => void (f["Policy"] = policyOf({ expiration: far, conditions: [] })),
      /^403 SignatureDoesNotMatch/,
    ],
    ["with another signature", (f) => void (f["X-Amz-Signature"] = "0".repeat(64)), /^403 SignatureDoesNotMatch/],
    ["with a signature that is none", (f) => void (f["X-Amz-Signature"] = "x"), /^403 SignatureDoesNotMatch/],
    [
      "with the key of nobody",
      (f) => void (f["X-Amz-Credential"] = "AKIANOBODY/20300101/us-east-1/s3/aws4_request"),
      /^403 InvalidAccessKeyId/,
    ],
    [
      "scoped to another service",
      (f) => void (f["X-Amz-Credential"] = (f["X-Amz-Credential"] ?? "").replace("/s3/", "/sqs/")),
      /^403 SignatureDoesNotMatch/,
    ],
    [
      "with a credential that is none",
      (f) => void (f["X-Amz-Credential"] = "x"),
      /^400 AuthorizationQueryParametersError/,
    ],
    [
      "of an algorithm that is not built",
      (f) => void (f["X-Amz-Algorithm"] = "AWS4-HMAC-MD5"),
      /^501 NotImplemented: .*AWS4-HMAC-MD5/,
    ],
    [
      "without a signature",
      (f) => void delete f["X-Amz-Signature"],
      /^400 InvalidArgument: Bucket POST must contain a field named 'x-amz-signature'\./,
    ],
    [
      "without a key",
      (f) => void delete f["key"],
      /^400 InvalidArgument: Bucket POST must contain a field named 'key'\./,
    ],
    [
      "for another key",
      (f) => void (f["key"] = "other"),
      /^403 AccessDenied: Invalid according to Policy: Policy Condition failed: \["eq", ?"\$key", ?"refused"\]/,
    ],
    [
      "with a field that the policy does not name",
      (f) => void (f["x-amz-meta-more"] = "1"),
      /^403 AccessDenied: Invalid according to Policy: Extra input fields: x-amz-meta-more$/,
    ],
    [
      "for another bucket",
      (f) => resign(f, { expiration: far, conditions: [{ bucket: "other" }] }),
      /Policy Condition failed: \["eq", ?"\$bucket", ?"other"\]/,
    ],
    [
      "whose time is over",
      (f) => resign(f, { expiration: "2020-01-01T00:00:00Z", conditions: [] }),
      /^403 AccessDenied: Invalid according to Policy: Policy expired\.$/,
    ],
    [
      "whose policy is no JSON",
      (f) => resign(f, "bm9uZQ=="),
      /^400 InvalidPolicyDocument: Invalid Policy: Invalid JSON\.$/,
    ],
    [
      "whose policy never ends",
      (f) => resign(f, { conditions: [] }),
      /^400 InvalidPolicyDocument: Invalid Policy: Policy missing expiration\.$/,
    ],
    [
      "whose policy asks nothing",
      (f) => resign(f, { expiration: far }),
      /^400 InvalidPolicyDocument: Invalid Policy: Policy missing conditions\.$/,
    ],
    [
      "with an operator that there is not",
      (f) => resign(f, { expiration: far, conditions: [["ends-with", "$key", "x"]] }),
      /^400 InvalidPolicyDocument/,
    ],
    [
      "with a range upside down",
      (f) => resign(f, { expiration: far, conditions: [["content-length-range", 5, 3]] }),
      /^400 InvalidPolicyDocument/,
    ],
    [
      "with fields that are too large",
      (f) => void (f["x-ignore-me"] = "x".repeat(30_000)),
      /^400 MaxPostPreDataLengthExceeded/,
    ],
  ])("%s", async (_what, change, refusal) => {
    expect(await changed(change)).toMatch(refusal);
  });

  test("without a file, with an ACL where there are none, with nonsense for a body", async () => {
    expect((await post(await sign({ Key: "refused" }), undefined as never)).status).toBe(204);
    const form = new FormData();
    form.append("key", "refused");
    const bare = await told(await fetch(`${platform.endpoint}/${Bucket}`, { method: "POST", body: form }));
    expect(bare.refusal).toBe(
      "400 IncorrectNumberOfFilesInPostRequest: POST requires exactly one file upload per request.",
    );
    const acl = await sign({ Key: "public", Fields: { acl: "public-read" } });
    expect((await post(acl)).refusal).toBe("400 AccessControlListNotSupported: The bucket does not allow ACLs");
    const headers = { "content-type": "multipart/form-data" };
    const nonsense = await told(await fetch(`${platform.endpoint}/${Bucket}`, { method: "POST", headers, body: "x" }));
    expect(nonsense.refusal).toMatch(/^400 MalformedPOSTRequest/);
  });

  test("of nobody, unless the bucket lets everybody in", async () => {
    expect((await post({ key: "open/a" })).refusal).toBe("403 AccessDenied: Access Denied");
    await s3.createBucket({ Bucket: "open-forms" });
    await s3.deletePublicAccessBlock({ Bucket: "open-forms" });
    const Statement = {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: "arn:aws:s3:::open-forms/*",
    };
    await s3.putBucketPolicy({ Bucket: "open-forms", Policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
    expect((await post({ key: "a" }, "x", "a", "/open-forms")).status).toBe(204);
    expect((await post({ key: "a" }, "x", "a", "/no-such-bucket")).refusal).toMatch(/^404 NoSuchBucket/);
  });
});

test("No body crashes the platform or is taken for a form by mistake", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "--b\r\n",
      "--b--\r\n",
      "\r\n",
      'Content-Disposition: form-data; name="key"\r\n\r\nfuzz\r\n',
      'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n',
      "Content-Type: text/plain\r\n",
    ),
    fc.string({ maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const headers = { "content-type": "multipart/form-data; boundary=b" };
      const body = pieces.join("");
      const answer = await fetch(`${platform.endpoint}/${Bucket}`, { method: "POST", headers, body });
      expect([400, 403]).toContain(answer.status);
      await answer.text();
    }),
    { numRuns: 150 },
  );
  expect(await refusalOf(s3.headObject({ Bucket, Key: "fuzz" }))).toMatch(/^404/);
});
