import { createHash } from "node:crypto";
import { AwsError } from "../../aws/error.ts";
import { signatureDoesNotMatch } from "../errors.ts";
import { accessLimits } from "../limits.ts";
import { sha256Hex } from "./canonical-request.ts";
import { isSignature, type SigningKey } from "./signing-key.ts";

/** What an `aws-chunked` body must keep to. */
export interface ChunkedBodyRules {
  /**
   * Absent when the chunks are not signed (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`); `unverified` when they may be, with a
   * key that is not ours to check (`--dev`).
   */
  readonly signing: ChunkSigning | "unverified" | undefined;
  /** Lower-case names of the headers that follow the last chunk (`x-amz-trailer`). */
  readonly trailerNames: readonly string[];
  /** `x-amz-decoded-content-length` */
  readonly decodedBytes: number;
}

export interface ChunkSigning {
  readonly key: SigningKey;
  /** `20150830T123600Z` */
  readonly date: string;
  readonly scope: string;
  /** The request's own signature: the first chunk continues it. */
  readonly seedSignature: string;
}

/**
 * Unwrap an `aws-chunked` body. Content is yielded as it arrives, so it is provisional until the iteration has ended
 * without an error: a chunk's signature comes to be checked at its end.
 *
 * Source: "Signature calculations for the Authorization header: transferring payload in multiple chunks" and "… with
 * trailing headers" in the S3 API reference.
 *
 * @throws {AwsError} `SignatureDoesNotMatch`, `IncompleteBody`, `InvalidRequest`, `MalformedTrailerError`
 */
export async function* decodeChunkedBody(
  body: AsyncIterable<Uint8Array>,
  rules: ChunkedBodyRules,
  trailers: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  const input = createByteReader(body);
  try {
    const signing = rules.signing === "unverified" ? undefined : rules.signing;
    let previous = signing?.seedSignature ?? "";
    let decoded = 0;
    for (;;) {
      const header = parseChunkHeader(await readChunkLine(input), rules.signing);
      decoded += header.bytes;
      if (decoded > rules.decodedBytes) throw incompleteBody();
      const hash = signing && createHash("sha256");
      let left = header.bytes;
      while (left > 0) {
        const part = await input.take(left);
        if (!part) throw incompleteBody();
        left -= part.length;
        hash?.update(part);
        yield part;
      }
      if (signing && hash) previous = checkChunk(signing, previous, hash.digest("hex"), header.signature);
      if (header.bytes === 0) break;
      if ((await input.line(2)) !== "") throw malformedChunk();
    }
    if (decoded !== rules.decodedBytes) throw incompleteBody();
    await readTrailers(input, rules, previous, trailers);
  } finally {
    await input.close();
  }
}

async function readChunkLine(input: ByteReader): Promise<string> {
  const line = await input.line(accessLimits.chunkHeaderBytesMax);
  if (line === undefined) throw incompleteBody();
  return line;
}

function parseChunkHeader(
  line: string,
  signing: ChunkedBodyRules["signing"],
): { readonly bytes: number; readonly signature: string } {
  const match = /^([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  const bytes = Number.parseInt(match?.[1] ?? "", 16);
  const signature = match?.[2];
  if (!match || bytes > accessLimits.chunkBytesMax) throw malformedChunk();
  if (signing !== "unverified" && (signing !== undefined) !== (signature !== undefined)) throw malformedChunk();
  return { bytes, signature: signature ?? "" };
}

const emptyHash = sha256Hex("");

function checkChunk(signing: ChunkSigning, previous: string, contentHash: string, signature: string): string {
  const stringToSign = `AWS4-HMAC-SHA256-PAYLOAD\n${signing.date}\n${signing.scope}\n${previous}\n${emptyHash}\n${contentHash}`;
  if (!isSignature(signing.key, stringToSign, signature)) throw signatureDoesNotMatch("s3");
  return signature;
}

async function readTrailers(
  input: ByteReader,
  rules: ChunkedBodyRules,
  previous: string,
  trailers: Record<string, string>,
): Promise<void> {
  let bytesLeft = accessLimits.trailerBytesMax;
  let signature: string | undefined;
  let canonical = "";
  for (;;) {
    const line = await input.line(bytesLeft);
    // Some clients leave out the empty line that ends the body; some put one before the trailer's signature.
    if (line === undefined) break;
    bytesLeft -= line.length + 1;
    if (line === "") {
      const complete = rules.trailerNames.every((name) => Object.hasOwn(trailers, name));
      if (complete && (typeof rules.signing !== "object" || rules.trailerNames.length === 0 || signature !== undefined))
        break;
      continue;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (colon < 1) throw malformedTrailer();
    if (name === "x-amz-trailer-signature") {
      signature = value;
      continue;
    }
    if (!rules.trailerNames.includes(name) || Object.hasOwn(trailers, name)) throw malformedTrailer();
    trailers[name] = value;
    canonical += `${name}:${value}\n`;
  }
  if (rules.trailerNames.some((name) => !Object.hasOwn(trailers, name))) throw malformedTrailer();
  if (typeof rules.signing === "object" && rules.trailerNames.length > 0) {
    const { key, date, scope } = rules.signing;
    const stringToSign = `AWS4-HMAC-SHA256-TRAILER\n${date}\n${scope}\n${previous}\n${sha256Hex(canonical)}`;
    if (signature === undefined || !isSignature(key, stringToSign, signature)) throw signatureDoesNotMatch("s3");
  } else if (signature !== undefined && rules.signing !== "unverified") throw malformedTrailer();
  if (!(await input.drained())) throw malformedChunk();
}

interface ByteReader {
  /** At most `bytesMax` bytes, as they come; undefined at the end. */
  take(bytesMax: number): Promise<Uint8Array | undefined>;
  /** The text up to the next line feed, without CR and LF; undefined when the body ends before any of it. */
  line(bytesMax: number): Promise<string | undefined>;
  /** Whether nothing follows. */
  drained(): Promise<boolean>;
  close(): Promise<void>;
}

function createByteReader(body: AsyncIterable<Uint8Array>): ByteReader {
  const source = body[Symbol.asyncIterator]();
  let buffered: Uint8Array = new Uint8Array(0);
  let done = false;
  const fill = async (): Promise<boolean> => {
    while (buffered.length === 0 && !done) {
      const next = await source.next();
      if (next.done) done = true;
      else buffered = next.value;
    }
    return buffered.length > 0;
  };
  return {
    take: async (bytesMax) => {
      if (!(await fill())) return undefined;
      const part = buffered.subarray(0, bytesMax);
      buffered = buffered.subarray(part.length);
      return part;
    },
    line: async (bytesMax) => {
      let text = "";
      for (;;) {
        if (!(await fill())) return text === "" ? undefined : text.replace(/\r$/, "");
        const end = buffered.indexOf(10);
        const part = buffered.subarray(0, end < 0 ? buffered.length : end);
        if (text.length + part.length > bytesMax) throw malformedChunk();
        text += Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("latin1");
        buffered = buffered.subarray(end < 0 ? buffered.length : end + 1);
        if (end >= 0) return text.endsWith("\r") ? text.slice(0, -1) : text;
      }
    },
    drained: async () => !(await fill()),
    close: async () => {
      if (!done) await source.return?.();
    },
  };
}

function incompleteBody(): AwsError {
  return new AwsError("IncompleteBody", 400, "The request body terminated unexpectedly");
}

function malformedChunk(): AwsError {
  return new AwsError("InvalidRequest", 400, "The chunks of the aws-chunked request body are malformed.");
}

function malformedTrailer(): AwsError {
  return new AwsError(
    "MalformedTrailerError",
    400,
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}
