import { checksumAlgorithms, createDigest } from "./checksums.ts";
import { badChecksum, badDigest, invalidDigest, invalidRequest } from "./errors.ts";

type Headers = Readonly<Record<string, string>>;

/**
 * Whether a body that is read whole, as XML is, is what its `Content-MD5` and its checksums say.
 *
 * @param headers lower-case names, the trailing ones too
 * @throws {AwsError} BadDigest, InvalidDigest, InvalidRequest
 */
export function checkBodyDigests(headers: Headers, body: Uint8Array): void {
  const md5 = headers["content-md5"];
  if (md5 !== undefined) {
    if (Buffer.from(md5, "base64").length !== 16) throw invalidDigest();
    if (digestOf("MD5", body) !== md5.trim()) throw badDigest("Content-MD5");
  }
  for (const algorithm of checksumAlgorithms) {
    const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
    const value = headers[name];
    if (value === undefined) continue;
    const computed = digestOf(algorithm, body);
    if (Buffer.from(value, "base64").length !== Buffer.from(computed, "base64").length) {
      throw invalidRequest(`Value for ${name} header is invalid.`);
    }
    if (computed !== value.trim()) throw badChecksum(algorithm);
  }
}

function digestOf(algorithm: (typeof checksumAlgorithms)[number], body: Uint8Array): string {
  const digest = createDigest(algorithm);
  digest.update(body);
  return digest.digest().toString("base64");
}

/** AWS: some requests must say what they are. @throws {AwsError} InvalidRequest */
export function requireBodyDigest(headers: Headers | undefined): void {
  if (!headers || headers["content-md5"] !== undefined) return;
  const isChecked =
    headers["x-amz-trailer"]?.includes("x-amz-checksum-") === true ||
    Object.keys(headers).some((name) => /^x-amz-checksum-(crc|sha|md5|xxhash)/.test(name));
  if (!isChecked) throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
}
