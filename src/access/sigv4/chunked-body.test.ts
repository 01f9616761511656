import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsError } from "../../aws/error.ts";
import { randomIds } from "../../kernel/ids.ts";
import { createServerKeys } from "../server-keys.ts";
import { createSessions } from "../sessions.ts";
import { createVerifier } from "../verify.ts";
import { decodeChunkedBody, type ChunkedBodyRules } from "./chunked-body.ts";
import { createSigningKeys } from "./signing-key.ts";

// The examples of the S3 API reference: 66,560 letters "a" in two chunks.
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const scope = { date: "20130524", region: "us-east-1", service: "s3" };
const key = createSigningKeys()(secret, scope);
const content = "a".repeat(66_560);

function toBody(chunkSignatures: readonly string[], end: string): string {
  const [first, second, last] = chunkSignatures;
  return (
    `10000;chunk-signature=${first}\r\n${content.slice(0, 65_536)}\r\n` +
    `400;chunk-signature=${second}\r\n${content.slice(65_536)}\r\n` +
    `0;chunk-signature=${last}\r\n${end}`
  );
}

const signedBody = toBody(
  [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ],
  "\r\n",
);
const signed: ChunkedBodyRules = {
  signing: {
    key,
    date: "20130524T000000Z",
    scope: "20130524/us-east-1/s3/aws4_request",
    seedSignature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  },
  trailerNames: [],
  decodedBytes: content.length,
};

const trailerBody = (value: string) =>
  toBody(
    [
      "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ],
    `x-amz-checksum-crc32c:${value}\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n`,
  );
const withTrailer: ChunkedBodyRules = {
  signing: signed.signing && {
    key,
    date: "20130524T000000Z",
    scope: "20130524/us-east-1/s3/aws4_request",
    seedSignature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  },
  trailerNames: ["x-amz-checksum-crc32c"],
  decodedBytes: content.length,
};
const unsigned = (decodedBytes: number): ChunkedBodyRules => ({
  signing: undefined,
  trailerNames: ["x-amz-checksum-crc32"],
  decodedBytes,
});

async function decode(body: string, rules: ChunkedBodyRules, pieceBytes = 1_000) {
  const trailers: Record<string, string> = {};
  const source = (async function* () {
    const bytes = Buffer.from(body, "latin1");
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  })();
  const parts: Buffer[] = [];
  for await (const part of decodeChunkedBody(source, rules, trailers)) parts.push(Buffer.from(part));
  return { text: Buffer.concat(parts).toString("latin1"), trailers };
}

const refusal = (body: string, rules: ChunkedBodyRules) =>
  decode(body, rules).then(
    () => "accepted",
    (error: unknown) => (error instanceof AwsError ? error.code : error),
  );

describe("aws-chunked bodies", () => {
  test.each([1, 7, 1_000, 100_000])("the published example is accepted in pieces of %d bytes", async (pieceBytes) => {
    expect((await decode(signedBody, signed, pieceBytes)).text).toBe(content);
  });

  test("the published example is accepted with the request that it belongs to", async () => {
    const verifier = createVerifier({
      now: () => Date.parse("2013-05-24T00:00:00Z"),
      accessKeys: {
        findAccessKey: () => ({
          secretAccessKey: secret,
          principal: { type: "root", account: "1", arn: "arn:aws:iam::1:root", accessKeyId: "x" },
        }),
      },
      sessions: createSessions({ keys: createServerKeys(new Uint8Array(32)), ids: randomIds }),
    });
    const { payload } = await verifier.verify(
      {
        method: "PUT",
        target: "/examplebucket/chunkObject.txt",
        headers: [
          ["host", "s3.amazonaws.com"],
          ["x-amz-date", "20130524T000000Z"],
          ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
          ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"],
          ["content-encoding", "aws-chunked"],
          ["x-amz-decoded-content-length", "66560"],
          ["content-length", "66824"],
          [
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
          ],
        ],
      },
      "s3",
    );
    expect(payload.kind).toBe("chunked");
  });

  test("the published example with a trailer is accepted, and its trailer told", async () => {
    const { text, trailers } = await decode(trailerBody("sOO8/Q=="), withTrailer);
    expect(text).toBe(content);
    expect(trailers).toEqual({ "x-amz-checksum-crc32c": "sOO8/Q==" });
  });

  test("a changed trailer is refused", async () => {
    expect(await refusal(trailerBody("sOO8/A=="), withTrailer)).toBe("SignatureDoesNotMatch");
  });

  test("any changed byte of content or of a signature is refused", async () => {
    for (const at of [90, 40_000, 65_700, signedBody.length - 20]) {
      const changed = signedBody.slice(0, at) + (signedBody[at] === "b" ? "c" : "b") + signedBody.slice(at + 1);
      expect(await refusal(changed, signed)).toMatch(/SignatureDoesNotMatch|InvalidRequest/);
    }
  });

  test("chunks left out, cut off or repeated are refused", async () => {
    const second = signedBody.indexOf("400;chunk");
    const last = signedBody.indexOf("0;chunk-signature=b6c6");
    const without = signedBody.slice(0, second) + signedBody.slice(last);
    expect(await refusal(without, signed)).toMatch(/SignatureDoesNotMatch|IncompleteBody/);
    expect(await refusal(signedBody.slice(0, last), signed)).toBe("IncompleteBody");
    expect(await refusal(signedBody.slice(0, 5_000), signed)).toBe("IncompleteBody");
    const repeated = signedBody.slice(0, second) + signedBody;
    expect(await refusal(repeated, signed)).toMatch(/SignatureDoesNotMatch|IncompleteBody/);
    expect(await refusal(`${signedBody}more`, signed)).toBe("InvalidRequest");
    expect(await refusal(signedBody, { ...signed, decodedBytes: content.length + 1 })).toBe("IncompleteBody");
  });

  test("chunks that are not signed are taken where the request says so, and only there", async () => {
    const body = "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    expect(await decode(body, unsigned(11), 1)).toEqual({
      text: "hello world",
      trailers: { "x-amz-checksum-crc32": "DUoRhQ==" },
    });
    expect(await refusal(body, { ...signed, decodedBytes: 11 })).toBe("InvalidRequest");
    expect(await refusal(signedBody, unsigned(content.length))).toBe("InvalidRequest");
  });

  test.each([
    ["a trailer that was not announced", "0\r\nx-amz-checksum-sha1:x\r\n\r\n", "MalformedTrailerError"],
    ["no trailer where one was announced", "0\r\n\r\n", "MalformedTrailerError"],
    ["a trailer twice", "0\r\nx-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:b\r\n\r\n", "MalformedTrailerError"],
    ["trailers without end", `0\r\n${"\r\n".repeat(20_000)}`, "InvalidRequest"],
    ["a size that is no number", "zz\r\n", "InvalidRequest"],
    ["a negative size", "-1\r\n", "InvalidRequest"],
    ["a size beyond any object", "ffffffffffffffff\r\n", "InvalidRequest"],
    ["a line without end", "1".repeat(5_000), "InvalidRequest"],
    ["nothing", "", "IncompleteBody"],
    ["more than was announced", "5\r\nhello\r\n", "IncompleteBody"],
  ])("%s is refused", async (_name, body, code) => {
    expect(await refusal(body, unsigned(0))).toBe(code);
  });

  test("whatever is sent is decoded or refused with a 4xx", async () => {
    const words = fc.constantFrom(
      "5",
      "\r\n",
      "hello",
      "0",
      ";chunk-signature=",
      "a".repeat(64),
      ":",
      "x-amz-checksum-crc32",
      "\n",
      "\u0000",
      "ff",
    );
    const bodies = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(words, { maxLength: 30 }).map((all) => all.join("")),
    );
    const zero = {
      ...signed,
      signing: { key: createSigningKeys()("", scope), date: "", scope: "", seedSignature: "" },
    };
    await fc.assert(
      fc.asyncProperty(
        bodies,
        fc.constantFrom(zero, unsigned(5), { ...unsigned(5), signing: "unverified" as const }),
        async (body, rules) => {
          try {
            await decode(body, rules, 3);
          } catch (error) {
            expect(error).toBeInstanceOf(AwsError);
            expect((error as AwsError).status).toBeLessThan(500);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
