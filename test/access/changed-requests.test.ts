import { connect } from "node:net";
import { GetObjectCommand, S3 } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Sha256 } from "../../src/testing/sha256.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";

let platform: TestPlatform;
let url: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  const s3 = new S3({ ...platform.settings, forcePathStyle: true });
  await s3.createBucket({ Bucket: "bucket" });
  await s3.putObject({ Bucket: "bucket", Key: "key", Body: "content" });
  await s3.putObject({ Bucket: "bucket", Key: "other", Body: "secret" });
  url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: "bucket", Key: "key" }), { expiresIn: 60 });
});
afterAll(() => platform.stop());

/** Bytes to the server as they are, and the status it answers. */
function sendRaw(head: readonly string[], body = ""): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(platform.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)));
    socket.write(`${[...head, "connection: close"].join("\r\n")}\r\n\r\n${body}`, "latin1");
  });
}

describe("a presigned URL whose holder changes it is refused:", () => {
  test("unchanged it is not", async () => {
    expect(await (await fetch(url)).text()).toBe("content");
  });

  test.each<[string, (url: string) => string]>([
    ["another key", (url) => url.replace("/bucket/key", "/bucket/other")],
    ["an encoded slash", (url) => url.replace("/bucket/key", "/bucket%2Fkey")],
    ["a longer life", (url) => url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")],
    ["a second life", (url) => `${url}&X-Amz-Expires=600`],
    ["a second life under an encoded name", (url) => `${url}&X%2DAmz%2DExpires=600`],
    ["a second signature", (url) => `${url}&X-Amz-Signature=${"0".repeat(64)}`],
    ["a name in other letters", (url) => `${url}&x-amz-signature=${"0".repeat(64)}`],
    ["one more parameter", (url) => `${url}&versionId=null`],
    ["another operation", (url) => `${url}&acl`],
    ["another answer's type", (url) => `${url}&response-content-type=text%2Fhtml`],
    ["a session token", (url) => `${url}&X-Amz-Security-Token=x`],
  ])("%s", async (_name, change) => {
    const { status } = await fetch(change(url));
    expect([400, 403]).toContain(status);
  });

  test.each(["PUT", "DELETE", "POST"])("the method %s", async (method) => {
    expect((await fetch(url, { method })).status).toBe(403);
  });

  test.each([["x-amz-copy-source"], ["x-amz-acl"], ["x-amz-security-token"], ["x-amz-date"], ["X-AMZ-Meta-A"]])(
    "the header %s",
    async (name) => {
      expect((await fetch(url, { headers: { [name]: "x" } })).status).toBe(403);
    },
  );

  test("a key with dots, which S3 takes as they are", async () => {
    const { pathname, search, host } = new URL(url);
    const target = `${pathname.replace("/key", "/other/../key")}${search}`;
    expect(await sendRaw([`GET ${target} HTTP/1.1`, `host: ${host}`])).toBe(403);
  });

  test("another host, or a second one", async () => {
    const { pathname, search, host } = new URL(url);
    const get = `GET ${pathname}${search} HTTP/1.1`;
    expect(await sendRaw([get, `host: ${host}`])).toBe(200);
    expect(await sendRaw([get, `host: other.s3.${host}`])).toBe(403);
    expect([400, 403]).toContain(await sendRaw([get, `host: ${host}`, `host: other.s3.${host}`]));
  });
});

describe("a signed call that somebody changes on its way is refused:", () => {
  const body = "{}";
  const signed = async (): Promise<string[]> => {
    const { hostname } = new URL(platform.endpoint);
    const signer = new SignatureV4({
      service: "logs",
      region: "us-east-1",
      credentials: platform.settings.credentials,
      sha256: Sha256,
    });
    const request = await signer.sign({
      method: "POST",
      protocol: "http:",
      hostname,
      path: "/",
      query: {},
      headers: {
        host: `${hostname}:${platform.port}`,
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "Logs_20140328.DescribeLogGroups",
      },
      body,
    });
    return Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  };
  const post = ["POST / HTTP/1.1", `content-length: ${body.length}`];

  test("unchanged it is not", async () => {
    expect(await sendRaw([...post, ...(await signed())], body)).toBe(200);
  });

  test.each([
    ["a second target", ["x-amz-target: Logs_20140328.DeleteLogGroup"]],
    ["an unsigned header of AWS's", ["x-amz-invocation-type: Event"]],
    ["a second date", ["x-amz-date: 20260101T000000Z"]],
    ["a second signature", ["authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request"]],
    ["a session token of nobody's", ["x-amz-security-token: AAAA"]],
  ])("%s, wherever it stands", async (_name, more) => {
    const headers = await signed();
    expect([400, 403]).toContain(await sendRaw([...post, ...headers, ...more], body));
    expect([400, 403]).toContain(await sendRaw([...post, ...more, ...headers], body));
  });

  test("another body or target", async () => {
    const headers = await signed();
    expect([400, 403]).toContain(await sendRaw([...post, ...headers], "[]"));
    const changed = headers.map((line) => line.replace("DescribeLogGroups", "DeleteLogGroup"));
    expect([400, 403]).toContain(await sendRaw([...post, ...changed], body));
  });
});
