import { createHash, hash } from "node:crypto";
import { notImplemented } from "../../aws/error.ts";
import { type Blobs, BlobTooLargeError } from "../../kernel/blobs/blobs.ts";
import { blobLimits } from "../../kernel/limits.ts";
import type { Store, Transaction } from "../../kernel/store/store.ts";
import { badChecksum, badDigest, invalidDigest } from "../../wire/body-digests.ts";
import { type ChecksumAlgorithm, checksumAlgorithms, createDigest, type Digest } from "../../wire/checksums.ts";
import type { Call, StreamIn } from "../../wire/service.ts";
import { isWhole } from "../../wire/whole-content.ts";
import { entityTooLarge, invalidRequest } from "./errors.ts";
import { s3Limits } from "./limits.ts";
import type { Checksum } from "./model.ts";

export interface UploadNeeds {
  readonly store: Store;
  readonly blobs: Blobs;
}

/** Members of inputs that say what the body's checksum must be. */
export interface ChecksumInput {
  readonly ChecksumAlgorithm?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA1?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
  readonly ChecksumSHA512?: string | undefined;
  readonly ChecksumMD5?: string | undefined;
  readonly ContentMD5?: string | undefined;
}

/** A body that is what the client says it is: on disk, or small and to be written with its pointer. */
export interface Received {
  readonly content: { readonly blob: string } | { readonly bytes: Uint8Array };
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  readonly checksum: string;
}

/** The checksum a client sends or asks for, by header, by trailer, or by its name alone. */
interface WantedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; undefined when it comes in a trailer or is only to be computed. */
  readonly value: string | undefined;
  readonly inTrailer: boolean;
}

export function wantedChecksum(input: ChecksumInput, call: Call): WantedChecksum | undefined {
  const given = checksumAlgorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined);
  const [algorithm] = given;
  if (given.length > 1) {
    throw invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  }
  if (algorithm) {
    const value = input[`Checksum${algorithm}`];
    checkForm(algorithm, value);
    return { algorithm, value, inTrailer: false };
  }
  const trailer = call.http?.headers["x-amz-trailer"]?.trim().toLowerCase();
  if (trailer?.startsWith("x-amz-checksum-")) {
    const named = checksumAlgorithms.find((each) => trailer === `x-amz-checksum-${each.toLowerCase()}`);
    if (!named) throw notImplemented(`The trailer ${trailer}`);
    return { algorithm: named, value: undefined, inTrailer: true };
  }
  return input.ChecksumAlgorithm === undefined
    ? undefined
    : { algorithm: parseAlgorithm(input.ChecksumAlgorithm), value: undefined, inTrailer: false };
}

export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = checksumAlgorithms.find((each) => each === name.toUpperCase());
  if (algorithm) return algorithm;
  if (/^XXHASH\d+$/.test(name)) throw notImplemented(`The checksum algorithm ${name}`);
  throw invalidRequest(
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5]",
  );
}

function checkForm(algorithm: ChecksumAlgorithm, value: string | undefined): void {
  const bytes = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32, SHA512: 64, MD5: 16 }[algorithm];
  if (value === undefined || !isBase64(value, bytes)) {
    throw invalidRequest(`Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
  }
}

function isBase64(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, "base64");
  return decoded.length === bytes && decoded.toString("base64") === text;
}

/**
 * Take a body, and refuse it when it is not what its digests say. `algorithm` is the one whose checksum is
 * wanted; another that the client sends is checked as well.
 */
export async function receive(
  needs: UploadNeeds,
  body: StreamIn | undefined,
  input: ChecksumInput,
  call: Call,
  algorithm: ChecksumAlgorithm,
): Promise<Received> {
  if (input.ContentMD5 !== undefined && !isBase64(input.ContentMD5, 16)) throw invalidDigest();
  const wanted = wantedChecksum(input, call);
  const sent = wanted && wanted.algorithm !== algorithm ? createDigest(wanted.algorithm) : undefined;
  const whole = body && isWhole(body) ? await body.whole() : undefined;
  if (whole) sent?.update(whole);
  const received = await receiveAs(needs, whole ?? observed(body ?? [], sent), algorithm);
  try {
    if (input.ContentMD5 !== undefined && Buffer.from(received.md5, "hex").toString("base64") !== input.ContentMD5) {
      throw badDigest("Content-MD5");
    }
    if (wanted) checkSent(wanted, sent?.digest().toString("base64") ?? received.checksum, call);
  } catch (error) {
    await discard(needs, received);
    throw error;
  }
  return received;
}

function checkSent(wanted: WantedChecksum, computed: string, call: Call): void {
  const name = `x-amz-checksum-${wanted.algorithm.toLowerCase()}`;
  const value = wanted.inTrailer ? call.http?.trailers?.()[name]?.trim() : wanted.value;
  if (wanted.inTrailer) checkForm(wanted.algorithm, value);
  if (value !== undefined && value !== computed) throw badChecksum(wanted.algorithm);
}

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

function observed(content: Bytes, digest: Digest | undefined): Bytes {
  return digest ? tap(content, (chunk) => digest.update(chunk)) : content;
}

async function* tap(content: Bytes, see: (chunk: Uint8Array) => void): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    see(chunk);
    yield chunk;
  }
}

/** Write content to disk unless it is small, computing its MD5 and a checksum on the way. */
export async function receiveAs(
  needs: UploadNeeds,
  content: Bytes | Uint8Array,
  algorithm: ChecksumAlgorithm,
): Promise<Received> {
  if (content instanceof Uint8Array) {
    if (content.length > blobLimits.smallBytesMax) return receiveAs(needs, [content], algorithm);
    const digest = createDigest(algorithm);
    digest.update(content);
    const [md5, checksum] = [hash("md5", content, "hex"), digest.digest().toString("base64")];
    return { content: { bytes: content }, size: content.length, md5, checksum };
  }
  const md5 = createHash("md5");
  const digest = createDigest(algorithm);
  const measured = tap(content, (chunk) => {
    md5.update(chunk);
    digest.update(chunk);
  });
  const bytesMax = s3Limits.uploadBytesMax;
  try {
    const { id, bytes } = await needs.blobs.write(measured, { maxBytes: bytesMax });
    return { content: { blob: id }, size: bytes, md5: md5.digest("hex"), checksum: digest.digest().toString("base64") };
  } catch (error) {
    throw error instanceof BlobTooLargeError ? entityTooLarge(bytesMax) : error;
  }
}

/** Commit what was received, with its blob as the body's; when that fails, let its bytes go. */
export async function commitReceived<T>(
  needs: UploadNeeds,
  received: Received,
  body: (tx: Transaction, blob: string) => Promise<T>,
): Promise<T> {
  const { content } = received;
  try {
    return await needs.store.transact(async (tx) => {
      if ("bytes" in content) return body(tx, needs.blobs.writeSmall(tx, content.bytes));
      needs.blobs.retain(tx, content.blob);
      return body(tx, content.blob);
    });
  } catch (error) {
    await discard(needs, received);
    throw error;
  }
}

async function discard(needs: UploadNeeds, { content }: Received): Promise<void> {
  if ("blob" in content) await needs.store.transact(async (tx) => needs.blobs.release(tx, content.blob));
}

/** A stored checksum as members of an answer. */
export function toChecksumMembers(checksum: Checksum | undefined) {
  if (!checksum) return {};
  const members: { [Member in `Checksum${ChecksumAlgorithm}`]?: string } = {};
  members[`Checksum${checksum.algorithm}`] = checksum.value;
  return { ...members, ChecksumType: checksum.type };
}

/** Algorithms that clients may name and we cannot compute. */
export const unbuiltChecksums = ["ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128"] as const;
