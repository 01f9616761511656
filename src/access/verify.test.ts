import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsError } from "../aws/error.ts";
import { randomIds } from "../kernel/ids.ts";
import {
  hasSignatureVectors,
  requestOf,
  signatureVectors,
  verifyVector,
  withBody,
  type RawRequest,
} from "../testing/signature-vectors.ts";
import { createServerKeys } from "./server-keys.ts";
import { createSessions } from "./sessions.ts";
import type { SignedRequest } from "./verifier.ts";
import { createVerifier } from "./verify.ts";

describe.skipIf(!hasSignatureVectors)("the published Signature Version 4 vectors (skipped without their data)", () => {
  for (const [name, vector] of Object.entries(signatureVectors)) {
    for (const form of ["header", "query"] as const) {
      test(`${name} is accepted, signed in the ${form}`, async () => {
        expect(await verifyVector(vector, requestOf(vector, form))).toBe("root");
      });

      test(`${name}, signed in the ${form}, is refused with one byte of it changed`, async () => {
        const request = requestOf(vector, form);
        for (const changed of changedRequests(request, form)) {
          const outcome = await verifyVector(vector, changed).catch((error: unknown) => error);
          if (outcome === "tampered body") continue;
          expect(outcome, JSON.stringify(changed)).toBeInstanceOf(AwsError);
        }
      });
    }
  }
});

function* changedRequests(request: RawRequest, form: string): Generator<RawRequest> {
  const signature = /Signature=[0-9a-f]{64}/;
  const flip = (text: string) =>
    text.replace(signature, (found) => found.slice(0, -1) + (found.endsWith("0") ? "1" : "0"));
  if (form === "query") yield { ...request, target: flip(request.target) };
  else yield { ...request, headers: request.headers.map(([name, value]) => [name, flip(value)] as const) };
  yield { ...request, method: request.method === "GET" ? "PUT" : "GET" };
  yield { ...request, target: `/x${request.target}` };
  yield { ...request, target: `${request.target}${request.target.includes("?") ? "&" : "?"}x=1` };
  yield withBody(request, `${request.body}x`);
  for (const [index, [name, value]] of request.headers.entries()) {
    if (name === "authorization") continue;
    const headers = request.headers.map((pair, at) => (at === index ? ([name, `${value}x`] as const) : pair));
    yield { ...request, headers };
  }
  const authorization = request.headers.find(([name]) => name === "authorization");
  if (!authorization) return;
  const [, value] = authorization;
  for (let at = 0; at < value.length; at += 7) {
    const changed = value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ 1) + value.slice(at + 1);
    // Spaces and commas between parameters are free.
    if (/[ ,]/.test(value.charAt(at))) continue;
    yield { ...request, headers: request.headers.map((pair) => (pair === authorization ? [pair[0], changed] : pair)) };
  }
}

const keys = createServerKeys(new Uint8Array(32).fill(7));
const sessions = createSessions({ keys, ids: randomIds });
const now = Date.parse("2026-01-02T03:04:05Z");

function verifierOf(options: { readonly dev?: { readonly account: string } } = {}) {
  const accessKeys = { findAccessKey: () => undefined };
  const verifier = createVerifier({ now: () => now, accessKeys, sessions, ...options });
  return { verify: async (...asked: Parameters<typeof verifier.verify>) => await verifier.verify(...asked) };
}

const authorization =
  "AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
  "0".repeat(64);

function devRequest(more: {
  readonly sourceIp?: string;
  readonly host?: string;
  readonly headers?: [string, string][];
}) {
  const { sourceIp, host = "localhost:4566", headers = [] } = more;
  return {
    method: "POST",
    target: "/",
    headers: [["host", host], ["x-amz-date", "20260102T030405Z"], ["authorization", authorization], ...headers],
    ...(sourceIp && { sourceIp }),
  } satisfies SignedRequest;
}

describe("--dev", () => {
  const verifier = verifierOf({ dev: { account: "000000000000" } });

  test("takes any credentials from loopback for the root of the account", async () => {
    const verified = await verifier.verify(devRequest({ sourceIp: "127.0.0.1" }), "iam");
    expect(verified).toMatchObject({ principal: { type: "root", account: "000000000000" }, region: "us-east-1" });
  });

  test.each([
    ["comes from another machine", { sourceIp: "192.168.1.2" }],
    ["comes from an unknown address", {}],
    ["is for a name that somebody else could point here", { sourceIp: "127.0.0.1", host: "evil.example" }],
    ["hides its name behind one of ours", { sourceIp: "127.0.0.1", host: "localhost.evil.example:4566" }],
    ["comes from a page of another site", { sourceIp: "127.0.0.1", headers: [["origin", "https://evil.example"]] }],
    ["comes from a page on S3", { sourceIp: "::1", headers: [["origin", "https://evil.s3.amazonaws.com"]] }],
    ["comes from a sandboxed page", { sourceIp: "::1", headers: [["origin", "null"]] }],
    ["is an image of another site's page", { sourceIp: "::1", headers: [["sec-fetch-site", "cross-site"]] }],
    [
      "comes from a browser that does not say from where",
      {
        sourceIp: "::1",
        host: "iam.localhost.localstack.cloud:4566",
        headers: [["user-agent", "Mozilla/5.0 (X11; Linux x86_64)"]],
      },
    ],
  ] as [string, Parameters<typeof devRequest>[0]][])(
    "refuses unknown credentials when the request %s",
    async (_name, more) => {
      await expect(verifier.verify(devRequest(more), "iam")).rejects.toMatchObject({ code: "InvalidClientTokenId" });
    },
  );

  test.each([
    ["a page of this machine", ["origin", "http://localhost:3000"]],
    ["a link on a page of this machine", ["referer", "http://127.0.0.1:3000/"]],
    ["the address bar", ["sec-fetch-site", "none"]],
  ] as [string, [string, string]][])("takes them from a browser too, for %s", async (_name, header) => {
    const headers: [string, string][] = [["user-agent", "Mozilla/5.0"], header];
    const verified = await verifier.verify(devRequest({ sourceIp: "127.0.0.1", headers }), "iam");
    expect(verified.principal.type).toBe("root");
  });

  test("without it nobody is let in", async () => {
    await expect(verifierOf().verify(devRequest({ sourceIp: "127.0.0.1" }), "iam")).rejects.toMatchObject({
      code: "InvalidClientTokenId",
      status: 403,
    });
  });
});

test.each(["US-EAST-1", "us_east_1", "us-east-1%20"])(
  "a credential that is scoped to the region %s is refused, not taken for another region's",
  async (region) => {
    const signed = authorization.replace("/us-east-1/", `/${region}/`);
    const headers = devRequest({}).headers.map(
      ([name, value]) => [name, value === authorization ? signed : value] as const,
    );
    const request = { method: "POST", target: "/", headers, sourceIp: "127.0.0.1" };
    await expect(verifierOf({ dev: { account: "000000000000" } }).verify(request, "iam")).rejects.toMatchObject({
      code: "SignatureDoesNotMatch",
      message: "Credential should be scoped to a valid region.",
    });
  },
);

const verifyQuery = (query: string, service: string) =>
  verifierOf().verify({ method: "GET", target: `/b/k?${query}`, headers: [["host", "localhost"]] }, service);

describe("a signature of another kind in the query of a request to S3", () => {
  test.each([
    "AWSAccessKeyId=AKIDEXAMPLE&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1767400000",
    "AWSAccessKeyId=AKIDEXAMPLE",
    "Signature=x&Expires=1",
  ])("is refused, not taken for nobody's: %s", async (query) => {
    await expect(verifyQuery(query, "s3")).rejects.toMatchObject({
      code: "InvalidRequest",
      status: 400,
      message: "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    });
  });

  test("or a part of one of ours is not taken for nobody's", async () => {
    await expect(verifyQuery("X-Amz-Credential=a/b", "s3")).rejects.toMatchObject({
      code: "AuthorizationQueryParametersError",
      status: 400,
    });
  });

  test("means nothing to other services", async () => {
    expect((await verifyQuery("Signature=x", "lambda")).principal.type).toBe("anonymous");
  });
});

describe("whatever a client sends as a signature", () => {
  const words = fc.constantFrom(
    "AWS4-HMAC-SHA256",
    "Credential=",
    "SignedHeaders=",
    "Signature=",
    "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request",
    "host;x-amz-date",
    "%",
    "%zz",
    "/",
    ",",
    " ",
    "=",
    ";",
    "\u0000",
    "é",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "X-Amz-Credential=",
    "X-Amz-Expires=-1",
    "X-Amz-Signature=",
    "&",
    "?",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(words, { maxLength: 30 }).map((all) => all.join("")),
  );
  const header = fc.tuple(
    fc.constantFrom("authorization", "x-amz-date", "date", "host", "x-amz-security-token", "x-amz-content-sha256"),
    text,
  );

  test.each(["iam", "s3", "lambda", "dynamodb"])("%s answers a 4xx or takes it for anonymous", async (service) => {
    const verifier = verifierOf({ dev: { account: "000000000000" } });
    await fc.assert(
      fc.asyncProperty(text, fc.array(header, { maxLength: 6 }), async (target, headers) => {
        try {
          const verified = await verifier.verify({ method: "GET", target, headers }, service);
          expect(verified.principal.type).toBe("anonymous");
        } catch (error) {
          expect(error).toBeInstanceOf(AwsError);
          expect((error as AwsError).status).toBeGreaterThanOrEqual(400);
          expect((error as AwsError).status).toBeLessThan(500);
        }
      }),
      { numRuns: 500 },
    );
  });
});
