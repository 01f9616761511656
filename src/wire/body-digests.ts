import { AwsError } from "../aws/error.ts";
import { checksumAlgorithms, createDigest } from "./checksums.ts";

type Headers = Readonly<Record<string, string>>;

/**
 * Whether a body to S3 that is read whole, as XML is, is what its `Content-MD5` and its checksums say.
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

// Texts: "Error responses", Amazon S3 API Reference, and what S3 answers.

export const badDigest = (what: string) =>
  new AwsError("BadDigest", 400, `The ${what} you specified did not match what we received.`);

export const badChecksum = (algorithm: string) =>
  new AwsError("BadDigest", 400, `The ${algorithm} you specified did not match the calculated checksum.`);

export const invalidDigest = () => new AwsError("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");

const invalidRequest = (message: string) => new AwsError("InvalidRequest", 400, message);
