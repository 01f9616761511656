import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeChunkedBody } from "../../src/access/sigv4/chunked-body.ts";
import { createSigningKeys } from "../../src/access/sigv4/signing-key.ts";
import { AwsError } from "../../src/aws/error.ts";
import { createHash, createHmac } from "node:crypto";
import {
  contextOf,
  hasSignatureVectors,
  requestOf,
  signatureVectors,
  verifyVector,
  withBody,
  type RawRequest,
} from "../../src/testing/signature-vectors.ts";

type Form = "header" | "query";

/** A request with one thing about it changed; undefined where there is no such thing. `at` chooses among several. */
type Change = (request: RawRequest, form: Form, at: number) => RawRequest | undefined;

const dateOf = (request: RawRequest) => /\/(\d{8})\//.exec(decodeURIComponent(authorityOf(request)))?.[1] ?? "";

/** The text that has the credential, the signed headers and the signature. */
function authorityOf(request: RawRequest): string {
  return request.headers.find(([name]) => name === "authorization")?.[1] ?? request.target;
}

/** A session's token may be added after the signing. */
function signedHeadersOf(request: RawRequest): RawRequest["headers"] {
  const listed = /SignedHeaders=([^,&]*)/.exec(authorityOf(request))?.[1] ?? "";
  const names = new Set(decodeURIComponent(listed).split(";"));
  return request.headers.filter(([name]) => names.has(name));
}

function withAuthority(request: RawRequest, change: (text: string) => string): RawRequest | undefined {
  const before = authorityOf(request);
  const after = change(before);
  if (after === before) return undefined;
  if (request.target === before) return { ...request, target: after };
  return {
    ...request,
    headers: request.headers.map(([name, value]) => [name, name === "authorization" ? after : value] as const),
  };
}

/** In the scope of the credential, whose parts are between slashes, encoded in a query. */
const inScope =
  (from: RegExp, to: string): Change =>
  (request) =>
    withAuthority(request, (text) => text.replace(from, to));

function flipped(text: string, at: number): string {
  const place = at % text.length;
  const digit = Number.parseInt(text.charAt(place), 16) ^ (1 << (at % 4));
  return text.slice(0, place) + digit.toString(16) + text.slice(place + 1);
}

const changes: Readonly<Record<string, Change>> = {
  "the method": (request) => ({ ...request, method: request.method === "GET" ? "DELETE" : "GET" }),
  "the path": (request) => ({
    ...request,
    target: request.target.replace(/^[^?]*/, (path) => `${path.replace(/\/$/, "")}/x`),
  }),
  "one more parameter of the query": (request) => ({
    ...request,
    target: `${request.target}${request.target.includes("?") ? "&" : "?"}versionId=1`,
  }),
  "the value of a parameter": (request, form) =>
    form === "header" && /\?.*=[^&]/.test(request.target)
      ? { ...request, target: request.target.replace(/=([^&]*)/, "=$1x") }
      : undefined,
  "the value of a header": (request, _form, at) => {
    const signed = signedHeadersOf(request);
    const chosen = signed[at % signed.length];
    return { ...request, headers: request.headers.map((pair) => (pair === chosen ? [pair[0], `${pair[1]}x`] : pair)) };
  },
  "a header that is left out": (request, _form, at) => {
    const signed = signedHeadersOf(request);
    return { ...request, headers: request.headers.filter((pair) => pair !== signed[at % signed.length]) };
  },
  "a header that comes twice": (request, _form, at) => {
    const signed = signedHeadersOf(request);
    const chosen = signed[at % signed.length];
    return chosen && { ...request, headers: [...request.headers, [chosen[0], "other"]] };
  },
  "one header fewer in the list of those that are signed": (request) =>
    withAuthority(request, (text) =>
      text.replace(/SignedHeaders=([^,&]*?)(?:%3B|;)[\w-]+(?=[,&]|$)/, "SignedHeaders=$1"),
    ),
  "one header more in the list": (request) =>
    withAuthority(request, (text) =>
      text.replace(/(SignedHeaders=[^,&]*)/, (list) => `${list}${list.includes("%3B") ? "%3B" : ";"}x-more`),
    ),
  "the body": (request) => withBody(request, `${request.body}x`),
  "the region of the scope": inScope(/us-east-1/, "us-east-2"),
  "the service of the scope": inScope(/(\/|%2F)service(\/|%2F)/, "$1sts$2"),
  "the end of the scope": inScope(/aws4_request/, "aws4_requests"),
  "the day of the scope": (request) => {
    const date = dateOf(request);
    return withAuthority(request, (text) =>
      text.replace(new RegExp(`(/|%2F)${date}(/|%2F)`), `$1${Number(date) + 1}$2`),
    );
  },
  "the key's id": inScope(/Credential=AKID/, "Credential=AKIX"),
  "a bit of the signature": (request, _form, at) =>
    withAuthority(request, (text) =>
      text.replace(/(Signature=)([0-9a-f]{64})/, (_all, name: string, hex: string) => name + flipped(hex, at)),
    ),
  "a shorter signature": inScope(/(Signature=[0-9a-f]{60})[0-9a-f]{4}/, "$1"),
  "a signature in capitals": (request) =>
    withAuthority(request, (text) =>
      text.replace(/Signature=[0-9a-f]{64}/, (found) => found.replace(/[a-f]/g, (digit) => digit.toUpperCase())),
    ),
  "another algorithm": inScope(/AWS4-HMAC-SHA256/, "AWS4-HMAC-SHA512"),
  "no algorithm": inScope(/AWS4-HMAC-SHA256/, ""),
  "version 4A": inScope(/AWS4-HMAC-SHA256/, "AWS4-ECDSA-P256-SHA256"),
  "a life that is longer": (request, form) =>
    form === "query"
      ? { ...request, target: request.target.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604800") }
      : undefined,
  "the time": (request) => {
    const headers = request.headers.map(
      ([name, value]) => [name, name === "x-amz-date" ? value.replace(/\d\dZ$/, "59Z") : value] as const,
    );
    const target = request.target.replace(/(X-Amz-Date=\d{8}T\d{4})\d\dZ/, "$159Z");
    const isOther = String(headers) !== String(request.headers) || target !== request.target;
    return isOther ? { ...request, headers, target } : undefined;
  },
  "another session's token": (request) => {
    const headers = request.headers.map(
      ([name, value]) => [name, name === "x-amz-security-token" ? `${value.slice(0, -1)}A` : value] as const,
    );
    const target = request.target.replace(/(X-Amz-Security-Token=[^&]*?)[^&](?=&|$)/, "$1A");
    const isOther = String(headers) !== String(request.headers) || target !== request.target;
    return isOther ? { ...request, headers, target } : undefined;
  },
};

const cases = Object.entries(signatureVectors).flatMap(([name, vector]) =>
  (["header", "query"] as const).map((form) => ({ name: `${name} (${form})`, vector, form })),
);

/** Where there are several places to change, some of them; another time others. */
const places = (change: Change) => fc.sample(fc.nat(1_000), change.length < 3 ? 1 : 4);

const outcomeOf = (sent: Promise<string>) =>
  sent.catch((error: unknown) => (error instanceof AwsError ? `refused ${error.status}` : String(error)));

describe.skipIf(!hasSignatureVectors)("AWS's signed requests (skipped without their data) are refused with", () => {
  test.each(Object.entries(changes))("%s changed", async (_what, change) => {
    let tried = 0;
    for (const { name, vector, form } of cases) {
      for (const at of places(change)) {
        const changed = change(requestOf(vector, form), form, at);
        if (!changed) continue;
        tried += 1;
        const outcome = await outcomeOf(verifyVector(vector, changed));
        expect(outcome, `${name}: ${JSON.stringify(changed)}`).toMatch(/^(refused 40[03]|tampered body)$/);
      }
    }
    expect(tried).toBeGreaterThan(0);
  });

  test("a clock further away than five minutes (AWS: a quarter of an hour is S3's), and taken within them", async () => {
    const minute = 60_000;
    for (const { name, vector, form } of cases) {
      const at = Date.parse(contextOf(vector).timestamp);
      const outcome = (now: number) => outcomeOf(verifyVector(vector, requestOf(vector, form), now));
      const lifeSeconds = Number(/X-Amz-Expires=(\d+)/.exec(requestOf(vector, form).target)?.[1] ?? 0);
      expect(await outcome(at - 5 * minute - 1_000), name).toMatch(/^refused/);
      expect(await outcome(at - 4 * minute), name).toBe("root");
      if (form === "header") {
        expect(await outcome(at + 4 * minute), name).toBe("root");
        expect(await outcome(at + 5 * minute + 1_000), name).toMatch(/^refused/);
      } else {
        expect(await outcome(at + lifeSeconds * 1_000 - 1_000), name).toBe("root");
        expect(await outcome(at + lifeSeconds * 1_000 + 1_000), name).toMatch(/^refused/);
      }
    }
  });

  test("no word of who signed left over", async () => {
    for (const { vector, form } of cases) {
      const bare = withAuthority(requestOf(vector, form), (text) =>
        text.replace(/[,&;]?\s*(?:X-Amz-)?Signature=[0-9a-f]{64}/, ""),
      );
      expect(bare && (await outcomeOf(verifyVector(vector, bare)))).toMatch(/^refused 40[03]$/);
    }
  });
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the chunks of a signed body are refused", () => {
  const at = { date: "20260102", region: "us-east-1", service: "s3" };
  const scope = `${at.date}/${at.region}/${at.service}/aws4_request`;
  const date = "20260102T030405Z";
  const key = createSigningKeys()("secret", at);
  const seedSignature = "0".repeat(64);
  const hmac = (text: string) => createHmac("sha256", signingKey()).update(text).digest("hex");

  /** Worked out here from the documentation, beside the product's own. */
  function signingKey(): Buffer {
    let current: Buffer = Buffer.from("AWS4secret");
    for (const part of [at.date, at.region, at.service, "aws4_request"]) {
      current = createHmac("sha256", current).update(part).digest();
    }
    return current;
  }

  interface Chunk {
    readonly content: string;
    readonly signature: string;
  }

  function sign(contents: readonly string[], trailer: string) {
    let previous = seedSignature;
    const chunks: Chunk[] = [...contents, ""].map((content) => {
      previous = hmac(["AWS4-HMAC-SHA256-PAYLOAD", date, scope, previous, sha256(""), sha256(content)].join("\n"));
      return { content, signature: previous };
    });
    const trailerSignature = hmac(
      ["AWS4-HMAC-SHA256-TRAILER", date, scope, previous, sha256(`${trailer}\n`)].join("\n"),
    );
    return { chunks, trailerSignature };
  }

  function toBody(chunks: readonly Chunk[], trailer: string, trailerSignature: string): string {
    const text = chunks.map(
      ({ content, signature }, index) =>
        `${content.length.toString(16)};chunk-signature=${signature}\r\n${content}${index === chunks.length - 1 ? "" : "\r\n"}`,
    );
    return `${text.join("")}${trailer}\r\nx-amz-trailer-signature:${trailerSignature}\r\n\r\n`;
  }

  async function outcome(body: string, decodedBytes: number): Promise<string> {
    const rules = {
      signing: { key, date, scope, seedSignature },
      trailerNames: ["x-amz-checksum-crc32"],
      decodedBytes,
    };
    const trailers: Record<string, string> = {};
    const source = (async function* () {
      yield Buffer.from(body, "latin1");
    })();
    try {
      for await (const part of decodeChunkedBody(source, rules, trailers)) void part;
      return "accepted";
    } catch (error) {
      return error instanceof AwsError ? "refused" : String(error);
    }
  }

  const contents = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,20}$/), { minLength: 2, maxLength: 5 });
  const trailer = "x-amz-checksum-crc32:AAAAAA==";

  test("in another order, changed, or with another end; unchanged they are taken", async () => {
    await fc.assert(
      fc.asyncProperty(contents, fc.nat(100), fc.nat(100), async (texts, first, second) => {
        const { chunks, trailerSignature } = sign(texts, trailer);
        const bytes = texts.join("").length;
        const a = first % texts.length;
        const b = second % texts.length;
        expect(await outcome(toBody(chunks, trailer, trailerSignature), bytes)).toBe("accepted");
        const refused = async (changed: readonly Chunk[], end = trailer, endSignature = trailerSignature) =>
          expect(await outcome(toBody(changed, end, endSignature), bytes)).toBe("refused");
        const swapped = chunks
          .with(a, chunks[b] ?? { content: "", signature: "" })
          .with(b, chunks[a] ?? { content: "", signature: "" });
        if (a !== b) await refused(swapped);
        await refused(
          chunks.map((chunk, index) =>
            index === a
              ? { ...chunk, content: chunk.content.replace(/./, (letter) => (letter === "x" ? "y" : "x")) }
              : chunk,
          ),
        );
        await refused(
          chunks.map((chunk, index) =>
            index === a ? { ...chunk, signature: flipped(chunk.signature, second) } : chunk,
          ),
        );
        await refused(chunks.filter((_chunk, index) => index !== a));
        await refused(chunks, "x-amz-checksum-crc32:BBBBBB==");
        await refused(chunks, trailer, flipped(trailerSignature, first));
        await refused(chunks, trailer, chunks.at(-1)?.signature);
      }),
      { numRuns: 60 },
    );
  });
});
