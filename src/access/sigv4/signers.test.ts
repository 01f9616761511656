import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomIds } from "../../kernel/ids.ts";
import { Sha256 } from "../../testing/sha256.ts";
import { createServerKeys } from "../server-keys.ts";
import { createSessions } from "../sessions.ts";
import type { SignedRequest } from "../verifier.ts";
import { createVerifier } from "../verify.ts";

const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const principal = { type: "root", account: "1", arn: "arn:aws:iam::1:root", accessKeyId: "AKIAEXAMPLE" } as const;
const sessions = createSessions({ keys: createServerKeys(new Uint8Array(32).fill(1)), ids: randomIds });

function verifierAt(now: number) {
  const verifier = createVerifier({
    now: () => now,
    accessKeys: {
      findAccessKey: (id) => (id === credentials.accessKeyId ? { ...credentials, principal } : undefined),
    },
    sessions,
  });
  return { verify: async (...asked: Parameters<typeof verifier.verify>) => await verifier.verify(...asked) };
}

const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

type Query = Readonly<Record<string, string | string[] | null>>;

/** As the SDK's HTTP handler puts it on the wire. */
function toTarget(path: string, query: Query): string {
  const pairs = Object.keys(query)
    .toSorted()
    .flatMap((name) =>
      [query[name] ?? ""]
        .flat()
        .map((value) => (value === "" ? `${encoded(name)}=` : `${encoded(name)}=${encoded(value)}`)),
    );
  return pairs.length > 0 ? `${path}?${pairs.join("&")}` : path;
}

interface Given {
  readonly segments: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  readonly header: string;
  readonly body: string;
}

const now = Date.parse("2026-03-04T05:06:07Z");

async function signWithSdk(
  service: string,
  form: "header" | "query",
  given: Given,
  session?: { sessionToken: string },
) {
  const signer = new SignatureV4({
    service,
    region: "eu-west-1",
    credentials: { ...credentials, ...session },
    sha256: Sha256,
    uriEscapePath: service !== "s3",
    applyChecksum: service === "s3",
  });
  const request = {
    method: "PUT",
    protocol: "http:",
    hostname: "localhost",
    port: 4566,
    path: `/${given.segments.map(encoded).join("/")}`,
    query: { ...given.query },
    headers: {
      host: "localhost:4566",
      "x-amz-meta-text": given.header,
      "content-type": "text/plain",
      // As the presigner for S3 has it.
      ...(service === "s3" && form === "query" && { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }),
    },
    body: given.body,
  };
  const signed =
    form === "header"
      ? await signer.sign(request, { signingDate: new Date(now) })
      : await signer.presign(request, { signingDate: new Date(now), expiresIn: 60 });
  const target = toTarget(signed.path, (signed.query ?? {}) as Query);
  return {
    method: signed.method,
    target,
    headers: Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value] as const),
    bodySha256: () => createHash("sha256").update(given.body).digest("hex"),
  } satisfies SignedRequest;
}

const given: fc.Arbitrary<Given> = fc.record({
  segments: fc.array(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((text) => !/^\.+$/.test(text)),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  query: fc.dictionary(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }).filter((name) => !/^(x-amz-|__proto__)/i.test(name)),
    fc.string({ unit: "grapheme", maxLength: 8 }),
    { maxKeys: 4 },
  ),
  header: fc.string({ maxLength: 20 }).map((text) => text.trim()),
  body: fc.string({ maxLength: 40 }),
});

describe("requests that AWS's own signer for JavaScript has signed", () => {
  for (const service of ["s3", "lambda", "dynamodb", "iam"]) {
    for (const form of ["header", "query"] as const) {
      test(`are accepted: ${service}, in the ${form}`, async () => {
        await fc.assert(
          fc.asyncProperty(given, async (each) => {
            const request = await signWithSdk(service, form, each);
            const verified = await verifierAt(now).verify(request, service);
            expect(verified).toMatchObject({ principal, region: "eu-west-1" });
          }),
          { numRuns: 100 },
        );
      });
    }
  }

  test.each(["s3", "lambda"])("%s refuses them outside of their time, and with anything changed", async (service) => {
    const each: Given = { segments: ["a", "b"], query: { q: "1" }, header: "h", body: "body" };
    const refusal = async (request: SignedRequest, at = now) =>
      await verifierAt(at)
        .verify(request, service)
        .then(
          () => "accepted",
          (error: { code: string }) => error.code,
        );
    const signed = await signWithSdk(service, "header", each);
    const skewed = service === "s3" ? "RequestTimeTooSkewed" : "InvalidSignatureException";
    const skewMs = (service === "s3" ? 15 : 5) * 60_000;
    const mismatch = service === "s3" ? "SignatureDoesNotMatch" : "InvalidSignatureException";
    expect(await refusal(signed, now + skewMs)).toBe("accepted");
    expect(await refusal(signed, now + skewMs + 1)).toBe(skewed);
    expect(await refusal(signed, now - skewMs - 1)).toBe(skewed);
    expect(await refusal({ ...signed, method: "DELETE" })).toBe(mismatch);
    expect(await refusal({ ...signed, target: `${signed.target}&x=1` })).toBe(mismatch);
    expect(await refusal({ ...signed, target: signed.target.replace("/a/", "/c/") })).toBe(mismatch);
    const unsigned = { ...signed, headers: [...signed.headers, ["x-amz-acl", "public-read"] as const] };
    expect(await refusal(unsigned)).toBe(service === "s3" ? "AccessDenied" : "InvalidSignatureException");

    const presigned = await signWithSdk(service, "query", each);
    expect(await refusal(presigned, now + 60_000)).toBe("accepted");
    expect(await refusal(presigned, now + 60_001)).toBe(
      service === "s3" ? "AccessDenied" : "InvalidSignatureException",
    );
    const longer = { ...presigned, target: presigned.target.replace("X-Amz-Expires=60", "X-Amz-Expires=61") };
    expect(await refusal(longer)).toBe(mismatch);
    const tooLong = { ...presigned, target: presigned.target.replace("X-Amz-Expires=60", "X-Amz-Expires=604801") };
    expect(await refusal(tooLong)).toBe(
      service === "s3" ? "AuthorizationQueryParametersError" : "InvalidSignatureException",
    );
  });

  test("a signature for one service is not one for another", async () => {
    const each: Given = { segments: ["a"], query: {}, header: "", body: "" };
    const request = await signWithSdk("lambda", "header", each);
    await expect(verifierAt(now).verify(request, "apigateway")).rejects.toMatchObject({
      message: "Credential should be scoped to correct service: 'apigateway'.",
    });
  });
});

const python = join(import.meta.dirname, "../../../.venv/bin/python");

const botocoreScript = `
import json, sys
from botocore.auth import SigV4Auth, S3SigV4Auth, SigV4QueryAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
creds = Credentials("${credentials.accessKeyId}", "${credentials.secretAccessKey}")
urls = ["/", "/a%20b/c", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations?Qualifier=%24LATEST",
        "/bucket/k%C3%A9y?list-type=2&prefix=a%2Fb&delimiter=%2F", "/b//x/../y", "/x?b=2&a=1&a=0&empty"]
out = []
for auth, service in ((SigV4Auth, "lambda"), (S3SigV4Auth, "s3"), (SigV4QueryAuth, "iam"), (S3SigV4QueryAuth, "s3")):
    for url in urls:
        if service == "lambda" and ".." in url: continue
        query = "Query" in auth.__name__
        request = AWSRequest(method="GET" if query else "POST", url="http://localhost:4566" + url, data={} if query else b"a=1", headers={"Content-Type": "text/plain", "X-Amz-Meta-A": " two  spaces "})
        if service == "s3": request.context["payload_signing_enabled"] = True
        auth(creds, service, "us-east-1").add_auth(request)
        prepared = request.prepare()
        headers = [[k.lower(), v.decode() if isinstance(v, bytes) else v] for k, v in prepared.headers.items()]
        out.append({"service": service, "body": "" if query else "a=1", "method": prepared.method, "target": prepared.url[len("http://localhost:4566"):], "headers": headers})
print(json.dumps(out))
`;

describe.skipIf(!existsSync(python))("requests that botocore has signed (skipped without .venv)", () => {
  test("are accepted", async () => {
    const run = spawnSync(python, ["-c", botocoreScript], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const requests: (SignedRequest & { readonly service: string; readonly body: string })[] = JSON.parse(run.stdout);
    expect(requests.length).toBeGreaterThan(20);
    for (const { service, body, ...request } of requests) {
      const headers = [["host", "localhost:4566"] as const, ...request.headers.filter(([name]) => name !== "host")];
      const bodySha256 = () => createHash("sha256").update(body).digest("hex");
      const verified = verifierAt(Date.now()).verify({ ...request, headers, bodySha256 }, service);
      await expect(verified, `${service} ${request.target}`).resolves.toMatchObject({ principal });
    }
  });
});
